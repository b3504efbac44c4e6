"""Stream management (XEP-0198): acknowledgements, and sessions that outlive their streams.

A session whose connection broke hibernates: it stays what it is for everybody else, what is sent to
it queues up, and its client may come back to it over another stream.  If nobody comes in time it
ends, and what never arrived goes where it would have gone without the session.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final, cast

from gevent.event import Event as Signal

from hausbote.base.jid import JID
from hausbote.base.log import Event, Word, log
from hausbote.base.tokens import token
from hausbote.c2s import bind2
from hausbote.core import dispatch
from hausbote.core.acks import Acks
from hausbote.core.delivery import Delivery
from hausbote.core.directory import Account
from hausbote.core.feature import Feature, Inline, Moment, Phase
from hausbote.core.host import Host
from hausbote.core.session import Session, Transport
from hausbote.features import carbons, offline, push
from hausbote.xmpp import ns
from hausbote.xmpp.acks import HandledCountTooHigh, Ledger, Sent
from hausbote.xmpp.errors import (
    BadRequest,
    FeatureNotImplemented,
    ItemNotFound,
    ServiceUnavailable,
    StanzaError,
    StreamError,
    UnexpectedRequest,
)
from hausbote.xmpp.stanza import Child, Stanza, start_tag
from hausbote.xmpp.xml import Markup, el

if TYPE_CHECKING:
    from hausbote.c2s.stream import ClientStream

feature = Feature("stream management", xeps={"0198": "1.6.3"})

ACK_SECONDS: Final = 30.0  # until a client that does not acknowledge is taken for gone
_LATE: Final = 2.0  # seconds that an <a/> waits for the disk at most
_REMEMBERED: Final = 10_000  # ended sessions whose last count is still known
_ASK: Final = el("r", xmlns=ns.SM).encode()
_TRUE: Final = ("true", "1")


class Resumable:
    """What a session can be resumed by.

    `stream` is None while it hibernates, `until` is when that ends, on time.monotonic()'s clock.
    """

    __slots__ = ("id", "seconds", "session", "stream", "taken", "until")

    def __init__(self, id: str, seconds: int, session: Session, stream: "ClientStream") -> None:
        self.id = id
        self.seconds = seconds
        self.session = session
        self.stream: ClientStream | None = stream
        self.until = 0.0
        self.taken = False  # a client is just coming back


class _Held:
    """A session's own place for its Resumable."""

    __slots__ = ("resumable",)

    def __init__(self) -> None:
        self.resumable: Resumable | None = None


class Book:
    """All sessions of this service that can be resumed, and how far those were that ended."""

    def __init__(self) -> None:
        self.by_id: dict[str, Resumable] = {}
        self.ended: OrderedDict[str, tuple[str, int]] = OrderedDict()


class Hibernation:
    """The transport of a session without a stream: what is sent waits in the session's queue."""

    closed = False

    def __init__(self, host: Host, session: Session) -> None:
        self._host = host
        self._session = session

    def send(self, data: bytes) -> None: ...

    def when_sent(self, callback: Callable[[], None]) -> None:
        """Nothing is sent while nobody is there."""

    def end(self, error: StreamError) -> None:
        dispatch.gone(self._host, self._session)


@feature.stream_feature(Phase.AFTER_LOGIN)
def offer(_host: Host) -> Markup:
    return el("sm", xmlns=ns.SM)


def failed(problem: StanzaError, h: int | None = None) -> Markup:
    """<failed/>: nothing changed, and the stream goes on (§6)."""
    condition = el(problem.condition, xmlns=ns.STANZA_ERRORS)
    return el("failed", condition, h=None if h is None else str(h), xmlns=ns.SM)


# -- counting ----------------------------------------------------------------------------------


@feature.nonza(ns.SM, "enable")
def enable(host: Host, session: Session, element: Stanza) -> None:
    if session.acks is not None:
        raise StreamError("policy-violation", "stream management is enabled already")
    stream = cast("ClientStream", session.transport)
    session.transport.send(_enable(host, session, stream, element.attrs).encode())


@feature.bind_inline(ns.SM, "enable")
def enable_at_login(host: Host, session: Session, element: Child) -> Markup:
    stream, sent = bind2.waiting(session)
    enabled = _enable(host, session, stream, start_tag(element))
    assert session.acks is not None
    for data in sent:  # it goes out after <enabled/>, and so it counts
        session.acks.unacked.add(data, None)
    return enabled


def _enable(
    host: Host, session: Session, stream: "ClientStream", attrs: Mapping[str, str]
) -> Markup:
    settings = host.settings.resumption
    seconds = _wanted_seconds(attrs.get("max"), settings.seconds)
    acks = Acks(host.settings.limits.unacknowledged_bytes, partial(_overflowed, host, session))
    session.acks = acks
    if not seconds or attrs.get("resume") not in _TRUE:
        return el("enabled", xmlns=ns.SM)
    resumable = Resumable(token(144), seconds, session, stream)
    session.state(_Held).resumable = host.state(Book).by_id[resumable.id] = resumable
    return el(
        "enabled",
        id=resumable.id,
        resume="true",
        max=str(seconds),
        location=settings.location or None,
        xmlns=ns.SM,
    )


def _wanted_seconds(asked: str | None, most: int) -> int:
    if asked is None or not asked.isdecimal() or not asked.isascii():
        return most
    return min(int(asked[:9]), most) or most


def _overflowed(host: Host, session: Session) -> None:
    """In the middle of whoever sends to it: the end is a worker's job."""
    error = StreamError("policy-violation", "too much was sent without being acknowledged")
    host.pump.run(lambda: _end(host, session, error))


def _end(host: Host, session: Session, error: StreamError) -> None:
    session.transport.end(error)
    dispatch.gone(host, session)


@feature.nonza(ns.SM, "r")
def answer(_host: Host, session: Session, _element: Stanza) -> None:
    """Answered when everything that came before is safe."""
    acks = session.acks
    if acks is None:
        session.transport.send(failed(UnexpectedRequest()).encode())
        return
    acks.ledger.then(lambda: _say_handled(session, acks), time.monotonic())


def _say_handled(session: Session, acks: Acks) -> None:
    session.transport.send(f"<a xmlns='{ns.SM}' h='{acks.ledger.count}'/>".encode())


@feature.nonza(ns.SM, "a")
def acknowledged(_host: Host, session: Session, element: Stanza) -> None:
    acks = session.acks
    if acks is None:
        session.transport.send(failed(UnexpectedRequest()).encode())
        return
    h = _number(element.attrs.get("h"))
    if h is None:
        raise StreamError("policy-violation", "an <a/> has a number h")
    try:
        acks.unacked.acknowledge(h)
    except HandledCountTooHigh as problem:
        raise _too_high(problem) from None
    if acks.unacked.is_due():
        session.transport.send(_ASK)


@feature.nonza(ns.SM, "resume")
def resume_late(_host: Host, session: Session, _element: Stanza) -> None:
    """There is a session already."""
    session.transport.send(failed(UnexpectedRequest()).encode())


def _number(text: str | None) -> int | None:
    if text is None or not text.isascii() or not text.isdecimal() or len(text) > 10:
        return None
    number = int(text)
    return number if number < 2**32 else None


def _too_high(problem: HandledCountTooHigh) -> StreamError:
    h, sent = str(problem.h), str(problem.sent)
    detail = el("handled-count-too-high", **{"h": h, "send-count": sent, "xmlns": ns.SM})
    text = f"You acknowledged {h} stanzas, but only {sent} were sent so far."
    return StreamError("undefined-condition", text, extra=detail)


# -- hibernation -------------------------------------------------------------------------------


def hibernate(stream: "ClientStream") -> bool:
    """Keep the session of a stream whose connection broke; False if it is not to be kept."""
    host, session = stream.server.host, stream.session
    resumable = session.state(_Held).resumable if session is not None else None
    if session is None or session.gone or resumable is None or session.acks is None:
        return False
    resumable.stream = None
    resumable.until = time.monotonic() + resumable.seconds
    session.transport = Hibernation(host, session)
    session.asleep = partial(push.wake, host, session)
    log(Event.SESSION_HIBERNATES, session=Word(stream.tag))
    for sent in session.acks.unacked.queue:
        if sent.stanza is not None and sent.stanza.name == "message":
            push.wake(host, session, sent.stanza)
    return True


def sweep(host: Host) -> None:
    """To be called every few seconds: what has waited for too long."""
    now, wall = time.monotonic(), time.time()
    for resumable in list(host.state(Book).by_id.values()):
        session, stream = resumable.session, resumable.stream
        assert session.acks is not None
        session.acks.ledger.answer_late(now - _LATE)
        if stream is None:
            if resumable.until < now and not resumable.taken:
                host.pump.run(partial(dispatch.gone, host, session))
        elif (asked := session.acks.unacked.asked_at) is not None and asked < wall - ACK_SECONDS:
            stream.connection.abort()


def make_room(host: Host, account: Account) -> None:
    """End the one of an account's hibernating sessions that has waited longest, if there is any."""
    asleep = [
        resumable
        for session in account.sessions.values()
        if (resumable := session.state(_Held).resumable) is not None
        and resumable.stream is None
        and not resumable.taken
    ]
    if asleep:
        dispatch.gone(host, min(asleep, key=lambda one: one.until - one.seconds).session)


def end_all(host: Host) -> None:
    """The service stops: what waits for clients that are away must be kept."""
    for resumable in list(host.state(Book).by_id.values()):
        if resumable.stream is None:
            dispatch.gone(host, resumable.session)


# -- coming back -------------------------------------------------------------------------------


class _Refused(Exception):
    def __init__(self, problem: StanzaError, h: int | None = None) -> None:
        super().__init__()
        self.markup = failed(problem, h)


def resume(stream: "ClientStream", element: Stanza) -> None:
    """<resume/> of a client that has logged in, before it binds a resource."""
    assert stream.login is not None
    try:
        resumable = _take_over(stream, stream.login.local, element.attrs)
    except _Refused as refusal:
        stream.say(refusal.markup)
        return
    stream.welcome(resumable.session)
    stream.say(_resumed(resumable))
    _go_on(stream, resumable)


@feature.sasl_inline(ns.SM, "resume", el("sm", xmlns=ns.SM))
def resume_at_login(_host: Host, transport: Transport, local: str, element: Child) -> Inline:
    stream = cast("ClientStream", transport)
    try:
        resumable = _take_over(stream, local, start_tag(element))
    except _Refused as refusal:
        return Inline(refusal.markup)
    go_on = partial(_go_on, stream, resumable)
    return Inline(_resumed(resumable), resumable.session, go_on)


def _take_over(stream: "ClientStream", local: str, attrs: Mapping[str, str]) -> Resumable:
    """Part the session from its old stream; what was received over that is settled first."""
    host = stream.server.host
    previd, h = attrs.get("previd"), _number(attrs.get("h"))
    if previd is None or h is None:
        raise _Refused(BadRequest())
    if not host.settings.resumption.seconds:
        raise _Refused(FeatureNotImplemented())
    book = host.state(Book)
    found = book.by_id.get(previd)
    if found is None or found.session.account.local != local or found.session.gone or found.taken:
        owner, handled = book.ended.get(previd, ("", 0))
        raise _Refused(ItemNotFound(), handled if owner == local else None)
    session, acks = found.session, found.session.acks
    assert acks is not None
    if not acks.unacked.is_possible(h):
        raise _too_high(HandledCountTooHigh(h, acks.unacked.sent))
    found.taken = True
    session.transport, session.asleep = Hibernation(host, session), None
    old, found.stream = found.stream, None
    if old is not None:
        old.session = None
        old.end(StreamError("conflict", "the session goes on over another stream"))
    settled = Signal()
    acks.ledger.then(settled.set, float("inf"))
    settled.wait()
    found.taken = False
    if session.gone:
        raise _Refused(ItemNotFound(), acks.ledger.count)
    acks.unacked.acknowledge(h)
    found.stream = stream
    return found


def _resumed(resumable: Resumable) -> Markup:
    acks = resumable.session.acks
    assert acks is not None
    return el("resumed", previd=resumable.id, h=str(acks.ledger.count), xmlns=ns.SM)


def _go_on(stream: "ClientStream", resumable: Resumable) -> None:
    """The client knows: send again what it has not got, and all that comes from now on."""
    host, session = stream.server.host, resumable.session
    assert session.acks is not None
    session.transport = stream
    unacked = session.acks.unacked
    for sent in unacked.queue:
        stream.send(sent.data)
    if unacked.queue:
        unacked.ask()
        stream.send(_ASK)
    else:
        unacked.asked_at = None
    log(Event.SESSION_RESUMED, session=Word(stream.tag))
    for hook in host.registry.hooks(Moment.RESUMED):
        hook(host, session)


# -- the end -----------------------------------------------------------------------------------


@feature.on(Moment.GONE)
def forget(host: Host, session: Session) -> None:
    resumable = session.state(_Held).resumable
    if resumable is None or session.acks is None:
        return
    book, ledger, id = host.state(Book), session.acks.ledger, resumable.id
    del book.by_id[id]
    book.ended[id] = session.account.local, ledger.count
    if len(book.ended) > _REMEMBERED:
        book.ended.popitem(last=False)
    resumable.stream = None
    ledger.then(partial(_note_the_rest, book, id, ledger), float("inf"))


def _note_the_rest(book: Book, id: str, ledger: Ledger) -> None:
    """What it sent last is safe now."""
    if id in book.ended:
        book.ended[id] = book.ended[id][0], ledger.count


@feature.on(Moment.REMOVED)
def hand_back(host: Host, session: Session) -> None:
    """What never arrived is treated as if the client had not been there (§5)."""
    if session.acks is None:
        return
    queue = session.acks.unacked.queue
    while queue:
        sent = queue.popleft()
        if sent.stanza is None:
            continue
        if sent.stanza.name == "message":
            _deliver_otherwise(host, session, sent)
        elif JID.parse(sent.stanza.sender or host.domain).bare not in (
            host.domain,
            session.jid.bare,
        ):
            dispatch.refuse(host, sent.stanza, ServiceUnavailable())


def _deliver_otherwise(host: Host, session: Session, sent: Sent) -> None:
    """To clients that have not seen it, or to be kept; its sender hears no if it cannot be."""
    message = sent.stanza
    assert message is not None
    sender, to = JID.parse(message.attrs["from"]), JID.parse(message.attrs["to"])
    delivery = Delivery(host, message, sender, to, None, [])
    if delivery.type not in ("chat", "normal"):
        return
    delivery.at = sent.at
    others = [s for s in session.account.available() if s.priority >= 0 and s.reachable]
    if others:
        if to.resource:  # to the bare JID it went to all of them
            late = offline.late(host, message, sent.at)
            for other in others:
                if not carbons.wants_copies(other):
                    other.deliver(late, late.wire())
        return
    for handler in host.registry.absent:
        if handler(delivery):
            return
    dispatch.refuse(host, message, ServiceUnavailable())
