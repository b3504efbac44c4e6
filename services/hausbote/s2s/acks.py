"""What was sent over a stream and is not known to have arrived (XEP-0198 §4), without I/O."""

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
        if arrived >= _WRAP // 2:
            return []  # an old number is no lie
        if arrived > len(self._parcels):
            raise TooManyAcknowledged
        self._acknowledged = h % _WRAP
        return self.take(arrived)

    def take(self, count: int) -> "list[Parcel]":
        """Take the oldest out."""
        parcels = [self._parcels.popleft() for _ in range(count)]
        self.size -= sum(parcel.size for parcel in parcels)
        return parcels
