"""The relay for the box's own web client: a page of JSON on a Unix socket of the bus's directory.

    POST /credentials   {"account": "juliet@example.org"}
    200                 {"iceServers": [...], "ttl": 3412}     as RTCPeerConnection wants it
    400, 404, 405, 429  {"error": "a sentence"}

Whoever may open the socket is one of the box's services, and has checked who the account is.
"""

import json
import re
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

from gevent.pywsgi import WSGIHandler, WSGIServer

from hausbote.base.log import bug
from hausbote.base.relay import Offer, Question
from hausbote.base.settings import Settings
from hausbote.core.bus.sockets import is_ours
from hausbote.core.bus.unix import listen
from hausbote.turn.desk import Desk

SOCKET: Final = "turn-web"
_MAX_BODY: Final = 4_096  # bytes
_SIZE: Final = re.compile("[0-9]{1,9}")
_MAX_ACCOUNT: Final = 3_071  # characters of a JID
_REASONS: Final = {
    400: "400 Bad Request",
    404: "404 Not Found",
    405: "405 Method Not Allowed",
    429: "429 Too Many Requests",
}

StartResponse = Callable[[str, list[tuple[str, str]]], Any]


class _Refused(Exception):
    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Web:
    """The page and its listener."""

    def __init__(self, settings: Settings, desk: Desk) -> None:
        self._settings = settings
        self._desk = desk
        self._server: Any = None

    def start(self) -> None:
        """BusError if the socket cannot be made."""
        listener = listen(str(self._settings.bus_dir), SOCKET)
        self._server = WSGIServer(listener, self, log=None, error_log=None, handler_class=_Handler)
        self._server.start()

    def stop(self) -> None:
        self._server.stop(timeout=1)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        try:
            status, content = "200 OK", self._credentials(environ)
        except _Refused as no:
            status, content = _REASONS[no.status], {"error": str(no)}
        body = json.dumps(content).encode()
        head = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
        ]
        start_response(status, head)
        return [body]

    def _credentials(self, environ: dict[str, Any]) -> dict[str, object]:
        if environ["PATH_INFO"] != "/credentials":
            raise _Refused(404, "there is nothing at this path")
        if environ["REQUEST_METHOD"] != "POST":
            raise _Refused(405, "credentials are made by POST")
        answer = self._desk.answer(Question("", _account(environ)))
        if answer.offers is None:
            raise _Refused(429, "this account got credentials too often")
        # URLs of STUN name no transport (RFC 7064), so one will do.
        found = [one for one in answer.offers if one.is_restricted or one.transport == "udp"]
        servers = [_ice_server(offer) for offer in found]
        ends = max((one.expires for one in found), default=0)
        return {"iceServers": servers, "ttl": max(0, ends - int(time.time()))}


def _account(environ: dict[str, Any]) -> str:
    size = environ.get("CONTENT_LENGTH") or ""
    if not _SIZE.fullmatch(size) or int(size) > _MAX_BODY:
        raise _Refused(400, "the body is missing or too long")
    try:
        asked = json.loads(environ["wsgi.input"].read(int(size)))
        account = asked["account"]
    except (ValueError, KeyError, TypeError):
        raise _Refused(400, 'the body must be like {"account": "juliet@example.org"}') from None
    if not isinstance(account, str) or not 0 < len(account) <= _MAX_ACCOUNT:
        raise _Refused(400, "that cannot be an account")
    return account


def _ice_server(offer: Offer) -> dict[str, object]:
    host = f"[{offer.host}]" if ":" in offer.host else offer.host
    url = f"{offer.type}:{host}:{offer.port}"
    if not offer.is_restricted:
        return {"urls": [url]}
    urls = [f"{url}?transport={offer.transport}"]
    return {"urls": urls, "username": offer.username, "credential": offer.password}


class _Handler(WSGIHandler):  # type: ignore[misc]
    def handle(self) -> None:
        if is_ours(self.socket):
            super().handle()

    def handle_error(self, t: Any, v: Any, tb: Any) -> None:
        if not issubclass(t, OSError):  # the asker's connection, not ours
            bug(v)
        self.close_connection = True
        self._send_error_response_if_possible(500)
