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
    """What was asked for and is not begun yet; nothing if the disk does not say."""
    try:
        return sorted(os.listdir(run_dir / _DIRECTORY))
    except OSError:
        return []


def begin(run_dir: Path, task: str) -> bool:
    """It is being done, and is not to be done again; False if its file cannot be removed: then it
    is not to be done at all, or it would be done for ever."""
    try:
        (run_dir / _DIRECTORY / task).unlink(missing_ok=True)
    except OSError:
        return False
    return True
