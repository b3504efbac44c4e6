"""When the next backup is due, for whoever makes them: `hausbote run`, or the container of c2s."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from hausbote.base.backup_places import Places
from hausbote.base.backup_record import read_record, write_record

if TYPE_CHECKING:
    from hausbote.base.settings import Settings

FIRST: Final = 60.0  # seconds after the start, which is busy enough
AGAIN: Final = 3_600.0  # seconds until what failed is tried anew
CREATE: Final = ("backup", "create", "--quiet")  # arguments of hausbote
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
        last = read_record(Path(self.directory)).made_at
        return not 0 <= now - last < self.hours * _HOUR

    def failed_at(self) -> float:
        """When the last attempt failed, 0 if it did not."""
        return read_record(Path(self.directory)).failed_at

    def note_failure(self, at: float, sentence: str) -> None:
        """An attempt failed and could not say so itself."""
        with suppress(OSError):  # a full disk
            directory = Path(self.directory)
            record = replace(read_record(directory), failed_at=at, failure=sentence)
            write_record(directory, record)
