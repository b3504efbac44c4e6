"""Frames on their way to one service: kept until acknowledged, sent again after a break."""

import time
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from hausbote.core.bus.cause import Cause
from hausbote.core.bus.frame import Frame, FrameError, encode

PATIENCE: Final = 30.0  # seconds that a frame waits for a service that is away
CAPACITY: Final = 8_388_608  # bytes that wait for one service


class _Kept(NamedTuple):
    frame: Frame
    data: bytes
    deadline: float
    cause: Cause | None


class Outbox:
    """`refuse` is called once for every frame given up; such a frame is never sent again."""

    def __init__(
        self,
        refuse: Callable[[Frame], None],
        patience: float = PATIENCE,
        capacity: int = CAPACITY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._refuse = refuse
        self._patience = patience
        self._capacity = capacity
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._size = 0
        self._unsent: list[bytes] = []

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def size(self) -> int:
        """Bytes that wait to be acknowledged."""
        return self._size

    def add(self, frame: Frame, cause: Cause | None) -> None:
        """Keep a frame, or refuse it at once if there is no room."""
        try:
            data = encode(frame)
        except FrameError:
            data = b""
        if not data or self._size + len(data) > self._capacity:
            self._give_up(frame, cause)
            return
        self._kept[frame.id] = _Kept(frame, data, self._clock() + self._patience, cause)
        self._size += len(data)
        self._unsent.append(data)

    def rewind(self) -> None:
        """A new connection: everything unacknowledged has to go over it."""
        self._unsent = [kept.data for kept in self._kept.values()]

    def take(self) -> bytes:
        """What has not gone over this connection yet."""
        unsent, self._unsent = self._unsent, []
        return b"".join(unsent)

    def acknowledge(self, ids: Iterable[str]) -> None:
        """The other side has these, for good."""
        for id in ids:
            kept = self._kept.pop(id, None)
            if kept is not None:
                self._size -= len(kept.data)
                if kept.cause is not None:
                    kept.cause.close()

    def expire(self) -> None:
        """Give up what has waited too long; to be called while the other side is away."""
        now = self._clock()
        late = [kept for kept in self._kept.values() if kept.deadline <= now]
        for kept in late:
            del self._kept[kept.frame.id]
            self._size -= len(kept.data)
        for kept in late:
            self._give_up(kept.frame, kept.cause)

    def _give_up(self, frame: Frame, cause: Cause | None) -> None:
        try:
            self._refuse(frame)
        finally:
            if cause is not None:
                cause.close()
