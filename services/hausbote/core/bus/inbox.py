"""Frames that came in: each is handled once, however often it is sent."""

from collections import deque
from collections.abc import Callable
from typing import Final

_REMEMBERED: Final = 100_000


class Inbox:
    """Remembers ids; those at work are not acknowledged yet, those done are."""

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._at_work: dict[str, Callable[[str], None]] = {}
        self._done: set[str] = set()
        self._order: deque[str] = deque()
        self._remembered = remembered

    def enter(self, id: str, acknowledge: Callable[[str], None]) -> bool:
        """Whether the frame is to be handled.

        `acknowledge` is called when it is done: at once if it was before, and for one at work it
        takes the place of the callback given with an earlier copy.
        """
        if id in self._done:
            acknowledge(id)
            return False
        fresh = id not in self._at_work
        self._at_work[id] = acknowledge
        return fresh

    def leave(self, id: str) -> None:
        """The frame is done."""
        acknowledge = self._at_work.pop(id)
        self._done.add(id)
        self._order.append(id)
        if len(self._order) > self._remembered:
            self._done.discard(self._order.popleft())
        acknowledge(id)

    @property
    def busy(self) -> bool:
        return bool(self._at_work)
