"""What one person does at a time, and nobody for ever."""

import time
from typing import Final


class OneAtATime:
    """Whoever has the turn for too long loses it to the next who comes."""

    def __init__(self) -> None:
        self._turn: Turn | None = None

    def begin(self, longest: float) -> "Turn | None":
        """None if somebody has had it for less than `longest` seconds."""
        held = self._turn
        if held is not None and time.monotonic() - held.since < longest:
            return None
        self._turn = Turn(self)
        return self._turn

    def has(self, turn: "Turn") -> bool:
        return self._turn is turn

    def end(self, turn: "Turn") -> None:
        if self.has(turn):
            self._turn = None


class Turn:
    """Had by one."""

    def __init__(self, place: OneAtATime) -> None:
        self._place: Final = place
        self.since: Final = time.monotonic()

    def check(self) -> None:
        """OSError if it was lost."""
        if not self._place.has(self):
            raise OSError("it took too long")

    def end(self) -> None:
        self._place.end(self)
