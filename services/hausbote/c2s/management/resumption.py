"""Coming back to a session over another stream (XEP-0198 §5)."""

import time
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Final, cast

from gevent.event import Event as Signal

from hausbote.base.clock import timestamp
from hausbote.base.log import Event, Word, log
from hausbote.c2s.management.hibernation import Hibernation, hold
from hausbote.c2s.management.managed import (
    ASK,
    OFFER,
    Book,
    Managed,
    failed,
    feature,
    number,
    too_high,
)
from hausbote.core.feature import Inline, Moment
from hausbote.core.host import Host
from hausbote.core.session import Transport
from hausbote.features.clients import Access
from hausbote.xmpp import ns
from hausbote.xmpp.acks import HandledCountTooHigh, Sent
from hausbote.xmpp.errors import (
    BadRequest,
    FeatureNotImplemented,
    ItemNotFound,
    StanzaError,
    StreamError,
)
from hausbote.xmpp.stanza import Child, Stanza, start_tag
from hausbote.xmpp.xml import Markup, el

if TYPE_CHECKING:
    from hausbote.c2s.stream import ClientStream


_LATE: Final = 10.0  # seconds on the way, from which on a message says when it came
_END: Final = b"</message>"
_SETTLE: Final = 10.0  # seconds that what came over the old stream may take to be safe


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
    previd, h = attrs.get("previd"), number(attrs.get("h"))
    if previd is None or h is None:
        raise _Refused(BadRequest())
    if not host.settings.resumption.seconds:
        raise _Refused(FeatureNotImplemented())
    book = host.state(Book)
    found = book.by_id.get(previd)
    if found is None or found.session.account.local != local or found.session.gone:
        raise _Refused(ItemNotFound(), _last_count(host, book, previd, local))
    session, acks = found.session, found.session.acks
    assert acks is not None
    if not acks.unacked.is_possible(h):
        raise too_high(HandledCountTooHigh(h, acks.unacked.sent))
    session.transport, session.asleep = Hibernation(host, session), None
    old, found.stream, found.taker = found.stream, None, stream
    if old is not None:
        old.session = None
        old.end(StreamError("conflict", "the session goes on over another stream"))
    settled = Signal()
    acks.ledger.then(settled.set, float("inf"))
    in_time = settled.wait(_SETTLE)
    if session.gone or found.taker is not stream:  # a later one was quicker than the disk
        raise _Refused(ItemNotFound(), acks.ledger.count)
    if not in_time:
        # Each that waits has a worker of the pump, of which others need some, too.
        found.taker, found.until = None, time.monotonic() + found.seconds
        hold(host, found)
        raise StreamError("resource-constraint", "what you sent is not safe yet: come again")
    found.taker = None
    found.stream = stream
    book.asleep.pop(found)
    acks.unacked.acknowledge(h)
    acks.unacked.forget_missing()
    agent = stream.login.agent if stream.login is not None else None
    if agent is not None and agent.id:
        session.state(Access).agent = agent
    return found


def _last_count(host: Host, book: Book, previd: str, local: str) -> int | None:
    """How much was handled of a session that ended; None if it was none of this account's."""
    ended = book.ended.get(previd)
    if ended is None or ended[0] != local:
        return None
    host.store.settle()  # what it sent just before counts, too
    return (book.ended.get(previd) or ended)[1]


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
        stream.send(_again(host, sent, session.jid.full))
    if unacked.queue:
        unacked.ask()
        stream.send(ASK)
    else:
        unacked.asked_at = None
    log(Event.SESSION_RESUMED, session=Word(stream.tag))
    for hook in host.registry.hooks(Moment.RESUMED):
        hook(host, session)


def _again(host: Host, sent: Sent, to: str) -> bytes:
    """What a client has not got; a message that waited for it says when it came (XEP-0203 §2)."""
    data = sent.wire(to)
    if not data.endswith(_END) or b"urn:xmpp:delay" in data or host.clock() - sent.at < _LATE:
        return data
    delay = el("delay", xmlns=ns.DELAY, from_=host.domain, stamp=timestamp(sent.at))
    return b"%b%b%b" % (data.removesuffix(_END), delay.encode(), _END)
