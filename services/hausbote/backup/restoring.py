"""Restoring a backup: beside the box first, then into its place."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

from hausbote.backup import swap, upgrading
from hausbote.backup.errors import BackupError
from hausbote.backup.fetching import Fetched, fetch, salvage
from hausbote.backup.making import choose, summed_up
from hausbote.backup.restic import Restic, Snapshot
from hausbote.backup.staging import DATABASE
from hausbote.base.backup_places import Places
from hausbote.base.backup_record import Record, write_record
from hausbote.base.believed_clock import TOLERANCE, write_mark
from hausbote.base.file_locks import Held, locked, share
from hausbote.base.files import free_bytes, replace_text, write_private
from hausbote.base.settings import Settings, SettingsError
from hausbote.base.trial import is_conducted, is_trial
from hausbote.storage import StorageError, go_on_from, path_of

_LOCK: Final = "box.lock"
_OPENING: Final = "opening"  # in DIR/restore: what restic needs
_PATIENCE: Final = 10.0  # seconds that another start may take to finish what was cut off
_LEFT: Final = 64 * 1024 * 1024  # bytes that stay free


class Restored(NamedTuple):
    """What is in its place now; `sentences` are what the owner should know besides."""

    snapshot: Snapshot
    fetched: Fetched
    sentences: list[str]


@contextmanager
def alone(state: Path) -> Iterator[str]:
    """Alone with the state directory, which is made if need be: nothing runs, and a restore or an
    upgrade that was cut off is finished or taken back, of which the sentence tells; BackupError if
    others use it."""
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_conducted(state)
        with locked(state / _LOCK):
            try:
                yield _recover(state)
            finally:
                _leave_empty(state)
    except Held:
        raise BackupError(
            f"The box in {state} runs, or a backup is just being made or restored: stop it first."
        ) from None
    except OSError as error:
        raise BackupError(f"{error.filename or state}: {error.strerror}.") from None


@contextmanager
def box_in_use(state: Path, *, outlives_exec: bool = False) -> Iterator[str]:
    """Use the state directory with others, and let nobody restore anything there; what was cut off
    is finished or taken back first, of which the sentence tells.  BackupError if it is restored
    or upgraded just now.

    Where it `outlives_exec`, the program that this process becomes goes on using it."""
    lock = state / _LOCK
    try:
        if not is_trial():
            _refuse_conducted(state)
        if not is_trial() and ((state / swap.DIRECTORY).exists() or upgrading.is_left_over(state)):
            with suppress(Held), locked(lock) as descriptor:
                sentence = _recover(state)
                if not _leave_empty(state):
                    share(descriptor)
                os.set_inheritable(descriptor, outlives_exec)
                yield sentence
                return
        with locked(lock, shared=True, patience=_PATIENCE) as descriptor:
            if upgrading.is_unfinished(state) and not is_trial():
                raise BackupError(
                    f"An upgrade was cut off in {state}, and is still coming to its end."
                )
            os.set_inheritable(descriptor, outlives_exec)
            yield ""
    except Held:
        raise BackupError(f"A backup is just being restored in {state}.") from None


def _refuse_conducted(state: Path) -> None:
    if is_conducted(state):
        raise BackupError(f"An upgrade is just being tried in {state}.")


def _recover(state: Path) -> str:
    return " ".join(one for one in (swap.recover(state), upgrading.recover(state)) if one)


def _leave_empty(state: Path) -> bool:
    """Where nothing was restored nothing is left, so that a new box can be made there."""
    if os.listdir(state) != [_LOCK]:
        return False
    (state / _LOCK).unlink()
    return True


class Source(NamedTuple):
    """A repository, and what opens it: a password, and a file with more for restic, if any."""

    repository: str
    password: str
    environment: Path


def restore(
    state: Path,
    source: Source,
    wanted: str,
    *,
    despite_damage: bool,
    tell: Callable[[str], None] = lambda _: None,
) -> Restored:
    """Restore the backup with that id, or the last one, in the place of what is there.

    To be called `alone`.  BackupError if it cannot be: then the box is what it was.
    """
    if swap.phase(state) == swap.DONE:  # of an earlier restore, which was never started
        swap.undo(state)
    swap.refuse_disks(state)
    directory = state / swap.DIRECTORY
    directory.mkdir(mode=0o700)
    try:
        restic = _open(directory, source)
        chosen = choose(restic, wanted)
        _refuse_small_disk(state, restic.size(chosen.id))
        tell(f"Restoring the backup {chosen.id} of {_time(chosen.at)} ...")
        new = directory / swap.NEW
        if despite_damage:
            fetched = salvage(restic, chosen.id, new, directory / _OPENING / "all")
        else:
            fetched = fetch(restic, chosen.id, new, with_files=True)
            _refuse_damage(chosen, fetched)
        sentences = [*fetched.damage, *_make_ready(state, new, source, chosen, restic.id())]
        shutil.rmtree(directory / _OPENING)
        os.sync()  # all of it is on the disk before anything takes its place
        swap.swap(state)
    except StorageError as error:
        raise BackupError(f"{error}.") from None
    finally:
        if not swap.phase(state):
            shutil.rmtree(directory, ignore_errors=True)
    return Restored(chosen, fetched, sentences)


def _open(directory: Path, source: Source) -> Restic:
    places = Places(directory / _OPENING)
    places.work.mkdir(mode=0o700, parents=True)
    write_private(places.password, f"{source.password}\n".encode())
    if source.environment.exists():
        write_private(places.environment, source.environment.read_bytes())
    return Restic(source.repository, places)


def _refuse_small_disk(state: Path, size: int) -> None:
    needed, free = size + _LEFT, free_bytes(state)
    if free < needed:
        raise BackupError(
            f"The backup needs {needed >> 20} MB of the disk of {state}, which has {free >> 20} MB"
            " left."
        )


def _refuse_damage(chosen: Snapshot, fetched: Fetched) -> None:
    if fetched.damage:
        raise BackupError(
            f"The backup {chosen.id} is not good: {summed_up(fetched.damage)} Choose another one,"
            " or restore what there is of it with --damaged."
        )


def _make_ready(
    state: Path, new: Path, source: Source, chosen: Snapshot, repository: str
) -> Iterator[str]:
    """What makes it a box that can go on: its database, mark, password and record."""
    try:
        settings = Settings.load(new)
    except SettingsError as error:
        raise BackupError(
            f"The backup has settings that this Hausbote does not take: {error.problems[0]}"
        ) from None
    database = path_of(settings.database_url)
    if database.is_relative_to(new):
        database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        (new / DATABASE).rename(database)
    else:
        yield (
            f"The settings have the database at {database}: put {state / DATABASE} there before"
            " the start."
        )
        database = new / DATABASE
    go_on_from(database, settings.database_mark)
    places = Places(settings.backup_dir)
    places.directory.mkdir(mode=0o700, exist_ok=True)
    write_private(places.password, f"{source.password}\n".encode())
    now = time.time()
    write_record(places.directory, Record(since=now, restored_at=now, restored_from=chosen.at))
    if now < chosen.at - TOLERANCE:
        write_mark(settings.clock_mark, chosen.at)  # it is doubted, and nothing is deleted by it
        yield "The clock of this machine is before the time of the backup: set it."
    if source.repository == settings.backup.repository:
        replace_text(places.repository, f"{repository}\n")
    else:
        yield (
            "Backups go on to backup.repository in hausbote.toml, which is another one than this:"
            " say 'hausbote backup init' if it is new."
        )


def _time(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
