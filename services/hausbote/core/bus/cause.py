"""What must be safe before a frame may be acknowledged.

While a frame is handled, every frame sent belongs to it: it gets an id made of the cause's, so that
handling the same frame again after a crash sends the same ids, and receivers drop what they know.

Such an id says what the frame is for, and not how many came before it: what the service knows may
have changed between the two times, so that it sends more, less, or something else.
"""

from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from hashlib import blake2b
from typing import Final, Protocol

from greenlet import GreenletExit

from hausbote.base.tokens import token

_LONG: Final = 120  # characters of an id, from which on a digest stands for it
_DIGEST: Final = 12  # bytes


class Pending(Protocol):
    """Something on its way to the disk: a ticket of the store.

    It also ends if it failed, and then has an `error`.  Who gives such a thing to a cause has seen
    to it that somebody was told by then: see `core.writes`.
    """

    @property
    def error(self) -> Exception | None: ...

    def then(self, callback: Callable[[], None]) -> None: ...


class Cause:
    """A frame being handled; `done` is called once nothing of it is open any more.

    `repeats` says that it may come again after a crash.
    """

    def __init__(self, id: str, done: Callable[[], None], *, repeats: bool = True) -> None:
        self.id = id
        self._done = done
        self.repeats = repeats
        self._open = 1  # the handler itself
        self._sent: dict[str, int] = {}  # how often for which purpose
        self.purpose = ""  # of what is being sent, see `purpose`

    def next_id(
        self, service: str, kind: str, sender: str, recipients: Sequence[str], payload: bytes
    ) -> str:
        """The id of a frame that the handler sends; to be `close`d when that is safe."""
        self._open += 1
        if not self.repeats:
            name = ""
        elif self.purpose:
            name = f"{service}-{self.purpose}"
        else:
            about = "\0".join((kind, sender, *recipients, ""))
            name = f"{service}-{_digest(about.encode() + payload)}"
        number = self._sent[name] = self._sent.get(name, 0) + 1
        id = f"{self.id}.{name}" if number == 1 and name else f"{self.id}.{name}{number}"
        return id if len(id) < _LONG else _digest(id.encode())

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
            except GreenletExit:
                self._open += 1
                raise
            finally:
                current.reset(token)
                self.close()

        return run

    def run(self, handler: Callable[[], Sequence[Pending]]) -> None:
        """Run the handler as this cause.

        One that is killed with its service stays open: it is half done, and the service that comes
        next has to do it again.
        """
        token = current.set(self)
        try:
            for pending in handler():
                self._open += 1
                pending.then(self.close)
        except GreenletExit:
            self._open += 1
            raise
        finally:
            current.reset(token)
            self.close()


class FrameIds:
    """Ids for the frames that a service sends: unique over restarts, and repeatable where a frame
    is the effect of another."""

    def __init__(self) -> None:
        self._epoch = token(72)
        self._sent = 0

    def next(
        self, service: str, kind: str, sender: str, recipients: Sequence[str], payload: bytes
    ) -> tuple[str, Cause | None]:
        """The next id, and the cause that waits for that frame, if there is one."""
        cause = current.get()
        if cause is not None:
            return cause.next_id(service, kind, sender, recipients, payload), cause
        self._sent += 1
        return f"{self._epoch}-{self._sent}", None


@contextmanager
def purpose(name: str) -> Iterator[None]:
    """What is sent inside is one thing, and stays that if its content or its recipients are others
    when the same frame is handled again.

    Without it a frame is known by its content and its recipients.
    """
    cause = current.get()
    if cause is None:
        yield
        return
    before, cause.purpose = cause.purpose, name
    try:
        yield
    finally:
        cause.purpose = before


@contextmanager
def within(cause: Cause | None, name: str) -> Iterator[None]:
    """What is sent inside belongs to a cause that is not done yet, and is one thing (`purpose`);
    without a cause it belongs to nothing."""
    token = current.set(cause)
    try:
        with purpose(name):
            yield
    finally:
        current.reset(token)


def repeatable() -> str:
    """The id of the frame that is handled now and may come again after a crash; "" for none."""
    cause = current.get()
    return cause.id if cause is not None and cause.repeats else ""


def _digest(data: bytes) -> str:
    return urlsafe_b64encode(blake2b(data, digest_size=_DIGEST).digest()).decode()


current: ContextVar[Cause | None] = ContextVar("cause", default=None)
