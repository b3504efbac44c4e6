"""Passes on to the portal what browsers ask of the box's domain and is nothing of XMPP.

The connection and its TLS stay here, so the portal needs neither a port nor a key for it.  Requests
and answers go over a Unix socket.  Small ones go whole, so that a slow reader waits for c2s and not
for the portal: these are all pages that strangers can ask for.  A large page or a download, which
only people with an account get, is passed on a piece at a time.
"""

import http.client
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from gevent import socket
from gevent.timeout import Timeout

from hausbote.base.portal_socket import (
    ADDRESS,
    LARGEST,
    SOCKET,
    TOO_LARGE,
    quoted_path,
    quoted_query,
)
from hausbote.base.short_path import short_path
from hausbote.net.http import Environ, Exchange

_SECONDS: Final = 30.0  # that an answer may take
_WHOLE: Final = 65_536  # bytes of an answer that is kept for a slow reader
_PIECE: Final = 65_536  # bytes of a larger one, which is passed on as it comes
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

    def answer(self, environ: Environ, start: Start) -> Iterable[bytes]:
        """What the portal says, or that it is away."""
        body = environ[Exchange.KEY].read(LARGEST)
        if body is None:
            size, html = str(len(TOO_LARGE)), "text/html; charset=utf-8"
            headers = [("Connection", "close"), ("Content-Length", size), ("Content-Type", html)]
            start("413 Content Too Large", headers)
            return [TOO_LARGE]
        connection = http.client.HTTPConnection("portal")
        try:
            with Timeout(_SECONDS, TimeoutError()):
                answer = self._ask(connection, environ, body)
                length = answer.length  # None if it is not told
                is_small = length is not None and length <= _WHOLE
                content = answer.read() if is_small else None
        except (OSError, http.client.HTTPException):
            connection.close()
            return self._say_away(environ, start)
        status = f"{answer.status} {answer.reason}"
        told = [pair for pair in answer.getheaders() if pair[0].lower() not in _OF_THE_WAY]
        if content is None:
            sized = [] if length is None else [("Content-Length", str(length))]
            start(status, [*told, *sized])
            return _pieces(connection, answer)
        connection.close()
        size = answer.getheader("Content-Length", "0")  # to HEAD, of what GET would bring
        start(status, [*told, ("Content-Length", size)])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [content]

    @staticmethod
    def _say_away(environ: Environ, start: Start) -> list[bytes]:
        headers = [*_AWAY_HEADERS, ("Content-Length", str(len(_AWAY)))]
        start("503 Service Unavailable", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [_AWAY]

    def _ask(
        self, connection: http.client.HTTPConnection, environ: Environ, body: bytes
    ) -> http.client.HTTPResponse:
        connection.sock = self._connect()
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
        return connection.getresponse()

    def _connect(self) -> Any:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with short_path(self._directory, SOCKET) as path:
                sock.connect(path)
        except OSError:
            sock.close()
            raise
        return sock


def _pieces(
    connection: http.client.HTTPConnection, answer: http.client.HTTPResponse
) -> Iterator[bytes]:
    """OSError if it ends in the middle, so that nobody takes it for the whole."""
    try:
        while True:
            with Timeout(_SECONDS, TimeoutError()):
                piece = answer.read1(_PIECE)
            if piece:
                yield piece
            elif answer.length:
                raise OSError("the portal has broken off")
            else:
                return
    except http.client.HTTPException:
        raise OSError("the portal has broken off") from None
    finally:
        connection.close()


def _key(name: str) -> str:
    key = name.upper().replace("-", "_")
    return key if key == "CONTENT_TYPE" else f"HTTP_{key}"


def _target(environ: Environ) -> str:
    path, query = quoted_path(environ["PATH_INFO"]), quoted_query(environ["QUERY_STRING"])
    return f"{path}?{query}" if query else path
