"""Frames on their way to one service: kept until acknowledged, sent again after a break.

What may wait is shared by those on whose account it is sent, and what is bulky has a part of its
own: whoever asks for a lot must not take what others need for their messages.
"""

import time
from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import Final, NamedTuple

from hausbote.core.bus.cause import Cause
from hausbote.core.bus.frame import Frame, FrameError, encode

PATIENCE: Final = 30.0  # seconds that a frame waits for a service that is away
CAPACITY: Final = 8_388_608  # bytes that wait for one service, beside what is bulky or must arrive
# Parts of the capacity:
_BULK: Final = 8  # what is bulky, all together
_MUCH: Final = 8  # what waits on one account, from which on it should bring no more
_GREEDY: Final = 4  # what one account may have at most, when half of the capacity is taken


class Kind(IntEnum):
    """How much a frame may ask of others."""

    ORDINARY = 0
    BULKY = 1  # it waited until there was room for it
    VITAL = 2  # given up by nobody: who gets it would go on in error without it


class _Kept(NamedTuple):
    frame: Frame
    data: bytes
    deadline: float
    cause: Cause | None
    account: str
    kind: Kind


class Outbox:
    """`refuse` is called once for every ordinary frame given up, and for every bulky one that
    waited too long; such a frame is never sent again."""

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
        self._sizes = [0 for _ in Kind]  # bytes that wait
        self._accounts: dict[str, int] = {}  # bytes of ordinary frames that wait
        self._unsent: list[bytes] = []

    def __len__(self) -> int:
        return len(self._kept)

    def is_busy(self, account: str) -> bool:
        """Whether so much waits, on that account or for everybody, that it should bring no more
        just now.  What was begun can be finished then, for there is room left; and who has nothing
        waiting may go on for longer than others.
        """
        own, total = self._accounts.get(account, 0), self._sizes[Kind.ORDINARY]
        if own * _MUCH >= self._capacity:
            return True
        return total * 4 >= self._capacity * (2 if own else 3)

    def is_too_large(self, size: int) -> bool:
        """Whether there never is room for a frame of so many bytes."""
        return size > self._capacity

    def has_bulk_room(self, size: int) -> bool:
        """Whether a bulky frame of so many bytes may be added; one that is larger than the room for
        all of them goes alone."""
        taken = self._sizes[Kind.BULKY]
        return not taken or (taken + size) * _BULK <= self._capacity

    def add(
        self, frame: Frame, cause: Cause | None, account: str = "", kind: Kind = Kind.ORDINARY
    ) -> bool:
        """Keep a frame, or give it up at once if there is no room; whether it is kept.

        Whoever adds a bulky one has seen that there is room.
        """
        try:
            data = encode(frame)
        except FrameError:
            data = b""
        if not data or not self._has_room(account, kind, len(data)):
            self._give_up(frame, cause, told=kind is Kind.ORDINARY)
            return False
        self._kept[frame.id] = _Kept(
            frame, data, self._clock() + self._patience, cause, account, kind
        )
        self._sizes[kind] += len(data)
        if kind is Kind.ORDINARY:
            self._accounts[account] = self._accounts.get(account, 0) + len(data)
        self._unsent.append(data)
        return True

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
            kept = self._kept.get(id)
            if kept is not None:
                self._forget(kept)
                if kept.cause is not None:
                    kept.cause.close()

    def expire(self) -> None:
        """Give up what has waited too long; to be called while the other side is away."""
        now = self._clock()
        late = [
            kept
            for kept in self._kept.values()
            if kept.deadline <= now and kept.kind is not Kind.VITAL
        ]
        for kept in late:
            self._forget(kept)
        if late:
            self.rewind()  # for they are among what was not sent
        for kept in late:
            self._give_up(kept.frame, kept.cause, told=True)

    def _has_room(self, account: str, kind: Kind, size: int) -> bool:
        if kind is Kind.BULKY:
            return True
        total = self._sizes[kind] + size
        if kind is Kind.VITAL or total * 2 <= self._capacity:
            return total <= self._capacity
        own = self._accounts.get(account, 0) + size
        return total <= self._capacity and own * _GREEDY <= self._capacity

    def _forget(self, kept: _Kept) -> None:
        del self._kept[kept.frame.id]
        size = len(kept.data)
        self._sizes[kept.kind] -= size
        if kept.kind is Kind.ORDINARY:
            left = self._accounts[kept.account] - size
            if left:
                self._accounts[kept.account] = left
            else:
                del self._accounts[kept.account]

    def _give_up(self, frame: Frame, cause: Cause | None, *, told: bool) -> None:
        try:
            if told:
                self._refuse(frame)
        finally:
            if cause is not None:
                cause.close()
