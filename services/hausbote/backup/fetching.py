"""Reading a backup out of the repository, to restore it or to see whether that could be done.

Both go the same way, through `restic dump`: a trial writes all but the uploaded files, and looks at
these as they come, so that it needs no room for them.
"""

import hashlib
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO, Final

from hausbote.backup.errors import BackupError
from hausbote.backup.restic import Restic
from hausbote.backup.staging import DATABASE, Manifest, digest, files_in
from hausbote.base.backup_places import Places
from hausbote.storage import Copy, StorageError, StoredFile, all_damage

_PLACES: Final = Places(Path("backup"))  # in a backup
_BOX: Final = _PLACES.box.parts
_MANIFEST: Final = _PLACES.manifest.parts
_UPLOADS: Final = "uploads"
_PIECE: Final = 1_048_576


@dataclass
class Fetched:
    """What came: `files` are the uploaded ones, `damage` are sentences."""

    manifest: Manifest
    files: int = 0
    damage: list[str] = field(default_factory=list)


def fetch(restic: Restic, snapshot: str, target: Path, *, with_files: bool) -> Fetched:
    """Put a backup into a new directory, with or without the uploaded files, and compare it with
    what was there when it was made.

    BackupError if it cannot be read, is none of a box, or was made by a newer Hausbote.
    """
    reading = _Reading(target, with_files)
    with _telling(snapshot, target):
        target.mkdir(mode=0o700)
        try:
            with restic.dump(snapshot) as stream:
                reading.read(stream)
            found = reading.compared()
        except BackupError:
            restic.check("none")  # may know more: a dump that breaks off says nothing (restic 0.14)
            raise
        if found.damage:
            restic.check("none")
        return found


def salvage(restic: Restic, snapshot: str, target: Path, work: Path) -> Fetched:
    """The same with all that can still be read of a backup that is damaged.

    `restic restore` goes on where a dump breaks off; it needs an empty directory, `work`.
    """
    reading = _Reading(target, with_files=True)
    with _telling(snapshot, target):
        target.mkdir(mode=0o700)
        restic.salvage(snapshot, work)
        reading.take_over(work)
        return reading.compared()


@contextmanager
def _telling(snapshot: str, target: Path) -> Iterator[None]:
    try:
        yield
    except StorageError as error:
        raise BackupError(f"The backup {snapshot} is of no use: {error}.") from None
    except OSError as error:
        raise BackupError(f"{error.filename or target}: {error.strerror}.") from None


class _Reading:
    """Takes what comes, in the order of names: the box before the uploaded files."""

    def __init__(self, target: Path, with_files: bool) -> None:
        self._target = target.resolve()  # the way to the box may lead through links
        self._with_files = with_files
        self._manifest = ""
        self._wanted: dict[str, StoredFile] | None = None
        self._seen: dict[str, bool] = {}  # whether an uploaded file is as it was uploaded

    def read(self, stream: IO[bytes]) -> None:
        with tarfile.open(fileobj=stream, mode="r|", bufsize=_PIECE) as archive:
            while (member := archive.next()) is not None:
                archive.members.clear()  # type: ignore[attr-defined] # or it remembers all of them
                self._take(member, archive.extractfile(member) if member.isreg() else None)

    def take_over(self, directory: Path) -> None:
        """What lies in a directory as it would come in a tar file."""
        with tarfile.open(fileobj=BytesIO(), mode="w") as archive:
            for path in sorted(directory.rglob("*")):
                member = archive.gettarinfo(path, str(path.relative_to(directory)))
                member.type = tarfile.REGTYPE if member.islnk() else member.type
                with path.open("rb") if member.isreg() else nullcontext() as content:
                    self._take(member, content)

    def _take(self, member: tarfile.TarInfo, content: IO[bytes] | None) -> None:
        parts = PurePosixPath(member.name).parts
        if ".." in parts or member.name.startswith("/"):
            raise BackupError("This is no backup of a box: it has files of elsewhere.")
        if parts == _MANIFEST and content is not None:
            self._manifest = content.read().decode(errors="replace")
        elif parts[:2] == _BOX and len(parts) > 2:
            self._put(self._target.joinpath(*parts[2:]), member, content)
        elif parts[:1] == (_UPLOADS,) and len(parts) == 3 and content is not None:
            self._upload(parts[2], content)

    def _put(self, place: Path, member: tarfile.TarInfo, content: IO[bytes] | None) -> None:
        if place.parent.resolve() != place.parent:
            raise BackupError("This is no backup of a box: it has files behind a link.")
        if member.isdir():
            place.mkdir(mode=0o700)
        elif member.issym():
            place.symlink_to(member.linkname)
        elif content is not None:
            _copy(content, _new(place, member.mode & 0o700 | 0o600))

    def _upload(self, id: str, content: IO[bytes]) -> None:
        if self._wanted is None:
            # Without a database restic may have more to say: it is missed when all was read.
            there = (self._target / DATABASE).exists()
            self._wanted = self._files_of_database() if there else {}
        wanted = self._wanted.get(id)
        if wanted is None:
            return  # it came, or its row went, while the backup was made
        place = self._target / _UPLOADS / id[:2] / id
        if self._with_files:
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._seen[id] = _copy(content, _new(place, 0o600)) == wanted
        else:
            self._seen[id] = _copy(content, None) == wanted

    def _files_of_database(self) -> dict[str, StoredFile]:
        database = Copy(self._target / DATABASE)
        try:
            if database.is_newer:
                raise BackupError(
                    "The backup was made by a newer Hausbote than this one: update Hausbote first."
                )
            return database.files()
        finally:
            database.close()

    def compared(self) -> Fetched:
        """All of it against the manifest and the database."""
        if not (self._target / DATABASE).exists():
            raise BackupError("This is no backup of a box: it has no database.")
        wanted = self._files_of_database() if self._wanted is None else self._wanted
        found = Fetched(Manifest.from_json(self._manifest), len(wanted))
        whole = {str(path.relative_to(self._target)) for path in files_in(self._target)}
        for name, sum_ in found.manifest.files.items():
            if name not in whole:
                found.damage.append(f"{name} is missing.")
            elif digest(self._target / name) != sum_:
                found.damage.append(f"{name} is not what it was.")
        found.damage += [f"The file {id} is missing." for id in wanted.keys() - self._seen.keys()]
        found.damage += [
            f"The file {id} is not what was uploaded."
            for id, same in self._seen.items()
            if not same
        ]
        found.damage += _database_damage(self._target / DATABASE, found.manifest.rows)
        return found


def _database_damage(path: Path, rows: dict[str, int]) -> list[str]:
    damage = list(all_damage(path))
    database = Copy(path)
    try:
        now = database.rows()
        damage += [f"The file {id} is not what was uploaded." for id in database.damaged_files()]
    except StorageError as error:
        return [*damage, f"Of the database not all can be read: {error}."]
    finally:
        database.close()
    for table in sorted(rows.keys() | now.keys()):
        before, after = rows.get(table, 0), now.get(table, 0)
        if before != after:
            damage.append(f"{table} has {after} rows, and had {before}.")
    return damage


def _new(place: Path, mode: int) -> int:
    return os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)


def _copy(content: IO[bytes], descriptor: int | None) -> StoredFile:
    """Write all of it, if there is somewhere to; its size and digest."""
    size, seen = 0, hashlib.sha256()
    try:
        while piece := content.read(_PIECE):
            size += len(piece)
            seen.update(piece)
            if descriptor is not None:
                _write(descriptor, piece)
    finally:
        if descriptor is not None:
            os.close(descriptor)
    return StoredFile(size, seen.digest())


def _write(descriptor: int, piece: bytes) -> None:
    rest = memoryview(piece)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
