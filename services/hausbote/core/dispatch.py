"""The way of a stanza: from a session or from the bus to its handlers, sessions or services.

Everything that a handler refuses by raising StanzaError is answered here, and only here.
"""

from collections.abc import Callable
from typing import Final

from hausbote.base.jid import JID, InvalidJID
from hausbote.core.bulk import LONG, make_for, send_to, way_to
from hausbote.core.bus.cause import Pending
from hausbote.core.bus.frame import STANZA
from hausbote.core.delivery import Delivery, Sent, deliver_message
from hausbote.core.feature import Moment, Target
from hausbote.core.host import Host
from hausbote.core.request import LATER, Presence, Request
from hausbote.core.session import Session
from hausbote.core.writes import Writes, problem_of
from hausbote.xmpp.errors import (
    BadRequest,
    JidMalformed,
    RemoteServerNotFound,
    ResourceConstraint,
    ServiceUnavailable,
    StanzaError,
    StreamError,
)
from hausbote.xmpp.stanza import Child, Stanza, error, result

_SUBSCRIPTIONS: Final = frozenset({"subscribe", "subscribed", "unsubscribe", "unsubscribed"})
_MAX_SAID: Final = 50  # characters of what somebody wrote that are said back
_IQ_TYPES: Final = frozenset({"get", "set", "result", "error"})
_KINDS_OF_PRESENCE: Final = _SUBSCRIPTIONS | {"available", "unavailable", "probe"}


# -- from a client -----------------------------------------------------------------------------


def from_session(host: Host, session: Session, stanza: Stanza) -> list[Pending]:
    """Handle what a client sent; StreamError if the stream must end.

    What is on its way to the disk because of it is returned.
    """
    host.handled += 1
    tickets: list[Pending] = []
    stanza = _stamp(session, stanza)
    try:
        to = JID.parse(stanza.attrs["to"]) if "to" in stanza.attrs else None
    except InvalidJID as problem:
        unreadable = stanza if stanza.attrs["to"] else stanza.replace(to=host.domain)
        refuse(host, unreadable, JidMalformed(str(problem)), session)
        return tickets
    if to is not None and stanza.name != "iq":  # an answer names its sender as the client wrote it
        stanza.attrs["to"] = to.full
    try:
        if stanza.name == "presence":
            _presence_from_session(host, session, stanza, to)
        else:
            if to is None:
                to = session.jid.to_bare()
                if stanza.name == "message":  # it is its sender's own (RFC 6120 §10.3.1)
                    stanza.attrs["to"] = to.full
            _route(host, stanza, session.jid, to, session, tickets)
    except Exception as fault:  # noqa: BLE001 - a fault of ours is one stanza's error, no more
        refuse(host, stanza, problem_of(fault), session)
        return tickets
    return _safe(host, stanza, tickets, session)


def _safe(
    host: Host, stanza: Stanza, tickets: list[Pending], session: Session | None
) -> list[Pending]:
    """What has to end before the stanza is safe, or its sender knows that it is not."""
    if not tickets:
        return tickets
    return [Writes(host, tickets, refuse, stanza, session)]


def _stamp(session: Session, stanza: Stanza) -> Stanza:
    """The stanza with the sender that we know (RFC 6120 §8.1.2.1)."""
    jid = session.jid
    claimed = stanza.attrs.get("from")
    if claimed is not None and claimed not in (jid.full, jid.bare) and not _same(jid, claimed):
        raise StreamError("invalid-from")
    if stanza.name not in ("message", "presence", "iq"):
        raise StreamError("unsupported-stanza-type")
    attrs = dict(stanza.attrs)
    bare = stanza.name == "presence" and attrs.get("type") in _SUBSCRIPTIONS
    attrs["from"] = jid.bare if bare else jid.full
    return Stanza(stanza.name, attrs, stanza.children, stanza.inner)


def _same(jid: JID, claimed: str) -> bool:
    try:
        other = JID.parse(claimed)
    except InvalidJID:
        return False
    return other.bare == jid.bare and other.resource in ("", jid.resource)


def _presence_from_session(host: Host, session: Session, stanza: Stanza, to: JID | None) -> None:
    kind = presence_type(stanza)
    handler = host.registry.outbound.get(kind)
    if handler is not None:
        handler(Presence(host, stanza, session.jid, to, session))
    elif kind != "error":
        raise _no_such_presence(stanza)
    elif to is not None:
        route(host, stanza, session)


# -- from anywhere -----------------------------------------------------------------------------


def route(host: Host, stanza: Stanza, session: Session | None = None) -> list[Pending]:
    """Send a stanza, with its from and to set, on its way; errors go back to its sender.

    What is on its way to the disk because of it is returned.
    """
    tickets: list[Pending] = []
    try:
        sender, to = JID.parse(stanza.attrs["from"]), JID.parse(stanza.attrs["to"])
        _route(host, stanza, sender, to, session, tickets)
    except (InvalidJID, KeyError):
        # Nobody could read an answer from such an address.
        refuse(host, stanza.replace(to=host.domain), JidMalformed(), session)
        return tickets
    except Exception as fault:  # noqa: BLE001 - a fault of ours is one stanza's error, no more
        refuse(host, stanza, problem_of(fault), session)
        return tickets
    return _safe(host, stanza, tickets, session)


def refuse(
    host: Host, stanza: Stanza, problem: StanzaError, session: Session | None = None
) -> None:
    """Tell a stanza's sender no; errors and results are never answered (RFC 6120 §8.3.1)."""
    if stanza.attrs.get("type") in ("error", "result"):
        return
    if stanza.name == "presence" and stanza.attrs.get("type") == "unavailable":
        return
    answer = error(stanza, problem)
    if session is not None and not session.gone:
        if answer.to != session.jid.full:
            answer = answer.replace(to=session.jid.full)
        session.send(answer)
        if answer.name == "message":
            for handler in host.registry.refused:
                handler(host, session, answer)
    elif answer.to is not None:
        route(host, answer)


def _route(
    host: Host,
    stanza: Stanza,
    sender: JID,
    to: JID,
    session: Session | None,
    tickets: list[Pending],
) -> None:
    for screen in host.registry.screens:
        if screen(host, stanza, sender, to, session):
            return
    if session is not None and stanza.name == "message":
        sent = Sent(host, session, stanza, to, tickets)
        for handler in host.registry.sent:
            handler(sent)
        stanza = sent.stanza
    if to.domain == host.domain:
        _local(host, stanza, sender, to, session, tickets)
        return
    neighbour = host.neighbours.get(to.domain)
    if neighbour is not None:
        _local(neighbour, stanza, sender, to, session, tickets)
        return
    service = host.services.get(to.domain)
    if service is not None:
        host.bus.send(service, STANZA, sender.full, (to.full,), stanza.pack())
    elif to.domain in host.outlets:
        host.outlets[to.domain].send(stanza)
    elif to.domain in host.elsewhere:
        raise ServiceUnavailable
    elif host.beyond:
        host.bus.send(host.beyond, STANZA, sender.full, (to.full,), stanza.pack())
    else:
        raise RemoteServerNotFound


def _local(
    host: Host,
    stanza: Stanza,
    sender: JID,
    to: JID,
    session: Session | None,
    tickets: list[Pending],
) -> None:
    name = stanza.name
    if name == "message":
        delivery = Delivery(host, stanza, sender, to, session, tickets)
        if to.local:
            deliver_message(delivery)
        else:
            _to_service(delivery)
    elif name == "iq":
        _iq(host, stanza, sender, to, session)
    elif to.local:
        _presence(host, stanza, sender, to, session)
    elif not sender.local:
        _presence_of_server(host, stanza, sender, to)


def _no_such_presence(presence: Stanza) -> BadRequest:
    kind = presence.attrs["type"][:_MAX_SAID]
    if kind == "available":  # what many people expect it to be
        return BadRequest("available presence has no type (RFC 6121 §4.7.1)")
    return BadRequest(f"no such type of presence: {kind}")


def _presence_of_server(host: Host, stanza: Stanza, sender: JID, to: JID) -> None:
    """From s2s, or from that server itself: whether all that is there can be reached."""
    handler = host.registry.inbound.get(f"server {presence_type(stanza)}")
    if handler is not None:
        handler(Presence(host, stanza, sender, to))


def _to_service(delivery: Delivery) -> None:
    for handler in delivery.host.registry.domain_messages:
        if handler(delivery):
            return
    raise ServiceUnavailable


def presence_type(stanza: Stanza) -> str:
    """The type of a presence; "available" for none, which no presence may say of itself."""
    kind = stanza.attrs.get("type")
    if kind is None:
        return "available"
    return kind if kind != "available" else "unknown"


def _presence(host: Host, stanza: Stanza, sender: JID, to: JID, session: Session | None) -> None:
    kind = presence_type(stanza)
    handler = host.registry.inbound.get(kind)
    if handler is not None:
        if kind in _SUBSCRIPTIONS and (sender.resource or to.resource):
            # They are between accounts, whatever other servers and components write.
            sender, to = sender.to_bare(), to.to_bare()
            stanza = stanza.replace(from_=sender.full, to=to.full)
        handler(Presence(host, stanza, sender, to, session))
    elif kind == "error":
        if to.resource:
            _to_session(host, stanza, to)
    elif kind not in _KINDS_OF_PRESENCE:
        raise _no_such_presence(stanza)


def _iq(host: Host, stanza: Stanza, sender: JID, to: JID, session: Session | None) -> None:
    """RFC 6120 §8.2.3, RFC 6121 §8.5: a full JID is the client's own affair."""
    type = stanza.attrs.get("type")
    if type not in _IQ_TYPES:
        raise BadRequest("an IQ has the type get, set, result or error")
    request = type in ("get", "set")
    if "id" not in stanza.attrs:
        raise BadRequest("an IQ needs an id")
    if request and len(stanza.children) != 1:
        raise BadRequest("an IQ get or set has one child element")
    if to.local and to.resource:
        for handler in host.registry.resource_iqs:
            if handler(host, stanza, sender, to):
                return
        if request:
            _guard_client(host, stanza, sender, to, session)
        if not _to_session(host, stanza, to) and request:
            raise ServiceUnavailable
    elif request:
        _answer(host, stanza, sender, to, session)
    else:
        host.queries.answered(stanza, sender)


def _guard_client(
    host: Host, stanza: Stanza, sender: JID, to: JID, session: Session | None
) -> None:
    payload = stanza.children[0]
    guard = host.registry.iqs.get((Target.CLIENT, stanza.attrs["type"], payload.ns, payload.name))
    if guard is not None:
        guard(Request(host, stanza, sender, to, payload, session))


def _answer(host: Host, stanza: Stanza, sender: JID, to: JID, session: Session | None) -> None:
    payload = stanza.children[0]
    target = Target.ACCOUNT if to.local else Target.HOST
    if to.local and host.has_accounts and not host.is_account(to.local):
        target = Target.NOBODY
    handler = host.registry.iqs.get((target, stanza.attrs["type"], payload.ns, payload.name))
    if handler is None or (to.resource and not to.local):
        raise ServiceUnavailable
    request = Request(host, stanza, sender, to, payload, session)
    content = handler(request)
    if content is not LATER:
        answer(request, content)
    for job in request.afterwards:
        job()


def _to_session(host: Host, stanza: Stanza, to: JID) -> bool:
    account = host.directory.online(to.local)
    session = account.sessions.get(to.resource) if account is not None else None
    if session is None or not session.reachable:
        return False
    session.send(stanza)
    return True


def answer(request: Request, content: Child | None) -> None:
    """Send the result of an IQ back the way it came."""
    reply = result(request.stanza, content)
    if request.session is not None:
        request.session.send(reply)
    elif content is None or len(content.xml) < LONG or not _answer_at_length(request, reply):
        route(request.host, reply)


def answer_at_length(request: Request, make: Callable[[str], Child | None]) -> None:
    """Answer an IQ of another service in its turn among the long answers (`core.bulk`).

    `make` is called then, with the name of the service that it is for; it returns the content, or
    raises the refusal.
    """
    host, asker = request.host, request.sender
    service = None if asker is None else way_to(host, asker)
    if asker is None or service is None:
        raise ServiceUnavailable

    def job() -> None:
        try:
            answer(request, make(service))
        except Exception as fault:  # noqa: BLE001 - a fault of ours is one stanza's error, no more
            refuse(host, request.stanza, problem_of(fault))

    make_for(host, service, asker, len(request.payload.xml), job)


def _answer_at_length(request: Request, reply: Stanza) -> bool:
    """Send a long answer in its turn; False if it is not for another service."""
    host, asker = request.host, request.sender
    service = None if asker is None else way_to(host, asker)
    if asker is None or service is None:
        return False
    sender = JID.parse(reply.attrs["from"])
    if any(screen(host, reply, sender, asker, None) for screen in host.registry.screens):
        return True

    def job() -> None:
        payload = reply.pack()
        if not host.bus.send_bulky(service, STANZA, sender.full, (asker.full,), payload):
            refuse(host, request.stanza, ResourceConstraint("the answer is too long just now"))

    send_to(host, service, asker, len(reply.inner), job)
    return True


# -- sessions come and go ----------------------------------------------------------------------


def bound(host: Host, session: Session) -> None:
    """A resource was bound."""
    host.directory.add(session)
    for hook in host.registry.hooks(Moment.BOUND):
        hook(host, session)


def gone(host: Host, session: Session) -> None:
    """A session ended, whatever the cause; safe to call twice."""
    if session.gone:
        return
    session.gone = True
    try:
        for hook in host.registry.hooks(Moment.GONE):
            hook(host, session)
    finally:
        host.directory.remove(session)
        session.departed()
    for hook in host.registry.hooks(Moment.REMOVED):
        hook(host, session)


def see_off(host: Host, session: Session) -> None:
    """End a session, and return when its place is free: also if its end had begun before."""
    gone(host, session)
    session.wait_until_departed()
