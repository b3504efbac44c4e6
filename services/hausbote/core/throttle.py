"""Counts what should not happen too often, per key and time."""

import time
from collections.abc import Callable, Hashable
from typing import Any, Final

from hausbote.base.shares import Shares

_MAX_KEYS: Final = 10_000


def _itself(key: Any) -> Hashable:
    found: Hashable = key
    return found


class Throttle:
    """`limit` events per `window` seconds and key; 0 = no limit.

    `party` says who is behind a key and may bring any number of them.  When there are too many
    keys, the oldest of who brought most are forgotten: nobody makes others' counts go, and who
    wants to be rid of their own has to do ten thousand other things for it.
    """

    def __init__(
        self,
        limit: int,
        window: float,
        clock: Callable[[], float] = time.monotonic,
        party: Callable[[Any], Hashable] = _itself,
    ) -> None:
        self._limit = limit
        self._window = window
        self._clock = clock
        self._party = party
        self._events: Shares[Hashable, list[float]] = Shares(_MAX_KEYS)

    def __len__(self) -> int:
        """How many keys are remembered."""
        return len(self._events)

    def note(self, key: Hashable) -> None:
        """It happened once more."""
        if not self._limit:
            return
        self._forget()
        events = [*self._recent(key), self._clock()][-self._limit :]
        if not self._events.renew(key, events):
            self._events.put(key, self._party(key), events)

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
        return [at for at in self._events.get(key) or () if at > since]

    def _forget(self) -> None:
        """Drop keys whose events are over: those noted longest ago come first."""
        since = self._clock() - self._window
        while (oldest := self._events.oldest()) is not None and oldest.value[-1] <= since:
            self._events.pop(oldest.key)
