"""An HTTP server: gevent's pywsgi over pyOpenSSL.

TLS is pyOpenSSL's as everywhere here, and not the ssl module's: the certificates, their reload and
the rules of `TlsShelf` are the same, and a connection that becomes a WebSocket goes on as a
`Connection` with the TLS that it has, channel bindings included.

What a peer may cost is bounded below pywsgi, in the socket that it reads from: the seconds and the
bytes of a request, bytes per second, and connections per address.  Forwarding headers mean nothing
here: the address of a client is that of its connection.
"""

import contextlib
import socket
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, Final

from gevent.pywsgi import Input, WSGIHandler, WSGIServer
from OpenSSL import SSL

from hausbote.base.log import bug
from hausbote.net.address_book import AddressBook
from hausbote.net.connection import Connection
from hausbote.net.front_socket import is_front_socket, proxied_peer
from hausbote.net.http_chunks import ChunkedInput
from hausbote.net.http_head import (
    Fields,
    TooLarge,
    check_fields,
    read_fields,
    read_request_line,
    read_target,
)
from hausbote.net.http_socket import CHUNK, HttpSocket
from hausbote.net.listener import keep_alive
from hausbote.net.shortage import PAUSE, is_shortage
from hausbote.net.stored import Stored
from hausbote.net.tls import TlsShelf
from hausbote.net.traffic import Traffic

_DRAINED: Final = 4_194_304  # bytes of a refused request that are read and dropped
_LITTLE: Final = 8_192  # bytes of a body that go with the head
_BATCH: Final = 1_048_576  # bytes of a body that are handed on together at most

_BAD: Final = b"400 Bad Request"
_REFUSAL: Final = (
    b"HTTP/1.1 %s\r\nAccess-Control-Allow-Origin: *\r\n"
    b"Connection: close\r\nContent-Length: 0\r\n\r\n"
)

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], "Iterable[bytes] | Stored"]


@lru_cache(64)
def _key(name: str) -> str:
    """How WSGI calls a field."""
    key = name.upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"


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

    def watch(self, gone: Callable[[], None]) -> None:
        """Until `unwatch`: call `gone` on the hub, once, if the peer hangs up before the answer."""
        self._handler.socket.watch(gone)

    def unwatch(self) -> None:
        self._handler.socket.unwatch()

    def hand_over(self) -> tuple[Connection, bytes]:
        """The connection for something else than HTTP, and what came behind the request."""
        handler = self._handler
        address, traffic = handler.client_address[0], handler.server.traffic
        connection, early = _handed_over(handler.socket, address, traffic)
        read = handler.rfile.peek() if not handler.rfile.closed else b""  # what it has, by now
        handler.close_connection = True
        return connection, read + early


def _handed_over(wire: HttpSocket, address: str, traffic: Traffic) -> tuple[Connection, bytes]:
    sock, tls, early = wire.hand_over()
    connection = Connection(sock, address, traffic)
    connection.adopt_tls(tls)
    entry = connection.entry = wire.entry
    if entry is not None:
        entry.end = connection.abort
    return connection, early


class _Handler(WSGIHandler):  # type: ignore[misc]
    """One HTTP connection; says nothing about it to anybody, least of all to a log."""

    def handle(self) -> None:
        """Until the connection ends; nothing of it waits for the garbage collector then."""
        try:
            super().handle()
        finally:
            for name in ("environ", "result"):  # they lead back here
                self.__dict__.pop(name, None)

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
        kind = ChunkedInput if chunked else Input
        self.wsgi_input = kind(self.rfile, self.content_length, sock, chunked)
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
        if isinstance(self.result, Stored):
            self._send_stored(self.result)
            return
        pieces = iter(self.result)
        self.write(next(pieces, b""))
        send = self.write if self.response_use_chunked else self.socket.sendall
        for piece in pieces:
            send(piece)
        if self.response_use_chunked:
            self._sendall(b"0\r\n\r\n")

    def _send_stored(self, stored: Stored) -> None:
        if stored.size <= _LITTLE:
            self.write(bytes(stored.piece(0)))
        else:
            self.write(b"")
            self.socket.stream(stored.size, stored.piece)

    def _write_with_headers(self, data: bytes | memoryview) -> None:
        """In one record if there is little to say."""
        self.headers_sent = True
        self.finalize_headers()
        lines = [b"HTTP/1.1 ", self.status, b"\r\n"]
        for name, value in self.response_headers:
            lines += name, b": ", value, b"\r\n"
        lines.append(b"\r\n")
        head = b"".join(lines)
        if self.response_use_chunked or len(head) + len(data) > CHUNK:
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

    def _send_error_response_if_possible(self, error_code: int) -> None:
        """After an answer that has begun, nothing that is said would be understood."""
        self.close_connection = True
        if not self.headers_sent:
            status = _BAD if error_code == 400 else b"500 Internal Server Error"
            with contextlib.suppress(OSError):
                self.socket.sendall(_REFUSAL % status)

    def _handle_client_error(self, ex: Exception) -> Any:
        if isinstance(ex, TooLarge):
            return ("431", _REFUSAL % b"431 Request Header Fields Too Large")
        return ("400", _REFUSAL % _BAD)


class HttpServer(WSGIServer):  # type: ignore[misc]
    """Serves `application` over TLS to those who come to a listening socket."""

    def __init__(
        self,
        sock: socket.socket,
        application: Application,
        shelf: TlsShelf,
        book: AddressBook,
        traffic: Traffic,
        take_stream: Callable[[Connection, bytes], None] | None = None,
    ) -> None:
        """`take_stream` gets the connections of those who named no protocol in TLS and begin an XML
        document, with what they have sent; None leaves them to HTTP, which refuses them."""
        self.shelf = shelf
        self._take_stream = take_stream
        self.book = book
        self.traffic = traffic
        self._kind = (sock.family, sock.type, sock.proto)
        keep_alive(sock, traffic.idle)  # connections inherit what the listener has
        super().__init__(sock, application, handler_class=_Handler, log=None, error_log=None)

    def do_read(self) -> tuple[socket.socket, tuple[Any, ...]] | None:
        """A plain socket: gevent's would only be taken apart again."""
        try:
            number, address = self.socket._accept()
        except BlockingIOError:
            return None
        except OSError as error:
            if is_shortage(error):
                self.stop_accepting()
                self._timer = self.loop.timer(PAUSE)  # which pywsgi stops when it ends
                self._timer.start(self._start_accepting_if_started)
            return None  # or the peer gave up before we came
        return socket.socket(*self._kind, number), address

    def do_close(self, *_: object) -> None:
        """`handle` has closed it, or given it away."""

    def handle(self, sock: socket.socket, address: tuple[Any, ...]) -> None:
        """One connection, in a greenlet of its own."""
        sock.setblocking(False)
        peer: Any = proxied_peer(sock) if is_front_socket(sock) else address
        entry = None if peer is None else self.book.enter(peer[0])
        if entry is None:
            sock.close()
            return
        try:
            wire = HttpSocket(sock, self.shelf.connection(), self.traffic)
            wire.entry, entry.end = entry, wire.cut_off
        except Exception as error:  # noqa: BLE001 - nobody else would count the address out again
            bug(error)
            entry.leave()
            sock.close()
            return
        try:
            wire.handshake()
            if self._take_stream is not None and wire.begins_with(b"<"):
                self._take_stream(*_handed_over(wire, entry.address, self.traffic))
            else:
                super().handle(wire, peer)
        except Exception as error:  # noqa: BLE001 - OpenSSL's errors, and what a callback raised
            if not isinstance(error, OSError | SSL.Error):
                bug(error)
        finally:
            # What was handed over is counted until its receiver says that it is closed.
            if not wire.handed_over:
                entry.leave()
            wire.close()
