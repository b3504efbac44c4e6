"""python -m hausbote.base.idle SETTINGS SEEN PROGRAM ARGUMENT...: a container with nothing to do.

By its settings the box does without the service.  This waits until the file of the settings is
another one than was SEEN, and then becomes PROGRAM, which looks at them.  It stays for as long as
the box does, so it imports next to nothing.
"""

import os
import signal
import sys
import time
from importlib import import_module
from typing import Final

_TRIAL: Final = "HAUSBOTE_TRIAL"  # as in base/trial.py, which is imported when it is needed
_LOOK: Final = 5.0  # seconds


def state_of(path: str) -> str:
    """Something that changes with the file."""
    try:
        found = os.stat(path)
    except OSError:
        return ""
    return f"{found.st_ino}-{found.st_mtime_ns}"


def main(arguments: list[str]) -> None:
    """For ever, or until the container is stopped; in a trial, until nobody is in charge of it."""
    settings, seen, *program = arguments
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # the first process has no default
    while state_of(settings) == seen:
        if os.environ.get(_TRIAL) and not _is_conducted(settings):
            sys.exit(0)
        time.sleep(_LOOK)
    os.execv(program[0], program)  # noqa: S606 - whoever became this


def _is_conducted(settings: str) -> bool:
    path = import_module("pathlib").Path(settings).parent
    return bool(import_module("hausbote.base.trial").is_conducted(path))


if __name__ == "__main__":
    main(sys.argv[1:])
