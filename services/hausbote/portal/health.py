"""Whether the box is well, for programs: every service answers, and what comes can be kept."""

import time
from collections.abc import Callable
from typing import Any, Final

from hausbote.base.services import ours
from hausbote.base.settings import Settings
from hausbote.core.bus import query_status
from hausbote.storage import Store

_OURSELVES: Final = "portal"
_KEPT: Final = 5.0  # seconds for which one look counts, however many ask


class Health:
    """`compute` does in a thread what may take long."""

    def __init__(self, settings: Settings, store: Store, compute: Callable[..., Any]) -> None:
        self._settings = settings
        self._store = store
        self._compute = compute
        self._asked = [name for name in ours(settings) if name != _OURSELVES]
        self._looked = 0.0
        self._well = False

    def is_well(self) -> bool:
        now = time.monotonic()
        if not self._looked or now - self._looked > _KEPT:
            # First: others who ask meanwhile get the last answer, and the first time a good one.
            self._well = self._well or not self._looked
            self._looked = now
            answers = self.ask().values()
            fails = self._store.reserve.is_low or self._store.failed_at
            self._well = not fails and all(answer is not None for answer in answers)
        return self._well

    def ask(self) -> dict[str, dict[str, Any] | None]:
        """What every other service says of itself; None of one that does not answer."""

        def ask() -> dict[str, dict[str, Any] | None]:
            return {name: query_status(self._settings.bus_dir, name) for name in self._asked}

        found: dict[str, dict[str, Any] | None] = self._compute(ask)
        return found
