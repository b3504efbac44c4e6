"""Asking a running service something from outside, without joining the bus (plain sockets)."""

import json
import socket
from pathlib import Path
from typing import Final

from hausbote.base.short_path import short_path
from hausbote.core.bus.frame import Frame, FrameError, FrameReader, encode

STATUS: Final = "control.status"
NOTIFY: Final = "control.notify"
RESULT: Final = "control.result"


def query_status(run_dir: Path, service: str, timeout: float = 2.0) -> dict[str, object] | None:
    """What a service says of itself; None if it is not running or does not answer in time."""
    answer = _ask(run_dir, service, Frame("status", STATUS, "", (), b""), timeout)
    return None if answer is None else dict(json.loads(answer))


def notify(run_dir: Path, service: str, message: dict[str, str], timeout: float = 5.0) -> bool:
    """Tell a service something; False if it is not running or did not deal with it in time."""
    frame = Frame("notify", NOTIFY, "", (), json.dumps(message).encode())
    return _ask(run_dir, service, frame, timeout) is not None


def _ask(run_dir: Path, service: str, request: Frame, timeout: float) -> bytes | None:
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(timeout)
            with short_path(run_dir, service) as path:
                sock.connect(path)
            sock.sendall(encode(request))
            reader = FrameReader()
            while data := sock.recv(65_536):
                for frame in reader.feed(data):
                    if frame.kind == RESULT:
                        return frame.payload
    except (OSError, FrameError):
        pass
    return None
