"""Blocking people, politely: to them the account looks as if it were not there (XEP-0191)."""

from collections.abc import Iterable

from hausbote.base.jid import JID, InvalidJID
from hausbote.base.tokens import token
from hausbote.core.addresses import parse_all
from hausbote.core.directory import Account
from hausbote.core.dispatch import route
from hausbote.core.feature import Feature, Target
from hausbote.core.host import Host, breathe
from hausbote.core.request import Request
from hausbote.core.session import Session
from hausbote.features.blocklist import (
    Interest,
    blocks,
    covers,
    holders,
    list_of,
    refusal,
    replace_list,
)
from hausbote.features.contacts import contacts_of, may_see, sees
from hausbote.features.presence import Directed
from hausbote.features.reports import forward, reports
from hausbote.xmpp import ns
from hausbote.xmpp.errors import (
    BadRequest,
    JidMalformed,
    ResourceConstraint,
    ServiceUnavailable,
)
from hausbote.xmpp.invitations import names_in
from hausbote.xmpp.stanza import Child, Stanza, child, stanza
from hausbote.xmpp.xml import Tree, el

feature = Feature("blocking", xeps={"0191": "1.3"}, disco=(ns.BLOCKING,))


# -- the list ----------------------------------------------------------------------------------


@feature.iq("get", ns.BLOCKING, "blocklist", Target.ACCOUNT)
def get(request: Request) -> Child:
    session = _owner(request)
    session.state(Interest).blocklist = True
    return _payload("blocklist", sorted(list_of(request.host, session.account)))


@feature.iq("set", ns.BLOCKING, "block", Target.ACCOUNT)
def block(request: Request) -> None:
    """Block some addresses, and say goodbye to those who see the account now (§3.3)."""
    host, account = request.host, _owner(request).account
    items = request.tree().findall(f"{{{ns.BLOCKING}}}item")
    if not items:
        raise BadRequest("nobody is named")
    jids = _addresses(items)
    found = reports(items)
    block_all(host, account, jids)
    forward(host, account, found)


def block_all(host: Host, account: Account, jids: list[str]) -> None:
    """Waits; ResourceConstraint, and nothing is changed, if the list would be too long."""
    with account.lock:
        before = list_of(host, account)
        new = frozenset(jids) - before
        # Once they are blocked nothing reaches them any more, not even this.
        goodbyes = [*_presences(host, account, new, "unavailable")] if new else []
        limit = host.settings.limits.blocked
        if new and not host.store.blocklists.add(account.local, sorted(new), limit):
            raise ResourceConstraint(f"a block list may have {limit} addresses")
    for goodbye in goodbyes:
        route(host, goodbye)
        breathe()
    with account.lock:
        replace_list(host, account, frozenset(host.store.blocklists.load(account.local)))
    _push(account, "block", jids)


@feature.iq("set", ns.BLOCKING, "unblock", Target.ACCOUNT)
def unblock(request: Request) -> None:
    """Unblock some addresses, or all (§3.4, §3.5), and show them the account again."""
    host, account = request.host, _owner(request).account
    unblock_all(host, account, _addresses(request.tree().findall(f"{{{ns.BLOCKING}}}item")))


def unblock_all(host: Host, account: Account, jids: list[str]) -> None:
    """These, or everybody if there are none.  Waits."""
    with account.lock:
        before = list_of(host, account)
        gone = before.intersection(jids) if jids else before
        if gone:
            host.store.blocklists.remove(account.local, sorted(gone))
            replace_list(host, account, before - gone)
    _push(account, "unblock", jids)
    for presence in list(_presences(host, account, gone, None)):
        route(host, presence)
    _ask_after(host, account, gone)


@feature.iq("set", ns.BLOCKING, "block", Target.CLIENT)
@feature.iq("set", ns.BLOCKING, "unblock", Target.CLIENT)
def forged(_request: Request) -> None:
    """Clients hear of their list from us alone."""
    raise ServiceUnavailable


def _owner(request: Request) -> Session:
    if request.session is None or not request.own:
        raise ServiceUnavailable  # the same for accounts that do not exist
    return request.session


def _addresses(items: list[Tree]) -> list[str]:
    try:
        return [jid.full for jid in parse_all(item.get("jid", "") for item in items)]
    except InvalidJID as problem:
        raise JidMalformed(str(problem)) from None


def _payload(name: str, jids: Iterable[str]) -> Child:
    return child(ns.BLOCKING, name, *[el("item", jid=jid) for jid in jids])


def _push(account: Account, name: str, jids: list[str]) -> None:
    payload = _payload(name, jids)
    for session in list(account.sessions.values()):
        if session.state(Interest).blocklist:
            session.send(stanza("iq", payload, type="set", id=token(64), to=session.jid.full))


# -- what it means for presence ----------------------------------------------------------------


def _presences(
    host: Host, account: Account, jids: frozenset[str], type: str | None
) -> Iterable[Stanza]:
    """Presence of every available client for those of `jids` who may have it."""
    everyone = [item.jid for item in contacts_of(host, account).items.values() if may_see(item)]
    for session in account.available():
        assert session.presence is not None
        directed = session.state(Directed).jids
        named = [*everyone, *(directed if type else ())]
        for to in {to for jid in named for to in _matched(jids, jid)}:
            if type is None:
                yield session.presence.replace(to=to)
            else:
                yield stanza("presence", from_=session.jid.full, to=to, type=type)
        if type:
            for jid in [jid for jid in directed if covers(jids, JID.parse(jid))]:
                del directed[jid]


def _matched(jids: frozenset[str], contact: str) -> list[str]:
    """The contact if it is meant, and those of its resources that are meant alone."""
    if covers(jids, JID.parse(contact)):
        return [contact]
    return [jid for jid in jids if jid.startswith(f"{contact}/")]


def _ask_after(host: Host, account: Account, jids: frozenset[str]) -> None:
    """What the unblocked did meanwhile was not told."""
    for item in list(contacts_of(host, account).items.values()):
        if sees(item) and _matched(jids, item.jid):
            for session in account.available():
                route(host, stanza("presence", from_=session.jid.full, to=item.jid, type="probe"))


# -- what it means for every stanza ------------------------------------------------------------


@feature.screen
def screen(host: Host, stanza: Stanza, sender: JID, to: JID, session: Session | None) -> bool:
    """Nothing passes between the two; the blocked hears what a stranger hears (§3.3)."""
    locals = holders(host)
    if not locals:
        return False
    if sender.domain == host.domain and sender.local in locals and blocks(host, sender.local, to):
        return _outbound(stanza, session)
    if to.domain == host.domain and to.local in locals and blocks(host, to.local, sender):
        return _inbound(stanza)
    if to.domain == host.domain and to.local in locals and stanza.name == "message":
        return _is_passed_on(host, stanza, to.local)
    return False


def _is_passed_on(host: Host, message: Stanza, local: str) -> bool:
    """Whether a room brings the words of somebody who is blocked: their invitation or refusal.

    It is dropped without an answer: the room did nothing wrong, and an error could cost a place.
    """
    x = message.child(ns.MUC_USER, "x")
    return x is not None and any(_is_blocked(host, local, name) for name in names_in(x))


def _is_blocked(host: Host, local: str, name: str) -> bool:
    try:
        return blocks(host, local, JID.parse(name))
    except InvalidJID:
        return False


def _outbound(stanza: Stanza, session: Session | None) -> bool:
    if session is None:
        # What the server says in the account's name: errors and answers for the blocked may pass.
        return stanza.name == "presence" and stanza.type != "error"
    raise refusal()


def _inbound(stanza: Stanza) -> bool:
    if stanza.name == "presence":
        return True
    raise ServiceUnavailable


def _unpack(_host: Host, session: Session, _wants: bool) -> None:
    session.state(Interest).blocklist = True


feature.keeps("blocklist", lambda session: session.state(Interest).blocklist, _unpack)
