"""What of a stream has arrived for good, without I/O: the counters of XEP-0198 §4 for both ends."""

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hausbote.s2s.parcel import Parcel

_WRAP: Final = 2**32


class TooManyAcknowledged(Exception):
    """The peer claims to have more than was sent to it."""


class Sent:
    """Parcels that were written and are not known to have arrived."""

    __slots__ = ("_acknowledged", "_parcels", "size")

    def __init__(self) -> None:
        self._parcels: deque[Parcel] = deque()
        self._acknowledged = 0
        self.size = 0  # bytes, about

    def __len__(self) -> int:
        return len(self._parcels)

    def add(self, parcel: "Parcel") -> None:
        self._parcels.append(parcel)
        self.size += parcel.size

    def acknowledge(self, h: int) -> "list[Parcel]":
        """Those that `h` says have arrived."""
        arrived = (h - self._acknowledged) % _WRAP
        if arrived > len(self._parcels):
            raise TooManyAcknowledged
        self._acknowledged = h % _WRAP
        return self.take(arrived)

    def take(self, count: int) -> "list[Parcel]":
        """Take the oldest out."""
        parcels = [self._parcels.popleft() for _ in range(count)]
        self.size -= sum(parcel.size for parcel in parcels)
        return parcels


class Received:
    """Stanzas that came, and how many of them, without a gap, are safe."""

    __slots__ = ("_came", "_safe", "safe")

    def __init__(self) -> None:
        self._came = 0
        self._safe: set[int] = set()
        self.safe = 0

    @property
    def waiting(self) -> int:
        """How many are not safe yet."""
        return self._came - self.safe

    @property
    def h(self) -> int:
        return self.safe % _WRAP

    def came(self) -> int:
        """One more; its number is what `is_safe` wants."""
        self._came += 1
        return self._came

    def is_safe(self, number: int) -> None:
        self._safe.add(number)
        while self.safe + 1 in self._safe:
            self.safe += 1
            self._safe.remove(self.safe)
