"""Passes on to the portal what browsers ask of the box's domain and is nothing of XMPP.

The connection and its TLS stay here, so the portal needs neither a port nor a key for it.  Requests
and answers are small and go over a Unix socket, whole.
"""

import http.client
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote

from gevent import socket
from gevent.timeout import Timeout

from hausbote.base.portal_socket import ADDRESS, LARGEST, SOCKET
from hausbote.base.short_path import short_path
from hausbote.net.http import Environ, Exchange

_SECONDS: Final = 30.0  # that an answer may take
_LARGEST_ANSWER: Final = 4_194_304  # bytes
_ASKED: Final = (
    "Accept", "Accept-Encoding", "Accept-Language", "Cookie", "Host", "Origin", "Sec-Fetch-Site",
    "User-Agent", "Content-Type",
)  # fmt: skip
_OF_THE_WAY: Final = frozenset(("connection", "content-length", "date", "transfer-encoding"))
_AWAY: Final = b"""\
<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Hausbote</title>
<h1>One moment</h1>
<p>This part of the box is being started. <a href="">Try again</a></p>
<p lang="de">Dieser Teil der Box startet gerade. <a href="">Noch einmal</a></p>
</html>
"""

_AWAY_HEADERS: Final = (
    ("Content-Type", "text/html; charset=utf-8"),
    ("Cache-Control", "no-store"),
    ("Retry-After", "10"),  # seconds
)

Start = Callable[..., Any]


class PortalRelay:
    """`directory` has the bus's sockets."""

    def __init__(self, directory: str) -> None:
        self._directory = directory

    def answer(self, environ: Environ, start: Start) -> list[bytes]:
        """What the portal says, or that it is away."""
        body = environ[Exchange.KEY].read(LARGEST)
        if body is None:
            start("413 Content Too Large", [("Connection", "close"), ("Content-Length", "0")])
            return []
        try:
            with Timeout(_SECONDS, TimeoutError()):
                status, headers, content = self._ask(environ, body)
        except (OSError, http.client.HTTPException):
            status, content = "503 Service Unavailable", _AWAY
            headers = [*_AWAY_HEADERS]
        start(status, [*headers, ("Content-Length", str(len(content)))])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [content]

    def _ask(self, environ: Environ, body: bytes) -> tuple[str, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection("portal")
        connection.sock = self._connect()
        try:
            asked = {name: environ.get(_key(name)) for name in _ASKED}
            headers = {name: value for name, value in asked.items() if value is not None}
            headers |= {ADDRESS: environ["REMOTE_ADDR"], "Connection": "close"}
            connection.putrequest(
                environ["REQUEST_METHOD"], _target(environ), skip_host=True,
                skip_accept_encoding=True,
            )  # fmt: skip
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                connection.putheader(name, value)
            connection.endheaders(body or None)
            answer = connection.getresponse()
            content = answer.read(_LARGEST_ANSWER)
            told = [pair for pair in answer.getheaders() if pair[0].lower() not in _OF_THE_WAY]
            return f"{answer.status} {answer.reason}", told, content
        finally:
            connection.close()

    def _connect(self) -> Any:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with short_path(self._directory, SOCKET) as path:
                sock.connect(path)
        except OSError:
            sock.close()
            raise
        return sock


def _key(name: str) -> str:
    key = name.upper().replace("-", "_")
    return key if key == "CONTENT_TYPE" else f"HTTP_{key}"


def _target(environ: Environ) -> str:
    path = quote(environ["PATH_INFO"].encode("latin-1"), safe="/:@!$&'()*+,;=-._~")
    query = environ["QUERY_STRING"]
    return f"{path}?{query}" if query else path
