"""What must be safe before a frame may be acknowledged.

While a frame is handled, every frame sent belongs to it: it gets an id made of the cause's, so that
handling the same frame again after a crash sends the same ids, and receivers drop what they know.
"""

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Protocol


class Pending(Protocol):
    """Something on its way to the disk: a ticket of the store."""

    def then(self, callback: Callable[[], None]) -> None: ...


class Cause:
    """A frame being handled; `done` is called once nothing of it is open any more."""

    def __init__(self, id: str, done: Callable[[], None]) -> None:
        self.id = id
        self._done = done
        self._open = 1  # the handler itself
        self._caused = 0

    def next_id(self) -> str:
        """The id of the next frame that the handler sends; to be `close`d when that is safe."""
        self._caused += 1
        self._open += 1
        return f"{self.id}.{self._caused}"

    def close(self) -> None:
        """One thing less to wait for."""
        self._open -= 1
        if self._open == 0:
            self._done()

    def run(self, handler: Callable[[], Sequence[Pending]]) -> None:
        """Run the handler as this cause."""
        token = current.set(self)
        try:
            for pending in handler():
                self._open += 1
                pending.then(self.close)
        finally:
            current.reset(token)
            self.close()


current: ContextVar[Cause | None] = ContextVar("cause", default=None)
