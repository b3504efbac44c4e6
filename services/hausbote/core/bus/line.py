"""In what order the frames of one service are handled: fairly by who caused them."""

from collections import deque
from time import monotonic
from typing import Any, Final

from greenlet import getcurrent

from hausbote.core.bus.frame import Frame
from hausbote.core.share import FairQueue, Party, Stopwatch

_BEYOND: Final = "s2s"  # the service whose senders are at other servers
_MAX_KNOWN: Final = 1_000  # senders whose use of time is remembered


class _Sender(Party):
    """One account, room or other server."""

    __slots__ = ("frames",)

    def __init__(self) -> None:
        super().__init__()
        self.frames: deque[Frame] = deque()


class Line:
    """Frames of one service.  Those of one sender stay in order, and whoever's frames take long
    comes after the others.

    What a service says itself, under a domain, comes after all that it sent before, and before all
    that it sends later: that an account was deleted, say, or that a server went away.
    """

    def __init__(self, service: str) -> None:
        self._by_domain = service == _BEYOND
        self._senders: dict[str, _Sender] = {}
        self._queue: FairQueue[_Sender] = FairQueue()
        self._later: deque[Frame] = deque()  # behind one that all must wait for
        self._current: _Sender | None = None
        self._watch = Stopwatch()

    def put(self, frame: Frame) -> None:
        if self._later or self._is_for_all(frame):
            self._later.append(frame)
        else:
            self._enqueue(frame)

    def next(self) -> Frame | None:
        """The next one to be handled; what the last one took is charged to its sender."""
        now = monotonic()
        self._charge(now)
        if not self._queue:
            self._let_in()
        sender = self._current = self._queue.next(now)
        self._watch.start()
        if sender is None:
            return None
        me: Any = getcurrent()
        me.working = sender, self._watch  # for `breathe`
        return sender.frames.popleft()

    def _charge(self, now: float) -> None:
        sender, self._current = self._current, None
        if sender is None:
            return
        sender.charge(self._watch.spent(now), now)
        if sender.frames:
            self._queue.add(sender)

    def _let_in(self) -> None:
        """What had to wait, up to the next one that all must wait for."""
        if self._later:
            first = self._later.popleft()
            self._enqueue(first)
            if self._is_for_all(first):
                return
        while self._later and not self._is_for_all(self._later[0]):
            self._enqueue(self._later.popleft())

    def _enqueue(self, frame: Frame) -> None:
        key = self._key(frame)
        sender = self._senders.get(key)
        if sender is None:
            if len(self._senders) >= _MAX_KNOWN:
                self._forget()
            sender = self._senders[key] = _Sender()
        if not sender.frames and sender is not self._current:
            self._queue.add(sender)
        sender.frames.append(frame)

    def _key(self, frame: Frame) -> str:
        bare = frame.sender.partition("/")[0]
        return bare.rpartition("@")[2] if self._by_domain else bare

    def _is_for_all(self, frame: Frame) -> bool:
        return not self._by_domain and "@" not in frame.sender.partition("/")[0]

    def _forget(self) -> None:
        now = monotonic()
        self._senders = {
            key: sender
            for key, sender in self._senders.items()
            if sender.frames or sender is self._current or sender.exceeded(now)
        }
