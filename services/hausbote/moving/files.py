"""Reads the files of an export and those that they include (XInclude, as XEP-0227 needs it)."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO, Final
from urllib.parse import unquote

from hausbote.moving import prosody
from hausbote.moving.ejabberd import Dump, is_dump
from hausbote.moving.erlang_terms import TermError
from hausbote.moving.lua_tables import LuaError
from hausbote.xmpp.pie import Include, Level, Piece, PieError, PieReader

_AT_ONCE: Final = 65_536  # bytes
Progress = Callable[[int], None]
"""Told how many more bytes have been read."""


class MovingError(Exception):
    """A sentence that says what cannot be moved, and why."""


class Place:
    """Where a piece stands, as people find it."""

    __slots__ = ("_line", "_path")

    def __init__(self, path: Path, line: int = 0) -> None:
        self._path = path
        self._line = line

    def __str__(self) -> str:
        return f"{self._path}, line {self._line}" if self._line else str(self._path)


def files_of(paths: list[Path]) -> list[Path]:
    """These files; of a directory, all that are called something.xml, unless it is Prosody's."""
    found: list[Path] = []
    for path in paths:
        whole = not path.is_dir() or prosody.is_data(path)
        inside = [path] if whole else sorted(path.glob("*.xml"))
        if not inside:
            raise MovingError(f"{path} has no file that is called something.xml")
        found += inside
    return found


def pieces(path: Path, progress: Progress) -> Iterator[tuple[Place, Piece]]:
    """All pieces of an export in their order."""
    if path.is_dir():
        return _translated(path, prosody.document(path, progress))
    with _opened(path) as file:
        dump = is_dump(file)
    if dump:
        return _translated(path, _dumped(path, progress))
    return _read(path, Level.DOCUMENT, path.parent.resolve(), progress)


def _dumped(path: Path, progress: Progress) -> Iterator[bytes]:
    with _opened(path) as file:
        try:
            yield from Dump(file, progress).document()
        except TermError as error:
            raise MovingError(f"{path}: {error}.") from None


def _translated(path: Path, document: Iterator[bytes]) -> Iterator[tuple[Place, Piece]]:
    """Of what another server keeps in a form of its own; lines are not known any more."""
    reader, place = PieReader(), Place(path)
    try:
        for data in document:
            for piece in reader.feed(data):
                yield place, piece
        for piece in reader.close():
            yield place, piece
    except LuaError as error:
        raise MovingError(f"{error}.") from None
    except PieError as error:
        raise MovingError(f"{place}: {error}.") from None


def _read(
    path: Path, level: Level, root: Path, progress: Progress
) -> Iterator[tuple[Place, Piece]]:
    """Each file that is included is in a deeper level than the one that includes it: they end."""
    reader = PieReader(level)
    with _opened(path) as file:
        try:
            while data := file.read(_AT_ONCE):
                for piece in reader.feed(data):
                    yield from _followed(path, piece, root, progress)
                progress(len(data))
            for piece in reader.close():
                yield from _followed(path, piece, root, progress)
        except PieError as error:
            raise MovingError(f"{Place(path, error.line)}: {error}.") from None


def _followed(
    path: Path, piece: Piece, root: Path, progress: Progress
) -> Iterator[tuple[Place, Piece]]:
    place = Place(path, piece.line)
    if isinstance(piece, Include):
        yield from _read(_beside(path, piece, root, place), piece.level, root, progress)
    else:
        yield place, piece


def _beside(path: Path, include: Include, root: Path, place: Place) -> Path:
    """The file that is meant: one in the directory of the first, or below it, and nothing else."""
    name = unquote(include.href)
    wanted = (path.parent / name).resolve() if "\0" not in name else root
    if ":" in name.partition("/")[0] or not wanted.is_relative_to(root) or wanted == root:
        raise MovingError(f"{place}: only files beside this one are included.")
    return wanted


def _opened(path: Path) -> BinaryIO:
    """A plain file; anything else might never end."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    file = os.fdopen(descriptor, "rb")
    if not S_ISREG(os.fstat(descriptor).st_mode):
        file.close()
        raise MovingError(f"{path} is no plain file.")
    return file
