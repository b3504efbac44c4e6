"""python -m hausbote.rooms --state DIR: runs the service until it is told to stop."""

import sys
from typing import Final

import gevent

from hausbote.base.log import bug
from hausbote.base.memory import Rests
from hausbote.core.clock import every
from hausbote.core.host import Host
from hausbote.core.process import Process
from hausbote.rooms.house import house_of
from hausbote.rooms.news import circle_changed
from hausbote.rooms.service import build_host

_HOUR: Final = 3_600
_REST: Final = 5.0  # seconds without anything to do


def main() -> int:
    process = Process.from_command_line("rooms")
    host = build_host(process.settings, process.store(), process.open_bus)
    process.give_time(host)
    gevent.spawn(expire_hourly, host)
    rests = Rests()
    every(_REST, lambda: rests.look(host.handled))
    process.run(host, notified=lambda message: circle_changed(host, message))
    return 0


def expire_hourly(host: Host) -> None:
    """Forget old messages now and every hour."""
    while True:
        try:
            house_of(host).expire()
        except Exception as error:  # noqa: BLE001 - a full disk now may have room in an hour
            bug(error)
        gevent.sleep(_HOUR)


if __name__ == "__main__":
    sys.exit(main())
