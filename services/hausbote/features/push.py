"""Waking clients that are away, by way of their makers' push services (XEP-0357).

What is told is that there is something, and nothing else unless `push.summary` says so.  A client
that asks for it is known by its resource: its service is told of messages while it is not here.
`wake` is for clients that are here and asleep.
"""

from typing import Final, NamedTuple

from hausbote.base.jid import JID, InvalidJID
from hausbote.core.delivery import Delivery
from hausbote.core.directory import Account
from hausbote.core.dispatch import route
from hausbote.core.feature import Feature, Moment, Stage, Target
from hausbote.core.host import Host
from hausbote.core.request import Request
from hausbote.core.session import Session
from hausbote.core.space import need_space
from hausbote.features.room_wishes import wanted, wanted_inside
from hausbote.storage import PushService
from hausbote.xmpp import ns
from hausbote.xmpp.data_form import DataForm, Field, form_in
from hausbote.xmpp.errors import (
    BadRequest,
    ItemNotFound,
    JidMalformed,
    NotAcceptable,
    ResourceConstraint,
    ServiceUnavailable,
)
from hausbote.xmpp.invitations import is_invitation
from hausbote.xmpp.stanza import Stanza, child, tree
from hausbote.xmpp.xml import Markup, Tree, el

feature = Feature("push", xeps={"0357": "0.4.1"}, account_disco=(ns.PUSH,))

_MAX_NODE: Final = 1_023  # bytes
_MAX_OPTIONS: Final = 4_096  # bytes
_PATIENCE: Final = 60.0  # seconds until an answer is not waited for any longer
_STRIKES: Final = 5  # passing errors in a row until a service is given up
_CALL: Final = "urn:xmpp:jingle-message:0"
_PASSING: Final = frozenset(
    ("remote-server-not-found", "remote-server-timeout", "internal-server-error")
)


class Holders:
    """The accounts of this service that have any push service."""

    __slots__ = ("locals",)

    def __init__(self) -> None:
        self.locals: set[str] | None = None


class Services:
    """One account's, read when they are first needed."""

    __slots__ = ("all",)

    def __init__(self) -> None:
        self.all: list[PushService] | None = None


class _Key(NamedTuple):
    local: str
    jid: str
    node: str


class _Work:
    """What is going on with one push service.

    `due` is what came while an answer was waited for: one more notification says it all.
    """

    __slots__ = ("count", "due", "sent", "strikes", "waiting")

    def __init__(self) -> None:
        self.count = 0  # messages since the client was last here
        self.sent = 0.0
        self.waiting = False
        self.due: Stanza | None = None
        self.strikes = 0


class Work:
    """By push service; gone with its registration, or when its client comes."""

    def __init__(self) -> None:
        self.by_key: dict[_Key, _Work] = {}


def holders(host: Host) -> set[str]:
    """The local parts of those who have any push service."""
    state = host.state(Holders)
    if state.locals is None:
        state.locals = host.store.pushes.holders()
    return state.locals


def services(host: Host, account: Account) -> list[PushService]:
    """Those of an account."""
    state = account.state(Services)
    if state.all is None:
        state.all = host.store.pushes.load(account.local)
    return state.all


def _reload(host: Host, account: Account) -> None:
    """After a change; the account's lock must be held."""
    found = account.state(Services).all = host.store.pushes.load(account.local)
    if found:
        holders(host).add(account.local)
    else:
        holders(host).discard(account.local)


# -- registration ------------------------------------------------------------------------------


@feature.iq("set", ns.PUSH, "enable", Target.ACCOUNT)
def enable(request: Request) -> None:
    """Notify that node from now on, with these publish-options (§5)."""
    host, session, enabled = request.host, _owner(request), request.tree()
    node = enabled.get("node", "")
    if len(node.encode()) > _MAX_NODE:
        raise NotAcceptable("the node's name is too long")
    jid, options = _service(enabled), _options(enabled)
    service = PushService(jid, node, session.jid.resource, options)
    limit = host.settings.limits.push_services
    with session.account.lock:
        need_space(host)
        if not host.store.pushes.put(session.account.local, service, limit):
            raise ResourceConstraint(f"an account may have {limit} push services")
        _reload(host, session.account)
    # What was wrong with it, or is on its way still, is of the past.
    host.state(Work).by_key.pop(_Key(session.account.local, jid, node), None)


@feature.iq("set", ns.PUSH, "disable", Target.ACCOUNT)
def disable(request: Request) -> None:
    """Notify that node no longer, or none of the service (§6)."""
    session, disabled = _owner(request), request.tree()
    if not _remove(request.host, session.account, _service(disabled), disabled.get("node")):
        raise ItemNotFound


def _owner(request: Request) -> Session:
    if request.session is None or not request.own:
        raise ServiceUnavailable  # the same for accounts that do not exist
    return request.session


def _service(element: Tree) -> str:
    given = element.get("jid")
    if given is None:
        raise BadRequest("the push service's jid is needed")
    try:
        return JID.parse(given).full
    except InvalidJID as problem:
        raise JidMalformed(str(problem)) from None


def _options(enabled: Tree) -> str:
    form = form_in(enabled)
    if form is None:
        return ""
    if form.form_type != ns.PUBSUB_OPTIONS:
        raise BadRequest("the form is not one of publish-options")
    fields = tuple(Field(var, tuple(values)) for var, values in form.values.items())
    options = DataForm(ns.PUBSUB_OPTIONS, fields).markup("submit")
    if len(options.encode()) > _MAX_OPTIONS:
        raise NotAcceptable("the publish-options are too long")
    return options


def _remove(host: Host, account: Account, jid: str, node: str | None) -> bool:
    with account.lock:
        removed = host.store.pushes.remove(account.local, jid, node)
        _reload(host, account)
    work = host.state(Work).by_key
    for key in [k for k in work if k[:2] == (account.local, jid) and node in (None, k.node)]:
        del work[key]
    return removed


# -- notification ------------------------------------------------------------------------------


@feature.message(Stage.COPY)
def notice(delivery: Delivery) -> None:
    """Wake those clients of the account that are not here."""
    host, local = delivery.host, delivery.to.local
    if local not in holders(host):
        return
    account = host.directory.account(local)
    if not (
        _is_worth_it(delivery.stanza, delivery.type) or _speaks_to(host, account, delivery.stanza)
    ):
        return
    for service in services(host, account):
        if service.resource not in account.sessions:
            notify(host, local, service, delivery.stanza)


def wake(host: Host, session: Session, message: Stanza) -> None:
    """Wake a client that has a session and does not listen: for the keepers of such sessions.

    What is said in rooms is for the client that is in them, and so is told only here.
    """
    local, kind = session.account.local, message.type or "normal"
    if local not in holders(host):
        return
    if kind == "groupchat":
        if not _says_something(message) or not wanted_inside(host, session, message):
            return
    elif not _is_worth_it(message, kind):
        return
    for service in services(host, session.account):
        if service.resource == session.jid.resource:
            notify(host, local, service, message)


@feature.on(Moment.READY)
@feature.on(Moment.RESUMED)
def here(host: Host, session: Session) -> None:
    """The client sees for itself now."""
    local = session.account.local
    if local in holders(host):
        for service in services(host, session.account):
            if service.resource == session.jid.resource:
                host.state(Work).by_key.pop(_Key(local, service.jid, service.node), None)


def _is_worth_it(message: Stanza, type: str) -> bool:
    """Words, encrypted words, calls and invitations; not that somebody types, nor receipts."""
    return type in ("chat", "normal") and _says_something(message)


def _speaks_to(host: Host, account: Account, message: Stanza) -> bool:
    """A room of another server says that somebody speaks to them there (XEP-0452); of what is said
    in the box's own rooms it is decided elsewhere."""
    if message.child(ns.MENTION_NOTIFICATIONS, "mentions") is None:
        return False
    ours = JID.parse(message.attrs["from"]).domain == host.settings.names.rooms
    return not ours and wanted(host, account, message, [], mentioned=True)


def _says_something(message: Stanza) -> bool:
    return any(
        part.name in ("body", "encrypted")
        or (part.ns == _CALL and part.name == "propose")
        or part.ns == ns.CONFERENCE
        or is_invitation(part)
        for part in message.children
    )


def notify(host: Host, local: str, service: PushService, message: Stanza) -> None:
    """Tell a push service of one message more."""
    key = _Key(local, service.jid, service.node)
    work = host.state(Work).by_key.setdefault(key, _Work())
    work.count += 1
    if work.waiting and host.clock() - work.sent < _PATIENCE:
        work.due = message
    else:
        _publish(host, key, work, service, message)


def _publish(host: Host, key: _Key, work: _Work, service: PushService, message: Stanza) -> None:
    """One item, from the server, with the client's publish-options (§7)."""
    work.waiting, work.sent, work.due = True, host.clock(), None
    summary = _summary(host, work, message)
    item = el("item", el("notification", summary, xmlns=ns.PUSH))
    options = el("publish-options", Markup(service.options)) if service.options else None
    payload = child(ns.PUBSUB, "pubsub", el("publish", item, node=service.node or None), options)
    to = JID.parse(service.jid)
    query = host.queries.ask(
        "set", payload, host.domain, to, lambda answer: _answered(host, key, answer)
    )
    route(host, query)


def _summary(host: Host, work: _Work, message: Stanza) -> Markup | None:
    told = host.settings.push.summary
    if told == "none":
        return None
    fields = [Field("message-count", (str(work.count),))]
    if told != "count":
        fields.append(Field("last-message-sender", (message.sender or "",)))
    if told == "body":
        body = message.text(ns.CLIENT, "body") or ""
        fields.append(Field("last-message-body", (body,)))
    return DataForm(ns.PUSH_SUMMARY, tuple(fields)).markup("result")


def _answered(host: Host, key: _Key, answer: Stanza) -> None:
    """A service that refuses for good is asked no more (§7.1)."""
    work = host.state(Work).by_key.get(key)
    if work is None:
        return
    work.waiting = False
    account = host.directory.account(key.local)
    if answer.type == "error":
        work.strikes += 1
        if work.strikes >= _STRIKES or not _is_passing(answer):
            _remove(host, account, key.jid, key.node)
            return
    else:
        work.strikes = 0
    due = work.due
    for service in services(host, account) if due is not None else ():
        if due is not None and (service.jid, service.node) == (key.jid, key.node):
            _publish(host, key, work, service, due)


def _is_passing(answer: Stanza) -> bool:
    error = answer.child(ns.CLIENT, "error")
    if error is None:
        return False
    element = tree(error)
    names = {one.tag.rpartition("}")[2] for one in element}
    return element.get("type") == "wait" or bool(names & _PASSING)
