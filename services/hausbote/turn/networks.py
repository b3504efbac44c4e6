"""Where the box is: its addresses, and the networks it is in."""

import ipaddress
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from hausbote.base.networks import Address, Network, is_public

_PROC: Final = Path("/proc/net")
_ANYBODY: Final = (  # for documentation; nothing is sent there, only the way is looked up
    (socket.AF_INET, "192.0.2.1"),
    (socket.AF_INET6, "2001:db8::1"),
)


def own_networks(proc: Path = _PROC) -> list[Network]:
    """The networks that this machine is in, each once."""
    found = [*_ipv4_networks(proc / "route"), *_ipv6_networks(proc / "if_inet6")]
    return sorted(set(found), key=lambda network: (network.version, network))


def outward_addresses() -> list[Address]:
    """The addresses with which this machine reaches the internet: at most one per IP version."""
    return [found for family, anybody in _ANYBODY if (found := _source(family, anybody))]


def public_address(name: str) -> ipaddress.IPv4Address | None:
    """The IPv4 address that DNS knows for a name, None unless it is one of the internet; OSError if
    there is no answer, which may be different in a minute."""
    try:
        answers = socket.getaddrinfo(name, None, socket.AF_INET, socket.SOCK_DGRAM)
    except socket.gaierror as problem:
        if problem.errno == socket.EAI_AGAIN:
            raise
        return None
    except UnicodeError:
        return None  # no name
    found = [ipaddress.IPv4Address(answer[4][0]) for answer in answers]
    return next((one for one in found if is_public(one)), None)


def _source(family: int, anybody: str) -> Address | None:
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((anybody, 9))
            return ipaddress.ip_address(probe.getsockname()[0])
    except OSError:
        return None


def _ipv4_networks(table: Path) -> Iterator[Network]:
    """Routes without a gateway (proc(5)): iface destination gateway flags ... mask ..."""
    for row in _rows(table)[1:]:
        destination, gateway, mask = (_reversed(row[column]) for column in (1, 2, 7))
        if not int(gateway) and int(mask):
            yield ipaddress.IPv4Network(f"{destination}/{mask}", strict=False)


def _ipv6_networks(table: Path) -> Iterator[Network]:
    """Addresses with their prefixes (proc(5)): address index prefix ..."""
    for row in _rows(table):
        address, prefix = ipaddress.IPv6Address(bytes.fromhex(row[0])), int(row[2], 16)
        yield ipaddress.IPv6Network((address, prefix), strict=False)


def _reversed(text: str) -> ipaddress.IPv4Address:
    return ipaddress.IPv4Address(int.from_bytes(bytes.fromhex(text), "little"))


def _rows(table: Path) -> list[list[str]]:
    try:
        return [line.split() for line in table.read_text("ascii").splitlines()]
    except OSError:
        return []  # a machine without that version of IP
