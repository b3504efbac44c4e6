"""Making a state directory whole or not at all, also if that is where a disk is mounted.

A mounted directory cannot be put in its place at once.  There, the box is made in `.new`, which
becomes `.made` when nothing is missing, and its files go from there into the directory, the
settings last.  Whoever is interrupted leaves `.new`, which is thrown away, or `.made`, which the
next one finishes.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from hausbote.base.files import sync_directory
from hausbote.base.settings import FILE

_NEW: Final = ".new"
_MADE: Final = ".made"
_NO_FILES: Final = frozenset((_NEW, _MADE, "lost+found"))


def is_vacant(state: Path) -> bool:
    """Whether a box can be made there: it is empty, or somebody was interrupted in making one."""
    return (state / _MADE).exists() or not {path.name for path in state.iterdir()} - _NO_FILES


def build_box(state: Path, fill: Callable[[Path], None]) -> None:
    """Make the directory, with what `fill` puts into the one that it is given; OSError."""
    if os.path.ismount(state):
        _build_inside(state, fill)
    else:
        _build_beside(state, fill)


def _build_beside(state: Path, fill: Callable[[Path], None]) -> None:
    state.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{state.name}-", dir=state.parent))
    try:
        fill(unfinished)
        _bring_to_disk(unfinished)
        os.replace(unfinished, state)
        sync_directory(state.parent)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _bring_to_disk(directory: Path) -> None:
    """After a power cut, what is made is whole."""
    for place, _directories, files in os.walk(directory):
        for name in files:
            with Path(place, name).open("rb") as file:
                os.fsync(file.fileno())
        sync_directory(Path(place))


def _build_inside(state: Path, fill: Callable[[Path], None]) -> None:
    directory = os.open(state, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)  # two containers may come at the same time
        if (state / FILE).exists():
            return
        new, made = state / _NEW, state / _MADE
        if not made.exists():
            shutil.rmtree(new, ignore_errors=True)
            new.mkdir(mode=0o700)
            try:
                fill(new)
            except BaseException:
                shutil.rmtree(new, ignore_errors=True)
                raise
            _bring_to_disk(new)
            new.rename(made)
        for path in sorted(made.iterdir(), key=lambda path: path.name == FILE):
            path.rename(state / path.name)
        made.rmdir()
    finally:
        os.close(directory)
