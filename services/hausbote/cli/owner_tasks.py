"""The tasks of the portal: `hausbote run` starts one service again, or makes a backup now."""

import time
from collections.abc import Callable
from typing import Any, Final

from hausbote.base.owner_tasks import BACKUP, asked_for, begin, service_of
from hausbote.base.services import ours
from hausbote.base.settings import Settings
from hausbote.cli.backup_schedule import Schedule
from hausbote.cli.supervision import send_signal
from hausbote.cli.watch import Watch

_PATIENCE: Final = 20.0  # seconds that a service has to end by itself


class OwnerTasks:
    """`look` every few seconds; what was asked for before the start is forgotten."""

    def __init__(
        self,
        settings: Settings,
        watch: Watch,
        schedule: Schedule,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._watch = watch
        self._schedule = schedule
        self._clock = clock
        self._ending: dict[str, tuple[int, float]] = {}  # the process that ends, and until when
        for task in asked_for(settings.run_dir):
            begin(settings.run_dir, task)

    def look(self, processes: list[dict[str, Any]]) -> None:
        """`processes` is what the supervisor says of the services, which it starts again."""
        pids = {one["name"]: one["pid"] for one in processes if one["pid"]}
        for task in asked_for(self._settings.run_dir):
            if not begin(self._settings.run_dir, task):
                continue
            service = service_of(task)
            if task == BACKUP:
                self._schedule.make_one_now()
            elif service in ours(self._settings) and service in pids:
                self._ending[service] = pids[service], self._clock() + _PATIENCE
                self._watch.expect_end(service)
                send_signal(self._settings, service, "TERM")
        for service, (pid, until) in list(self._ending.items()):
            if pids.get(service) != pid:
                del self._ending[service]
            elif self._clock() > until:
                send_signal(self._settings, service, "KILL")
