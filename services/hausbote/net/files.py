"""When files were written, to see whether they have to be read again."""

from collections.abc import Iterable
from pathlib import Path


def stamps(paths: Iterable[Path]) -> tuple[tuple[int, int], ...]:
    """Something that differs when one of the files was written or replaced."""
    return tuple([_stamp(path) for path in paths])


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_ino)
