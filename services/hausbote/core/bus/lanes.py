"""In what order the frames of one service are handled: a lane of the pump for each sender."""

from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Final

from hausbote.core.bus.frame import Frame
from hausbote.core.pump import Lane, Pump

_BEYOND: Final = "s2s"  # the service whose senders are at other servers
_MAX_KNOWN: Final = 1_000  # senders whose use of time is remembered


class Lanes:
    """Frames of one service.  Those of one sender stay in order; whoever's frames take long comes
    after the others, and whoever's wait for something, for the disk say, holds up nobody else's.

    What a service says itself, under a domain, comes after all that it sent before, and before all
    that it sends later: that an account was deleted, say, or that a server went away.
    """

    def __init__(self, service: str, pump: Pump, work: Callable[[Frame], None]) -> None:
        self._by_domain = service == _BEYOND
        self._pump = pump
        self._work = work
        self._lanes: dict[str, Lane] = {}
        self._open = 0  # frames in lanes, one that is handled among them
        self._alone = False  # one that all must wait for is handled
        self._later: deque[Frame] = deque()  # behind such a one

    def put(self, frame: Frame) -> None:
        """Handle it in its turn, in a worker of the pump."""
        if self._later or self._alone or (self._open and self._is_for_all(frame)):
            self._later.append(frame)
        else:
            self._start(frame)

    def _start(self, frame: Frame) -> None:
        self._open += 1
        self._alone = self._is_for_all(frame)
        self._pump.post(self._lane(frame), frame)

    def _handle(self, frame: Frame) -> None:
        try:
            self._work(frame)
        finally:
            self._open -= 1
            if not self._open:
                self._alone = False
                self._let_in()

    def _let_in(self) -> None:
        """What had to wait: one that all must wait for, or all before the next such."""
        while self._later and not self._alone:
            if self._open and self._is_for_all(self._later[0]):
                return
            self._start(self._later.popleft())

    def _lane(self, frame: Frame) -> Lane:
        bare = frame.sender.partition("/")[0]
        key = bare.rpartition("@")[2] if self._by_domain else bare
        lane = self._lanes.get(key)
        if lane is None:
            if len(self._lanes) >= _MAX_KNOWN:
                self._forget()
            lane = self._lanes[key] = Lane(self._handle)
        return lane

    def _is_for_all(self, frame: Frame) -> bool:
        return not self._by_domain and "@" not in frame.sender.partition("/")[0]

    def _forget(self) -> None:
        now = monotonic()
        self._lanes = {
            key: lane for key, lane in self._lanes.items() if lane.busy or lane.exceeded(now)
        }
