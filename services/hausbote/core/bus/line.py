"""In what order the frames of one service are handled: fairly by who caused them."""

from collections import deque
from time import monotonic
from typing import Any, Final

from greenlet import getcurrent

from hausbote.core.bus.frame import Frame
from hausbote.core.share import NOTICED, FairQueue, Party, Stopwatch

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
        self.watch = Stopwatch()
        self._by_domain = service == _BEYOND
        self._senders: dict[str, _Sender] = {}
        self._alone: Frame | None = None  # nearly always nothing else waits
        self._queue: FairQueue[_Sender] = FairQueue()
        self._later: deque[Frame] = deque()  # behind one that all must wait for
        self._handled: Frame | None = None
        self._worker: Any = None

    def put(self, frame: Frame) -> None:
        if self._alone is not None:
            first, self._alone = self._alone, None
            self._sort(first)
            self._sort(frame)
        elif self._queue.modest or self._queue.greedy or self._later:
            self._sort(frame)
        else:
            self._alone = frame

    def next(self) -> Frame | None:
        """The next one to be handled; what the last one took is charged to its sender."""
        watch, now = self.watch, monotonic()
        if self._handled is not None and now - watch.since > NOTICED:
            self.charge(now)
        watch.start()
        if self._alone is not None:
            self._handled, self._alone = self._alone, None
        else:
            self._handled = self._sorted(now)
        if self._worker is None:
            self._worker = getcurrent()
            self._worker.line = self  # for pauses in the middle of a frame
        return self._handled

    def charge(self, now: float) -> None:
        """Charge the sender of the frame that is handled for the work since `watch` was started."""
        if self._handled is not None:
            self._sender(self._handled).charge(self.watch.spent(now), now)

    def _sort(self, frame: Frame) -> None:
        if self._later or self._is_for_all(frame):
            self._later.append(frame)
        else:
            self._enqueue(frame)

    def _sorted(self, now: float) -> Frame | None:
        if not self._queue:
            self._let_in()
        sender = self._queue.next(now)
        if sender is None:
            return None
        frame = sender.frames.popleft()
        if sender.frames:
            self._queue.add(sender)
        return frame

    def _let_in(self) -> None:
        """What had to wait: one that all must wait for, or all before the next such."""
        if self._later and self._is_for_all(self._later[0]):
            self._enqueue(self._later.popleft())
            return
        while self._later and not self._is_for_all(self._later[0]):
            self._enqueue(self._later.popleft())

    def _enqueue(self, frame: Frame) -> None:
        sender = self._sender(frame)
        if not sender.frames:
            self._queue.add(sender)
        sender.frames.append(frame)

    def _sender(self, frame: Frame) -> _Sender:
        bare = frame.sender.partition("/")[0]
        key = bare.rpartition("@")[2] if self._by_domain else bare
        sender = self._senders.get(key)
        if sender is None:
            if len(self._senders) >= _MAX_KNOWN:
                self._forget()
            sender = self._senders[key] = _Sender()
        return sender

    def _is_for_all(self, frame: Frame) -> bool:
        return not self._by_domain and "@" not in frame.sender.partition("/")[0]

    def _forget(self) -> None:
        now = monotonic()
        self._senders = {
            key: sender
            for key, sender in self._senders.items()
            if sender.frames or sender.exceeded(now)
        }
