"""What an account wants to have archived (XEP-0441).

People who never chose, which is nearly everybody, cost one look into a set.
"""

from hausbote.base.jid import JID, InvalidJID
from hausbote.core.addresses import parse_all
from hausbote.core.feature import Feature, Target
from hausbote.core.host import Host
from hausbote.core.request import Request
from hausbote.core.space import need_space
from hausbote.features.contacts import contacts_of
from hausbote.storage import Preferences
from hausbote.xmpp import ns
from hausbote.xmpp.errors import BadRequest, Forbidden, JidMalformed, ResourceConstraint
from hausbote.xmpp.stanza import Child, child
from hausbote.xmpp.xml import Tree, el

feature = Feature("archive preferences", xeps={"0441": "0.2.0"})

_DEFAULTS = ("always", "never", "roster")


class _Choosers:
    """The accounts of this service that have preferences of their own."""

    __slots__ = ("locals",)

    def __init__(self) -> None:
        self.locals: set[str] | None = None


class _Chosen:
    """One account's, read when they are first needed."""

    __slots__ = ("preferences",)

    def __init__(self) -> None:
        self.preferences: Preferences | None = None


def wants(host: Host, local: str, peer: JID) -> bool:
    """Whether that account wants to keep what goes to and fro with an address."""
    if local not in _choosers(host):
        return True
    account = host.directory.account(local)
    state = account.state(_Chosen)
    if state.preferences is None:
        state.preferences = host.store.archiving.preferences(local)
    chosen = state.preferences
    if _lists(chosen.never, peer):
        return False
    if _lists(chosen.always, peer) or chosen.fallback == "always":
        return True
    return chosen.fallback == "roster" and contacts_of(host, account).get(peer.bare).listed


@feature.iq("get", ns.MAM, "prefs", Target.ACCOUNT)
def show(request: Request) -> Child:
    _own(request)
    return _payload(request.host.store.archiving.preferences(request.to.local))


@feature.iq("set", ns.MAM, "prefs", Target.ACCOUNT)
def choose(request: Request) -> Child:
    _own(request)
    host, local = request.host, request.to.local
    wanted = _read(request.tree())
    limit = host.settings.limits.archive_preferences
    if limit and len(wanted.always) + len(wanted.never) > limit:
        raise ResourceConstraint("too many addresses")
    need_space(host)
    decide(host, local, wanted)
    return _payload(wanted)


def decide(host: Host, local: str, wanted: Preferences) -> None:
    """On disk when this returns."""
    account = host.directory.account(local)
    with account.lock:
        host.store.archiving.set_preferences(local, wanted)
        account.state(_Chosen).preferences = wanted
        _choosers(host).add(local)


def read_again(host: Host) -> None:
    """The store has more accounts with preferences."""
    host.state(_Choosers).locals = None


def _own(request: Request) -> None:
    if not request.own:
        raise Forbidden


def _choosers(host: Host) -> set[str]:
    state = host.state(_Choosers)
    if state.locals is None:
        state.locals = host.store.archiving.locals()
    return state.locals


def _lists(jids: tuple[str, ...], peer: JID) -> bool:
    """A listed JID with a resource is that one only (§2.3.1)."""
    return peer.bare in jids or peer.full in jids


def _read(prefs: Tree) -> Preferences:
    fallback = prefs.get("default", "")
    if fallback not in _DEFAULTS:
        raise BadRequest("default is always, never or roster")
    return Preferences(fallback, _jids(prefs, "always"), _jids(prefs, "never"))


def _jids(prefs: Tree, name: str) -> tuple[str, ...]:
    texts = prefs.findall(f"{{{ns.MAM}}}{name}/{{{ns.MAM}}}jid")
    try:
        jids = parse_all((text.text or "").strip() for text in texts)
    except InvalidJID as problem:
        raise JidMalformed(str(problem)) from None
    return tuple(dict.fromkeys(jid.full for jid in jids))


def _payload(preferences: Preferences) -> Child:
    lists = [
        el(name, *[el("jid", jid) for jid in jids])
        for name, jids in (("always", preferences.always), ("never", preferences.never))
    ]
    return child(ns.MAM, "prefs", *lists, default=preferences.fallback)
