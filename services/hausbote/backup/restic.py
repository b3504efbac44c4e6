"""The restic program as a child process: every call of it, and what it answers."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

from hausbote.backup.complaints import complaint, is_locked
from hausbote.backup.errors import BackupError
from hausbote.base.backup_places import Places
from hausbote.base.parent import PARENT

TAG: Final = "hausbote"
_INCOMPLETE: Final = 3  # the exit code of a backup that could not read some files
_SAID: Final = 65_536  # characters of what it complains of
_LOCAL: Final = re.compile(r"(?:local:)?(/.*)", re.DOTALL)
_USER: Final = re.compile(r"//[^/@]*@")  # with a password, perhaps


class Snapshot(NamedTuple):
    """A backup in the repository: `id` is the short one, `at` in seconds since 1970, `domain` that
    of the box."""

    id: str
    at: float
    domain: str


class Made(NamedTuple):
    """A backup that was made: bytes that it `added`, and whether some files are not in it."""

    id: str
    added: int
    incomplete: str


class Restic:
    """restic with one repository, and the password and all else in these places."""

    def __init__(self, repository: str, places: Places) -> None:
        """BackupError if restic is not installed, or the environment cannot be read."""
        program = shutil.which("restic")
        if program is None:
            raise BackupError("Backups need restic, which is not there: apt install restic.")
        self.where = _USER.sub("//", repository)
        self.local = _local(repository)
        self._program = program
        self._options = ["--no-cache"] if self.local else ["--cache-dir", str(places.cache)]
        self._environment = {
            **{name: value for name, value in os.environ.items() if not _of_restic(name)},
            **_read_environment(places.environment),
            "RESTIC_REPOSITORY": repository,
            "RESTIC_PASSWORD_FILE": str(places.password),
            "TMPDIR": str(places.work),
            "GOMAXPROCS": "1",  # the other cores are the services'
            "GOGC": "50",  # less memory for some more time
            PARENT: str(os.getpid()),
        }

    def init(self) -> None:
        """Make the repository."""
        self._run("init")

    def id(self) -> str:
        """The repository's own; BackupError with `absent` if there is none."""
        return str(_parse(self._run("cat", "config", "--no-lock"), "id")["id"])

    def backup(self, directory: Path, paths: list[str], domain: str, exclude: str) -> Made:
        """Back up these paths, which are relative to the directory."""
        options = ["--json", "--quiet", "--host", domain, "--tag", TAG, "--exclude", exclude]
        told, said, code = self._unlocked("backup", *options, *paths, directory=directory)
        if code not in (0, _INCOMPLETE):
            raise complaint(self.where, code, said)
        summary = _parse(told.strip().rpartition("\n")[2], "snapshot_id", "data_added")
        return Made(summary["snapshot_id"][:8], summary["data_added"], said if code else "")

    def snapshots(self) -> list[Snapshot]:
        """All backups of boxes, the oldest first."""
        told = self._run("snapshots", "--json", "--no-lock", "--tag", TAG)
        listed = _parse(f'{{"all": {told or "null"}}}', "all")["all"] or []
        found = [Snapshot(one["short_id"], _at(one["time"]), one["hostname"]) for one in listed]
        return sorted(found, key=lambda one: one.at)

    def size(self, snapshot: str) -> int:
        """Bytes that it takes when it is restored."""
        told = self._run("stats", "--mode", "restore-size", "--json", "--no-lock", snapshot)
        return int(_parse(told, "total_size")["total_size"])

    def check(self, data: str) -> None:
        """Look at the repository, and read `data` of what is in it: all, none, or N/M of it."""
        much = {"all": ["--read-data"], "none": []}.get(data, [f"--read-data-subset={data}"])
        self._run("check", "--no-lock", *much)

    def forget(self, domain: str, daily: int, weekly: int, monthly: int) -> None:
        """Remove what is older than what is to be kept."""
        kept = {"daily": daily, "weekly": weekly, "monthly": monthly}
        keep = [f"--keep-{name}={number}" for name, number in kept.items() if number]
        keep.append("--keep-within=1d")  # those of the day before the last one
        # By host alone: a box that has moved to another directory is still the same.
        options = ["--prune", "--quiet", "--group-by", "host", "--host", domain, "--tag", TAG]
        _, said, code = self._unlocked("forget", *options, *keep)
        if code:
            raise complaint(self.where, code, said)

    def salvage(self, snapshot: str, target: Path) -> None:
        """Restore all that can be read of a backup into an empty directory."""
        self._call(("restore", "--no-lock", snapshot, "--target", str(target)))

    @contextmanager
    def dump(self, snapshot: str) -> Iterator[IO[bytes]]:
        """A backup as a tar file to read from; BackupError if it broke off."""
        command = self._command("dump", "--no-lock", "--archive", "tar", snapshot, "/")
        with (
            tempfile.TemporaryFile() as complaints,
            subprocess.Popen(
                command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=complaints,
            ) as child,
        ):
            assert child.stdout is not None
            broken = False
            try:
                yield child.stdout
            except tarfile.TarError:
                broken = True  # because restic ended, most likely
            except BaseException:
                child.kill()
                raise
            child.stdout.close()
            if child.wait() or broken:
                complaints.seek(0)
                said = complaints.read(_SAID).decode(errors="replace")
                raise complaint(self.where, child.returncode, said or "the backup broke off")

    def _run(self, *arguments: str) -> str:
        told, said, code = self._call(arguments)
        if code:
            raise complaint(self.where, code, said)
        return told

    def _unlocked(self, *arguments: str, directory: Path | None = None) -> tuple[str, str, int]:
        """Run a command that locks the repository, without locks of those that were killed."""
        answer = self._call(arguments, directory)
        if is_locked(answer[2], answer[1]):
            self._run("unlock")  # only those whose process is gone, or that are half an hour old
            answer = self._call(arguments, directory)
        return answer

    def _call(
        self, arguments: tuple[str, ...], directory: Path | None = None
    ) -> tuple[str, str, int]:
        """What it told, what it complained of, and its exit code."""
        done = subprocess.run(
            self._command(*arguments),
            cwd=directory,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        said = done.stderr.decode(errors="replace")[:_SAID]
        return done.stdout.decode(errors="replace"), said, done.returncode

    def _command(self, *arguments: str) -> list[str]:
        """It ends with this process, so that nobody goes on with what another one has begun."""
        tied = [sys.executable, "-P", "-m", "hausbote.base.parent"]
        return [*tied, self._program, *self._options, *arguments]


def _local(repository: str) -> Path | None:
    """The directory of a repository on this machine."""
    found = _LOCAL.fullmatch(repository)
    return Path(found[1]) if found else None


def _of_restic(name: str) -> bool:
    return name.startswith(("RESTIC_PASSWORD", "RESTIC_REPOSITORY"))


def _read_environment(path: Path) -> dict[str, str]:
    """NAME=VALUE lines that restic needs to reach the repository; {} if there is no such file."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise BackupError(f"{path} cannot be read: {error}.") from None
    pairs = [line.partition("=") for line in lines if line.strip() and not line.startswith("#")]
    return {name.strip(): value.strip() for name, _, value in pairs}


def _at(text: str) -> float:
    """A time of restic's, which has nanoseconds."""
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text)).timestamp()


def _parse(told: str, *names: str) -> dict[str, Any]:
    """An object of JSON that has these names; BackupError for anything else."""
    try:
        found: dict[str, Any] = json.loads(told)
        if all(name in found for name in names):
            return found
    except (ValueError, TypeError):
        pass
    raise BackupError("restic answered something that Hausbote does not know: is it very new?")
