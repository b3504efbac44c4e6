"""BOSH (XEP-0124 and XEP-0206): streams of clients that can do no more than ask over HTTP."""

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import gevent
from gevent import get_hub
from gevent.event import Event

from hausbote.base.jid import InvalidJID, prepare_domain
from hausbote.base.log import bug
from hausbote.base.networks import site_of
from hausbote.base.shares import Shares
from hausbote.base.tokens import token
from hausbote.base.ways import Way
from hausbote.net.framed import Framed, Frames
from hausbote.net.http import Exchange
from hausbote.xmpp.bosh import BoshSession, Held, refusal
from hausbote.xmpp.bosh_body import BadBody, Request, read_body
from hausbote.xmpp.framing import FRAMES, alone

if TYPE_CHECKING:
    from hausbote.c2s.server import Server

_SWEEP: Final = 2.0  # seconds
_BACKLOG: Final = 1_048_576  # bytes of frames before further requests wait
_LOST: Final = 500  # sessions without a login whose clients hung up and have not come back

Answer = tuple[str, bytes]  # content type and body


class BoshTransport(Framed):
    """A stream's transport; the session has the protocol."""

    silence = 120.0  # between two requests, at most: a client that polls, or that paused

    def __init__(self, address: str, way: Way, domain: str, creation: Request, unread: int) -> None:
        self.address = address
        self.way = way
        self.frames = Frames(self._receive)
        self.session = BoshSession(
            token(), creation, domain, self.frames.put, unread, time.monotonic()
        )
        self._loop: Any = get_hub().loop
        self._flush_due = self._failed = self._gone = False
        self._sent: list[Callable[[], None]] = []

    def _receive(self, frame: bytes) -> None:
        if not self._gone:
            self.receiver.on_data(frame)

    @property
    def closed(self) -> bool:
        return self.session.ended

    @property
    def tls_version(self) -> int:
        return 0

    @property
    def unwritten(self) -> int:
        return self.session.unsent

    def when_sent(self, callback: Callable[[], None]) -> None:
        if self.closed or not self.session.unsent:
            self._loop.run_callback(callback)
        else:
            self._sent.append(callback)

    def tell_sent(self) -> None:
        """To be called when requests came, or none will any more."""
        if self._sent and (self.closed or not self.session.unsent):
            sent, self._sent = self._sent, []
            for callback in sent:
                self._loop.run_callback(callback)

    def write(self, data: bytes) -> None:
        if self.closed or data.startswith((b"<open ", b"<close ")):
            return  # what these say is said by the bodies
        self._failed = self._failed or data.startswith(b"<stream:error")
        self.session.push(alone(data))
        if self.session.overflowed:
            self.abort()
        elif not self._flush_due:
            self._flush_due = True
            self._loop.run_callback(self._flush)

    def _flush(self) -> None:
        self._flush_due = False
        self.session.flush(time.monotonic())
        self.tell_sent()

    def pause(self) -> None:
        self.frames.pause()

    def resume(self) -> None:
        self.frames.resume()

    def close(self) -> None:
        """The stream is over, or the client broke BOSH's own rules."""
        self.session.end("remote-stream-error" if self._failed else None, time.monotonic())
        self.lose()

    abort = close

    def lose(self) -> None:
        """Tell the stream, once, that nobody is there any more."""
        if not self._gone:
            self._gone = True
            self.frames.close()
            self._loop.run_callback(self._tell)

    def _tell(self) -> None:
        receiver = self.receiver
        del self.receiver  # it holds us, too: neither is to wait for the garbage collector
        receiver.on_closed()
        self.tell_sent()


class Bosh:
    """All BOSH sessions of this process."""

    def __init__(self, server: "Server") -> None:
        self._server = server
        self._transports: dict[str, BoshTransport] = {}
        self._lost: Shares[BoshTransport, None] = Shares(_LOST)
        self._clock = gevent.spawn(self._watch)

    @property
    def largest(self) -> int:
        """Bytes of the largest request."""
        return (self._server.host.settings.limits.stanza_bytes or 16_777_216) + 65_536

    def handle(self, data: bytes, exchange: Exchange, address: str, way: Way) -> Answer:
        """The answer to a request; its greenlet waits for it.

        A session is of the address and the page that began it, whoever goes on with it.
        """
        try:
            request = read_body(data, self.largest)
        except BadBody:
            return _TEXT, refusal("bad-request")
        if request.sid is None:
            return self._create(request, exchange, address, way)
        transport = self._transports.get(request.sid)
        if transport is None:
            return _TEXT, refusal("item-not-found")
        self._lost.pop(transport)
        while transport.frames.size > _BACKLOG:
            gevent.sleep(0.05)
        held = Held(request, time.monotonic())
        transport.session.take(held, held.since)
        transport.tell_sent()
        if transport.closed:
            transport.lose()
        return self._wait(transport, held, exchange)

    def _create(self, request: Request, exchange: Exchange, address: str, way: Way) -> Answer:
        host = self._server.host
        to = request.attrs.get("to")
        if not to:
            return _TEXT, refusal("improper-addressing")
        if not _is(host.domain, to):
            return _TEXT, refusal("host-unknown")
        unread = self._server.traffic.unread
        transport = BoshTransport(address, way, host.domain, request, unread)
        # Last before the session is in the table: what is counted must have somebody who ends it.
        entry = self._server.book.enter(address)
        if entry is None:
            return _TEXT, refusal("policy-violation")
        transport.entry, entry.end = entry, transport.abort
        self._server.welcome(transport, FRAMES)
        session = transport.session
        self._transports[session.sid] = transport
        held = Held(request, time.monotonic())
        session.create(held)
        return self._wait(transport, held, exchange)

    def _wait(self, transport: BoshTransport, held: Held, exchange: Exchange) -> Answer:
        session, done = transport.session, Event()
        held.done = done.set
        if held.answer is not None:
            return session.content, held.answer
        exchange.watch(partial(self._hung_up, transport, held))
        try:
            while held.answer is None:
                if not done.wait(session.wait):
                    session.expire(held, time.monotonic())
        finally:
            exchange.unwatch()
        return session.content, held.answer

    def _hung_up(self, transport: BoshTransport, held: Held) -> None:
        """On the hub: the connection of a request that waits is gone.

        It is answered as if it had waited for long, and can be asked for again by its rid; the
        session has its silence from now on.  Who can come back to nothing of value, because nobody
        has logged in, is not waited for beyond a number of such.
        """
        session = transport.session
        session.expire(held, time.monotonic())
        transport.tell_sent()
        if transport.closed or not session.is_quiet or not _is_stranger(transport):
            return
        displaced = self._lost.put(transport, site_of(transport.address), None)
        if displaced is not None and (displaced.key.closed or _is_stranger(displaced.key)):
            self._drop(displaced.key)

    def _watch(self) -> None:
        while True:
            gevent.sleep(_SWEEP)
            try:
                self._forget(time.monotonic())
            except Exception as fault:  # noqa: BLE001 - the clock must go on
                bug(fault)

    def _forget(self, now: float) -> None:
        for transport in list(self._transports.values()):
            if transport.session.is_forgotten(now):
                self._drop(transport)

    def _drop(self, transport: BoshTransport) -> None:
        """Whoever asks for it from here on hears that there is no such session."""
        self._lost.pop(transport)
        del self._transports[transport.session.sid]
        transport.close()


def _is_stranger(transport: BoshTransport) -> bool:
    return transport.entry is not None and transport.entry.is_stranger


def _is(domain: str, name: str) -> bool:
    try:
        return prepare_domain(name) == domain
    except InvalidJID:
        return False


_TEXT: Final = "text/xml; charset=utf-8"
