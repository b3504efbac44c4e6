"""Fair shares of the hub's time: whoever used more than theirs of late comes after the others.

What somebody's work took is paid back with time, as in GCRA (ITU-T I.371): a party has exceeded its
share while what it owes reaches further into the future than a small credit.
"""

from collections import deque
from typing import Final, Generic, TypeVar

_PRICE: Final = 10.0  # seconds that one of work counts for: a tenth of the hub is a party's share
_CREDIT: Final = 0.2  # seconds in advance: 20 ms of work at once are within everybody's share
_MOST: Final = 2.0  # seconds that can be owed: after these at the latest everybody is served again
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

    def next(self, now: float) -> P | None:
        """The party whose turn it is, taken from the queue."""
        while self.modest:
            party = self.modest.popleft()
            if party.owes_until <= now + _CREDIT:
                return party
            self.greedy.append(party)
        return self.greedy.popleft() if self.greedy else None
