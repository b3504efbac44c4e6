"""A receipt for something given to the writer, to be waited for or not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

from hausbote.base.log import bug

T = TypeVar("T")


class Ticket(Generic[T]):
    """Done once its write is on disk, or has failed; `hurry` is called when somebody waits."""

    __slots__ = ("_callbacks", "_hurry", "_room", "done", "error", "value")

    def __init__(self, room: WaitingRoom, hurry: Callable[[], None]) -> None:
        self._room = room
        self._hurry = hurry
        self._callbacks: list[Callable[[], None]] = []
        self.done = False
        self.value: Any = None
        self.error: Exception | None = None

    def wait(self) -> T:
        """What the write returned; raises what it raised, StorageError if the disk failed."""
        if not self.done:
            self._hurry()
            self._room.block(self)
        if self.error is not None:
            raise self.error
        value: T = self.value
        return value

    def then(self, callback: Callable[[], None]) -> None:
        """Call back when done, where the waiting is done (at once if that is now)."""
        self._callbacks.append(callback)
        # Another thread may finish the ticket here: whoever takes a callback out is who calls it.
        if self.done:
            self._call_back()

    def finish(self) -> None:
        """For the waiting room only."""
        self.done = True
        self._call_back()

    def _call_back(self) -> None:
        while callback := self._next_callback():
            try:
                callback()
            except Exception as error:  # noqa: BLE001 - other tickets of the batch are waited for, too
                bug(error)

    def _next_callback(self) -> Callable[[], None] | None:
        try:
            return self._callbacks.pop(0)
        except IndexError:
            return None


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
