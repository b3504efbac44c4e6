"""How much of the disk the store may take."""

from typing import NamedTuple

from hausbote.base.settings import Settings


class Bounds(NamedTuple):
    """Bytes; 0 = no limit.  `reserve` is what stays free on the disk."""

    reserve: int = 0
    archive_bytes: int = 0  # of one account
    room_bytes: int = 0  # of one room


def bounds_of(settings: Settings) -> Bounds:
    limits = settings.limits
    return Bounds(settings.disk.reserve_bytes, limits.archive_bytes, limits.room_bytes)
