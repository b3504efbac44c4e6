"""Messages for people who are away (XEP-0160), with the time when they came (XEP-0203)."""

from hausbote.base.clock import timestamp
from hausbote.core.delivery import Delivery
from hausbote.core.dispatch import refuse
from hausbote.core.feature import Feature, Moment, Stage
from hausbote.core.host import Host
from hausbote.core.session import Session
from hausbote.storage import OfflineMessage, StorageError, Ticket
from hausbote.xmpp import ns
from hausbote.xmpp.errors import InternalServerError, ServiceUnavailable
from hausbote.xmpp.stanza import Child, Stanza, child, tree

feature = Feature("offline", xeps={"0160": "1.0.1", "0203": "2.0"}, disco=("msgoffline",))


@feature.message(Stage.ABSENT)
def keep(delivery: Delivery) -> bool:
    """Keep what someone would want to read later; its sender hears if that fails."""
    stanza = delivery.stanza
    if all(part.ns == ns.CHAT_STATES for part in stanza.children):
        return True
    host = delivery.host
    limit = host.settings.limits.offline_messages
    ticket = host.store.offline.keep(delivery.to.local, stanza.pack(), host.clock(), limit)
    ticket.then(lambda: _check(host, stanza, ticket))
    delivery.tickets.append(ticket)
    return True


def _check(host: Host, stanza: Stanza, ticket: Ticket[bool]) -> None:
    """On the hub: the answer, if there must be one, is a worker's job."""
    try:
        kept = ticket.wait()
    except StorageError:
        host.pump.run(lambda: refuse(host, stanza, InternalServerError("it could not be kept")))
        return
    if not kept:
        full = ServiceUnavailable("too many messages wait there already")
        host.pump.run(lambda: refuse(host, stanza, full))


@feature.on(Moment.READY)
def hand_over(host: Host, session: Session) -> None:
    """What is kept goes first, what arrives meanwhile after it."""
    local = session.account.local
    with session.account.lock:
        session.hold()
        late: list[bytes] = []
        try:
            kept = host.store.offline.pending(local)
            late = [_late(host, message).wire() for message in kept]
        finally:
            session.release(first=late)
        if late and not session.gone:
            host.store.offline.discard(local, kept[-1].id)


def _late(host: Host, message: OfflineMessage) -> Stanza:
    stanza = Stanza.unpack(message.stanza)
    delay = child(ns.DELAY, "delay", from_=host.domain, stamp=timestamp(message.at))
    others = [part for part in stanza.children if not _claims_our_delay(host, part)]
    return stanza.with_children((*others, delay))


def _claims_our_delay(host: Host, part: Child) -> bool:
    is_delay = part.ns == ns.DELAY and part.name == "delay"
    return is_delay and tree(part).get("from") == host.domain
