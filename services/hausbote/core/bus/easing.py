"""Holding back who sends faster than the other service takes."""

import time
from collections.abc import Callable
from typing import Any, Final

import gevent
from gevent.lock import BoundedSemaphore

from hausbote.core.bus.outbox import Outbox

# Seconds that one may be held back.  Others may wait behind whoever is, and what is held back may
# be what the other service waits for itself.
_PATIENCE: Final = 0.25
_POLL: Final = 0.002


def ease(outbox: Outbox, account: str) -> bool:
    """Let others work while much waits on that account, for a moment at most; whether more may be
    brought now."""
    return _wait(lambda: not outbox.is_busy(account), _PATIENCE)


class BulkRoom:
    """The room for bulky frames of one outbox: it is waited for in turn."""

    __slots__ = ("_outbox", "_patience", "_turn")

    def __init__(self, outbox: Outbox, patience: float) -> None:
        self._outbox = outbox
        self._patience = patience
        self._turn: Any = BoundedSemaphore(1)

    def wait(self, size: int) -> bool:
        """Return when there is room for a frame of that size; False if there will not be."""
        if self._outbox.is_too_large(size):
            return False
        with self._turn:
            return _wait(lambda: self._outbox.has_bulk_room(size), self._patience)


def _wait(condition: Callable[[], bool], patience: float) -> bool:
    if condition():
        return True
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        gevent.sleep(_POLL)
        if condition():
            return True
    return False
