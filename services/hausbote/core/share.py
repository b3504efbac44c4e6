"""Fair shares of the hub's time: whoever used more than theirs of late comes after the others.

What somebody's work took is paid back with time, as in GCRA (ITU-T I.371): a party has exceeded its
share while what it owes reaches further into the future than a small credit.
"""

import time
from collections import deque
from time import monotonic
from typing import Any, Final, Generic, TypeVar

from gevent import get_hub

_PRICE: Final = 100.0  # seconds that one of work counts for: a party's share is a hundredth
_CREDIT: Final = 0.2  # seconds in advance: 2 ms of work at once are within everybody's share
_MOST: Final = 2.0  # seconds that can be owed: after these at the latest everybody is served again
_BEFORE_WAITING: Final = 0.001  # seconds that are charged for what was done before a wait
NOTICED: Final = 0.0001
"""Seconds of work; what takes less is not worth charging."""


class Party:
    """Somebody whose work takes time that others need, too."""

    __slots__ = ("owes_until",)

    def __init__(self) -> None:
        self.owes_until = 0.0  # of time.monotonic

    def charge(self, seconds: float, now: float) -> None:
        """Note that its work took so long."""
        owes = max(self.owes_until, now) + seconds * _PRICE
        self.owes_until = min(owes, now + _MOST)

    def exceeded(self, now: float) -> bool:
        """Whether it has used more than its share."""
        return self.owes_until > now + _CREDIT


class Stopwatch:
    """Measures the work of a greenlet; what it waited for is not its work."""

    __slots__ = ("_iteration", "_loop", "since")

    def __init__(self) -> None:
        self._loop: Any = get_hub().loop
        self.start()

    def start(self) -> float:
        """From here on; returns the time."""
        self._iteration = self._loop.iteration
        self.since = monotonic()
        return self.since

    def spent(self, now: float) -> float:
        """Seconds of work since the start, or `since` if that was set later."""
        spent = now - self.since
        if spent > _BEFORE_WAITING and self._iteration != self._loop.iteration:
            # It waited in between: what it did before that is not known, and afterwards at most
            # what this round of the loop has taken so far.
            self._iteration = self._loop.iteration
            this_round: float = time.time() - self._loop.now()
            return min(spent, _BEFORE_WAITING + this_round)
        return spent


P = TypeVar("P", bound=Party)


class FairQueue(Generic[P]):
    """Parties that have work, in the order of their turns; those who exceeded their share last."""

    __slots__ = ("greedy", "modest")

    def __init__(self) -> None:
        self.modest: deque[P] = deque()
        self.greedy: deque[P] = deque()  # found to be so when it was their turn

    def __bool__(self) -> bool:
        return bool(self.modest or self.greedy)

    def add(self, party: P) -> None:
        """It is served after all that are like it."""
        self.modest.append(party)

    def put_back(self, party: P) -> None:
        """It exceeded its share, and its turn is not now."""
        self.greedy.appendleft(party)

    def next(self, now: float) -> P | None:
        """The party whose turn it is, taken from the queue."""
        if self.greedy and not self.greedy[0].exceeded(now):
            return self.greedy.popleft()
        while self.modest:
            party = self.modest.popleft()
            if party.owes_until <= now + _CREDIT:
                return party
            self.greedy.append(party)
        return self.greedy.popleft() if self.greedy else None
