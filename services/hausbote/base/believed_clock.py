"""The box's time of day, and whether it can be believed.

A machine without a battery for its clock, or with a wrong one, can be years off for some seconds or
hours, and what would be deleted meanwhile never comes back.  So the time is kept going by the
machine's own count of seconds from the last time that was right, which is also in a file.  A clock
that is more than a day off is doubted, until it comes back, has been ahead by as much for an hour,
or the owner says that it is right.
"""

import contextlib
import ctypes
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from hausbote.base.files import replace_text
from hausbote.base.log import Event, log

TOLERANCE: Final = 86_400.0  # seconds that a clock may jump
_SOON: Final = 60.0  # seconds in which a clock that was right is not looked at again
_LASTS: Final = 3_600.0  # seconds after which a jump forward is believed
_WRITE: Final = 300.0  # seconds between two marks in the file
_UNSYNCHRONISED: Final = 5  # what adjtimex(2) returns: TIME_ERROR
_TIMEX_BYTES: Final = 512  # more than a struct timex has on any machine
DOUBTED: Final = (
    "The clock jumped by more than a day and is doubted: nothing is deleted until it has stayed"
    " like that for an hour. If it is right, say 'hausbote clock accept'."
)


class BelievedClock:
    """`now` is what is written and shown, `certain` decides what is too old to be kept."""

    def __init__(
        self,
        mark: Path,
        wall: Callable[[], float] = time.time,
        counter: Callable[[], float] = lambda: time.clock_gettime(time.CLOCK_BOOTTIME),
        synchronised: Callable[[], bool] | None = None,
    ) -> None:
        self._mark = mark
        self._wall = wall
        self._counter = counter
        self._synchronised = synchronised or is_synchronised
        self._since: float | None = None  # of the counter: when it was doubted
        self._off = 0.0  # by how much, then
        self._written = 0.0
        right = _read(mark)
        # A right time and the counter at that moment; the rest follows.
        self._right, self._counted = (wall() if right is None else right), counter()
        self.look()

    @property
    def is_doubted(self) -> bool:
        """Whether it is doubted now, also if nobody has asked for the time since it jumped."""
        return self._look()

    def now(self) -> float:
        """Seconds since 1970: as the machine says, unless that is doubted and nobody sets it."""
        if self._look() and not self._synchronised():
            return self._expected()
        return self._wall()

    def certain(self) -> float:
        """Seconds since 1970 that have surely passed: by this, things are too old."""
        return min(self._wall(), self._expected()) if self._look() else self._wall()

    def look(self) -> None:
        """Keep the mark; to be called every few minutes."""
        doubted = self._look()
        if not doubted and abs(self._wall() - self._written) > _WRITE:
            self._written = self._wall()
            write_mark(self._mark, self._written)

    def _expected(self) -> float:
        return self._right + self._counter() - self._counted

    def _look(self) -> bool:
        """Whether the clock is doubted now."""
        wall = self._wall()
        if self._since is None and 0.0 <= wall - self._right < _SOON:
            return False  # each message asks
        off = wall - self._expected()
        if abs(off) <= TOLERANCE or (self._since is not None and self._is_accepted(off)):
            self._right, self._counted = self._wall(), self._counter()
            if self._since is not None:
                self._since = None
                log(Event.CLOCK_BELIEVED)
            return False
        if self._since is None or abs(off - self._off) > TOLERANCE:
            if self._since is None:
                log(Event.CLOCK_DOUBTED, days=round(off / 86_400))
            self._since, self._off = self._counter(), off
        return True

    def _is_accepted(self, off: float) -> bool:
        """By its having lasted, or by the owner or another service that has written so."""
        assert self._since is not None
        # Back by years it was reset, and stays so until somebody sets it.
        can_be = abs(off - self._off) <= TOLERANCE and (off > 0 or self._synchronised())
        if can_be and self._counter() - self._since >= _LASTS:
            return True
        written = _read(self._mark)
        return written is not None and abs(self._wall() - written) <= TOLERANCE


def possible_times(mark: Path) -> tuple[float, float]:
    """What the machine says, and the last time that was right, which differs if that is doubted.

    For commands, which run too shortly to know which of them is true.
    """
    wall, right = time.time(), _read(mark)
    return wall, wall if right is None or abs(wall - right) <= TOLERANCE else right


def clock_is_doubted(mark: Path) -> bool:
    """Whether a command should doubt the clock: it jumped, and nobody keeps it right."""
    wall, right = possible_times(mark)
    return wall != right and not is_synchronised()


def write_mark(path: Path, now: float) -> None:
    """Say that this is a right time; what cannot be written now is written later."""
    with contextlib.suppress(OSError):
        replace_text(path, f"{now:.0f}\n")


def _read(path: Path) -> float | None:
    try:
        return float(path.read_text("ascii"))
    except (OSError, ValueError):
        return None


def is_synchronised() -> bool:
    """Whether the kernel says that somebody keeps its clock right (NTP, or the host of a guest)."""
    buffer = ctypes.create_string_buffer(_TIMEX_BYTES)  # modes = 0: it is only asked
    state: int = ctypes.CDLL(None).adjtimex(buffer)
    return 0 <= state < _UNSYNCHRONISED
