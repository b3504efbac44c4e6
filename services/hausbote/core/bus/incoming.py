"""Frames that came from other services: each is handled once, those of one service in its lane."""

import time
from collections.abc import Callable
from typing import Any, Final

import gevent
from gevent.event import Event as Signal

from hausbote.base.log import bug
from hausbote.core.bus import Handler
from hausbote.core.bus.cause import Cause
from hausbote.core.bus.frame import Frame
from hausbote.core.bus.inbox import Inbox
from hausbote.core.bus.line import Line

_FINISH: Final = 2.0  # seconds that the frames at work may take
_TURN: Final = 0.008  # seconds of handling frames, after which everything else has a turn


class Incoming:
    """The receiving end of a bus, whatever frames come over."""

    def __init__(self) -> None:
        self.handler: Handler = lambda _: ()
        self._inbox = Inbox()
        self._lanes: dict[str, _Lane] = {}
        self._stopped = self._handled = False

    @property
    def is_at_work(self) -> bool:
        """Whether something may still be acknowledged."""
        return self._inbox.busy and not self._handled

    def take(self, sender: str, frame: Frame, acknowledge: Callable[[str], None]) -> None:
        """A frame of a service; `acknowledge` is called with its id when it is done."""
        if self._stopped or not self._inbox.enter(frame.id, acknowledge):
            return
        lane = self._lanes.get(sender)
        if lane is None:
            lane = self._lanes[sender] = _Lane(Line(sender), self._work)
        lane.put(frame)

    def stop(self) -> None:
        """What arrives from here on is left unacknowledged, for our successor."""
        self._stopped = True

    def finish(self) -> None:
        """Take no more, and return when what is at work is done, or after some seconds."""
        self.stop()
        deadline = time.monotonic() + _FINISH
        while time.monotonic() < deadline and self._inbox.busy:
            gevent.sleep(0.01)
        self.handle_no_more()

    def handle_no_more(self) -> None:
        """What is not done by now is our successor's, too."""
        self._stopped = self._handled = True
        gevent.killall([lane.worker for lane in self._lanes.values()])

    def _work(self, frame: Frame) -> None:
        cause = Cause(frame.id, lambda: self._inbox.leave(frame.id))
        try:
            cause.run(lambda: self.handler(frame))
        except Exception as error:  # noqa: BLE001 - one frame's fault must not stop the bus
            bug(error)


class _Lane:
    """Frames of one service, one after the other."""

    def __init__(self, line: Line, work: Callable[[Frame], None]) -> None:
        self._line = line
        self._work = work
        self._due = Signal()
        self.worker: Any = gevent.spawn(self._run)

    def put(self, frame: Frame) -> None:
        self._line.put(frame)
        self._due.set()

    def _run(self) -> None:
        began = 0.0
        while True:
            frame = self._line.next()
            if frame is None:
                self._due.clear()
                self._due.wait()
                began = time.monotonic()
                continue
            self._work(frame)
            if time.monotonic() - began > _TURN:
                gevent.sleep()
                began = time.monotonic()
