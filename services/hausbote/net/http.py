"""An HTTP server: gevent's pywsgi over pyOpenSSL.

TLS is pyOpenSSL's as everywhere here, and not the ssl module's: the certificates, their reload and
the rules of `TlsShelf` are the same, and a connection that becomes a WebSocket goes on as a
`Connection` with the TLS that it has, channel bindings included.

What a peer may cost is bounded below pywsgi, in the socket that it reads from: the seconds and the
bytes of a request, bytes per second, and connections per address.  Forwarding headers mean nothing
here: the address of a client is that of its connection.
"""

import errno
import io
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Final

import gevent
from gevent.pywsgi import WSGIHandler, WSGIServer
from gevent.socket import wait_read, wait_write
from OpenSSL import SSL

from hausbote.base.log import bug
from hausbote.net.connection import Connection, Traffic
from hausbote.net.http_head import check_fields, check_request_line, read_fields
from hausbote.net.listener import AddressBook, keep_alive, listen
from hausbote.net.tls import TlsShelf

_CHUNK: Final = 16_384
_HEAD_BYTES: Final = 16_384
_DRAINED: Final = 4_194_304  # bytes of a refused request that are read and dropped
_HANDSHAKE: Final = 10.0  # seconds
_REQUEST: Final = 30.0  # seconds from a request's first byte to its last
_IDLE: Final = 75.0  # seconds between two requests: longer than a held one is held
_WRITE: Final = 30.0  # seconds without a byte taken
_STALL: Final = 30.0  # seconds without a byte of a body that may take its time
_SLOWEST: Final = 8_192  # bytes per second of such a body, on the whole
_PIECES: Final = 16  # TLS records that are handed on together

_BAD_REQUEST: Final = (
    b"HTTP/1.1 400 Bad Request\r\nAccess-Control-Allow-Origin: *\r\n"
    b"Connection: close\r\nContent-Length: 0\r\n\r\n"
)

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes | memoryview]]


class _Socket:
    """What pywsgi reads from and writes to: the server's side of one TLS connection."""

    def __init__(self, sock: socket.socket, tls: SSL.Connection, traffic: Traffic) -> None:
        self._sock: socket.socket | None = sock
        self._tls = tls
        self._traffic = traffic
        self._budget = float(traffic.burst)
        self._budget_at = time.monotonic()
        self._until = time.monotonic() + _HANDSHAKE
        self._bytes = 0
        self._between = False
        self._latest = 0.0  # when a body that may take its time must be there; 0 = there is none
        self.handed_over = False

    def handshake(self) -> None:
        self._retry(self._tls.do_handshake)

    def expect_request(self) -> None:
        """The next byte may take its time; from there on a request has its seconds and bytes."""
        self._until = time.monotonic() + _IDLE
        self._bytes = _HEAD_BYTES + _CHUNK  # the end of the head brings some of the body
        self._between = True
        self._latest = 0.0

    def expect_file(self, size: int) -> None:
        """The rest of the request is a body that may take long, as long as it gets on."""
        self.expect_body(size)
        self._latest = time.monotonic() + _REQUEST + size / _SLOWEST

    def expect_body(self, size: int) -> None:
        self._bytes = size + _CHUNK  # the chunks' own lines

    def recv_into(self, buffer: Any) -> int:
        data = self.recv(min(len(buffer), _CHUNK))
        buffer[: len(data)] = data
        return len(data)

    def recv(self, size: int) -> bytes:
        """Up to that many bytes; none at the end."""
        if self._sock is None:
            return b""
        try:
            data: bytes = self._retry(partial(self._tls.recv, size))
        except SSL.ZeroReturnError:
            return b""
        if self._between:
            self._between = False
            self._until = time.monotonic() + _REQUEST
        elif self._latest:
            self._until = min(time.monotonic() + _STALL, self._latest)
        self._charge(len(data))
        return data

    def _charge(self, size: int) -> None:
        self._bytes -= size
        if self._bytes < 0:
            raise ConnectionAbortedError("a request is too large")
        rate, burst = self._traffic.bytes_per_second, self._traffic.burst
        if rate:
            now = time.monotonic()
            refilled = self._budget + (now - self._budget_at) * rate
            self._budget, self._budget_at = min(refilled, burst) - size, now
            if self._budget < 0:
                gevent.sleep(-self._budget / rate)

    def sendall(self, data: bytes | bytearray | memoryview) -> None:
        view = memoryview(data)
        while view:
            self._until = time.monotonic() + _WRITE
            view = view[self._retry(partial(self._tls.send, view)) :]

    def _retry(self, step: Callable[[], Any]) -> Any:
        """Call until it need not wait; OSError when time is up or the connection is broken."""
        if self._sock is None:
            raise _cut()
        number = self._sock.fileno()
        while True:
            try:
                return step()
            except SSL.WantReadError:
                wait = wait_read
            except SSL.WantWriteError:
                wait = wait_write
            except SSL.ZeroReturnError:
                raise
            except SSL.Error:
                raise _cut() from None
            left = self._until - time.monotonic()
            if left <= 0:
                raise _too_late()
            wait(number, timeout=left, timeout_exc=_too_late())

    def makefile(self, *_: object) -> io.BufferedReader:
        return io.BufferedReader(_Raw(self), _CHUNK)

    def hand_over(self) -> tuple[socket.socket, SSL.Connection]:
        """Give the connection to somebody else; nothing is read or closed here any more."""
        sock, self._sock = self._sock, None
        assert sock is not None
        self.handed_over = True
        return sock, self._tls

    def close(self) -> None:
        if self._sock is None:
            return
        try:
            self._tls.shutdown()
            self._sock.shutdown(socket.SHUT_WR)
        except (OSError, SSL.Error):
            pass
        sock, self._sock = self._sock, None
        sock.close()


class _Raw(io.RawIOBase):
    def __init__(self, source: _Socket) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._source.recv_into(buffer)


# pywsgi wants errors of connections to have numbers.


def _cut() -> ConnectionResetError:
    return ConnectionResetError(errno.ECONNRESET, "the peer is gone")


def _too_late() -> TimeoutError:
    return TimeoutError(errno.ETIMEDOUT, "the peer is too slow")


class Exchange:
    """What an application may do with a request's connection, beside answering (environ[KEY])."""

    KEY: Final = "hausbote.exchange"

    def __init__(self, handler: "_Handler") -> None:
        self._handler = handler

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        return [(k.encode("latin-1"), v.encode("latin-1")) for k, v in self._handler.fields()]

    def read(self, limit: int) -> bytes | None:
        """The request's body; None if it is larger than `limit`."""
        handler = self._handler
        if (handler.content_length or 0) > limit:
            self.drop()
            return None
        handler.socket.expect_body(limit + 1)
        body: bytes = handler.wsgi_input.read(limit + 1)
        return None if len(body) > limit else body

    @property
    def announced(self) -> int | None:
        """The size of the request's body, None if it is not told beforehand."""
        size: int | None = self._handler.content_length
        return size

    def receive(self, size: int) -> Iterator[list[bytes]]:
        """The request's body of that size, some pieces at a time; OSError if less or too slow.

        It is read past pywsgi, which would copy it twice.
        """
        handler = self._handler
        handler.socket.expect_file(size)
        body = handler.wsgi_input
        body.read(0)  # sends 100 Continue to those who wait for it
        read = handler.rfile.read1  # what came with the head is in its buffer
        while body.position < size:
            pieces: list[bytes] = []
            while len(pieces) < _PIECES and body.position < size:
                piece = read(min(size - body.position, _CHUNK))
                if not piece:
                    raise _cut()
                read = handler.socket.recv
                body.position += len(piece)
                pieces.append(piece)
            yield pieces

    def drop(self) -> None:
        """Read what comes of the body and drop it, so that its sender sees our answer."""
        self._handler.socket.expect_body(_DRAINED)

    def hand_over(self) -> tuple[Connection, bytes]:
        """The connection for something else than HTTP, and what came behind the request."""
        handler = self._handler
        sock, tls = handler.socket.hand_over()
        early = handler.rfile.peek() if not handler.rfile.closed else b""
        handler.close_connection = True
        connection = Connection(sock, handler.client_address[0], handler.server.traffic)
        connection.adopt_tls(tls)
        return connection, early


class _Handler(WSGIHandler):  # type: ignore[misc]
    """One HTTP connection; says nothing about it to anybody, least of all to a log."""

    def handle_one_request(self) -> Any:
        self.socket.expect_request()
        return super().handle_one_request()

    def read_request(self, raw_requestline: str) -> bool:
        """ValueError, which is answered with 400, for what two programs might read differently."""
        check_request_line(raw_requestline)
        return bool(super().read_request(raw_requestline))

    def MessageClass(self, source: Any, *args: Any) -> Any:
        fields = super().MessageClass(io.BytesIO(read_fields(source)), *args)
        check_fields(fields)
        return fields

    def get_environ(self) -> Environ:
        environ: Environ = super().get_environ()
        environ[Exchange.KEY] = Exchange(self)
        return environ

    def fields(self) -> list[tuple[str, str]]:
        return [(key, value) for key, value in self.headers.items()]

    def process_result(self) -> None:
        if not self.socket.handed_over:
            super().process_result()

    def log_request(self) -> None:
        pass

    def log_error(self, msg: str, *args: object) -> None:
        pass

    def handle_error(self, t: Any, v: Any, tb: Any) -> None:
        if not issubclass(t, OSError):  # the peer's connection, not ours
            bug(v)
        self.close_connection = True
        if not self.socket.handed_over:
            self._send_error_response_if_possible(500)

    def _handle_client_error(self, ex: Exception) -> Any:
        return ("400", _BAD_REQUEST)


class HttpServer(WSGIServer):  # type: ignore[misc]
    """Serves `application` over TLS; OSError if the port is taken."""

    def __init__(
        self,
        address: str,
        port: int,
        application: Application,
        shelf: TlsShelf,
        book: AddressBook,
        traffic: Traffic,
    ) -> None:
        self.shelf = shelf
        self.book = book
        self.traffic = traffic
        sock = listen(address, port)
        super().__init__(sock, application, handler_class=_Handler, log=None, error_log=None)

    def handle(self, sock: Any, address: tuple[Any, ...]) -> None:
        """One connection, in a greenlet of its own."""
        raw = socket.socket(fileno=sock.detach())
        if not self.book.enter(address[0]):
            raw.close()
            return
        raw.setblocking(False)
        keep_alive(raw, self.traffic.idle)
        wire = _Socket(raw, self.shelf.connection(raw), self.traffic)
        try:
            wire.handshake()
            super().handle(wire, address)
        except Exception as error:  # noqa: BLE001 - OpenSSL's errors, and what a callback raised
            if not isinstance(error, OSError | SSL.Error):
                bug(error)
        finally:
            # What was handed over is counted until its receiver says that it is closed.
            if not wire.handed_over:
                self.book.leave(address[0])
            wire.close()
