"""Putting a restored box into the place of the one that is there, entry by entry of the state
directory, which may be a volume and could not be renamed itself.

DIR/restore/phase says how far that is.  Each phase is a number of renames that can be done again
after it was cut off, by a kill or a power cut, and the next one begins with another word in that
file.  Until the first word is written nothing of the box has changed.
"""

import os
import shutil
from pathlib import Path
from typing import Final, NamedTuple

from hausbote.backup.errors import BackupError
from hausbote.base.files import sync_directory, write_private

DIRECTORY: Final = "restore"
NEW: Final = "new"
_PREVIOUS: Final = "previous"
_UNDONE: Final = "undone"
_PHASE: Final = "phase"
# What stays where it is: sockets, logs, and this.
_STAYS: Final = frozenset(("run", "log", "box.lock", DIRECTORY))

DONE: Final = "done"  # it is in its place, and what was there before is kept
_OVER: Final = "over"  # what is left can go


class _Move(NamedTuple):
    """Everything goes from one directory to another ("" is the state directory itself)."""

    source: str
    target: str
    next: str


_MOVES: Final = {
    "out": _Move("", _PREVIOUS, "in"),
    "in": _Move(NEW, "", DONE),
    "undo-out": _Move("", _UNDONE, "undo-in"),
    "undo-in": _Move(_PREVIOUS, "", _OVER),
}


def phase(state: Path) -> str:
    """How far a restore is: "" if there is none, or it has changed nothing yet."""
    try:
        return (state / DIRECTORY / _PHASE).read_text("ascii").strip()
    except FileNotFoundError:
        return ""


def is_half_done(state: Path) -> bool:
    """Whether the box is in no state to be used."""
    return phase(state) in _MOVES


def refuse_disks(state: Path) -> None:
    """BackupError if something in the state directory is a disk of its own: it cannot be moved."""
    own = state.stat().st_dev
    for entry in sorted(os.listdir(state)):
        if entry not in _STAYS and (state / entry).lstat().st_dev != own:
            raise BackupError(
                f"{state / entry} is a disk of its own, which a restore cannot put aside: unmount"
                " it, and copy what is restored there afterwards."
            )


def swap(state: Path) -> None:
    """Put what is in DIR/restore/new, all of which is on the disk, into its place."""
    _set_phase(state, "out")
    _go_on(state)


def undo(state: Path) -> None:
    """Put back what was there before; BackupError if there is no such thing any more."""
    if phase(state) != DONE:
        raise BackupError("There is nothing to take back: no box from before a restore is kept.")
    _set_phase(state, "undo-out")
    _go_on(state)


def recover(state: Path) -> str:
    """Finish what was cut off; returns a sentence of it, "" if there was nothing.  To be called by
    who holds the box's lock alone."""
    directory = state / DIRECTORY
    if not directory.exists():
        return ""
    now = phase(state)
    if now in _MOVES:
        _go_on(state)
        if now.startswith("undo"):
            return "Taking back a restore was cut off, and is finished now."
        return "A restore was cut off when it had everything, and is finished now."
    if now == DONE:
        return ""
    shutil.rmtree(directory, ignore_errors=True)
    if now == _OVER:
        return ""
    return "A restore was cut off before it had everything. It has changed nothing, and is removed."


def is_kept(state: Path) -> bool:
    """Whether what was there before a restore is still kept."""
    return phase(state) == DONE


def forget_previous(state: Path) -> bool:
    """Remove what is kept from before a restore; False if there is nothing."""
    if not is_kept(state):
        return False
    _set_phase(state, _OVER)
    shutil.rmtree(state / DIRECTORY, ignore_errors=True)
    return True


def _go_on(state: Path) -> None:
    directory = state / DIRECTORY
    while (move := _MOVES.get(phase(state))) is not None:
        source, target = _place(state, move.source), _place(state, move.target)
        target.mkdir(mode=0o700, exist_ok=True)
        if source.exists():
            for entry in sorted(os.listdir(source)):
                if source != state or entry not in _STAYS:
                    os.rename(source / entry, target / entry)
        for changed in (source, target):
            if changed.exists():
                sync_directory(changed)
        _set_phase(state, move.next)
    if phase(state) == _OVER:
        shutil.rmtree(directory, ignore_errors=True)


def _place(state: Path, name: str) -> Path:
    return state / DIRECTORY / name if name else state


def _set_phase(state: Path, word: str) -> None:
    place = state / DIRECTORY / _PHASE
    part = place.with_suffix(".part")
    part.unlink(missing_ok=True)  # of one that was cut off
    write_private(part, f"{word}\n".encode(), durable=True)
    part.rename(place)
    sync_directory(place.parent)
