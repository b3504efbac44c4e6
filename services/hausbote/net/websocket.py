"""A WebSocket (RFC 6455) over a connection that an HTTP server has handed over.

wsproto speaks the protocol; from the handshake on the socket is an ordinary `Connection`, so an
idle WebSocket costs no greenlet, and rates, unread bytes and channel bindings are as over TCP.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from gevent import get_hub
from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Request,
    TextMessage,
)
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from hausbote.base.ways import Way
from hausbote.net.connection import Connection
from hausbote.net.framed import Framed, Frames
from hausbote.xmpp.framing import alone

_PING_AFTER: Final = 240.0  # idle seconds; phones sleep, and some proxies forget after five minutes
_GONE_AFTER: Final = 360.0
_FRAMES: Final = 32  # that are looked at in one turn: an empty one costs as much as a full one

Headers = Iterable[tuple[bytes, bytes]]


class HandshakeError(Exception):
    """The request is none for a WebSocket of ours; the message says why."""


def handshake(headers: Headers, path: str, protocol: str) -> tuple[WSConnection, bytes]:
    """The server's end, and the answer to the client's request; HandshakeError."""
    socket = WSConnection(ConnectionType.SERVER)
    try:
        socket.initiate_upgrade_connection(list(headers), path)
        request = next(iter(socket.events()))
        if not isinstance(request, Request) or protocol not in request.subprotocols:
            raise HandshakeError(f"this WebSocket speaks {protocol} only")
        return socket, socket.send(AcceptConnection(subprotocol=protocol))
    except (RemoteProtocolError, LocalProtocolError) as error:
        raise HandshakeError(str(error)) from None


class WebSocket(Framed):
    """A transport of text messages; `receiver` must be set before `start`."""

    def __init__(self, connection: Connection, ws: WSConnection, largest: int, way: Way) -> None:
        self.address = connection.address
        self.entry = connection.entry
        self.way = way
        self.heard = time.monotonic()
        self._connection = connection
        self._ws = ws
        self._largest = largest  # bytes of a message; 0 = no limit
        self._pieces: list[str] = []
        self._size = 0
        self._frames = Frames(self._receive)
        self._events: Iterator[Event] = iter(())
        self._working = False  # there may be more frames in what came
        self._next_turn: Any = get_hub().loop.timer(0.0)
        connection.receiver = self

    def start(self, answer: bytes, early: bytes) -> None:
        """Send the handshake's answer and take what the client sent behind its request."""
        self._connection.write(answer)
        self._connection.start()
        if early:
            self.on_data(early)

    # -- what arrives --------------------------------------------------------------------------

    def on_data(self, data: bytes) -> None:
        self.heard = time.monotonic()
        self._ws.receive_data(data)
        self._events = self._ws.events()
        self._work()

    def _work(self) -> None:
        """Some of the frames that came; the others in the next turn, and no data before them."""
        count = 0
        try:
            for event in self._events:
                if self.closed:
                    break
                self._take(event)
                count += 1
                if count == _FRAMES:
                    break
        except RemoteProtocolError:
            self._refuse(CloseReason.PROTOCOL_ERROR)
        if self.closed:
            return
        self._connection.charge(count)
        if count == _FRAMES:
            self._working = True
            self._connection.pause()
            self._next_turn.start(self._work)  # a callback would come before others are read
        elif self._working:
            self._working = False
            if not self._frames.paused:
                self._connection.resume()

    def _take(self, event: Event) -> None:
        if isinstance(event, TextMessage):
            self._take_text(event)
        elif isinstance(event, BytesMessage):
            self._refuse(CloseReason.UNSUPPORTED_DATA)
        elif isinstance(event, Ping):
            self._connection.write(self._ws.send(event.response()))
        elif isinstance(event, CloseConnection):
            self._finish(event)

    def _take_text(self, event: TextMessage) -> None:
        if event.data:  # there may be frames without any, for ever
            self._pieces.append(event.data)
        self._size += len(event.data)
        if event.message_finished or 0 < self._largest < self._size:
            # What is too long already need not end: the parser refuses it for its length.
            frame = "".join(self._pieces).encode()
            self._pieces, self._size = [], 0
            self._frames.put(frame)

    def _finish(self, event: CloseConnection) -> None:
        """The client closes, or broke the protocol, which wsproto tells in the same way."""
        if self._ws.state is ConnectionState.REMOTE_CLOSING:
            self._connection.write(self._ws.send(event.response()))
        elif self._ws.state is ConnectionState.OPEN:
            self._connection.write(self._ws.send(CloseConnection(code=event.code)))
        self._connection.close()

    def _refuse(self, code: CloseReason) -> None:
        if self._ws.state is ConnectionState.OPEN:
            self._connection.write(self._ws.send(CloseConnection(code=code)))
        self._connection.close()

    def _receive(self, frame: bytes) -> None:
        self.receiver.on_data(frame)

    def on_closed(self) -> None:
        self._frames.close()
        self._next_turn.stop()
        self._next_turn.close()
        receiver = self.receiver
        del self.receiver  # it holds us, too: neither is to wait for the garbage collector
        _free(self._ws)
        receiver.on_closed()

    # -- the transport -------------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        return self._connection.closed

    @property
    def tls_version(self) -> int:
        return self._connection.tls_version

    @property
    def unwritten(self) -> int:
        return self._connection.unwritten

    def when_sent(self, callback: Callable[[], None]) -> None:
        self._connection.when_sent(callback)

    def write(self, data: bytes) -> None:
        if self._ws.state is ConnectionState.OPEN:
            self._connection.write(self._ws.send(TextMessage(alone(data).decode())))

    def pause(self) -> None:
        self._frames.pause()
        self._connection.pause()

    def resume(self) -> None:
        self._frames.resume()
        if not self._working:
            self._connection.resume()

    def close(self) -> None:
        self._refuse(CloseReason.NORMAL_CLOSURE)

    def abort(self) -> None:
        self._connection.abort()

    def check(self, now: float) -> None:
        """Ask a silent client whether it is there; drop one that does not answer."""
        silent = now - self.heard
        if silent > _GONE_AFTER:
            self.abort()
        elif silent > _PING_AFTER and self._ws.state is ConnectionState.OPEN:
            self._connection.write(self._ws.send(Ping()))


def _free(ws: WSConnection) -> None:
    """wsproto reads by a generator that holds the object that has it; it is ended."""
    frames = getattr(ws.connection, "_proto", None)
    reader = getattr(frames, "_parse_more", None)
    if reader is not None and not reader.gi_running:
        reader.close()
