"""The backups that `hausbote run` makes by itself: a process of their own, now and then."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Final

from hausbote.backup.making import is_ready, note_failure
from hausbote.base.backup_record import read_record
from hausbote.base.parent import PARENT
from hausbote.base.settings import Settings

_FIRST: Final = 60.0  # seconds after the start, which is busy enough
_AGAIN: Final = 3_600.0  # seconds until what failed is tried anew
_HOUR: Final = 3_600.0


class Schedule:
    """`look` every few seconds; times of backups are the clock's, the rest is `counter`'s."""

    def __init__(
        self,
        settings: Settings,
        clock: Callable[[], float] = time.time,
        counter: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._counter = counter
        self._next_look = counter() + _FIRST
        self._child: subprocess.Popen[bytes] | None = None
        self._failed_before = 0.0  # as the record has it

    @property
    def is_busy(self) -> bool:
        """Whether a backup is being made."""
        return self._child is not None

    def kill(self) -> None:
        """End the backup that is being made, if any."""
        if self._child is not None:
            self._child.kill()

    def look(self) -> None:
        """Begin a backup that is due, and see whether one has ended."""
        backup = self._settings.backup
        if not backup.repository or not backup.hours:
            return
        if self._child is not None:
            self._see(self._child)
        elif self._counter() >= self._next_look and self._is_due(backup.hours * _HOUR):
            self._begin()

    def _is_due(self, pause: float) -> bool:
        if not is_ready(self._settings):
            return False  # its owner must be told a password first; `status` says so
        last = read_record(self._settings.backup_dir).made_at
        return not 0 <= self._clock() - last < pause

    def _begin(self) -> None:
        self._failed_before = read_record(self._settings.backup_dir).failed_at
        # What fails is not tried again at once, and neither is what says that it succeeded.
        self._next_look = self._counter() + _AGAIN
        state = str(self._settings.state)
        self._child = subprocess.Popen(
            [sys.executable, "-m", "hausbote.cli", "--state", state, "backup", "create", "--quiet"],
            env=os.environ | {PARENT: str(os.getpid())},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _see(self, child: subprocess.Popen[bytes]) -> None:
        code = child.poll()
        if code is None:
            return
        self._child = None
        told = read_record(self._settings.backup_dir).failed_at != self._failed_before
        if code and not told:  # it was killed, say for its memory
            note_failure(self._settings, f"Its process ended with code {code}.")
