"""What the owner asks for in the portal and `hausbote run` does, within some seconds: a file for
each in DIR/run/tasks.

The portal itself starts and ends nothing.  Where each service has a container of its own nobody
looks here.
"""

import os
from pathlib import Path
from typing import Final

BACKUP: Final = "backup"
_RESTART: Final = "restart-"
_DIRECTORY: Final = "tasks"


def restart_of(service: str) -> str:
    """The task to start a service again."""
    return _RESTART + service


def service_of(task: str) -> str:
    """The service that a task is to start again; "" if it is another task."""
    return task.removeprefix(_RESTART) if task.startswith(_RESTART) else ""


def ask_for(run_dir: Path, task: str) -> None:
    """OSError if the disk does not take it."""
    directory = run_dir / _DIRECTORY
    directory.mkdir(mode=0o700, exist_ok=True)
    (directory / task).touch(0o600)


def asked_for(run_dir: Path) -> list[str]:
    """What was asked for and is not begun yet."""
    try:
        return sorted(os.listdir(run_dir / _DIRECTORY))
    except FileNotFoundError:
        return []


def begin(run_dir: Path, task: str) -> None:
    """It is being done, and is not to be done again."""
    (run_dir / _DIRECTORY / task).unlink(missing_ok=True)
