"""Who waits for whom at the proxy: two connections with the same address are one stream."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from gevent.event import Event as Signal

from hausbote.base.networks import site_of
from hausbote.base.shares import Shares

_WAITING: Final = 1_000  # connections that wait to be activated


class NoStream(Exception):
    """Nobody is connected with this address."""


class OneSided(Exception):
    """Only one is connected with this address."""


class TooMany(Exception):
    """The account has enough streams."""


@dataclass(eq=False)
class Party:
    """One connection of a stream, and the IP address that it came from.

    When it is `called`, `other` is the one it is connected to.  The party that `leads` does the
    work for both and sets the other's `done`.
    """

    sock: Any
    origin: str = ""
    other: "Party | None" = None
    leads: bool = False
    account: str = ""
    called: Signal = field(default_factory=Signal)
    done: Signal = field(default_factory=Signal)

    def call(self) -> None:
        """Let both sides go on."""
        self.called.set()
        if self.other is not None:
            self.other.called.set()


class Streams:
    """All streams of the proxy; `waiting` connections may wait to be activated."""

    def __init__(self, waiting: int = _WAITING) -> None:
        self._waiting: dict[str, list[Party]] = {}
        self._shares: Shares[Party, str] = Shares(waiting)  # all that wait, with their streams
        self._running: Counter[str] = Counter()

    def join(self, address: str, party: Party) -> bool:
        """Wait for activation; False if two do already.

        If too many wait, one of the site that has most of them waits no longer: anybody may
        come here, and only a stream that somebody of the box activates shows who was meant to.
        """
        parties = self._waiting.get(address, [])
        if len(parties) >= 2:
            return False
        self._waiting[address] = [*parties, party]
        displaced = self._shares.put(party, site_of(party.origin), address)
        if displaced is not None:
            self.leave(displaced.value, displaced.key)
            displaced.key.called.set()
        return True

    def leave(self, address: str, party: Party) -> None:
        """Wait no longer."""
        self._shares.pop(party)
        left = [one for one in self._waiting.pop(address, []) if one is not party]
        if left:
            self._waiting[address] = left

    def activate(self, address: str, account: str, limit: int) -> Party:
        """Connect the two that wait, on behalf of an account; returns one of them to be called."""
        parties = self._waiting.get(address)
        if parties is None:
            raise NoStream
        if len(parties) < 2:
            raise OneSided
        if self._running[account] >= limit:
            raise TooMany
        del self._waiting[address]
        one, other = parties
        for party in parties:
            self._shares.pop(party)
        one.other, other.other = other, one
        one.leads, one.account = True, account
        self._running[account] += 1
        return one

    def over(self, party: Party) -> None:
        """The stream that this party leads has ended."""
        self._running[party.account] -= 1
        if not self._running[party.account]:
            del self._running[party.account]
