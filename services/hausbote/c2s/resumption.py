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

from hausbote.base.log import Event, Word, log
from hausbote.base.tokens import token
from hausbote.c2s import bind2
from hausbote.core import dispatch
from hausbote.core.acks import Acks
from hausbote.core.directory import Account
from hausbote.core.feature import Feature, Inline, Moment
from hausbote.core.host import Host
from hausbote.core.session import Session, Transport
from hausbote.features import push
from hausbote.features.clients import Access
from hausbote.features.undelivered import hand_on
from hausbote.xmpp import ns
from hausbote.xmpp.acks import HandledCountTooHigh, Ledger
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


class Managed:
    """A session whose stanzas are counted; `id` is "" if it cannot be resumed.

    `stream` is None while it hibernates, `until` is when that ends, on time.monotonic()'s clock.
    """

    __slots__ = ("id", "seconds", "session", "stream", "taker", "until")

    def __init__(self, id: str, seconds: int, session: Session, stream: "ClientStream") -> None:
        self.id = id
        self.seconds = seconds
        self.session = session
        self.stream: ClientStream | None = stream
        self.until = 0.0
        self.taker: ClientStream | None = None  # its client is just coming back over this

    @property
    def waits(self) -> bool:
        """Whether nobody is there."""
        return self.stream is None and self.taker is None


class _Place:
    """Where a session finds what manages it."""

    __slots__ = ("managed",)

    def __init__(self) -> None:
        self.managed: Managed | None = None


class Book:
    """All managed sessions of this service, and how far those were that ended."""

    def __init__(self) -> None:
        self.all: set[Managed] = set()
        self.by_id: dict[str, Managed] = {}
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


class _Nowhere:
    """The transport of a session that ended while it hibernated."""

    closed = True

    def send(self, data: bytes) -> None: ...

    def when_sent(self, callback: Callable[[], None]) -> None:
        callback()

    def end(self, error: StreamError) -> None: ...


_NOWHERE: Final = _Nowhere()


OFFER: Final = el("sm", xmlns=ns.SM)
"""In the features of a stream, unless it was enabled with Bind 2 already."""


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
def enable_at_login(host: Host, session: Session, element: Child) -> Markup | None:
    if session.acks is not None:
        return None
    return _enable(host, session, bind2.stream_of(session), start_tag(element))


def _enable(
    host: Host, session: Session, stream: "ClientStream", attrs: Mapping[str, str]
) -> Markup:
    settings, book = host.settings.resumption, host.state(Book)
    seconds = _wanted_seconds(attrs.get("max"), settings.seconds)
    if attrs.get("resume") not in _TRUE:
        seconds = 0
    session.acks = Acks(
        host.settings.limits.unacknowledged_bytes, partial(_overflowed, host, session)
    )
    managed = Managed(token(144) if seconds else "", seconds, session, stream)
    session.state(_Place).managed = managed
    book.all.add(managed)
    if not seconds:
        return el("enabled", xmlns=ns.SM)
    book.by_id[managed.id] = managed
    return el(
        "enabled",
        id=managed.id,
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

    def end() -> None:
        session.transport.end(error)
        dispatch.gone(host, session)

    host.pump.run(end)


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
        complete = acks.unacked.acknowledge(h)
    except HandledCountTooHigh as problem:
        raise _too_high(problem) from None
    if complete and acks.unacked.is_due():
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
    if session is None or session.gone or session.acks is None:
        return False
    managed = session.state(_Place).managed
    if managed is None or not managed.seconds:
        return False
    managed.stream = None
    managed.until = time.monotonic() + managed.seconds
    session.transport = Hibernation(host, session)
    session.asleep = partial(push.wake, host, session)
    log(Event.SESSION_HIBERNATES, session=Word(stream.tag))
    for sent in list(session.acks.unacked.queue):
        if sent.stanza is not None and sent.stanza.name == "message":
            push.wake(host, session, sent.stanza)
    for hook in host.registry.hooks(Moment.HIBERNATES):
        hook(host, session)
    return True


def sweep(host: Host) -> None:
    """To be called every few seconds: what has waited for too long."""
    now = time.monotonic()
    for managed in list(host.state(Book).all):
        acks, stream = managed.session.acks, managed.stream
        if acks is None:
            continue
        acks.ledger.answer_late(now - _LATE)
        if managed.waits:
            if managed.until < now:
                host.pump.run(partial(_expire, host, managed))
        elif stream is not None:
            asked = acks.unacked.asked_at
            if asked is not None and asked < now - ACK_SECONDS - stream.connection.silence:
                stream.connection.abort()
            elif acks.unacked.is_due():
                stream.send(_ASK)


def _expire(host: Host, managed: Managed) -> None:
    """Unless its client has come at the last moment."""
    if managed.waits and managed.until < time.monotonic():
        dispatch.gone(host, managed.session)


def make_room(host: Host, account: Account) -> None:
    """End the one of an account's hibernating sessions that has waited longest, if there is any."""
    places = [session.state(_Place).managed for session in account.sessions.values()]
    asleep = [managed for managed in places if managed is not None and managed.waits]
    if asleep:
        dispatch.gone(host, min(asleep, key=lambda one: one.until - one.seconds).session)


def end_all(host: Host) -> None:
    """The service stops: what waits for clients that are away must be kept."""
    for managed in list(host.state(Book).all):
        dispatch.gone(host, managed.session)


# -- coming back -------------------------------------------------------------------------------


class _Refused(Exception):
    def __init__(self, problem: StanzaError, h: int | None = None) -> None:
        super().__init__()
        self.markup = failed(problem, h)


def resume(stream: "ClientStream", element: Stanza) -> None:
    """<resume/> of a client that has logged in, before it binds a resource."""
    assert stream.login is not None
    try:
        managed = _take_over(stream, stream.login.local, element.attrs)
    except _Refused as refusal:
        stream.say(refusal.markup)
        return
    stream.welcome(managed.session)
    stream.say(_resumed(managed))
    _go_on(stream, managed)


@feature.sasl_inline(ns.SM, "resume", OFFER)
def resume_at_login(_host: Host, transport: Transport, local: str, element: Child) -> Inline:
    stream = cast("ClientStream", transport)
    try:
        managed = _take_over(stream, local, start_tag(element))
    except _Refused as refusal:
        return Inline(refusal.markup)
    go_on = partial(_go_on, stream, managed)
    return Inline(_resumed(managed), managed.session, go_on)


def _take_over(stream: "ClientStream", local: str, attrs: Mapping[str, str]) -> Managed:
    """Part the session from its old stream; what was received over that is settled first."""
    host = stream.server.host
    previd, h = attrs.get("previd"), _number(attrs.get("h"))
    if previd is None or h is None:
        raise _Refused(BadRequest())
    if not host.settings.resumption.seconds:
        raise _Refused(FeatureNotImplemented())
    book = host.state(Book)
    found = book.by_id.get(previd)
    if found is None or found.session.account.local != local or found.session.gone:
        owner, handled = book.ended.get(previd, ("", 0))
        raise _Refused(ItemNotFound(), handled if owner == local else None)
    session, acks = found.session, found.session.acks
    assert acks is not None
    if not acks.unacked.is_possible(h):
        raise _too_high(HandledCountTooHigh(h, acks.unacked.sent))
    session.transport, session.asleep = Hibernation(host, session), None
    old, found.stream, found.taker = found.stream, None, stream
    if old is not None:
        old.session = None
        old.end(StreamError("conflict", "the session goes on over another stream"))
    settled = Signal()
    acks.ledger.then(settled.set, float("inf"))
    settled.wait()
    if session.gone or found.taker is not stream:  # a later one was quicker than the disk
        raise _Refused(ItemNotFound(), acks.ledger.count)
    found.taker = None
    found.stream = stream
    acks.unacked.acknowledge(h)
    agent = stream.login.agent if stream.login is not None else None
    if agent is not None and agent.id:
        session.state(Access).agent = agent
    return found


def _resumed(managed: Managed) -> Markup:
    acks = managed.session.acks
    assert acks is not None
    return el("resumed", previd=managed.id, h=str(acks.ledger.count), xmlns=ns.SM)


def _go_on(stream: "ClientStream", managed: Managed) -> None:
    """The client knows: send again what it has not got, and all that comes from now on."""
    host, session = stream.server.host, managed.session
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
    managed = session.state(_Place).managed
    if managed is None or session.acks is None:
        return
    book, ledger = host.state(Book), session.acks.ledger
    book.all.discard(managed)
    managed.stream = None
    if managed.id:
        del book.by_id[managed.id]
        book.ended[managed.id] = session.account.local, ledger.count
        if len(book.ended) > _REMEMBERED:
            book.ended.popitem(last=False)
        ledger.then(partial(_note_the_rest, book, managed.id, ledger), float("inf"))


def _note_the_rest(book: Book, id: str, ledger: Ledger) -> None:
    """What it sent last is safe now."""
    if id in book.ended:
        book.ended[id] = book.ended[id][0], ledger.count


@feature.on(Moment.REMOVED)
def hand_back(host: Host, session: Session) -> None:
    """What never arrived is treated as if the client had not been there (§5)."""
    acks = session.acks
    if acks is None:
        return
    queue = acks.unacked.queue
    while queue:
        sent = queue.popleft()
        if sent.stanza is None:
            continue
        if sent.stanza.name == "message":
            hand_on(host, session, sent.stanza, sent.at)
        elif sent.stanza.sender not in (None, host.domain, session.jid.bare, session.jid.full):
            dispatch.refuse(host, sent.stanza, ServiceUnavailable())
    # Nothing is to keep what is over alive until the garbage collector comes.
    acks.unacked.close()
    session.asleep = session.state(_Place).managed = None
    if isinstance(session.transport, Hibernation):
        session.transport = _NOWHERE
