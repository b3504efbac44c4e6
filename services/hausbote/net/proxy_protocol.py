"""The header of the PROXY protocol, version 2: whom a proxy speaks for.

https://www.haproxy.org/download/2.8/doc/proxy-protocol.txt §2.2; version 1 is not understood.  No
I/O here: `front_socket.py` reads.
"""

import socket
import struct
from typing import Final, NamedTuple

SIGNATURE: Final = b"\r\n\r\n\0\r\nQUIT\n"
FIXED: Final = 16  # bytes of every header
_MOST: Final = 1_024  # bytes behind these: addresses take 36, a few notes of the proxy the others
_LOCAL, _PROXY = 0x20, 0x21  # version and command
# Family and transport: how the addresses and ports are laid out.  Others than TCP cannot be here.
_LAYOUTS: Final = {
    0x11: (socket.AF_INET, struct.Struct("!4s4sHH")),
    0x21: (socket.AF_INET6, struct.Struct("!16s16sHH")),
}
LARGEST: Final = FIXED + 36  # bytes of a header without notes


class NotProxied(Exception):
    """What came is no header that we take."""


class Peer(NamedTuple):
    """Who connected to the proxy."""

    address: str
    port: int


def rest_of(fixed: bytes) -> int:
    """How many bytes follow a header's fixed part; NotProxied."""
    if not fixed.startswith(SIGNATURE):
        raise NotProxied("no header of the PROXY protocol, version 2")
    if fixed[12] not in (_LOCAL, _PROXY):
        raise NotProxied("neither PROXY nor LOCAL")
    size = int.from_bytes(fixed[14:16])
    if size > _MOST:
        raise NotProxied("too long")
    return size


def peer_of(fixed: bytes, rest: bytes) -> Peer | None:
    """Whom a whole header names, None if the proxy speaks for itself (LOCAL); NotProxied.

    What follows the addresses is not for us.
    """
    if fixed[12] == _LOCAL:
        return None
    if fixed[13] not in _LAYOUTS:
        raise NotProxied("neither TCP over IPv4 nor TCP over IPv6")
    family, layout = _LAYOUTS[fixed[13]]
    if len(rest) < layout.size:
        raise NotProxied("too short for its addresses")
    address, _, port, _ = layout.unpack_from(rest)
    return Peer(socket.inet_ntop(family, address), port)
