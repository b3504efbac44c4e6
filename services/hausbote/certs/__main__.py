"""python -m hausbote.certs --state DIR: runs the service until it is told to stop.

It only waits for the time; the work is done by a process of its own, so this one stays small.
"""

import os
import sys
import time

import gevent

from hausbote.certs.schedule import Schedule
from hausbote.core.daemon import Daemon


def main() -> int:
    daemon = Daemon.from_command_line("certs")
    bus = daemon.open_bus(lambda _service, _frame: None)  # it sends nothing
    schedule = Schedule(daemon.settings, daemon.time)
    started = time.monotonic()
    bus.on_status(
        lambda: {
            "pid": os.getpid(),
            "uptime": int(time.monotonic() - started),
            "handled": schedule.handled,
            "clock_doubted": daemon.time.is_doubted,
        }
    )
    clock = gevent.spawn(schedule.watch)
    daemon.serve(bus, lambda _frame: (), stop=schedule.stop)
    clock.kill()
    return 0


if __name__ == "__main__":
    sys.exit(main())
