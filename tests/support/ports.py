"""Ports for servers of tests, which nobody else is given: not in this process, and not in another
that runs a family of tests at the same time.

They are below those that the system gives to whoever asks for any, so that no connection has one.
"""

import itertools
import socket

_FIRST, _LAST = 10_000, 32_000
_BLOCK = 2_000  # ports of one process


class _Block:
    """The ports of this process, one after the other."""

    def __init__(self):
        self._claim = None  # held until the process ends
        self._next = 0

    def ports(self):
        """From the one after the last that was given, for ever."""
        if self._claim is None:
            self._claim, self._first = _claimed()
        while True:
            self._next = (self._next + 1) % _BLOCK
            yield self._first + self._next


def _claimed():
    """A socket that stands for a block, and the first port of that."""
    for first in range(_FIRST, _LAST, _BLOCK):
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            claim.bind(f"\0hausbote-tests-{first}")  # a name that ends with the process
        except OSError:
            claim.close()
        else:
            return claim, first
    raise AssertionError("too many processes test at the same time")


def free_ports(address, count):
    """Ports that nobody uses now, neither TCP nor UDP, and that nobody was given before."""
    free = (port for port in _block.ports() if _is_free(address, port))
    return list(itertools.islice(free, count))


def _is_free(address, port):
    try:
        with (
            socket.create_server((address, port)),
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        ):
            udp.bind((address, port))
    except OSError:
        return False
    return True


_block = _Block()
