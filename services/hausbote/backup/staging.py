"""The copy of a box that a backup is made of: DIR/backup/box has everything but uploaded files.

Those never change, and are read where they are.  All else is small, but for the database, and is
copied at one time: what restic reads cannot change under it.  Whatever is in the state directory is
copied, so that what a later Hausbote keeps there is not forgotten.
"""

import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from hausbote import __version__
from hausbote.backup.errors import BackupError
from hausbote.base.backup_places import Places
from hausbote.base.settings import Settings
from hausbote.storage import (
    Copy,
    StorageError,
    copy_database,
    copy_small_database,
    path_of,
)

DATABASE: Final = "hausbote.db"
_SQLITE: Final = b"SQLite format 3\0"
# In the state directory: what is made anew, what belongs to this machine, and what is copied below.
_NOT_COPIED: Final = frozenset(
    ("run", "log", "uploads", "backup", "restore", "upgrade", "box.lock", "clock.mark", "health")
)
_LARGEST: Final = 64 * 1024 * 1024  # bytes of one other file; more is none of the box's own


@dataclass(frozen=True)
class Manifest:
    """What is in a backup, told when it was made.

    `rows` has the number of rows of every table, `files` the SHA-256 of every file of the box but
    the uploaded ones, whose sums are in the database.
    """

    program: str
    domain: str
    at: float
    rows: dict[str, int]
    files: dict[str, str]

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> "Manifest":
        """BackupError if it is none."""
        try:
            return cls(**json.loads(text))
        except (ValueError, TypeError):
            raise BackupError("This backup has no manifest that can be read.") from None


def stage(settings: Settings, at: float) -> list[str]:
    """Make the copy in DIR/backup; returns sentences of what is not in it.

    The database comes first: files that it names are on the disk by then.  BackupError if there is
    no room, or something cannot be read; what was made by then is left.
    """
    places = Places(settings.backup_dir)
    box = places.box
    unstage(settings)
    try:
        box.mkdir(mode=0o700)
        copy_database(path_of(settings.database_url), box / DATABASE, settings.disk.reserve_bytes)
        left_out = copy_small_files(settings, box)
        rows = _rows(box / DATABASE)
        files = {str(path.relative_to(box)): digest(path) for path in files_in(box)}
        manifest = Manifest(__version__, settings.domain, at, rows, files)
        places.manifest.write_text(manifest.to_json(), "utf-8")
    except StorageError as error:
        raise BackupError(f"The backup was not made: {error}.") from None
    except OSError as error:
        raise BackupError(
            f"The backup was not made: {error.filename or box}: {error.strerror}."
        ) from None
    return [*left_out, *_outside(settings)]


def _rows(database: Path) -> dict[str, int]:
    """Of all tables; none of a database that is damaged: what there is of it is backed up all the
    same, and found not to be good when that is verified."""
    try:
        copied = Copy(database)
    except StorageError:
        return {}
    try:
        return copied.rows()
    except StorageError:
        return {}
    finally:
        copied.close()


def unstage(settings: Settings) -> None:
    """Remove the copy, also one that was begun by a process that was killed."""
    places = Places(settings.backup_dir)
    shutil.rmtree(places.box, ignore_errors=True)
    places.manifest.unlink(missing_ok=True)


def files_in(directory: Path) -> Iterator[Path]:
    """All files below it that are no links, in order."""
    for path in sorted(directory.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def copy_small_files(settings: Settings, box: Path) -> list[str]:
    """Copy everything but the database, uploaded files and what is made anew; returns sentences of
    what is not in it."""
    return list(_copy_all(settings, box))


def _copy_all(settings: Settings, box: Path) -> Iterator[str]:
    database = path_of(settings.database_url).name
    for entry in sorted(os.listdir(settings.state)):
        if entry not in _NOT_COPIED and not entry.startswith(database):
            yield from _copy(settings.state / entry, box / entry)
    environment = Places(settings.backup_dir).environment
    if environment.exists():
        (box / settings.backup_dir.name).mkdir(mode=0o700)
        yield from _copy(environment, box / settings.backup_dir.name / environment.name)


def _copy(source: Path, target: Path) -> Iterator[str]:
    """A file, a link, or a directory with all that is in it; what cannot be kept is told, and what
    is gone by now is left out."""
    try:
        yield from _copy_there(source, target)
    except FileNotFoundError:
        if source.exists():
            raise


def _copy_there(source: Path, target: Path) -> Iterator[str]:
    status = source.lstat()
    if stat.S_ISLNK(status.st_mode):
        target.symlink_to(os.readlink(source))
    elif stat.S_ISDIR(status.st_mode):
        target.mkdir(mode=0o700)
        for entry in sorted(os.listdir(source)):
            yield from _copy(source / entry, target / entry)
    elif not stat.S_ISREG(status.st_mode):
        return  # a socket, say
    elif status.st_size > _LARGEST:
        yield f"{source} is not in the backup: it is larger than all that belongs to a box."
    elif _is_database(source):
        copy_small_database(source, target)
    elif not _is_of_database(source):
        shutil.copyfile(source, target)
        target.chmod(stat.S_IMODE(status.st_mode) & 0o700)


def _is_database(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_SQLITE)) == _SQLITE


def _is_of_database(path: Path) -> bool:
    """Whether this is the log of a database beside it, which is in the copy of that."""
    name, dash, kind = path.name.rpartition("-")
    return bool(dash) and kind in ("wal", "shm", "journal") and path.with_name(name).exists()


def _outside(settings: Settings) -> Iterator[str]:
    """What the settings name that is not in the state directory."""
    tls = settings.tls
    named = [("tls.certificate", tls.certificate), ("tls.key", tls.key)]
    for key, name in [*named, *(("tls.trust", name) for name in tls.trust)]:
        if not settings.path(name).is_relative_to(settings.state):
            yield f"{key}: {name} is not in the backup: it is outside of {settings.state}."
