"""The backups that `hausbote run` makes by itself: a process of their own, now and then."""

import os
import subprocess
import sys
import time
from collections.abc import Callable

from hausbote.base.backup_due import AGAIN, CREATE, FIRST, Plan
from hausbote.base.parent import PARENT
from hausbote.base.settings import Settings


class Schedule:
    """`look` every few seconds; times of backups are the clock's, the rest is `counter`'s."""

    def __init__(
        self,
        settings: Settings,
        clock: Callable[[], float] = time.time,
        counter: Callable[[], float] = time.monotonic,
    ) -> None:
        self._state = str(settings.state)
        self._plan = Plan.of(settings)
        self._record = Plan(str(settings.backup_dir), settings.backup.hours)
        self._wanted = False  # somebody wants one now
        self._clock = clock
        self._counter = counter
        self._next_look = counter() + FIRST
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

    def make_one_now(self) -> None:
        """At the next look, unless one is being made; also if none are made by themselves."""
        self._wanted = True

    def look(self) -> None:
        """Begin a backup that is due or wanted, and see whether one has ended."""
        if self._child is not None:
            self._see(self._child)
        elif self._wanted or self._is_due:
            self._begin()

    @property
    def _is_due(self) -> bool:
        if self._plan is None or self._counter() < self._next_look:
            return False
        return self._plan.is_due(self._clock())

    def _begin(self) -> None:
        self._wanted = False
        self._failed_before = self._record.failed_at()
        # What fails is not tried again at once, and neither is what says that it succeeded.
        self._next_look = self._counter() + AGAIN
        self._child = subprocess.Popen(
            [sys.executable, "-m", "hausbote.cli", "--state", self._state, *CREATE],
            env=os.environ | {PARENT: str(os.getpid())},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _see(self, child: subprocess.Popen[bytes]) -> None:
        code = child.poll()
        if code is None:
            return
        self._child, self._wanted = None, False
        if code and self._record.failed_at() == self._failed_before:  # killed, say for its memory
            self._record.note_failure(self._clock(), f"Its process ended with code {code}.")
