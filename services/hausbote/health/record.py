"""What the box remembers of the health of its storage: DIR/health/record.json.

`python -m hausbote.health` writes it, which runs once at a time.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from hausbote.base.files import replace_text
from hausbote.base.troubles import Trouble, from_json, to_json
from hausbote.health.space import Days

_FILE: Final = "record.json"


class Reading(NamedTuple):
    """What a disk said of itself at that time, in seconds since 1970."""

    disk: str
    at: float
    told: str
    troubles: tuple[Trouble, ...]


@dataclass(frozen=True)
class Record:
    """Times are in seconds since 1970, 0 = never.

    `days` are of a file system of `size` bytes; `fills` is whether the last look found that they
    lead to a full one.  `readings` are the latest of each disk that speaks.  `damage` is what was
    found in the database first, "" if nothing, and `cut_off` whether the time did not suffice.
    Files are looked at little by little: `file` is the last one ("" between two rounds), `bad` is
    how many were not as they were uploaded, in the last whole round and in this one.
    """

    days: Days = ()
    size: int = 0
    fills: bool = False
    readings: tuple[Reading, ...] = ()
    database_at: float = 0.0
    damage: str = ""
    cut_off: bool = False
    files_at: float = 0.0
    file: str = ""
    bad: tuple[int, int] = (0, 0)


def read_record(directory: Path) -> Record:
    """The record in DIR/health; an empty one if there is none, or it cannot be read."""
    try:
        return _record(json.loads((directory / _FILE).read_text("utf-8")))
    except (OSError, ValueError, TypeError, KeyError):
        return Record()


def write_record(directory: Path, record: Record) -> None:
    """OSError if it cannot be written; then the old one stays."""
    raw = asdict(record)
    raw["readings"] = [
        one._asdict() | {"troubles": to_json(one.troubles)} for one in record.readings
    ]
    directory.mkdir(mode=0o700, exist_ok=True)
    replace_text(directory / _FILE, json.dumps(raw, indent=2) + "\n")


def _record(raw: dict[str, Any]) -> Record:
    """ValueError, TypeError or KeyError if it is none."""
    last, this = raw["bad"]
    return Record(
        days=tuple((int(day), int(room)) for day, room in raw["days"]),
        size=int(raw["size"]),
        fills=raw["fills"] is True,
        readings=tuple(
            Reading(
                str(one["disk"]),
                float(one["at"]),
                str(one["told"]),
                tuple(from_json(one["troubles"])),
            )
            for one in raw["readings"]
        ),
        database_at=float(raw["database_at"]),
        damage=str(raw["damage"]),
        cut_off=raw["cut_off"] is True,
        files_at=float(raw["files_at"]),
        file=str(raw["file"]),
        bad=(int(last), int(this)),
    )
