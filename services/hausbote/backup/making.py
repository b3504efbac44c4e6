"""Making and verifying backups, and what the box remembers of it."""

import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import Any, Final, NamedTuple

from hausbote.backup.complaints import gist
from hausbote.backup.errors import BackupError
from hausbote.backup.fetching import Fetched, fetch
from hausbote.backup.restic import Made, Restic, Snapshot
from hausbote.backup.staging import stage, unstage
from hausbote.base.backup_places import Places
from hausbote.base.backup_record import read_record, write_record
from hausbote.base.file_locks import Held, locked
from hausbote.base.files import replace_text, write_private
from hausbote.base.settings import Settings

_LETTERS: Final = "abcdefghijkmnpqrstuvwxyz23456789"  # no two that look alike
_GROUPS: Final = 6
_GROUP: Final = 5  # letters of each: 150 bits in all
_FILES_PATIENCE: Final = 60.0  # seconds that files which are just being removed are waited for
_MOST_TOLD: Final = 5
_DAY: Final = 86_400  # seconds
_PARTS: Final = 30  # of the repository; one of them is read each day
_UPLOADS: Final = "uploads"
_INCOMING: Final = "uploads/incoming"


class Outcome(NamedTuple):
    """A backup that was made and verified; `left_out` are sentences."""

    snapshot: str
    added: int
    seconds: float
    rows: dict[str, int]
    files: int
    left_out: list[str]


def restic_of(settings: Settings) -> Restic:
    """restic with the box's repository; BackupError if the settings name none."""
    if not settings.backup.repository:
        raise BackupError(
            "There is no place for backups: write backup.repository into hausbote.toml, like"
            ' repository = "/media/usb/hausbote".'
        )
    return Restic(settings.backup.repository, Places(settings.backup_dir))


@contextmanager
def at_work(settings: Settings) -> Iterator[None]:
    """Alone with the repository and the directory for temporary files; BackupError if somebody else
    is, or the box is just being restored."""
    places = Places(settings.backup_dir)
    try:
        places.directory.mkdir(mode=0o700, exist_ok=True)
        with ExitStack() as stack:
            try:
                stack.enter_context(locked(settings.box_lock, shared=True))
            except Held:
                raise BackupError("A backup is just being restored here.") from None
            try:
                stack.enter_context(locked(places.lock))
            except Held:
                raise BackupError("A backup is just being made or verified.") from None
            for left in (places.work, places.scratch):
                shutil.rmtree(left, ignore_errors=True)
            places.work.mkdir(mode=0o700)
            yield
            shutil.rmtree(places.work, ignore_errors=True)
    except OSError as error:
        raise BackupError(f"{error.filename or places.directory}: {error.strerror}.") from None


# -- the repository ------------------------------------------------------------------------------


def is_ready(settings: Settings) -> bool:
    """Whether a repository was made, or made known, with `prepare`."""
    return Places(settings.backup_dir).repository.exists()


def prepare(settings: Settings, password: str = "") -> str:
    """Make the repository, or use one that is there and has that password; returns the password if
    it is a new one, else "".  To be called `at_work`."""
    restic, places = restic_of(settings), Places(settings.backup_dir)
    new = ""
    if password:
        replace_text(places.password, f"{password}\n")
    elif not places.password.exists():
        new = _new_password()
        write_private(places.password, f"{new}\n".encode())
    try:
        id = restic.id()
    except BackupError as error:
        if not error.absent:
            if new:
                places.password.unlink()
                raise BackupError(
                    f"{error} If it is of this box, give its password by --password-file."
                ) from None
            raise
        _refuse_missing_disk(restic)
        restic.init()
        id = restic.id()
    replace_text(places.repository, f"{id}\n")
    _note(settings, since=time.time(), failed_at=0.0, failure="")
    return new


def _new_password() -> str:
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)


def _refuse_missing_disk(restic: Restic) -> None:
    """A new repository in a directory that is not there is a disk that is not mounted."""
    if restic.local is not None and not restic.local.parent.is_dir():
        raise BackupError(f"There is no directory {restic.local.parent}: is its disk mounted?")


def known(settings: Settings) -> Restic:
    """The box's repository, after a look whether it is that one; BackupError if it is not there."""
    restic = restic_of(settings)
    try:
        id = Places(settings.backup_dir).repository.read_text("ascii").strip()
    except FileNotFoundError:
        raise BackupError(
            "There is no repository yet: 'hausbote backup init' makes it, and tells its password."
        ) from None
    if restic.id() != id:
        raise BackupError(
            f"{restic.where} is another repository than the one that was used until now. If that is"
            " meant, say 'hausbote backup init'."
        )
    return restic


# -- making and verifying ------------------------------------------------------------------------


def create(settings: Settings) -> Outcome:
    """Make a backup, verify it, and remove old ones; BackupError is in the record, too.

    Old ones stay as long as the new one is not known to be good.
    """
    with at_work(settings), _noting_failure(settings):
        begun, counted = time.time(), time.monotonic()
        restic = known(settings)
        try:
            made, left_out = _back_up(settings, restic, begun)
        finally:
            unstage(settings)
        part = int(begun) // _DAY % _PARTS + 1
        fetched = _try(settings, restic, made.id, f"{part}/{_PARTS}")
        keep = settings.backup
        restic.forget(settings.domain, keep.keep_daily, keep.keep_weekly, keep.keep_monthly)
        seconds = time.monotonic() - counted
        _note(settings, made_at=begun, snapshot=made.id, seconds=seconds, added=made.added)
        rows = fetched.manifest.rows
        return Outcome(made.id, made.added, seconds, rows, fetched.files, left_out)


def _back_up(settings: Settings, restic: Restic, begun: float) -> tuple[Made, list[str]]:
    (settings.state / _UPLOADS).mkdir(mode=0o700, exist_ok=True)
    places = Places(settings.backup_dir)
    paths = [f"backup/{places.box.name}", f"backup/{places.manifest.name}", _UPLOADS]
    try:
        # Files whose rows go from now on stay until the backup has them: the copy names them.
        with locked(settings.files_lock, shared=True, patience=_FILES_PATIENCE):
            left_out = stage(settings, begun)
            made = restic.backup(settings.state, paths, settings.domain, _INCOMING)
    except Held:
        raise BackupError("Files are being removed for a minute already.") from None
    if made.incomplete:
        raise BackupError(
            f"The backup {made.id} is not complete: {gist(made.incomplete)}. See 'hausbote files"
            " scrub'."
        )
    return made, left_out


def verify(settings: Settings, snapshot: str = "") -> tuple[Snapshot, Fetched]:
    """Read all of the repository, restore a backup (the last one) for a trial, and compare it."""
    with at_work(settings):
        with _noting_failure(settings):
            restic = known(settings)
        chosen = choose(restic, snapshot, settings.domain)
        with _noting_failure(settings):
            return chosen, _try(settings, restic, chosen.id, "all")


def _try(settings: Settings, restic: Restic, snapshot: str, data: str) -> Fetched:
    scratch = Places(settings.backup_dir).scratch
    try:
        fetched = fetch(restic, snapshot, scratch, with_files=False)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    if fetched.damage:
        raise BackupError(f"The backup {snapshot} is not good: {summed_up(fetched.damage)}")
    restic.check(data)
    _note(settings, verified_at=time.time(), verified=snapshot, failed_at=0.0, failure="")
    return fetched


def choose(restic: Restic, wanted: str, domain: str = "") -> Snapshot:
    """The backup with that id, or the last one; BackupError if that is not clear."""
    found = restic.snapshots()
    if wanted:
        chosen = [one for one in found if one.id == wanted[:8]]
        if not chosen:
            raise BackupError(f"There is no backup {wanted} in {restic.where}.")
        return chosen[0]
    found = [one for one in found if domain in ("", one.domain)]
    if not found:
        raise BackupError(f"There are no backups in {restic.where}.")
    domains = {one.domain for one in found}
    if len(domains) > 1:
        raise BackupError(
            f"There are backups of {' and '.join(sorted(domains))}: choose one by its id."
        )
    return found[-1]


def summed_up(damage: list[str]) -> str:
    """The first sentences of these, and how many more there are."""
    more = len(damage) - _MOST_TOLD
    return " ".join(damage[:_MOST_TOLD]) + (f" And {more} more." if more > 0 else "")


@contextmanager
def _noting_failure(settings: Settings) -> Iterator[None]:
    try:
        yield
    except BackupError as error:
        _note(settings, failed_at=time.time(), failure=str(error))
        raise


def _note(settings: Settings, **changes: Any) -> None:
    with suppress(OSError):  # a full disk, of which the message tells
        record = read_record(settings.backup_dir)
        write_record(settings.backup_dir, replace(record, **changes))
