"""Has coturn started anew by the supervisor, which then knows that it did not end by accident."""

import http
import http.client
import socket
from typing import Final

from hausbote.base.settings import Settings
from hausbote.base.short_path import short_path

_SECONDS: Final = 15.0  # coturn gets 5 to end
_TRIES: Final = 3  # to start what was stopped
# By hand: the library for such calls is larger than the service (XML-RPC, http://supervisord.org/api).
_STOP: Final = "<methodName>supervisor.stopProcess</methodName>"
_START: Final = "<methodName>supervisor.startProcess</methodName>"
_RELAY: Final = "<params><param><value><string>relay</string></value></param></params>"


def start_anew(settings: Settings) -> bool:
    """Stop coturn and start it, waiting for both; False if there is no supervisor to do it."""
    if not _told(settings, _STOP):
        return False
    return any(_told(settings, _START) for _ in range(_TRIES))


def _told(settings: Settings, method: str) -> bool:
    """Whether the supervisor has heard it; if there is nothing to stop or start, that is fine."""
    body = f"<?xml version='1.0'?><methodCall>{method}{_RELAY}</methodCall>".encode()
    head = b"POST /RPC2 HTTP/1.0\r\nContent-Type: text/xml\r\n"
    size = b"Content-Length: %d\r\n\r\n" % len(body)
    try:
        with (
            socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as wire,
            short_path(settings.run_dir, "supervisor") as path,
        ):
            wire.settimeout(_SECONDS)
            wire.connect(path)
            wire.sendall(head + size + body)
            answer = http.client.HTTPResponse(wire)
            answer.begin()
            return answer.status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
