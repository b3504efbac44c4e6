"""Where services listen: DIRECTORY/SERVICE.sock, for the same user only.

A Unix socket's path may have 107 bytes, and state directories can be deeper than that: the
directory is opened, and the socket reached through its descriptor.
"""

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def short_path(directory: str | Path, service: str) -> Iterator[str]:
    """A short path of the service's socket, good inside the with block; OSError if there is no
    such directory."""
    descriptor = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}/{service}.sock"
    finally:
        os.close(descriptor)


def is_ours(connected: socket.socket) -> bool:
    """Whether the process at the other end belongs to this user or to root."""
    credentials = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    _, uid, _ = struct.unpack("3i", credentials)
    return uid in (0, os.getuid())


def send_all(sock: socket.socket, data: bytes) -> None:
    """Without the questions to the socket that gevent's own `sendall` begins with."""
    rest = memoryview(data)
    while rest:
        rest = rest[sock.send(rest) :]
