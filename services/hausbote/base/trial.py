"""An upgrade that is tried: who is in charge of it, and which containers are the trial.

A process in a container, `hausbote upgrade conduct`, holds the lock DIR/upgrade/conductor.lock for
as long as `make upgrade` lives on the machine.  While it does, the box's own containers wait; when
it is gone, however that came, those that were tried end, and the first of the others takes back
what the trial has changed.
"""

import os
from pathlib import Path
from typing import Final

from hausbote.base.locks import ServiceLock, holder_says

TRIAL: Final = "HAUSBOTE_TRIAL"  # in the environment of containers that are tried: not empty
DIRECTORY: Final = "upgrade"  # in the state directory
_CONDUCTOR: Final = "conductor"


def is_trial() -> bool:
    """Whether this process is part of what is tried."""
    return bool(os.environ.get(TRIAL))


def is_conducted(state: Path) -> bool:
    """Whether somebody is in charge of an upgrade of this box."""
    return holder_says(state / DIRECTORY, _CONDUCTOR) is not None


def take_charge(state: Path) -> ServiceLock | None:
    """Be in charge until the lock is given up or this process ends; None if somebody else is."""
    (state / DIRECTORY).mkdir(mode=0o700, exist_ok=True)
    return ServiceLock.take(state / DIRECTORY, _CONDUCTOR)
