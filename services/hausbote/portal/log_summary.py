"""The log of the last day as a page tells it: each event once for a part of the box, with its
number."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from hausbote.base.log import LEVELS, Event
from hausbote.base.log_reading import Entry, entries
from hausbote.base.services import ours
from hausbote.base.settings import Settings

DAY: Final = 86_400.0  # seconds
_RUN: Final = "run"  # the log of `hausbote run`
_PLACE: Final = ("type", "at")  # the fields that name a place in Hausbote


@dataclass
class Line:
    """`service` is "" for the box as a whole; `last` is when it happened last, `place` where in
    Hausbote a fault of ours is, else ""."""

    service: str
    event: Event
    count: int = 0
    last: float = 0.0
    place: str = ""

    @property
    def rank(self) -> int:
        """0 for what is good to know, 1 for a warning, 2 for an error."""
        return max(0, LEVELS.index(self.event.level) - LEVELS.index("info"))


def last_day(settings: Settings, now: float) -> list[Line]:
    """The gravest first, and of these the latest; reads files, so it is for a thread."""
    found: dict[tuple[str, Event, str], Line] = {}
    for name in (*ours(settings), _RUN):
        _add(found, name, entries(settings.log_dir / f"{name}.log", now - DAY))
    return sorted(found.values(), key=lambda line: (-line.rank, -line.last))


def _add(found: dict[tuple[str, Event, str], Line], name: str, some: Iterable[Entry]) -> None:
    for entry in some:
        if entry.event.level == "debug":
            continue
        service = entry.fields.get("service", "") if name == _RUN else name
        place = " ".join(entry.fields.get(one, "") for one in _PLACE).strip()
        place = place if entry.event is Event.BUG else ""
        line = found.setdefault((service, entry.event, place), Line(service, entry.event))
        line.count += 1
        line.last = max(line.last, entry.at)
        line.place = place


def hour(at: float) -> str:
    """Of the box's own clock."""
    return time.strftime("%H:%M", time.localtime(at))
