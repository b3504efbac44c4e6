"""What the container of c2s does for the box, inside its supervisor: it begins backups when they
are due, and forgets what was there before a restore once everything serves.

Where there are no containers, `hausbote run` does both.  An extension of
`base/container_supervisor.py`; a backup is a process of the supervisor's, which starts none of
these by itself.
"""

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from supervisor import events
from supervisor.states import RUNNING_STATES

from hausbote.backup.swap import forget_previous, is_kept
from hausbote.base.backup_due import AGAIN, FIRST, Plan
from hausbote.base.container_watch import tell
from hausbote.base.locks import RUNNING, holder_says
from hausbote.base.trial import TRIAL

BOX: Final = "HAUSBOTE_KEPT_BOX"  # in the environment: JSON, the parameters of Keeping
PROGRAM: Final = "backup"  # of the supervisor


class Keeping:
    """`look` now and then; `wanted` are the services that the box has."""

    def __init__(
        self,
        state: str,
        bus: str,
        wanted: list[str],
        plan: list[Any] | None,
        *,
        clock: Callable[[], float] = time.time,
        counter: Callable[[], float] = time.monotonic,
    ) -> None:
        self._state = Path(state)
        self._bus = Path(bus)
        self._wanted = wanted
        self._plan = None if plan is None else Plan(*plan)
        self._clock = clock
        self._counter = counter
        self._next_look = counter() + FIRST
        self._is_busy = False
        self._failed_before = 0.0  # as the record has it

    def look(self, process: Any) -> None:
        """`process` is the supervisor's, of backups."""
        if is_kept(self._state) and self._all_serve():
            # Many files may go, and the supervisor has services to look after.
            threading.Thread(target=forget_previous, args=(self._state,), daemon=True).start()
            tell("The box was restored and serves: what was kept from before is removed.")
        if self._plan is not None:
            self._look_at_backups(self._plan, process)

    def _all_serve(self) -> bool:
        return all(holder_says(self._bus, name) == RUNNING for name in self._wanted)

    def _look_at_backups(self, plan: Plan, process: Any) -> None:
        if process.get_state() in RUNNING_STATES:
            return
        if self._is_busy:
            self._is_busy = False
            self._see(plan, process.exitstatus)
        elif self._counter() >= self._next_look and plan.is_due(self._clock()):
            self._failed_before = plan.failed_at()
            # What fails is not tried again at once, and neither is what says that it succeeded.
            self._next_look = self._counter() + AGAIN
            self._is_busy = True
            process.spawn()

    def _see(self, plan: Plan, code: int | None) -> None:
        if code and plan.failed_at() == self._failed_before:  # it was killed, say for its memory
            plan.note_failure(self._clock(), f"Its process ended with code {code}.")


def extend(supervisord: Any) -> None:
    """Be called from now on."""
    keeping = Keeping(**json.loads(os.environ[BOX]))

    def tick(_event: object) -> None:
        if not os.environ.get(TRIAL):
            keeping.look(supervisord.process_groups[PROGRAM].processes[PROGRAM])

    events.subscribe(events.Tick5Event, tick)
