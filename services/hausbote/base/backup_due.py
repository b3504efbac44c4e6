"""When the next backup is due, for whoever makes them: `hausbote run`, or the container of c2s.

The supervisor of that container has this loaded for ever, so it imports next to nothing.
"""

import json
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from hausbote.base.backup_places import Places

if TYPE_CHECKING:
    from hausbote.base.settings import Settings

FIRST: Final = 60.0  # seconds after the start, which is busy enough
AGAIN: Final = 3_600.0  # seconds until what failed is tried anew
CREATE: Final = ("backup", "create", "--quiet")  # arguments of hausbote
RECORD: Final = "record.json"
_HOUR: Final = 3_600.0


class Plan(NamedTuple):
    """One backup every `hours`; the box remembers in `directory` what became of them."""

    directory: str
    hours: int

    @classmethod
    def of(cls, settings: "Settings") -> "Plan | None":
        """None if no backups are made."""
        backup = settings.backup
        if not backup.repository or not backup.hours:
            return None
        return cls(str(settings.backup_dir), backup.hours)

    def is_due(self, now: float) -> bool:
        """Whether it is time; `now` is the clock's."""
        if not Places(Path(self.directory)).repository.exists():
            return False  # its owner must be told a password first; `status` says so
        return not 0 <= now - self._time("made_at") < self.hours * _HOUR

    def failed_at(self) -> float:
        """When the last attempt failed, 0 if it did not."""
        return self._time("failed_at")

    def note_failure(self, at: float, sentence: str) -> None:
        """An attempt failed and could not say so itself."""
        record: Any = import_module("hausbote.base.backup_record")
        record.note_failure(Path(self.directory), at, sentence)

    def _time(self, name: str) -> float:
        try:
            return float(json.loads((Path(self.directory) / RECORD).read_text("utf-8"))[name])
        except (OSError, ValueError, TypeError, KeyError):
            return 0.0
