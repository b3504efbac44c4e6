"""What the front says to services, its backends, said by a test."""

import ipaddress
import socket
import threading

from support.client import Client
from support.wires import TcpWire

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LOCAL, PROXY = 0x20, 0x21
UNSPECIFIED, TCP4, TCP6 = 0x00, 0x11, 0x21


def header(command, family, rest=b"", size=None):
    """A header of the PROXY protocol, version 2, right or wrong."""
    length = len(rest) if size is None else size
    return SIGNATURE + bytes([command, family]) + length.to_bytes(2) + rest


def addresses(client, box):
    """What stands in it of two addresses."""
    ips = [ipaddress.ip_address(one).packed for one in (client, box)]
    return b"".join(ips) + (50_000).to_bytes(2) + (443).to_bytes(2)


def introduction(client):
    """What the front says of a client."""
    if ":" in client:
        return header(PROXY, TCP6, addresses(client, "2001:db8::1"))
    return header(PROXY, TCP4, addresses(client, "192.0.2.254"))


class FrontWire(TcpWire):
    """A connection at a backend of a box, for a client of that address."""

    def __init__(self, world, backend, first):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(str(world.state / "run" / "front" / f"{backend}.sock"))
        self.ca, self.domain = world.ca, world.domain
        self.strict = True
        self._lock = threading.Lock()
        self.sock.sendall(first)


def client_by_front(world, address, backend="c2s"):
    """An XMPP client that comes from there."""
    return Client(FrontWire(world, backend, introduction(address)), world.domain)
