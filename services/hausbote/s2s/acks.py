"""What has arrived, of what was sent over a stream and of what came (XEP-0198 §4), without I/O."""

import math
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from hausbote.xmpp.acks import Ledger

if TYPE_CHECKING:
    from hausbote.s2s.parcel import Parcel

_WRAP: Final = 2**32


class TooManyAcknowledged(Exception):
    """The peer claims to have more than was sent to it."""


class Sent:
    """Parcels that were written and are not known to have arrived."""

    __slots__ = ("_acknowledged", "_parcels", "_taken", "size")

    def __init__(self) -> None:
        self._parcels: deque[Parcel] = deque()
        self._acknowledged = 0
        self._taken = 0
        self.size = 0  # bytes, about

    def __len__(self) -> int:
        return len(self._parcels)

    @property
    def place(self) -> int:
        """How many were ever written."""
        return self._taken + len(self._parcels)

    def add(self, parcel: "Parcel") -> None:
        self._parcels.append(parcel)
        self.size += parcel.size

    def acknowledge(self, h: int) -> "list[Parcel]":
        """Those that `h` says have arrived."""
        arrived = (h - self._acknowledged) % _WRAP
        if arrived >= _WRAP // 2:
            return []  # an old number is no lie
        if arrived > len(self._parcels):
            raise TooManyAcknowledged
        self._acknowledged = h % _WRAP
        return self.take(arrived)

    def take_until(self, place: int) -> "list[Parcel]":
        """Take out those that were written before that place; they may be gone already."""
        return self.take(max(0, min(place - self._taken, len(self._parcels))))

    def take(self, count: int) -> "list[Parcel]":
        """Take the oldest out."""
        parcels = [self._parcels.popleft() for _ in range(count)]
        self.size -= sum(parcel.size for parcel in parcels)
        self._taken += count
        return parcels


class Answers:
    """Tells the peer, when it asks, how much of what it sent is safe: `say` is given the number."""

    __slots__ = ("_asked", "_received", "_say", "_told")

    def __init__(self, received: Ledger, say: Callable[[int], None]) -> None:
        self._received = received
        self._say = say
        self._asked = 0  # up to where the peer wants to know
        self._told = 0  # up to where it does

    def wanted(self) -> None:
        """It is told once that all is safe which came before the question."""
        came = self._received.handled + len(self._received)
        if not self._received:
            self._answer()
        elif self._asked < came:  # otherwise an answer to the same question is on its way
            self._asked = came
            self._received.then(partial(self._answer_up_to, came), time.monotonic())

    def _answer_up_to(self, wanted: int) -> None:
        if self._told >= wanted:
            return
        self._answer()
        if self._told < wanted:  # it was not to wait any longer; the rest comes when it is safe
            self._received.then(partial(self._answer_up_to, wanted), math.inf)

    def _answer(self) -> None:
        self._told = self._received.handled
        self._say(self._received.count)
