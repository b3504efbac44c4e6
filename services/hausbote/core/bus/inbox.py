"""Frames that came in: each is handled once, however often it is sent."""

from collections.abc import Callable
from typing import Final

# More than the acknowledgements that can be lost with a connection: about 30 bytes each, in two
# buffers of 200 kB.
_REMEMBERED: Final = 20_000


class Inbox:
    """Remembers ids; those at work are not acknowledged yet, those done are.

    At least the last `remembered` that were done, and at most twice as many.
    """

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._at_work: dict[str, list[Callable[[str], None]]] = {}
        self._done: dict[str, None] = {}  # a dict takes half of a set's memory
        self._earlier: dict[str, None] = {}
        self._remembered = remembered

    def enter(self, id: str, acknowledge: Callable[[str], None]) -> bool:
        """Whether the frame is to be handled.

        `acknowledge` is called when it is done: at once if it was before, and for one at work
        together with the callbacks of its earlier copies, which somebody may still wait for.
        """
        if id in self._done or id in self._earlier:
            acknowledge(id)
            return False
        waiting = self._at_work.setdefault(id, [])
        waiting.append(acknowledge)
        return len(waiting) == 1

    def leave(self, id: str) -> None:
        """The frame is done."""
        waiting = self._at_work.pop(id)
        if len(self._done) >= self._remembered:
            self._earlier, self._done = self._done, {}
        self._done[id] = None
        for acknowledge in waiting:
            acknowledge(id)

    @property
    def busy(self) -> bool:
        return bool(self._at_work)
