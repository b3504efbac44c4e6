"""Which part of a file is wanted (RFC 9110 §14)."""

import re
from typing import Final

_ONE: Final = re.compile(r"bytes=\s*([0-9]{0,18})-([0-9]{0,18})\s*", re.IGNORECASE)


class Unsatisfiable(Exception):
    """No byte of that part is there."""


def chosen(field: str, size: int) -> tuple[int, int] | None:
    """The first byte and the one behind the last; None for all of the file.

    What is no range, or several, means all, as the standard allows.
    """
    found = _ONE.fullmatch(field)
    if found is None or found[1] == found[2] == "":
        return None
    if not found[1]:
        last = int(found[2])
        if last == 0:
            raise Unsatisfiable
        return max(size - last, 0), size
    first = int(found[1])
    end = min(int(found[2]) + 1, size) if found[2] else size
    if found[2] and int(found[2]) < first:
        return None
    if first >= size:
        raise Unsatisfiable
    return first, end
