"""Counts what should not happen too often, per key and time."""

import time
from collections.abc import Callable, Hashable
from typing import Final

_MAX_KEYS: Final = 10_000


class Throttle:
    """`limit` events per `window` seconds and key; 0 = no limit."""

    def __init__(
        self, limit: int, window: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = limit
        self._window = window
        self._clock = clock
        self._events: dict[Hashable, list[float]] = {}

    def note(self, key: Hashable) -> None:
        """It happened once more."""
        if not self._limit:
            return
        if len(self._events) >= _MAX_KEYS:
            self._forget()
        self._events[key] = [*self._recent(key), self._clock()][-self._limit :]

    def count(self, key: Hashable) -> int:
        """How often within the window, up to the limit."""
        return len(self._recent(key))

    def exceeded(self, key: Hashable) -> bool:
        """Whether the limit is reached."""
        return 0 < self._limit <= self.count(key)

    def wait(self, key: Hashable) -> float:
        """Seconds until it may happen again."""
        recent = self._recent(key)
        if not 0 < self._limit <= len(recent):
            return 0.0
        return max(0.0, recent[-self._limit] + self._window - self._clock())

    def _recent(self, key: Hashable) -> list[float]:
        since = self._clock() - self._window
        return [at for at in self._events.get(key, ()) if at > since]

    def _forget(self) -> None:
        """Drop keys whose events are over; if there are none, the oldest half."""
        alive = {key: recent for key in self._events if (recent := self._recent(key))}
        if len(alive) >= _MAX_KEYS:
            alive = dict(list(alive.items())[_MAX_KEYS // 2 :])
        self._events = alive
