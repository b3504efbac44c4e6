"""TLS between buffers of ours: OpenSSL sees only what it is given, piece by piece.

OpenSSL by itself reads from a socket until a message is whole, and a peer may cut one of 131 KB
into records of a byte: a quarter of a second in which nobody else is served.  So handshakes go this
way, and for the side that connected everything does, because a server may send such messages
(tickets) whenever it likes.  A client can send none of that size after the handshake: there OpenSSL
reads the socket itself, one record at a time, which needs no buffers while a connection is idle.
"""

import socket
from typing import Any, Final

from OpenSSL import SSL

_PIECE: Final = 4096  # bytes of the peer's that are looked at in one turn
_RECORD: Final = 16_384
_LIB: Final = SSL._lib  # type: ignore[attr-defined]
_NULL: Final = SSL._ffi.NULL  # type: ignore[attr-defined]


class Broken(OSError):
    """The peer is gone, or does not take what we say."""


def received(sock: socket.socket) -> bytes:
    """A piece of what has come; BlockingIOError if nothing did, Broken at the end."""
    data = sock.recv(_PIECE)
    if not data:
        raise Broken("closed")
    return data


def handshake(tls: SSL.Connection, sock: socket.socket, data: bytes) -> bool:
    """One step, with that piece of the peer's; True when it is over.

    Raises Broken, and whatever OpenSSL and our callbacks raise.
    """
    if data:
        tls.bio_write(data)
    try:
        tls.do_handshake()
    except SSL.WantReadError:
        return False
    finally:
        _tell(tls, sock)
    return True


def decrypted(tls: SSL.Connection, data: bytes) -> tuple[list[bytes], bool]:
    """What it makes of that piece, record by record, and whether that was the end of all."""
    if data:
        tls.bio_write(data)
    found: list[bytes] = []
    try:
        while tls.pending() or _size(tls._into_ssl):
            found.append(tls.recv(_RECORD))
    except SSL.WantReadError:
        return found, False
    except SSL.Error:
        return found, True
    return found, False


def encrypted(tls: SSL.Connection, data: bytes) -> bytes:
    """What has to be sent so that the peer reads `data`, and what TLS has to say besides."""
    at = 0
    view = memoryview(data)
    while at < len(data):
        at += tls.send(view[at : at + _RECORD])
    size = _size(tls._from_ssl)
    return tls.bio_read(size) if size else b""


def let_read(tls: SSL.Connection, sock: socket.socket) -> None:
    """From here on OpenSSL reads and writes the socket itself; `decrypted` must have been called.

    pyOpenSSL has neither a way from one to the other, nor one to have `recv` return after a record
    that is not for us: instead of that it would take key updates for as long as they come.
    """
    _LIB.SSL_set_fd(tls._ssl, sock.fileno())
    _LIB.SSL_clear_mode(tls._ssl, _LIB.SSL_MODE_AUTO_RETRY)
    tls._socket = sock
    tls._into_ssl = tls._from_ssl = None


def _size(bio: Any) -> int:
    """How much is in one of OpenSSL's buffers: to ask costs a tenth of an exception for nothing."""
    return int(_LIB.BIO_get_mem_data(bio, _NULL))


def _tell(tls: SSL.Connection, sock: socket.socket) -> None:
    """It is little, and the first that is sent: a socket that does not take it never will."""
    data = encrypted(tls, b"")
    if data and sock.send(data) < len(data):
        raise Broken("does not read")
