"""Frames that came from other services: each is handled once, in a worker."""

import time
from collections.abc import Callable
from typing import Final

import gevent

from hausbote.base.log import bug
from hausbote.core.bus import Handler
from hausbote.core.bus.cause import Cause
from hausbote.core.bus.frame import Frame
from hausbote.core.bus.inbox import Inbox
from hausbote.core.bus.lanes import Lanes
from hausbote.core.pump import Pump

_FINISH: Final = 2.0  # seconds that the frames at work may take
_WORKERS: Final = 64  # frames that are handled at once, most of them waiting for something


class Incoming:
    """The receiving end of a bus, whatever frames come over."""

    def __init__(self) -> None:
        self.handler: Handler = lambda _: ()
        self._inbox = Inbox()
        self._pump = Pump(_WORKERS)
        self._lanes: dict[str, Lanes] = {}
        self._stopped = self._handled = False

    @property
    def is_at_work(self) -> bool:
        """Whether something may still be acknowledged."""
        return self._inbox.busy and not self._handled

    def take(self, sender: str, frame: Frame, acknowledge: Callable[[str], None]) -> None:
        """A frame of a service; `acknowledge` is called with its id when it is done."""
        if self._stopped or not self._inbox.enter(frame.id, acknowledge):
            return
        lanes = self._lanes.get(sender)
        if lanes is None:
            lanes = self._lanes[sender] = Lanes(sender, self._pump, self._work)
        lanes.put(frame)

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
        self._pump.kill()

    def _work(self, frame: Frame) -> None:
        cause = Cause(frame.id, lambda: self._inbox.leave(frame.id))
        try:
            cause.run(lambda: self.handler(frame))
        except Exception as error:  # noqa: BLE001 - one frame's fault must not stop the bus
            bug(error)
