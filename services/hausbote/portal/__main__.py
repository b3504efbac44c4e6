"""python -m hausbote.portal --state DIR: runs the service until it is told to stop."""

import os
import sys
import time

from hausbote.base.log import Event, log
from hausbote.base.memory import own_memory
from hausbote.core.bus import BusError
from hausbote.core.clock import every
from hausbote.core.daemon import Daemon
from hausbote.core.faults import silence_libraries
from hausbote.net.tls import CertificateError
from hausbote.net.waiting import GreenletRoom
from hausbote.portal.application import PortalApplication
from hausbote.portal.asking import Asking
from hausbote.portal.box import Box
from hausbote.portal.metrics import Metrics
from hausbote.portal.web import Web
from hausbote.storage import StorageError, bounds_of, open_store

_FLUSH = 60.0  # seconds until it is written when somebody was here


def main() -> int:
    daemon = Daemon.from_command_line("portal")
    settings = daemon.settings
    silence_libraries()
    asking = Asking()
    try:
        store = open_store(
            settings.database_url, GreenletRoom(), bounds_of(settings), daemon.time.now
        )
        box = Box(settings, store, asking, daemon.time.now)
        web = Web(settings, PortalApplication(box))
        web.start()
    except (StorageError, CertificateError, BusError, OSError) as error:
        print(f"portal: {error}", file=sys.stderr)
        return 1
    if not box.is_claimed:
        log(Event.UNCLAIMED)
    bus = asking.bus = daemon.open_bus(lambda _service, _frame: None)
    started = time.monotonic()

    def describe() -> dict[str, object]:
        return {
            "pid": os.getpid(),
            "uptime": int(time.monotonic() - started),
            "memory": own_memory(),
            "handled": box.views,
            "disk_full": store.reserve.is_low,
            "store_failed": store.failed_at,
        }

    bus.on_status(describe)
    try:
        web.serve_figures(Metrics(box, describe))
    except BusError as error:
        print(f"portal: {error}", file=sys.stderr)
        return 1
    every(_FLUSH, store.flush)
    daemon.on_reload(web.reload_certificates)
    daemon.serve(bus, asking.take, stop=web.stop)
    store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
