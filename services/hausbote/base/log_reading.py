"""What services have written into their logs: events with times, from the end of a file."""

import calendar
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from hausbote.base.log import Event

MOST_BYTES: Final = 1_048_576  # that are looked at of one file
_LINE: Final = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) [a-z]{1,10} ([a-z-]{1,60})((?: [a-z_]{1,30}=[^ ]{1,200})*)"
)
_EVENTS: Final = {event.word: event for event in Event}


class Entry(NamedTuple):
    """`at` is in seconds since 1970; `fields` are those that are technical words or numbers."""

    at: float
    event: Event
    fields: dict[str, str]


def entries(path: Path, since: float) -> Iterator[Entry]:
    """Those since then, the oldest first; other lines are left out, as are those before the last
    MOST_BYTES.  Nothing of a file that is not there, or cannot be read."""
    for line in _last_lines(path):
        entry = _entry(line)
        if entry is not None and entry.at >= since:
            yield entry


def _last_lines(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - MOST_BYTES))
            lines = file.read(MOST_BYTES).decode("utf-8", "replace").splitlines()
    except OSError:
        return []
    return lines[1:] if size > MOST_BYTES else lines  # the first may have no beginning


def _entry(line: str) -> Entry | None:
    found = _LINE.match(line)
    event = _EVENTS.get(found[2]) if found else None
    if found is None or event is None:
        return None
    try:
        at = calendar.timegm(time.strptime(found[1], "%Y-%m-%dT%H:%M:%SZ"))
    except ValueError:
        return None
    return Entry(at, event, dict(one.split("=", 1) for one in found[3].split()))
