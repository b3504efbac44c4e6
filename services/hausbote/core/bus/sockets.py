"""The bus's sockets: DIRECTORY/SERVICE.sock, for the same user only."""

import os
import socket
import struct


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
