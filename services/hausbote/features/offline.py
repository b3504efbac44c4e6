"""Messages for people who are away (XEP-0160), with the time when they came (XEP-0203)."""

from collections.abc import Callable
from typing import Final

from hausbote.base.jid import JID
from hausbote.core.delivery import Delivery
from hausbote.core.feature import Feature, Moment, Stage
from hausbote.core.handled import earlier_id, name_for
from hausbote.core.host import Host
from hausbote.core.session import Session
from hausbote.core.space import keep_for
from hausbote.features.archive import ids
from hausbote.features.archive.readers import reads
from hausbote.features.archive.rules import is_for_now_only
from hausbote.features.blocklist import blocks
from hausbote.features.undelivered import hand_on, is_archived, late
from hausbote.storage import Ticket
from hausbote.xmpp import ns
from hausbote.xmpp.errors import ServiceUnavailable
from hausbote.xmpp.soundness import leaves_packed
from hausbote.xmpp.stanza import Child, Stanza

feature = Feature("offline", xeps={"0160": "1.0.1", "0203": "2.0"}, disco=("msgoffline",))

_PORTION: Final = 262_144  # bytes handed over at a time


@feature.message(Stage.ABSENT)
def keep(delivery: Delivery) -> bool:
    """Keep what someone would want to read later; its sender hears if there is no room for it."""
    stanza = delivery.stanza
    if all(_is_fleeting(part) for part in stanza.children):
        return True
    if is_for_now_only(stanza):  # its sender hears of it, unless nobody would want to read it
        return stanza.child(ns.CLIENT, "body") is None
    host, packed, at = delivery.host, stanza.pack(), delivery.at
    name = name_for(delivery.to.local, "offline") if delivery.session is None else 0
    if earlier_id(host, name) is not None:  # this service was killed in the middle of it
        return True
    limits = host.settings.limits
    if at is None:  # what was taken before is not refused now
        keep_for(host, delivery.sender, len(packed))
        at = host.clock()
    ticket = host.store.offline.keep(
        delivery.to.local, packed, at, limits.offline_messages, limits.offline_bytes, name
    )
    delivery.tickets.append(_Kept(stanza, ticket))
    return True


class _Kept:
    """Pending, as its ticket is: that the account has too many is an error, too, unless the message
    is in its archive."""

    __slots__ = ("_stanza", "_ticket")

    def __init__(self, stanza: Stanza, ticket: Ticket[bool]) -> None:
        self._stanza = stanza
        self._ticket = ticket

    def then(self, callback: Callable[[], None]) -> None:
        self._ticket.then(callback)

    @property
    def error(self) -> Exception | None:
        stanza, ticket = self._stanza, self._ticket
        if ticket.error is not None or ticket.value:
            return ticket.error
        if ids.claimed(stanza, JID.parse(stanza.attrs["to"]).bare):
            return None
        return ServiceUnavailable("too many messages wait there already")


def _is_fleeting(part: Child) -> bool:
    """A chat state (XEP-0085), the thread that it belongs to, or what is to be done with it."""
    return part.ns in (ns.CHAT_STATES, ns.HINTS) or (part.ns == ns.CLIENT and part.name == "thread")


class Handover:
    """Sessions of an account that its messages are handed to, one after the other.

    `turn` is another number for each: a session may leave, and have another turn, while somebody
    waits for the disk on behalf of its last.
    """

    __slots__ = ("current", "turn", "waiting")

    def __init__(self) -> None:
        self.current: Session | None = None
        self.turn = 0
        self.waiting: list[Session] = []


class _Portion:
    """What a session was sent of what is kept, and has not acknowledged: the last message's number,
    and how many stanzas the session had been sent then; None if there is nothing."""

    __slots__ = ("sent",)

    def __init__(self) -> None:
        self.sent: tuple[int, int] | None = None


@feature.on(Moment.READY)
def hand_over(host: Host, session: Session) -> None:
    """What is kept goes first, what arrives meanwhile after it (`presence` holds it back)."""
    handover = session.account.state(Handover)
    if session is not handover.current and session not in handover.waiting:
        handover.waiting.append(session)
    _serve_next(host, handover)


@feature.on(Moment.HIBERNATES)
@feature.on(Moment.REMOVED)
def leave(host: Host, session: Session) -> None:
    """Others need not wait for it; what it has not taken is still here."""
    handover = session.account.state(Handover)
    if session in handover.waiting:
        handover.waiting.remove(session)
        _let_go(host, session)
    elif session is handover.current:
        others = [s for s in session.account.available() if s.priority >= 0 and s.reachable]
        if session.gone and others and not handover.waiting:
            others[0].hold()
            handover.waiting.append(others[0])
        _finish(host, handover, session)


@feature.on(Moment.RESUMED)
def come_back(host: Host, session: Session) -> None:
    """There may be more than what it has in its queue, and that comes first."""

    def go_on(_arrived: bool) -> None:
        host.pump.run(lambda: _start_again(host, session))

    session.when_taken(go_on)


def _start_again(host: Host, session: Session) -> None:
    if session.reachable and session.presence is not None and session.priority >= 0:
        session.hold()
        hand_over(host, session)


def _serve_next(host: Host, handover: Handover) -> None:
    while handover.current is None and handover.waiting:
        handover.current, handover.turn = handover.waiting.pop(0), handover.turn + 1
        _go_on(host, handover, handover.current)


def _go_on(host: Host, handover: Handover, session: Session) -> None:
    """One portion; the next when that has arrived."""
    local, turn = session.account.local, handover.turn
    kept = host.store.offline.pending(local, _PORTION)
    if turn != handover.turn:
        return  # it left while we looked
    if not kept or not session.reachable:
        _finish(host, handover, session)
        return
    in_archive = reads(host, session)
    for message in kept:
        if not leaves_packed(message.stanza):
            continue  # and is deleted with the others
        stanza = Stanza.unpack(message.stanza)
        if blocks(host, local, JID.parse(stanza.attrs["from"])):  # since it came
            continue
        if not (in_archive and is_archived(host, local, stanza)):
            session.write(late(host, stanza, message.at).wire())

    if session.acks is not None:
        session.state(_Portion).sent = kept[-1].id, session.acks.unacked.total

    def taken(arrived: bool) -> None:
        last = kept[-1].id if arrived else None
        host.pump.run(lambda: _taken(host, handover, session, turn, last))

    session.when_taken(taken)


def _pack(session: Session) -> tuple[int, int] | None:
    return session.state(_Portion).sent


def _unpack(host: Host, session: Session, sent: tuple[int, int]) -> None:
    """Over a restart it is still known what is deleted when it has arrived."""
    assert session.acks is not None
    last, total = session.state(_Portion).sent = sent
    handover = session.account.state(Handover)

    def taken() -> None:
        host.pump.run(lambda: _taken(host, handover, session, -1, last))

    session.acks.unacked.when(total, taken)


feature.keeps("offline", _pack, _unpack)


def _taken(host: Host, handover: Handover, session: Session, turn: int, last: int | None) -> None:
    """Deleted here is only what has arrived."""
    session.state(_Portion).sent = None
    if last is not None:
        host.store.offline.discard(session.account.local, last)
    if turn != handover.turn:
        return
    if last is None:
        _finish(host, handover, session)
    else:
        _go_on(host, handover, session)


def _finish(host: Host, handover: Handover, session: Session) -> None:
    handover.current, handover.turn = None, handover.turn + 1
    _let_go(host, session)
    _serve_next(host, handover)


def _let_go(host: Host, session: Session) -> None:
    for message, at in session.release():
        hand_on(host, session, message, at)
