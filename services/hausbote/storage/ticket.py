"""A receipt for something given to the writer, to be waited for or not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

T = TypeVar("T")


class Ticket(Generic[T]):
    """Done once its write is on disk, or has failed."""

    __slots__ = ("_callbacks", "_room", "done", "error", "value")

    def __init__(self, room: WaitingRoom) -> None:
        self._room = room
        self._callbacks: list[Callable[[], None]] = []
        self.done = False
        self.value: Any = None
        self.error: Exception | None = None

    def wait(self) -> T:
        """What the write returned; raises what it raised, StorageError if the disk failed."""
        if not self.done:
            self._room.block(self)
        if self.error is not None:
            raise self.error
        value: T = self.value
        return value

    def then(self, callback: Callable[[], None]) -> None:
        """Call back when done, where the waiting is done (at once if that is now)."""
        if self.done:
            callback()
        else:
            self._callbacks.append(callback)

    def finish(self) -> None:
        """For the waiting room only."""
        self.done = True
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()


class WaitingRoom(Protocol):
    """Where tickets are waited for: a thread, or the greenlets of a hub."""

    def block(self, ticket: Ticket[Any]) -> None:
        """Return when the ticket is done."""

    def announce(self, tickets: Sequence[Ticket[Any]]) -> None:
        """Finish these; called by the writer's thread."""


class ThreadRoom:
    """Callers are threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()

    def block(self, ticket: Ticket[Any]) -> None:
        with self._changed:
            self._changed.wait_for(lambda: ticket.done)

    def announce(self, tickets: Sequence[Ticket[Any]]) -> None:
        with self._changed:
            for ticket in tickets:
                ticket.finish()
            self._changed.notify_all()
