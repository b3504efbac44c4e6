"""Unix sockets on which services take what the front brings, and what is asked of it there.

Every connection begins with a header of the PROXY protocol (version 2), which names the client's
address.  The front is trusted with that, so nobody else may come here: the sockets are for this
user only.  No TCP port understands such a header.
"""

import os
import socket
import time
from typing import Final

import gevent
from gevent.socket import wait_read

from hausbote.base.log import Event, log
from hausbote.base.settings import Settings
from hausbote.base.short_path import short_path
from hausbote.net.proxy_protocol import (
    FIXED,
    LARGEST,
    SIGNATURE,
    NotProxied,
    Peer,
    peer_of,
    rest_of,
)

_BACKLOG: Final = 1_024
_SECONDS: Final = 3.0  # in which a header must have come; a proxy sends it at once
_QUIET: Final = 60.0  # seconds between two lines in the log

_refused = 0
_told = -_QUIET  # of the monotonic clock


def open_front_socket(settings: Settings, backend: str) -> socket.socket:
    """The listening socket of that backend; OSError if somebody listens there already."""
    settings.front_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        with short_path(settings.front_dir, backend) as path:
            _make_way(path)
            sock.bind(path)
    except OSError:
        sock.close()
        raise
    finally:
        os.umask(before)
    sock.listen(_BACKLOG)
    sock.setblocking(False)
    return sock


def _make_way(path: str) -> None:
    """Remove what a service that was killed has left; OSError if somebody listens there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except FileNotFoundError:
            return
        except ConnectionRefusedError:
            os.unlink(path)
            return
    raise OSError(f"another process listens at {os.path.basename(path)}")


def is_front_socket(sock: socket.socket) -> bool:
    """Whether connections of this listener, or this connection, come through the front."""
    return bool(sock.family == socket.AF_UNIX)


def peer_at_once(sock: socket.socket) -> Peer | None:
    """Whom a header names that is there already, as it mostly is, for it comes with the connection.

    None if `proxied_peer` has to wait for it, or to refuse it: then nothing was read.
    """
    try:
        came = sock.recv(LARGEST, socket.MSG_PEEK)
        size = FIXED + rest_of(came[:FIXED]) if len(came) >= FIXED else LARGEST
        peer = peer_of(came[:FIXED], came[FIXED:size]) if size <= len(came) else None
        if peer is not None:
            sock.recv(size)
    except (NotProxied, OSError):
        return None
    return peer


def proxied_peer(sock: socket.socket) -> Peer | None:
    """Who is behind a connection of the front, which must not block; None if it is to be closed.

    Waits for the header, which is read to its end and no further.
    """
    try:
        with gevent.Timeout(_SECONDS, NotProxied("too slow")):
            fixed = _read(sock, FIXED, SIGNATURE)
            return peer_of(fixed, _read(sock, rest_of(fixed)))
    except NotProxied:
        _note_refusal()
    except OSError:
        pass  # it is gone
    return None


def _read(sock: socket.socket, size: int, beginning: bytes = b"") -> bytes:
    """That many bytes; NotProxied as soon as they do not begin like that, or end before."""
    data = b""
    while len(data) < size:
        try:
            came = sock.recv(size - len(data))
        except BlockingIOError:
            wait_read(sock.fileno())
            continue
        data += came
        if not came or not data.startswith(beginning[: len(data)]):
            raise NotProxied("not a whole header")
    return data


def refusals() -> int:
    """How many connections did not begin as the front's do."""
    return _refused


def _note_refusal() -> None:
    global _refused, _told
    _refused += 1
    now = time.monotonic()
    if now - _told > _QUIET:
        _told = now
        log(Event.FRONT_REFUSED, times=_refused)
