"""What only one person does at a time, and nobody for ever."""

import time
from typing import Final


class Exclusive:
    """Gives a lease to one at a time; whoever has it for too long loses it to the next."""

    def __init__(self) -> None:
        self._held: Lease | None = None

    def begin(self, longest: float) -> "Lease | None":
        """None if somebody has had it for less than `longest` seconds."""
        held = self._held
        if held is not None and time.monotonic() - held.since < longest:
            return None
        self._held = Lease(self)
        return self._held

    def has(self, lease: "Lease") -> bool:
        return self._held is lease

    def end(self, lease: "Lease") -> None:
        if self.has(lease):
            self._held = None


class Lease:
    """Held by one."""

    def __init__(self, place: Exclusive) -> None:
        self._place: Final = place
        self.since: Final = time.monotonic()

    def check(self) -> None:
        """OSError if it was lost."""
        if not self._place.has(self):
            raise OSError("it took too long")

    def end(self) -> None:
        self._place.end(self)
