"""What restic complains of, as sentences for the owner.

restic 0.17 and later have exit codes for some of it, older ones only words.
"""

import re
from collections.abc import Callable
from typing import Final

from hausbote.backup.errors import BackupError

_ABSENT, _LOCKED, _WRONG_PASSWORD = 10, 11, 12  # restic's exit codes
_LOCK: Final = re.compile(r"locked (?:exclusively )?by PID (\d{1,10}) on (\S{1,255})")
_DAMAGED: Final = (
    "ciphertext verification failed", "does not match", "invalid data returned",
    "repository contains errors", "unexpected EOF", "does not exist", "not found in",
    "error for tree", "failed to load", "unable to load", "wrong length", "is not in index",
    "blob not found", "no such file or directory", "truncated",
)  # fmt: skip
_UNREACHABLE: Final = (
    "connection refused", "no such host", "i/o timeout", "unreachable", "subprocess ssh",
    "no route to host", "connection reset", "deadline exceeded", "x509", "tls:",
)  # fmt: skip
_LONGEST: Final = 300  # characters of restic's own words


def is_locked(code: int, said: str) -> bool:
    """Whether another restic uses the repository, or did when it ended."""
    return code == _LOCKED or "already locked" in said


def complaint(where: str, code: int, said: str) -> BackupError:
    """What to tell of a restic that ended with that exit code and said that; `where` is the
    repository."""
    for applies, tell in _COMPLAINTS:
        if applies(code, said.lower()):
            return tell(where, said)
    return BackupError(f"restic could not do it ({where}): {gist(said) or f'exit code {code}'}.")


def gist(said: str) -> str:
    """The line of it that says most."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    fatal = [line for line in lines if line.startswith("Fatal:")]
    found = (fatal or lines or [""])[0].removeprefix("Fatal:").strip()
    return "".join(filter(str.isprintable, found))[:_LONGEST].rstrip(".")


def _locked(where: str, said: str) -> BackupError:
    found = _LOCK.search(said)
    who = f"process {found[1]} of {found[2]}" if found else "another program"
    return BackupError(
        f"The repository {where} is in use by {who}. If that has ended, its lock is ignored half an"
        " hour later."
    )


def _absent(where: str, _said: str) -> BackupError:
    return BackupError(
        f"There is no repository at {where}: is its disk connected and mounted?", absent=True
    )


def _telling(sentence: str) -> Callable[[str, str], BackupError]:
    return lambda where, said: BackupError(sentence.format(where=where, said=gist(said)))


def _says(*words: str) -> Callable[[int, str], bool]:
    return lambda _code, said: any(word.lower() in said for word in words)


_COMPLAINTS: Final[
    tuple[tuple[Callable[[int, str], bool], Callable[[str, str], BackupError]], ...]
] = (
    (is_locked, _locked),
    (
        lambda code, said: code == _WRONG_PASSWORD or "wrong password" in said,
        _telling("The password does not open the repository {where}."),
    ),
    (
        _says("no space left", "quota exceeded"),
        _telling("The disk is full ({where}): {said}."),
    ),
    (
        _says("permission denied", "read-only file system", "operation not permitted"),
        _telling("The repository {where} cannot be read or written: {said}."),
    ),
    (_says(*_UNREACHABLE), _telling("The repository {where} cannot be reached: {said}.")),
    (
        lambda code, said: code == _ABSENT or "unable to open config file" in said,
        _absent,
    ),
    (_says("no matching id", "no snapshot found"), _telling("There is no such backup in {where}.")),
    (
        _says(*_DAMAGED),
        _telling(
            "The repository {where} is damaged: {said}. Let its disk be looked at, and begin a new"
            " repository at another place; 'hausbote backup restore --damaged' takes what can still"
            " be read of this one."
        ),
    ),
)
