"""What the main of a service needs that speaks XMPP: the store and a host, too."""

import os
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Final

from hausbote.base.log import Event, Word, log
from hausbote.base.memory import own_memory
from hausbote.base.settings import Settings
from hausbote.core.bus import Handler
from hausbote.core.clock import every
from hausbote.core.daemon import Daemon
from hausbote.core.exchange import from_bus
from hausbote.core.faults import silence_libraries
from hausbote.core.host import Host
from hausbote.net import front_socket, shortage
from hausbote.net.waiting import GreenletRoom
from hausbote.storage import StorageError, Store, bounds_of, open_store
from hausbote.xmpp.expat import outdated

_LOOK: Final = 60.0  # seconds between two looks at the clock


class Process(Daemon):
    """One running service; ends the process with a sentence if it cannot start."""

    def __init__(self, service: str, settings: Settings) -> None:
        super().__init__(service, settings)
        silence_libraries()
        self._store: Store | None = None

    def store(self) -> Store:
        """The box's store, waited for in greenlets."""
        try:
            self._store = open_store(
                self.settings.database_url,
                GreenletRoom(),
                bounds_of(self.settings),
                self.time.now,  # at once: by a clock that was reset all ids there are of the future
            )
        except StorageError as error:
            sys.exit(f"{self.service}: {error}")
        return self._store

    def give_time(self, host: Host) -> None:
        """The host and its neighbours go by the clock of this process."""
        for one in (host, *host.neighbours.values()):
            one.clock, one.certain = self.time.now, self.time.certain

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
        host.started = time.monotonic()
        old = outdated()
        if old:
            log(Event.XML_PARSER_OLD, version=Word(old))
        every(_LOOK, self.time.look)
        host.bus.on_status(
            lambda: (
                describe(host)
                | {"clock_doubted": self.time.is_doubted, "out_of_files": shortage.is_now()}
                | {"front_refused": front_socket.refusals()}
                | more()
            )
        )
        host.bus.on_notify(notified)
        self.serve(host.bus, handler or partial(from_bus, host), stop)
        if self._store is not None:
            self._store.close()


def describe(host: Host) -> dict[str, object]:
    """What `hausbote status` shows of a service."""
    return {
        "pid": os.getpid(),
        "uptime": host.uptime(),
        "memory": own_memory(),
        "sessions": host.directory.sessions,
        "handled": host.handled,
        "disk_full": host.store.reserve.is_low,
        "store_failed": host.store.failed_at,
    }
