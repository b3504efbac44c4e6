"""Files that a box can do without: old logs, and copies of the database from before updates."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from hausbote.base.settings import Settings
from hausbote.storage import copies_by_version, path_of, undone_of


def old_logs(settings: Settings) -> list[Path]:
    """What the supervisor has put aside when a log became too long."""
    return sorted(settings.log_dir.glob("*.log.[0-9]*"))


def backups(settings: Settings) -> list[Path]:
    """The database as it was before it was brought to another version, and the newer one that was
    given up for it, with what SQLite may have beside it."""
    database = path_of(settings.database_url)
    undone = database.parent.glob(f"{undone_of(database).name}*")
    return sorted([*copies_by_version(database).values(), *undone])


def size_of(paths: Iterable[Path]) -> int:
    """Bytes of all these files together; 0 for one that is not there."""
    return sum(_sizes(paths))


def _sizes(paths: Iterable[Path]) -> Iterator[int]:
    for path in paths:
        with suppress(OSError):
            yield path.stat().st_size


def remove(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
