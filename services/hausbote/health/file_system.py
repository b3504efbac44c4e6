"""Whether a file system can be written, and the errors that ext4 has noted in itself.

The kernel tells these in /sys/fs/ext4/DEVICE (Linux, Documentation/admin-guide/ext4.rst); they stay
over restarts until e2fsck has looked.
"""

import time
from pathlib import Path
from typing import Final

from hausbote.base.troubles import READ_ONLY, Trouble
from hausbote.health.disks import SYS, Volume, mount_of
from hausbote.health.part import Part, counted

# Mounted like that, or by what ext4 and others make of it themselves when something is wrong.
_READ_ONLY: Final = frozenset(("ro", "emergency_ro", "shutdown"))


def look_at_file_system(directory: Path, volume: Volume, part: str = "", sys: Path = SYS) -> Part:
    """Of the directory, which is on that volume; it has all of the box but what has a file system
    of its own, or only that `part`."""
    troubles = []
    whose = f"of {directory} on this server" if part else "of this server"
    if mount_of(directory).options & _READ_ONLY:
        troubles.append(
            Trouble(
                f"file-system:{part}:read-only" if part else READ_ONLY,
                1,
                f"The file system {whose} has become read-only, and nothing can be kept there: that"
                " is what it does when its disk fails. 'dmesg' on the machine tells why.",
                f"The file system {whose} can be written again.",
            )
        )
    place = sys / "fs" / "ext4" / volume.name
    errors = _number(place / "errors_count") if volume.name else None
    if errors:
        key = f"file-system:{part}:errors" if part else "file-system:errors"
        troubles.append(_noted(key, whose, errors, _number(place / "last_error_time") or 0))
    told = "it can be written" + ("" if errors is None else ", and ext4 has noted no errors")
    return Part(f"file system of {part}" if part else "file system", told, tuple(troubles))


def _noted(key: str, whose: str, errors: int, last: int) -> Trouble:
    when = f", the last one at {time.strftime('%Y-%m-%d %H:%M', time.localtime(last))}"
    return Trouble(
        key,
        errors.bit_length(),  # it is worse with 1, 2, 4, 8 ... errors
        f"The file system {whose} has noted {counted(errors, 'error')}"
        f"{when if last else ''}: make a backup, look at the disk, and have e2fsck mend it while"
        " the box is stopped.",
        f"The file system {whose} has no errors noted any more.",
    )


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text("ascii"))
    except (OSError, ValueError):
        return None
