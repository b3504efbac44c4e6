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
from functools import lru_cache, partial
from typing import Any, Final

import gevent
from gevent.pywsgi import Input, WSGIHandler, WSGIServer
from gevent.socket import wait
from OpenSSL import SSL

from hausbote.base.log import bug
from hausbote.net.connection import READ, WRITE, Connection, Traffic
from hausbote.net.http_head import (
    Fields,
    TooLarge,
    check_fields,
    read_fields,
    read_request_line,
    read_target,
)
from hausbote.net.listener import AddressBook, keep_alive, listen
from hausbote.net.tls import TlsShelf

_CHUNK: Final = 16_384
_HEAD_BYTES: Final = 32_768  # before its own bound, which has an answer
_DRAINED: Final = 4_194_304  # bytes of a refused request that are read and dropped
_HANDSHAKE: Final = 10.0  # seconds
_REQUEST: Final = 30.0  # seconds from a request's first byte to its last
_IDLE: Final = 75.0  # seconds between two requests: longer than a held one is held
_WRITE: Final = 30.0  # seconds without a byte taken
_STALL: Final = 30.0  # seconds without a byte of a body that may take its time
_SLOWEST: Final = 8_192  # bytes per second of such a body, on the whole
_BATCH: Final = 1_048_576  # bytes of a body that are handed on together at most,
_ENOUGH: Final = 65_536  # and at least, if they are not the last ones

_REFUSAL: Final = (
    b"HTTP/1.1 %s\r\nAccess-Control-Allow-Origin: *\r\n"
    b"Connection: close\r\nContent-Length: 0\r\n\r\n"
)

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes | memoryview]]


class _Socket:
    """What pywsgi reads from and writes to: the server's side of one TLS connection."""

    def __init__(self, sock: socket.socket, tls: SSL.Connection, traffic: Traffic) -> None:
        self._sock: socket.socket | None = sock
        self._readable = _watcher(sock, READ)
        self._writable: Any = None
        self._tls = tls
        self._traffic = traffic
        self._budget = float(traffic.burst)
        self._budget_at = time.monotonic()
        self._until = time.monotonic() + _HANDSHAKE
        self._bytes = 0
        self._between = False
        self._latest = 0.0  # when a body that may take its time must be there; 0 = there is none
        self.handed_over = False
        self.is_mute = False

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
        """How many bytes came; 0 at the end."""
        if self._sock is None:
            return 0
        try:
            size: int = self._retry(partial(self._tls.recv_into, buffer, _CHUNK))
        except SSL.ZeroReturnError:
            return 0
        if self._between:
            self._between = False
            self._until = time.monotonic() + _REQUEST
        elif self._latest:
            self._get_on()
        self._charge(size)
        return size

    def early(self, file: io.BufferedReader, limit: int) -> bytes:
        """Up to that much of what `file`, which is ours, has read ahead."""
        self.is_mute = True
        data = file.read1(limit)
        self.is_mute = False
        return data

    def fill(self, buffer: memoryview) -> int:
        """How many bytes came: all that is there, as much as there is room for, and never so little
        that it would not be worth the way to the disk.  OSError if it does not come."""
        recv_into, at = self._tls.recv_into, 0
        enough = min(_ENOUGH, len(buffer))
        while at < len(buffer):
            try:
                at += recv_into(buffer[at : at + _CHUNK])
            except SSL.WantReadError:
                if at >= enough:
                    break
                at += self._some(buffer[at:])
            except SSL.Error:
                raise _cut() from None
        self._get_on()
        self._charge(at)
        return at

    def _some(self, buffer: memoryview) -> int:
        try:
            size: int = self._retry(partial(self._tls.recv_into, buffer, _CHUNK))
        except SSL.ZeroReturnError:
            raise _cut() from None
        self._get_on()
        return size

    def _get_on(self) -> None:
        """Something of a body came: so much time is left for more."""
        now = time.monotonic()
        self._until = min(now + _STALL, self._latest)
        if self._until <= now:
            raise _too_late()

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
        if self._sock is None:
            raise _cut()
        view = memoryview(data)
        while view:
            try:
                view = view[self._tls.send(view) :]
            except SSL.WantWriteError:
                self._until = time.monotonic() + _WRITE
                view = view[self._retry(partial(self._tls.send, view)) :]
            except SSL.Error:
                raise _cut() from None

    def _retry(self, step: Callable[[], Any]) -> Any:
        """Call until it need not wait; OSError when time is up or the connection is broken."""
        if self._sock is None:
            raise _cut()
        while True:
            try:
                return step()
            except SSL.WantReadError:
                watcher = self._readable
            except SSL.WantWriteError:
                watcher = self._writable = self._writable or _watcher(self._sock, WRITE)
            except SSL.ZeroReturnError:
                raise
            except SSL.Error:
                raise _cut() from None
            left = self._until - time.monotonic()
            if left <= 0:
                raise _too_late()
            wait(watcher, timeout=left, timeout_exc=_too_late())

    def makefile(self, *_: object) -> io.BufferedReader:
        return io.BufferedReader(_Raw(self), _CHUNK)

    def hand_over(self) -> tuple[socket.socket, SSL.Connection]:
        """Give the connection to somebody else; nothing is read or closed here any more."""
        self.handed_over = True
        return self._let_go(), self._tls

    def close(self) -> None:
        if self._sock is None:
            return
        try:
            self._tls.shutdown()
            self._sock.shutdown(socket.SHUT_WR)
        except (OSError, SSL.Error):
            pass
        self._let_go().close()

    def _let_go(self) -> socket.socket:
        sock, self._sock = self._sock, None
        assert sock is not None
        for watcher in (self._readable, self._writable):
            if watcher is not None:
                watcher.close()
        return sock


class _Raw(io.RawIOBase):
    def __init__(self, source: _Socket) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        return None if self._source.is_mute else self._source.recv_into(buffer)


def _watcher(sock: socket.socket, events: int) -> Any:
    return gevent.get_hub().loop.io(sock.fileno(), events)


@lru_cache(64)
def _key(name: str) -> str:
    """How WSGI calls a field."""
    key = name.upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"


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

    def receive(self, size: int) -> Iterator[memoryview]:
        """The request's body of that size, a piece at a time; OSError if less or too slow.

        It is read past pywsgi, which would copy it twice.  A piece is good until the next one.
        """
        handler = self._handler
        handler.socket.expect_file(size)
        body = handler.wsgi_input
        body.read(0)  # sends 100 Continue to those who wait for it
        buffer = memoryview(bytearray(min(size, _BATCH)))
        early = handler.socket.early(handler.rfile, len(buffer))  # it came with the head
        buffer[: len(early)] = early
        at = len(early)
        while body.position < size:
            room = buffer[at : size - body.position]
            at += handler.socket.fill(room) if room else 0
            body.position += at
            yield buffer[:at]
            at = 0

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
        self.requestline = raw_requestline.rstrip()
        self.command, self.path, self.request_version = read_request_line(raw_requestline)
        self.headers = fields = read_fields(self.rfile)
        check_fields(fields, self.request_version)
        length = fields.get("content-length")
        self.content_length = None if length is None else int(length)
        if self.content_length and self.command == "HEAD":
            raise ValueError("a body where none can be")
        wishes = [one.strip() for one in (fields.get("connection") or "").lower().split(",")]
        may_stay = self.request_version == "HTTP/1.1" or "keep-alive" in wishes
        self.close_connection = "close" in wishes or not may_stay
        return True

    def get_environ(self) -> Environ:
        """As pywsgi's, whose own takes four times as long."""
        environ: Environ = self.server.get_environ()
        target, fields = read_target(self.path), self.headers
        environ.update(
            REQUEST_METHOD=self.command,
            SCRIPT_NAME="",
            PATH_INFO=target.path,
            QUERY_STRING=target.query,
            SERVER_PROTOCOL=self.request_version,
            REMOTE_ADDR=str(self.client_address[0]),
            REMOTE_PORT=str(self.client_address[1]),
        )
        for name, value in fields.items():
            if "_" not in name:  # it would look like one with a hyphen
                key = _key(name)
                environ[key] = f"{environ[key]},{value}" if key in environ else value
        if target.authority is not None:
            environ["HTTP_HOST"] = target.authority
        waits = environ.get("HTTP_EXPECT", "").lower() == "100-continue"
        waits = waits and self.request_version == "HTTP/1.1"
        chunked = "HTTP_TRANSFER_ENCODING" in environ
        sock = self.socket if waits else None
        self.wsgi_input = Input(self.rfile, self.content_length, sock, chunked)
        environ["wsgi.input"] = self.wsgi_input
        environ["wsgi.input_terminated"] = True
        environ[Exchange.KEY] = Exchange(self)
        return environ

    def fields(self) -> list[tuple[str, str]]:
        fields: Fields = self.headers
        return fields.items()

    def process_result(self) -> None:
        if self.socket.handed_over:
            return
        pieces = iter(self.result)
        self.write(next(pieces, b""))
        send = self.write if self.response_use_chunked else self.socket.sendall
        for piece in pieces:
            send(piece)
        if self.response_use_chunked:
            self._sendall(b"0\r\n\r\n")

    def _write_with_headers(self, data: bytes | memoryview) -> None:
        """In one record if there is little to say."""
        self.headers_sent = True
        self.finalize_headers()
        lines = [b"HTTP/1.1 ", self.status, b"\r\n"]
        for name, value in self.response_headers:
            lines += name, b": ", value, b"\r\n"
        lines.append(b"\r\n")
        head = b"".join(lines)
        if self.response_use_chunked or len(head) + len(data) > _CHUNK:
            self._sendall(head)
            self._write(data)
        else:
            self._sendall(b"".join((head, data)))

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
        if isinstance(ex, TooLarge):
            return ("431", _REFUSAL % b"431 Request Header Fields Too Large")
        return ("400", _REFUSAL % b"400 Bad Request")


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
        self._kind = (sock.family, sock.type, sock.proto)
        keep_alive(sock, traffic.idle)  # connections inherit what the listener has
        super().__init__(sock, application, handler_class=_Handler, log=None, error_log=None)

    def do_read(self) -> tuple[socket.socket, tuple[Any, ...]] | None:
        """A plain socket: gevent's would only be taken apart again."""
        try:
            number, address = self.socket._accept()
        except BlockingIOError:
            return None
        return socket.socket(*self._kind, number), address

    def do_close(self, *_: object) -> None:
        """`handle` has closed it, or given it away."""

    def handle(self, sock: socket.socket, address: tuple[Any, ...]) -> None:
        """One connection, in a greenlet of its own."""
        if not self.book.enter(address[0]):
            sock.close()
            return
        sock.setblocking(False)
        wire = _Socket(sock, self.shelf.connection(sock), self.traffic)
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
