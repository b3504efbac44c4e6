"""What every service's main needs: settings, store, bus, signals."""

import argparse
import gc
import os
import resource
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import gevent
from gevent.event import Event as Signal

from hausbote.base.log import Event, log, set_level
from hausbote.base.settings import Settings, SettingsError
from hausbote.core.bus import Bus, BusError, Handler, open_bus
from hausbote.core.bus.frame import Frame
from hausbote.core.exchange import from_bus
from hausbote.core.host import Host
from hausbote.net.waiting import GreenletRoom
from hausbote.storage import StorageError, Store, open_store


class Process:
    """One running service; ends the process with a sentence if it cannot start."""

    def __init__(self, service: str, settings: Settings) -> None:
        self.service = service
        self.settings = settings
        self._stop = Signal()
        self._store: Store | None = None
        set_level(settings.log.level)
        _raise_file_limit()

    @classmethod
    def from_command_line(cls, service: str) -> "Process":
        """`--state DIR` and nothing else."""
        parser = argparse.ArgumentParser(prog=f"hausbote.{service}")
        parser.add_argument("--state", type=Path, required=True)
        state = parser.parse_args().state
        try:
            return cls(service, Settings.load(state))
        except SettingsError as error:
            sys.exit("\n".join(error.problems))

    def store(self) -> Store:
        """The box's store, waited for in greenlets."""
        try:
            self._store = open_store(self.settings.database_url, GreenletRoom())
        except StorageError as error:
            sys.exit(f"{self.service}: {error}")
        return self._store

    def open_bus(self, undeliverable: Callable[[str, Frame], None]) -> Bus:
        """This service's end of the bus."""
        try:
            return open_bus(self.settings.bus_url, self.service, undeliverable)
        except BusError as error:
            sys.exit(f"{self.service}: {error}")

    def on_reload(self, reload: Callable[[], None]) -> None:
        """What SIGHUP does."""
        gevent.signal_handler(signal.SIGHUP, reload)

    def run(
        self,
        host: Host,
        stop: Callable[[], None] = lambda: None,
        notified: Callable[[dict[str, str]], None] = lambda _: None,
        handler: Handler | None = None,
        more: Callable[[], dict[str, object]] = dict,
    ) -> None:
        """Serve until SIGTERM or SIGINT, then `stop` and leave nothing half done.

        `handler` takes frames instead of the dispatcher; `more` is what there is to tell besides.
        """
        host.started = host.clock()
        host.bus.on_status(lambda: describe(host) | more())
        host.bus.on_notify(notified)
        try:
            host.bus.serve(handler or partial(from_bus, host))
        except BusError as error:
            sys.exit(f"{self.service}: {error}")
        for number in (signal.SIGTERM, signal.SIGINT):
            gevent.signal_handler(number, self._stop.set)
        gc.collect()
        gc.freeze()  # what is there now stays: collections need not look at it again
        log(Event.SERVICE_STARTED)
        self._stop.wait()
        log(Event.SERVICE_STOPPING)
        stop()
        gevent.sleep(0.2)  # for the goodbyes to leave
        host.bus.close()
        if self._store is not None:
            self._store.close()


def describe(host: Host) -> dict[str, object]:
    """What `hausbote status` shows of a service."""
    return {
        "pid": os.getpid(),
        "uptime": host.uptime(),
        "sessions": host.directory.sessions,
        "handled": host.handled,
    }


def _raise_file_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
