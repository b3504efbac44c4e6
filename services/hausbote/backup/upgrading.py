"""Trying a new version on the box itself, and taking back everything that it has changed.

DIR/upgrade/phase says how far that is:

    saving   what is to be kept is being copied; nothing has changed
    trial    all is kept; the new version may change what it likes
    back     what was kept goes to its place again
    kept     the new version is in use
    over     it was taken back

Uploaded files are not copied: nobody removes one as long as the trial lasts, and a new one cannot
come, because nobody can reach what is tried.  Each phase can be done again after it was cut off.
"""

import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from hausbote.backup.errors import BackupError
from hausbote.backup.staging import copy_small_files
from hausbote.base.files import sync_directory, write_private
from hausbote.base.settings import Settings
from hausbote.base.trial import DIRECTORY
from hausbote.storage import (
    NEWEST,
    copy_of,
    forget_copy,
    go_on_from,
    keep_copy,
    keep_what_is_new,
    last_copy,
    path_of,
    put_back,
    undone_of,
    version_in,
)

_SAVED: Final = "saved"
_LEFT_OVER: Final = "left-over"  # what the trial has made of it
_PHASE: Final = "phase"

NONE: Final = ""
_SAVING: Final = "saving"
_TRIAL: Final = "trial"
_BACK: Final = "back"
_KEPT: Final = "kept"
_OVER: Final = "over"


@dataclass(frozen=True)
class Progress:
    """How far an upgrade is; `database` is the file's path."""

    phase: str = NONE
    database: str = ""


def progress(state: Path) -> Progress:
    """Of the last upgrade that was begun."""
    try:
        return Progress(**json.loads((state / DIRECTORY / _PHASE).read_text("utf-8")))
    except FileNotFoundError:
        return Progress()


def is_unfinished(state: Path) -> bool:
    """Whether what is there may be changed by a version that was only tried."""
    return progress(state).phase in (_TRIAL, _BACK)


def is_left_over(state: Path) -> bool:
    """Whether there is something for `recover` to do."""
    saved = (state / DIRECTORY / _SAVED).exists()
    return saved or progress(state).phase in (_SAVING, _TRIAL, _BACK)


def save(settings: Settings) -> None:
    """Keep what the trial may change.  The box does not run; StorageError or OSError if there is no
    room: then nothing has changed."""
    state, database = settings.state, path_of(settings.database_url)
    _clear(state)
    _set(state, Progress(_SAVING, str(database)))
    saved = state / DIRECTORY / _SAVED
    saved.mkdir(mode=0o700)
    keep_copy(database)
    copy_small_files(settings, saved)
    os.sync()  # all of it is on the disk before anything changes
    _set(state, Progress(_TRIAL, str(database)))


def take_back(state: Path) -> None:
    """Put back what was there before.  To be called by who is alone with the box."""
    now = progress(state)
    if now.phase not in (_TRIAL, _BACK):
        return
    _set(state, Progress(_BACK, now.database))
    database = Path(now.database)
    put_back(copy_of(database), database)
    _move_files_back(state)
    _set(state, Progress(_OVER))
    _clear(state)


def keep(state: Path) -> None:
    """The new version stays.  To be called by who is alone with the box."""
    now = progress(state)
    if now.phase != _TRIAL:
        return
    _set(state, Progress(_KEPT, now.database))
    _finish(state)


def recover(state: Path) -> str:
    """Take back, or finish, what was cut off; returns a sentence of it, "" if there was nothing.

    To be called by who is alone with the box while nobody is in charge of an upgrade.
    """
    now = progress(state)
    if is_unfinished(state):
        take_back(state)
        return "An upgrade was cut off while it was tried, and is taken back: the box is as before."
    if now.phase == _KEPT:
        _finish(state)
    elif now.phase == _SAVING:
        forget_copy(Path(now.database))
        _set(state, Progress(_OVER))
    _clear(state)
    return ""


def _finish(state: Path) -> None:
    keep_what_is_new(Path(progress(state).database))
    _clear(state)


def _move_files_back(state: Path) -> None:
    saved, left_over = state / DIRECTORY / _SAVED, state / DIRECTORY / _LEFT_OVER
    left_over.mkdir(mode=0o700, exist_ok=True)
    for entry in sorted(os.listdir(saved)) if saved.exists() else ():
        if os.path.lexists(state / entry):
            _remove(left_over / entry)
            os.rename(state / entry, left_over / entry)
        os.rename(saved / entry, state / entry)
    sync_directory(state)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _clear(state: Path) -> None:
    for name in (_SAVED, _LEFT_OVER):
        shutil.rmtree(state / DIRECTORY / name, ignore_errors=True)


def _set(state: Path, progress: Progress) -> None:
    place = state / DIRECTORY / _PHASE
    place.parent.mkdir(mode=0o700, exist_ok=True)
    part = place.with_suffix(".part")
    part.unlink(missing_ok=True)  # of one that was cut off
    write_private(part, json.dumps(asdict(progress)).encode(), durable=True)
    part.rename(place)
    sync_directory(place.parent)


def undo(settings: Settings) -> tuple[str, Path] | None:
    """Let the box have the database again that it had before a newer Hausbote migrated it; returns
    the name of that copy, and where the database is that was there.

    None if this Hausbote can use what there is.  BackupError if no such copy is kept.  To be called
    by who is alone with the box; can be done again after it was cut off.
    """
    database = path_of(settings.database_url)
    if database.exists() and version_in(database) <= NEWEST:
        return None
    copy, aside = last_copy(database), undone_of(database)
    if copy is None:
        raise BackupError(f"There is no copy of {database} that this Hausbote can read.")
    go_on_from(copy, settings.database_mark)
    put_back(copy, database, aside)
    return copy.name, aside
