"""What the box remembers of its backups: DIR/backup/record.json.

Whoever makes, verifies or restores one writes it; `hausbote status` shows it, and c2s tells the
administrators by it.
"""

import json
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from hausbote.base.backup_due import RECORD
from hausbote.base.files import replace_text
from hausbote.base.settings_sections import Backup

_DAY: Final = 86_400.0  # seconds


@dataclass(frozen=True)
class Record:
    """Times are in seconds since 1970, 0 = never; ids are restic's short ones.

    `since` is when the repository was first used; `made_at` is when the last good backup began,
    `seconds` what it took, `added` the bytes that it added to the repository.  `verified_at` is
    when a backup was last restored and compared.  `failed_at` and `failure` are of the last attempt
    if that failed, else 0 and "".  `restored_from` is when the backup was made that this box comes
    from.
    """

    since: float = 0.0
    made_at: float = 0.0
    snapshot: str = ""
    seconds: float = 0.0
    added: int = 0
    verified_at: float = 0.0
    verified: str = ""
    failed_at: float = 0.0
    failure: str = ""
    restored_at: float = 0.0
    restored_from: float = 0.0


def read_record(directory: Path) -> Record:
    """The record in DIR/backup; an empty one if there is none, or it cannot be read."""
    try:
        found = Record(**json.loads((directory / RECORD).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return Record()
    texts = (found.snapshot, found.verified, found.failure)
    numbers = set(asdict(found).values()) - set(texts)
    right = all(isinstance(one, str) for one in texts)
    return found if right and all(isinstance(one, int | float) for one in numbers) else Record()


def write_record(directory: Path, record: Record) -> None:
    """OSError if it cannot be written; then the old one stays."""
    replace_text(directory / RECORD, json.dumps(asdict(record), indent=2) + "\n")


def note_failure(directory: Path, at: float, sentence: str) -> None:
    """An attempt failed and could not say so itself."""
    with suppress(OSError):  # a full disk, of which the message tells
        record = replace(read_record(directory), failed_at=at, failure=sentence)
        write_record(directory, record)


def trouble(record: Record, backup: Backup, now: float) -> str:
    """What is wrong with the backups, in a sentence; "" if nothing is, or none are made."""
    if not backup.repository:
        return ""
    if record.failed_at:
        return f"The backup of {_time(record.failed_at)} failed. {record.failure}"
    last = max(record.made_at, record.since)
    if backup.alarm_days and last and now - last > backup.alarm_days * _DAY:
        days = int((now - last) / _DAY)
        return f"There was no good backup for {days} days: 'hausbote backup create' makes one."
    return ""


def state(record: Record, backup: Backup, now: float) -> str:
    """How it is with the backups, in sentences; "" if none are made."""
    if not backup.repository:
        return ""
    told = [trouble(record, backup, now)]
    if record.made_at:
        told.append(f"The last good backup is {record.snapshot} of {_time(record.made_at)}.")
    else:
        told.append("There is no backup of this box yet: see 'hausbote backup create'.")
    if record.verified_at:
        told.append(
            f"The last one that was restored for a trial is {record.verified}, verified on"
            f" {_time(record.verified_at)}."
        )
    if record.restored_at:
        told.append(
            f"The box was restored on {_time(record.restored_at)} from a backup of"
            f" {_time(record.restored_from)}."
        )
    return " ".join(one for one in told if one)


def _time(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
