"""Reads TLS records from a socket: what is there, but only so much in one turn of the loop."""

import fcntl
import socket
import termios
from typing import Final

from OpenSSL import SSL

_CHUNK: Final = 4096
_TURN: Final = 16_384  # bytes that are read together
PIECES: Final = 32
"""Records that are read together: a byte in each costs as much as a kilobyte."""
_NONE: Final = bytes(4)


def read(tls: SSL.Connection, sock: socket.socket) -> tuple[bytes, int, bool]:
    """What came, in how many records, and whether nothing can follow; SSL.Error if nothing came."""
    data = tls.recv(_CHUNK)
    # What OpenSSL has already decrypted does not make the socket readable again.
    while pending := tls.pending():
        data += tls.recv(pending)
    if not data or not _unread(sock):
        return data, 1, False
    parts = [data]
    over = _read_more(tls, sock, parts)
    return b"".join(parts), len(parts), over


def _read_more(tls: SSL.Connection, sock: socket.socket, parts: list[bytes]) -> bool:
    """A peer in a hurry sent further records: together they cost one turn of everything."""
    most = _TURN - len(parts[0])
    over = False
    try:
        while most > 0 and len(parts) < PIECES and _unread(sock):
            parts.append(tls.recv(most))
            most -= len(parts[-1])
    except (SSL.WantReadError, SSL.WantWriteError):
        pass
    except (OSError, SSL.Error):
        over = True  # for what came before is to be handled first
    while pending := tls.pending():
        parts.append(tls.recv(pending))
    return over


def _unread(sock: socket.socket) -> bool:
    """Whether more has arrived; asking costs less than trying to read in vain."""
    return fcntl.ioctl(sock.fileno(), termios.FIONREAD, _NONE) != _NONE
