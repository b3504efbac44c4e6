"""What the main of a service needs that handles frames: settings, bus, signals.

Services that speak XMPP use `core.process`, which is more and loads more.
"""

import argparse
import gc
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

import gevent
from gevent.event import Event as Signal

from hausbote.base.believed_clock import BelievedClock
from hausbote.base.log import Event, log, set_level
from hausbote.base.parent import end_with_parent
from hausbote.base.settings import Settings, SettingsError
from hausbote.core.bus import Bus, BusError, Handler, open_bus
from hausbote.core.bus.frame import Frame
from hausbote.core.faults import report_faults

# When the three generations are collected.  Python's own (700, 10, 10) looked through all of 5,000
# clients every four seconds, 0.2 s each time, and found nothing: circles are few here, and ended
# where they are made.
_COLLECTIONS: Final = (700, 10, 200)


class Daemon:
    """One running service; ends the process with a sentence if it cannot start."""

    def __init__(self, service: str, settings: Settings) -> None:
        self.service = service
        self.settings = settings
        self.time = BelievedClock(settings.clock_mark)
        self._stop = Signal()
        set_level(settings.log.level)
        _raise_file_limit()

    @classmethod
    def from_command_line(cls, service: str) -> Self:
        """`--state DIR` and nothing else; faults are told by the log from here on."""
        end_with_parent()
        report_faults()
        parser = argparse.ArgumentParser(prog=f"hausbote.{service}")
        parser.add_argument("--state", type=Path, required=True)
        state = parser.parse_args().state
        try:
            return cls(service, Settings.load(state))
        except SettingsError as error:
            sys.exit("\n".join(error.problems))

    def open_bus(self, undeliverable: Callable[[str, Frame], None]) -> Bus:
        """This service's end of the bus."""
        try:
            return open_bus(self.settings.bus_url, self.service, undeliverable)
        except BusError as error:
            sys.exit(f"{self.service}: {error}")

    def on_reload(self, reload: Callable[[], None]) -> None:
        """What SIGHUP does."""
        gevent.signal_handler(signal.SIGHUP, reload)

    def serve(self, bus: Bus, handler: Handler, stop: Callable[[], None]) -> None:
        """Serve until SIGTERM or SIGINT, then `stop` and leave nothing half done."""
        try:
            bus.serve(handler)
        except BusError as error:
            sys.exit(f"{self.service}: {error}")
        for number in (signal.SIGTERM, signal.SIGINT):
            gevent.signal_handler(number, self._stop.set)
        gc.collect()
        gc.freeze()  # what is there now stays: collections need not look at it again
        gc.set_threshold(*_COLLECTIONS)
        log(Event.SERVICE_STARTED)
        self._stop.wait()
        log(Event.SERVICE_STOPPING)
        stop()
        gevent.sleep(0.2)  # for the goodbyes to leave
        bus.close()


def _raise_file_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
