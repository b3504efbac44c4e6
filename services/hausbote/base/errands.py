"""What the owner asks for in the portal and `hausbote run` does, within some seconds: a file for
each in DIR/run/errands.

The portal itself starts and ends nothing.  Where each service has a container of its own nobody
looks here.
"""

import os
from pathlib import Path
from typing import Final

BACKUP: Final = "backup"
_RESTART: Final = "restart-"
_DIRECTORY: Final = "errands"


def restart_of(service: str) -> str:
    """The errand to start a service again."""
    return _RESTART + service


def service_of(errand: str) -> str:
    """The service that an errand is to start again; "" if it is another errand."""
    return errand.removeprefix(_RESTART) if errand.startswith(_RESTART) else ""


def ask_for(run_dir: Path, errand: str) -> None:
    """OSError if the disk does not take it."""
    directory = run_dir / _DIRECTORY
    directory.mkdir(mode=0o700, exist_ok=True)
    (directory / errand).touch(0o600)


def asked_for(run_dir: Path) -> list[str]:
    """What was asked for and is not begun yet."""
    try:
        return sorted(os.listdir(run_dir / _DIRECTORY))
    except FileNotFoundError:
        return []


def begin(run_dir: Path, errand: str) -> None:
    """It is being done, and is not to be done again."""
    (run_dir / _DIRECTORY / errand).unlink(missing_ok=True)
