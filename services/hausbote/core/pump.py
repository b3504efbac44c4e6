"""Runs handlers: in order within a lane, side by side between lanes, never in the hub.

Every session owns a lane.  Worker greenlets take whole lanes from a queue; while no handler blocks,
a single worker does everything, and a lane costs one list and no switch per item.
"""

from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Any, Final

from gevent import get_hub
from greenlet import getcurrent, greenlet

from hausbote.base.log import bug

_MAX_WORKERS: Final = 256
_TURN: Final = 16  # items of one lane before the next lane's turn
_SLICE: Final = 0.01  # seconds of handling before connections are looked at again


class Lane:
    """Items that must be handled one after the other; `handle` may block its worker."""

    __slots__ = ("busy", "drained", "handle", "items")

    def __init__(self, handle: Callable[[Any], None]) -> None:
        self.handle = handle
        self.items: list[Any] = []  # most often empty, and then a tenth of a deque
        self.busy = False
        self.drained: Callable[[], None] | None = None  # called once, when the lane is empty


class Pump:
    """The workers of one process."""

    def __init__(self, max_workers: int = _MAX_WORKERS) -> None:
        self._hub: Any = get_hub()
        self._ready: deque[Lane] = deque()
        self._idle: list[greenlet] = []
        self._workers = 0
        self._max_workers = max_workers
        self._turn_due = False
        self._after_io: Any = self._hub.loop.timer(0.0)

    def post(self, lane: Lane, item: object) -> None:
        """Queue an item; it is handled after all that the lane already holds."""
        lane.items.append(item)
        if not lane.busy:
            lane.busy = True
            self._ready.append(lane)
            self._call_turn()

    def run(self, job: Callable[[], None]) -> None:
        """Run a job of its own in some worker."""
        self.post(Lane(_call), job)

    def _call_turn(self) -> None:
        if not self._turn_due:
            self._turn_due = True
            self._hub.loop.run_callback(self._turn)

    def _turn(self) -> None:
        """On the hub: give the ready lanes to a worker that is not blocked."""
        self._turn_due = False
        if not self._ready:
            return
        if self._idle:
            self._idle.pop().switch()
        elif self._workers < self._max_workers:
            self._workers += 1
            greenlet(self._work, parent=self._hub).switch()

    def _work(self) -> None:
        me = getcurrent()
        while True:
            until = monotonic() + _SLICE
            while self._ready and monotonic() < until:
                lane = self._ready.popleft()
                # Should this lane block, the next turn of the hub finds another worker.
                if self._ready:
                    self._call_turn()
                self._serve(lane)
            self._idle.append(me)
            if self._ready:
                self._after_io.start(self._turn)  # a callback would come before reading
            self._hub.switch()

    def _serve(self, lane: Lane) -> None:
        items, handle = lane.items, lane.handle
        for _ in range(_TURN):
            if not items:
                break
            try:
                handle(items.pop(0))
            except Exception as error:  # noqa: BLE001 - one item's fault must not stop the lane
                bug(error)
        if items:
            self._ready.append(lane)
            self._call_turn()
            return
        lane.busy = False
        if lane.drained is not None:
            drained, lane.drained = lane.drained, None
            drained()


def _call(job: Callable[[], None]) -> None:
    job()
