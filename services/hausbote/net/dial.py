"""From the places where a server may be to a TCP connection (Happy Eyeballs, RFC 8305)."""

import socket
from collections.abc import Sequence
from typing import NamedTuple

from hausbote.net.dns import Endpoint, Resolver


class Unreachable(Exception):
    """Nothing could be connected to; the message is a sentence for the owner."""


class Reached(NamedTuple):
    """A connected, non-blocking socket and what it is connected to."""

    sock: socket.socket
    endpoint: Endpoint
    address: str


def dial(resolver: Resolver, domain: str, endpoints: Sequence[Endpoint]) -> Reached:
    """The first that answers; Unreachable after half a minute at most."""
    raise NotImplementedError
