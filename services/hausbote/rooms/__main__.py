"""python -m hausbote.rooms --state DIR: runs the service until it is told to stop."""

import sys

from hausbote.core.process import Process
from hausbote.rooms.service import build_host


def main() -> int:
    process = Process.from_command_line("rooms")
    host = build_host(process.settings, process.store(), process.open_bus)
    process.run(host)
    return 0


if __name__ == "__main__":
    sys.exit(main())
