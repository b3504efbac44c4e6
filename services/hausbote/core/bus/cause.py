"""What must be safe before a frame may be acknowledged.

While a frame is handled, every frame sent belongs to it: it gets an id made of the cause's, so that
handling the same frame again after a crash sends the same ids, and receivers drop what they know.
"""

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Protocol

from hausbote.base.tokens import token


class Pending(Protocol):
    """Something on its way to the disk: a ticket of the store.

    It also ends if it failed, and then has an `error`.  Who gives such a thing to a cause has seen
    to it that somebody was told by then: see `core.writes`.
    """

    @property
    def error(self) -> Exception | None: ...

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

    def extended(self, job: Callable[[], None]) -> Callable[[], None]:
        """A job that runs later, in another greenlet: what it sends belongs to the frame, too,
        which is not done before the job is.  It must be called once."""
        self._open += 1

        def run() -> None:
            token = current.set(self)
            try:
                job()
            finally:
                current.reset(token)
                self.close()

        return run

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


class FrameIds:
    """Ids for the frames that a service sends: unique over restarts, and repeatable where a frame
    is the effect of another."""

    def __init__(self) -> None:
        self._epoch = token(72)
        self._sent = 0

    def next(self) -> tuple[str, Cause | None]:
        """The next id, and the cause that waits for that frame, if there is one."""
        cause = current.get()
        if cause is not None:
            return cause.next_id(), cause
        self._sent += 1
        return f"{self._epoch}-{self._sent}", None


current: ContextVar[Cause | None] = ContextVar("cause", default=None)
