"""python -m hausbote.turn --state DIR: runs the service until it is told to stop.

It knows nothing of XML, TLS and the store, and so it stays small.
"""

import os
import sqlite3
import sys
import time

import gevent

from hausbote.base.log import Event, log
from hausbote.base.memory import own_memory
from hausbote.core.bus import BusError
from hausbote.core.daemon import Daemon
from hausbote.turn.caretaker import Caretaker
from hausbote.turn.desk import Desk
from hausbote.turn.offers import is_available
from hausbote.turn.secrets import secrets_of
from hausbote.turn.service import handler
from hausbote.turn.web import Web


def main() -> int:
    daemon = Daemon.from_command_line("turn")
    secrets = secrets_of(daemon.settings)
    try:
        secrets.make(time.time())
        desk = Desk(daemon.settings, secrets, surely=daemon.time.certain)
        web = Web(daemon.settings, desk)
        web.start()
    except (sqlite3.Error, OSError, BusError) as error:
        print(f"turn: {error}", file=sys.stderr)
        return 1
    if not is_available(daemon.settings) and daemon.settings.relay.run == "here":
        log(Event.RELAY_MISSING)
    bus = daemon.open_bus(lambda _service, _frame: None)  # whoever asked is gone: nobody misses it
    started = time.monotonic()
    bus.on_status(
        lambda: {
            "pid": os.getpid(),
            "uptime": int(time.monotonic() - started),
            "memory": own_memory(),
            "handled": desk.handled,
        }
    )
    caretaker = Caretaker(daemon.settings, desk, bus)
    bus.on_notify(lambda _: caretaker.look())
    clock = gevent.spawn(caretaker.watch)
    daemon.serve(bus, handler(desk, lambda: bus), stop=web.stop)
    clock.kill()
    return 0


if __name__ == "__main__":
    sys.exit(main())
