"""python -m hausbote.turn --state DIR: runs the service until it is told to stop.

It knows nothing of XML, TLS and the store, and so it stays small.
"""

import sqlite3
import sys
import time
from typing import Final

import gevent

from hausbote.base.log import Event, bug, log
from hausbote.core.bus import Bus
from hausbote.core.daemon import Daemon
from hausbote.turn.desk import Desk
from hausbote.turn.offers import is_available
from hausbote.turn.secrets import secrets_of
from hausbote.turn.service import handler, tell_of_change
from hausbote.turn.web import Web

_TEND: Final = 60.0  # seconds


def main() -> int:
    daemon = Daemon.from_command_line("turn")
    secrets = secrets_of(daemon.settings)
    try:
        secrets.make(time.time())
        desk = Desk(daemon.settings, secrets)
        web = Web(daemon.settings, desk)
        web.start()
    except (sqlite3.Error, OSError) as error:
        print(f"turn: {error}", file=sys.stderr)
        return 1
    if not is_available(daemon.settings) and daemon.settings.relay.run == "here":
        log(Event.RELAY_MISSING)
    bus = daemon.open_bus(lambda _service, _frame: None)  # whoever asked is gone: nobody misses it
    started = time.time()
    bus.on_status(lambda: {"uptime": int(time.time() - started), "handled": desk.handled})
    bus.on_notify(lambda _: tend(desk, bus))
    clock = gevent.spawn(_watch, desk, bus)
    daemon.serve(bus, handler(desk, lambda: bus), stop=web.stop)
    clock.kill()
    return 0


def tend(desk: Desk, bus: Bus) -> None:
    """Look after the secret; people are told if theirs is void."""
    if desk.tend():
        tell_of_change(bus)


def _watch(desk: Desk, bus: Bus) -> None:
    while True:
        gevent.sleep(_TEND)
        try:
            tend(desk, bus)
        except Exception as fault:  # noqa: BLE001 - the clock must go on
            bug(fault)


if __name__ == "__main__":
    sys.exit(main())
