"""Which program holds a port, as far as /proc shows it to this user (proc_pid_net(5))."""

import ipaddress
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_LISTENING: Final = "0A"
_WORD: Final = 8  # hexadecimal digits; the tables have addresses as words in host order
IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def holder(address: str, port: int) -> str:
    """The program that listens there and its process id, or "another program"."""
    inodes = set(_inodes(address, port))
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            target = os.readlink(descriptor)
            if target.startswith("socket:[") and target[8:-1] in inodes:
                process = descriptor.parent.parent
                return f"{(process / 'comm').read_text().strip()} (process {process.name})"
        except OSError:  # another user's process, or one that has just ended
            continue
    return "another program"


def _inodes(address: str, port: int) -> Iterator[str]:
    wanted = _plain(ipaddress.ip_address(address))
    for table in ("tcp", "tcp6"):
        try:
            rows = Path("/proc/net", table).read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            columns = row.split()
            place, _, number = columns[1].rpartition(":")
            if columns[3] == _LISTENING and int(number, 16) == port and _meet(_read(place), wanted):
                yield columns[9]


def _read(place: str) -> IpAddress:
    words = [place[start : start + _WORD] for start in range(0, len(place), _WORD)]
    packed = b"".join(int(word, 16).to_bytes(4, sys.byteorder) for word in words)
    return _plain(ipaddress.ip_address(packed))


def _plain(address: IpAddress) -> IpAddress:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _meet(one: IpAddress, other: IpAddress) -> bool:
    """Whether two sockets on these addresses are in each other's way."""
    return one == other or one.is_unspecified or other.is_unspecified
