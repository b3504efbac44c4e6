"""What one connection may send, and what it is charged for."""

import time
from typing import Final, NamedTuple

# What a record or a wake-up costs beside the bytes in it, as bytes of the budget: 10 to 40 µs of
# the processor, where a byte of a stanza costs 0.3.  Else who sends single bytes has that for free.
PIECE: Final = 64


class Traffic(NamedTuple):
    """What one connection may send us and leave unread."""

    bytes_per_second: int = 262_144  # 0 = no limit
    burst: int = 1_048_576  # bytes that may come at once
    unread: int = 8_388_608  # bytes we keep for a peer that does not read
    idle: int = 300  # seconds of silence until it is looked for; 0 = for ever


class Budget:
    """What is left of the bytes that a connection may send: a bucket that fills by itself."""

    __slots__ = ("_at", "_burst", "_left", "_rate")

    def __init__(self, traffic: Traffic) -> None:
        self._rate = traffic.bytes_per_second
        self._burst = traffic.burst
        self._left = float(traffic.burst)
        self._at = 0.0

    def charge(self, size: int, pieces: int) -> float:
        """For so many bytes in so many pieces; seconds until more may be read, mostly 0."""
        if not self._rate:
            return 0.0
        now = time.monotonic()
        refilled = self._left + (now - self._at) * self._rate
        self._left = min(refilled, self._burst) - size - PIECE * pieces
        self._at = now
        return -self._left / self._rate if self._left < 0 else 0.0
