"""From the places where a server may be to a TCP connection (Happy Eyeballs, RFC 8305).

Addresses are tried in their order, each 250 ms after the one before or as soon as that has failed,
and the first that answers is taken.
"""

import errno
import os
import socket
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import gevent
import gevent.socket
from gevent.event import Event
from gevent.queue import SimpleQueue

from hausbote.base.networks import is_public
from hausbote.net.dns import Endpoint, NameProblem, Resolver

_STAGGER: Final = 0.25  # seconds
_SECONDS: Final = 30.0  # for all of it
_PATIENCE: Final = 10.0  # seconds for one address
_ADDRESSES: Final = 16  # that are tried


class Unreachable(Exception):
    """Nothing could be connected to; the message is a sentence for the owner.

    `nowhere` if none of the names exists.
    """

    def __init__(self, sentence: str, *, nowhere: bool = False) -> None:
        super().__init__(sentence)
        self.nowhere = nowhere


class Reached(NamedTuple):
    """A connected, non-blocking socket and what it is connected to."""

    sock: socket.socket
    endpoint: Endpoint
    address: str


def dial(
    resolver: Resolver, domain: str, endpoints: Sequence[Endpoint], *, public: bool = False
) -> Reached:
    """The first that answers; Unreachable after half a minute at most.

    With `public` no address of a private network is called: a stranger's DNS could name any.
    """
    return _Race(resolver, domain, endpoints, public).run()


class _Race:
    def __init__(
        self, resolver: Resolver, domain: str, endpoints: Sequence[Endpoint], public: bool
    ) -> None:
        self._resolver = resolver
        self._domain = domain
        self._endpoints = endpoints
        self._public = public
        self._failures: Counter[str] = Counter()
        self._problems: list[NameProblem] = []
        self._running: set[Any] = set()
        self._results: Any = SimpleQueue()  # of Reached, or None when something came to its end
        self._next: Any = Event()

    def run(self) -> Reached:
        starter = gevent.spawn(self._start_all)
        starter.link(self._ended)
        winner: Reached | None = None
        try:
            with gevent.Timeout(_SECONDS, False):
                while winner is None and not self._over(starter):
                    winner = self._results.get()
            self._failures["no answer"] += len(self._running)
        finally:
            gevent.killall([starter, *self._running])
            self._close_the_late()
        if winner is None:
            names = not +self._failures and self._problems
            nowhere = bool(names) and all(one.nowhere for one in self._problems)
            raise Unreachable(self._sentence(), nowhere=nowhere)
        return winner

    def _over(self, starter: Any) -> bool:
        return starter.ready() and not self._running and self._results.empty()

    def _start_all(self) -> None:
        for endpoint, address in self._places():
            self._next.clear()
            runner = gevent.spawn(self._connect, endpoint, address)
            self._running.add(runner)
            runner.link(self._ended)
            self._next.wait(_STAGGER)

    def _ended(self, task: Any) -> None:
        self._running.discard(task)
        self._next.set()
        self._results.put(None)

    def _places(self) -> Iterator[tuple[Endpoint, str]]:
        """Names are looked up when it is their turn: mostly the first will do."""
        left = _ADDRESSES
        for endpoint in self._endpoints:
            try:
                addresses = self._resolver.addresses(endpoint.host)[:left]
            except NameProblem as problem:
                self._problems.append(problem)
                continue
            for address in addresses:
                if self._public and not is_public(address):
                    self._failures["its address is of a private network"] += 1
                else:
                    yield endpoint, address
            left -= len(addresses)
            if not left:
                return

    def _connect(self, endpoint: Endpoint, address: str) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        sock = gevent.socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(_PATIENCE)
            sock.connect((address, endpoint.port))
        except TimeoutError:
            self._failures["no answer"] += 1
        except OSError as error:
            self._failures[os.strerror(error.errno or errno.EIO).lower()] += 1
        else:
            connected = socket.socket(fileno=sock.detach())
            connected.setblocking(False)
            self._results.put(Reached(connected, endpoint, address))
        finally:
            sock.close()

    def _close_the_late(self) -> None:
        """Who came in second."""
        while not self._results.empty():
            late = self._results.get()
            if late is not None:
                late.sock.close()

    def _sentence(self) -> str:
        reasons = [why for why, count in self._failures.most_common() if count]
        if not reasons and self._problems:
            return self._problems[0].sentence
        told = ", ".join(reasons) or "it has no address"
        return f"The server of {self._domain} cannot be reached: {told}."
