"""Only so many things at once, and only so many of them for the same somebody.

Without the second a single owner of many names, whose servers answer to nothing, would take all
turns, and everybody else would wait.
"""

from collections.abc import Hashable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

from gevent.lock import BoundedSemaphore

from hausbote.base.domains import registrable_domain


class NoTurn(Exception):
    """All turns were taken for too long."""


class Share(NamedTuple):
    """What something counts for, and how many of that may be at once."""

    key: Hashable
    at_once: int


class Turns:
    """`patience` is how many seconds one waits for a turn of each share."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._lines: dict[Hashable, _Line] = {}

    @contextmanager
    def taken(self, *shares: Share) -> Iterator[None]:
        """One turn of each, the narrowest first: who waits for it keeps none from the others."""
        with ExitStack() as stack:
            for share in shares:
                stack.enter_context(self._one(share))
            yield

    def wanted(self, *shares: Share) -> bool:
        """Whether somebody waits for one of them."""
        lines = [self._lines.get(share.key) for share in shares]
        return any(line is not None and line.present > line.at_once for line in lines)

    @contextmanager
    def _one(self, share: Share) -> Iterator[None]:
        line = self._lines.setdefault(share.key, _Line(share.at_once))
        line.present += 1
        try:
            if not line.turns.acquire(self._patience > 0, self._patience or None):
                raise NoTurn
            try:
                yield
            finally:
                line.turns.release()
        finally:
            line.present -= 1
            if not line.present:
                del self._lines[share.key]


class _Line:
    __slots__ = ("at_once", "present", "turns")

    def __init__(self, at_once: int) -> None:
        self.at_once = at_once
        self.present = 0  # who has a turn, and who waits for one
        self.turns: Any = BoundedSemaphore(at_once)


def of_name(name: str, at_once: int) -> Share:
    """What a name counts for: so many for all names of whom it belongs to."""
    return Share(("name", registrable_domain(name)), at_once)
