"""Ids that are the time in microseconds, made unique by counting on."""

from collections.abc import Callable
from typing import Final

from hausbote.base.believed_clock import TOLERANCE

MICROSECONDS: Final = 1_000_000
_TOO_FAR: Final = int(TOLERANCE) * MICROSECONDS


class MomentIds:
    """Ids grow, whatever the clock does, but for one case: it had been ahead by more than a day.

    Then new ids are near the present again.  Those of that time stay where they are; `taken` says
    whether there is such an id, for the day when new ones get there.
    """

    def __init__(
        self, clock: Callable[[], float], taken: Callable[[int], bool] = lambda _: False
    ) -> None:
        self.clock = clock
        self._taken = taken
        self._last = 0
        self._ahead = 0  # there are ids of the future up to this one

    def note(self, id: int) -> None:
        """There is this one."""
        if self.is_ahead(id):
            self._ahead = max(self._ahead, id)
        else:
            self._last = max(self._last, id)

    def horizon(self) -> int:
        """The last id that is not of the future."""
        return int(self.clock() * MICROSECONDS) + _TOO_FAR

    def is_ahead(self, id: int) -> bool:
        """Whether it was made by a clock that was wrong."""
        return id > self.horizon()

    def next(self) -> int:
        """An id that nobody has."""
        now = int(self.clock() * MICROSECONDS)
        if self._last - now > _TOO_FAR:
            self._ahead = max(self._ahead, self._last)
            self._last = now - 1
        self._last = max(self._last + 1, now)
        while self._last <= self._ahead and self._taken(self._last):
            self._last += 1
        return self._last
