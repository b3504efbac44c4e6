"""Messages for people who are away (XEP-0160), with the time when they came (XEP-0203)."""

from typing import Final

from hausbote.base.clock import timestamp
from hausbote.base.jid import JID
from hausbote.core.delivery import Delivery
from hausbote.core.directory import new_lock
from hausbote.core.dispatch import refuse, route
from hausbote.core.feature import Feature, Moment, Stage
from hausbote.core.host import Host
from hausbote.core.session import Session
from hausbote.features.archive import ids
from hausbote.features.archive.readers import reads
from hausbote.features.archive.rules import is_for_now_only
from hausbote.storage import StorageError, Ticket
from hausbote.xmpp import ns
from hausbote.xmpp.errors import InternalServerError, ServiceUnavailable
from hausbote.xmpp.stanza import Child, Stanza, child, start_tag

feature = Feature("offline", xeps={"0160": "1.0.1", "0203": "2.0"}, disco=("msgoffline",))

_PORTION: Final = 262_144  # bytes handed over at a time


@feature.message(Stage.ABSENT)
def keep(delivery: Delivery) -> bool:
    """Keep what someone would want to read later; its sender hears if that fails."""
    stanza = delivery.stanza
    if all(_is_fleeting(part) for part in stanza.children):
        return True
    if is_for_now_only(stanza):  # its sender hears of it, unless nobody would want to read it
        return stanza.child(ns.CLIENT, "body") is None
    host = delivery.host
    limit = host.settings.limits.offline_messages
    at = host.clock() if delivery.at is None else delivery.at
    ticket = host.store.offline.keep(delivery.to.local, stanza.pack(), at, limit)
    ticket.then(lambda: _check(host, stanza, ticket))
    delivery.tickets.append(ticket)
    return True


def _is_fleeting(part: Child) -> bool:
    """A chat state (XEP-0085), the thread that it belongs to, or what is to be done with it."""
    return part.ns in (ns.CHAT_STATES, ns.HINTS) or (part.ns == ns.CLIENT and part.name == "thread")


def _check(host: Host, stanza: Stanza, ticket: Ticket[bool]) -> None:
    """On the hub: the answer, if there must be one, is a worker's job."""
    try:
        kept = ticket.wait()
    except StorageError:
        host.pump.run(lambda: refuse(host, stanza, InternalServerError("it could not be kept")))
        return
    if not kept and not ids.claimed(stanza, JID.parse(stanza.attrs["to"]).bare):
        full = ServiceUnavailable("too many messages wait there already")
        host.pump.run(lambda: refuse(host, stanza, full))


class Handover:
    """Whether an account's messages are being handed to a session: one at a time."""

    __slots__ = ("lock",)

    def __init__(self) -> None:
        self.lock = new_lock()


@feature.on(Moment.READY)
def hand_over(host: Host, session: Session) -> None:
    """What is kept goes first, what arrives meanwhile after it (`presence` holds it back)."""
    try:
        with session.account.state(Handover).lock:
            while _hand_over_some(host, session):
                pass
    finally:
        for stanza in session.release():
            route(host, stanza)


def _hand_over_some(host: Host, session: Session) -> bool:
    """Deleted here is only what has left for the client; False if nothing more can be done."""
    local = session.account.local
    kept = host.store.offline.pending(local, _PORTION)
    if not kept or not session.reachable:
        return False
    in_archive = reads(host, session)
    for message in kept:
        stanza = Stanza.unpack(message.stanza)
        if not (in_archive and _is_archived(host, local, stanza)):
            session.write(late(host, stanza, message.at).wire())
    if not session.transport.flush():
        return False
    host.store.offline.discard(local, kept[-1].id)
    return True


def _is_archived(host: Host, local: str, stanza: Stanza) -> bool:
    """Whether it is in its recipient's archive still; only we can have written such an id."""
    claimed = ids.claimed(stanza, f"{local}@{host.domain}")
    id = ids.unseal(host, local, claimed) if claimed else None
    return id is not None and host.store.archives.has(local, [id])


def late(host: Host, stanza: Stanza, at: float) -> Stanza:
    """The message with the time when it came (XEP-0203)."""
    delay = child(ns.DELAY, "delay", from_=host.domain, stamp=timestamp(at))
    others = [part for part in stanza.children if not _claims_our_delay(host, part)]
    return stanza.with_children((*others, delay))


def _claims_our_delay(host: Host, part: Child) -> bool:
    is_delay = part.ns == ns.DELAY and part.name == "delay"
    return is_delay and start_tag(part).get("from") == host.domain
