"""Runs handlers: in order within a lane, side by side between lanes, never in the hub.

Every session owns a lane.  Worker greenlets take whole lanes from a queue; while no handler blocks,
a single worker does everything, and a lane costs one list and no switch per item.  The time that a
lane's items take is charged to it (`core.share`), so that dear ones hold up its own session alone.
"""

from collections.abc import Callable
from time import monotonic
from typing import Any, Final

from gevent import get_hub, kill
from greenlet import getcurrent, greenlet

from hausbote.base.log import bug
from hausbote.core.share import NOTICED, FairQueue, Party, Stopwatch

_MAX_WORKERS: Final = 256
_TURN: Final = 16  # items of one lane before the next lane's turn
_LANE_TIME: Final = 0.002  # seconds of one lane before the next lane's turn
_SLICE: Final = 0.01  # seconds of handling before connections are looked at again

HOLD: Final = object()
"""What a handler returns to have nothing more of its lane handled until `Pump.release`."""


class Lane(Party):
    """Items that must be handled one after the other; `handle` may block its worker."""

    __slots__ = ("busy", "drained", "handle", "items", "worker")

    def __init__(self, handle: Callable[[Any], object]) -> None:
        super().__init__()
        self.handle = handle
        self.items: list[Any] = []  # most often empty, and then a tenth of a deque
        self.busy = False
        self.drained: Callable[[], None] | None = None  # called once, when the lane is empty
        self.worker: _Worker | None = None  # which rests in the middle of an item


class Pump:
    """The workers of one process."""

    def __init__(self, max_workers: int = _MAX_WORKERS) -> None:
        self._hub: Any = get_hub()
        self._ready: FairQueue[Lane] = FairQueue()
        self._resting: FairQueue[Lane] = FairQueue()  # in the middle of an item
        self._idle: list[_Worker] = []
        self._workers: list[_Worker] = []
        self._max_workers = max_workers
        self._killed = False
        self._turn_due = self._resting_first = False
        self._after_io: Any = self._hub.loop.timer(0.0)

    def post(self, lane: Lane, item: object) -> None:
        """Queue an item; it is handled after all that the lane already holds."""
        lane.items.append(item)
        if not lane.busy:
            lane.busy = True
            self._ready.add(lane)
            self._call_turn()

    def release(self, lane: Lane) -> None:
        """Go on with a lane whose handler returned HOLD."""
        self._ready.add(lane)
        self._call_turn()

    def run(self, job: Callable[[], None]) -> None:
        """Run a job of its own in some worker."""
        self.post(Lane(_call), job)

    def kill(self) -> None:
        """End the workers, also in the middle of an item, and handle nothing more.

        For who is no worker of it; returns when they have ended.
        """
        self._killed = True
        for worker in self._workers:
            kill(worker)
        self._workers.clear()

    def _call_turn(self) -> None:
        if not self._turn_due and not self._killed:
            self._turn_due = True
            self._hub.loop.run_callback(self._turn)

    def _turn(self, *, after_reading: bool = False) -> None:
        """On the hub: give a lane to a worker that is not blocked, or back to the one it has.

        Whoever is greedy waits for connections to be read: what somebody asks for whenever the
        last portion was sent makes a chain of callbacks, of which the hub runs fifty in a row.
        """
        self._turn_due = False
        if self._killed:
            return
        now = monotonic()
        lane = self._next(now)
        if lane is None:
            return
        if not after_reading and lane.worker is None and lane.exceeded(now):
            self._ready.put_back(lane)
            self._after_io.start(self._after_reading)
            return
        if lane.worker is not None:
            worker, lane.worker = lane.worker, None
            if self._ready or self._resting:
                self._call_turn()  # should it block, others go on
        elif self._idle:
            worker = self._idle.pop()
        else:
            worker = _Worker(self._work, parent=self._hub)
            self._workers.append(worker)
            worker.pump, worker.watch = self, Stopwatch()
        worker.switch(lane)

    def _after_reading(self) -> None:
        self._turn(after_reading=True)

    def _next(self, now: float) -> Lane | None:
        """Those in the middle of an item are served in every second turn at least."""
        self._resting_first = not self._resting_first
        if self._resting_first and self._resting:
            return self._resting.next(now)
        if self._idle or len(self._workers) < self._max_workers:
            return self._ready.next(now) or self._resting.next(now)
        return self._resting.next(now)

    def _work(self, lane: Lane | None) -> None:
        me: Any = getcurrent()
        ready = self._ready
        while True:
            now = me.watch.start()
            until = now + _SLICE
            while lane is not None:
                # Should this lane block, the next turn of the hub finds another worker.
                if ready.modest or ready.greedy:
                    self._call_turn()
                now = self._serve(me, lane, now)
                lane = ready.next(now) if now < until else None
            self._idle.append(me)
            if self._ready or self._resting:
                self._after_io.start(self._after_reading)  # a callback would come before reading
            lane = self._hub.switch()

    def _serve(self, me: "_Worker", lane: Lane, now: float) -> float:
        """Handle some of a lane's items, and say what time it is then."""
        items, handle = lane.items, lane.handle
        watch = me.watch
        me.lane, watch.since = lane, now
        held = False
        for _ in range(_TURN):
            if not items:
                break
            try:
                held = handle(items.pop(0)) is HOLD
            except Exception as error:  # noqa: BLE001 - one item's fault must not stop the lane
                bug(error)
            now = monotonic()
            if held or now - watch.since > _LANE_TIME:
                break
        if now - watch.since > NOTICED:
            lane.charge(watch.spent(now), now)
        if held:
            return now
        if items:
            self._ready.add(lane)
            self._call_turn()
            return now
        lane.busy = False
        if lane.drained is not None:
            drained, lane.drained = lane.drained, None
            drained()
        return now

    def rest(self, worker: "_Worker") -> None:
        """Called by a worker in the middle of an item: let others go first."""
        worker.lane.worker = worker
        self._resting.add(worker.lane)
        self._after_io.start(self._after_reading)
        self._hub.switch()


class _Worker(greenlet):  # type: ignore[misc]
    """`lane` is the one that it serves, and `watch` measures its work on that."""

    __slots__ = ("lane", "pump", "watch")

    pump: Pump
    lane: Lane
    watch: Stopwatch


def breathe() -> None:
    """Between the parts of a long job, where anything may change: let others go first.

    Cheap enough for every item of a list: somebody else is looked for after some milliseconds.
    """
    me, now = getcurrent(), monotonic()
    if not isinstance(me, _Worker):
        _wait_for_reading()
    elif now - me.watch.since > _LANE_TIME:
        me.lane.charge(me.watch.spent(now), now)
        me.pump.rest(me)
        me.watch.start()


def _wait_for_reading() -> None:
    hub: Any = get_hub()
    hub.wait(hub.loop.timer(0.0))  # sleep(0) would come back before


def _call(job: Callable[[], None]) -> None:
    job()
