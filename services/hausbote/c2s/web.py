"""What clients in browsers find, on ports.web or by the front: WebSocket, BOSH, and where both are;
and the files of the chat in the browser; all other pages are the portal's.

Any page on the web may speak to all of it, unless `web.origins` says which: there are no cookies
and nobody is logged in by coming from somewhere.  What the Origin of a request decides is whom
failed logins hold back (`guessing.py`).
"""

import socket
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

import gevent

from hausbote.base.log import bug
from hausbote.c2s import discovery
from hausbote.c2s.bosh import Bosh
from hausbote.c2s.origins import Origins
from hausbote.c2s.portal_relay import PortalRelay
from hausbote.net.certificates import certificates
from hausbote.net.http import Environ, Exchange, HttpServer
from hausbote.net.stored import Stored
from hausbote.net.tls import TlsShelf
from hausbote.net.websocket import HandshakeError, WebSocket, handshake
from hausbote.webchat import PREFIX, Assets
from hausbote.xmpp.framing import FRAMES

if TYPE_CHECKING:
    from hausbote.c2s.server import Server

_ALPN: Final = b"http/1.1"
_CHECK: Final = 30.0  # seconds between two looks at silent WebSockets
_EVERYWHERE: Final = [
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; sandbox"),
    ("Cache-Control", "no-store"),
]
_ANY_ORIGIN: Final = [("Access-Control-Allow-Origin", "*")]
_PREFLIGHT: Final = [
    ("Access-Control-Allow-Methods", "GET, HEAD, POST, OPTIONS"),
    ("Access-Control-Allow-Headers", "Content-Type"),
    ("Access-Control-Max-Age", "7200"),
]
_PAGE: Final = b"""\
<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><title>Hausbote</title>
<h1>It works</h1>
<p>This is a Hausbote, a private messenger. People reach it with an XMPP app;
there is nothing else to see here.</p>
</html>
"""

Page = Callable[[], bytes]


class Web:
    """The HTTP side of c2s."""

    def __init__(self, server: "Server") -> None:
        settings = server.host.settings
        self.shelf = TlsShelf(*certificates(settings), alpn=_ALPN)
        self._server = server
        self._bosh = Bosh(server)
        self._origins = Origins(settings)
        self._sockets: WeakSet[WebSocket] = WeakSet()
        self._http: HttpServer | None = None
        self._portal = PortalRelay(str(settings.bus_dir)) if settings.has_portal else None
        self._chat_assets = Assets(server.host.compute) if settings.has_web_chat else None
        self._pages: dict[str, tuple[str, bytes]] = {
            "/.well-known/host-meta": ("application/xrd+xml", discovery.xrd(settings)),
            "/.well-known/host-meta.json": ("application/json", discovery.jrd(settings)),
        }

        if self._portal is None:
            self._pages["/"] = ("text/html; charset=utf-8", _PAGE)

    def start(self, sock: socket.socket) -> None:
        """Serve those who come to that listening socket.

        Behind the front also come clients with a stream that have not said so in TLS (ALPN).
        """
        server = self._server
        take_stream = server.adopt if server.host.settings.has_front else None
        self._http = HttpServer(
            sock, self._answer, self.shelf, server.book, server.traffic, take_stream
        )
        self._http.start()
        gevent.spawn(self._watch)

    def stop(self) -> None:
        if self._http is not None:
            self._http.close()

    def _answer(self, environ: Environ, start: Callable[..., Any]) -> Iterable[bytes] | Stored:
        request = _Request(environ, start)
        path, method = request.path, request.method
        if path == discovery.BOSH_PATH:
            methods: tuple[str, ...] = ("POST",)
        elif path == discovery.WEBSOCKET_PATH:
            methods = ("GET",)
        elif path in self._pages:
            methods = ("GET", "HEAD")
        elif self._chat_assets is not None and path.startswith(PREFIX):
            return self._chat_assets(environ, start)
        elif self._portal is not None:
            return self._portal.answer(environ, start)
        else:
            return request.say("404 Not Found", b"There is nothing here.\n")
        if path not in self._pages:
            if not self._origins.admits(request.origin):
                return request.refuse_origin()
            request.allowed = self._origins.allowed(request.origin)
        if method == "OPTIONS":
            return request.say("204 No Content", headers=[*_PREFLIGHT, _allow(methods)])
        if method not in methods:
            sorry = b"This is not how to ask here.\n"
            return request.say("405 Method Not Allowed", sorry, headers=[_allow(methods)])
        if path == discovery.BOSH_PATH:
            return self._ask_bosh(request)
        if path == discovery.WEBSOCKET_PATH:
            return self._open_websocket(request)
        content, page = self._pages[path]
        return request.say("200 OK", page, content)

    def _ask_bosh(self, request: "_Request") -> list[bytes]:
        body = request.exchange.read(self._bosh.largest)
        if body is None:
            sorry = b"This is too much at once.\n"
            return request.say("413 Content Too Large", sorry, headers=[("Connection", "close")])
        content, answer = self._bosh.handle(
            body, request.exchange, request.address, self._origins.way(request.origin)
        )
        return request.say("200 OK", answer, content)

    def _open_websocket(self, request: "_Request") -> list[bytes]:
        try:
            ws, answer = handshake(request.exchange.headers, request.path, "xmpp")
        except HandshakeError as problem:
            asked = request.environ.get("HTTP_UPGRADE", "").lower() == "websocket"
            status = "400 Bad Request" if asked else "426 Upgrade Required"
            upgrade = [("Upgrade", "websocket"), ("Connection", "close")]
            return request.say(status, f"{problem}\n".encode(), headers=upgrade)
        connection, early = request.exchange.hand_over()
        largest = self._server.host.settings.limits.stanza_bytes
        opened = WebSocket(connection, ws, largest, self._origins.way(request.origin))
        self._sockets.add(opened)
        self._server.welcome(opened, FRAMES)
        opened.start(answer, early)
        return []

    def _watch(self) -> None:
        while True:
            gevent.sleep(_CHECK)
            now = time.monotonic()
            for opened in list(self._sockets):
                try:
                    opened.check(now)
                except Exception as fault:  # noqa: BLE001 - the clock must go on
                    bug(fault)


class _Request:
    """One HTTP request and the way to answer it."""

    def __init__(self, environ: Environ, start: Callable[..., Any]) -> None:
        self.environ = environ
        self.path: str = environ["PATH_INFO"]
        self.method: str = environ["REQUEST_METHOD"]
        self.address: str = environ["REMOTE_ADDR"]
        self.origin: str | None = environ.get("HTTP_ORIGIN")
        self.exchange: Exchange = environ[Exchange.KEY]
        self.allowed = _ANY_ORIGIN  # which pages may read the answer
        self._start = start

    def refuse_origin(self) -> list[bytes]:
        """That page may not read why, but who looks into the browser's console may."""
        self.allowed = []
        return self.say("403 Forbidden", b"This page may not log in here.\n")

    def say(
        self,
        status: str,
        body: bytes = b"",
        content: str = "text/plain; charset=utf-8",
        headers: list[tuple[str, str]] | None = None,
    ) -> list[bytes]:
        said = [*_EVERYWHERE, *self.allowed, *(headers or [])]
        if not status.startswith("204"):
            said += [("Content-Type", content), ("Content-Length", str(len(body)))]
        self._start(status, said)
        return [] if self.method == "HEAD" else [body]


def _allow(methods: tuple[str, ...]) -> tuple[str, str]:
    return ("Allow", ", ".join([*methods, "OPTIONS"]))
