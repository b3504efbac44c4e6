"""Looking at all of the database and of the uploaded files now and then, slowly.

What was found bad is looked at every day, so that it is soon known when it is mended.
"""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Final

from hausbote.base.settings import Settings
from hausbote.base.troubles import Trouble
from hausbote.health.part import Part, counted
from hausbote.health.record import Record
from hausbote.storage import StorageError, open_store, path_of, quick_damage
from hausbote.upload.depot import Depot
from hausbote.upload.scrub import trouble_with

_DAY: Final = 86_400.0  # seconds
_LONGEST: Final = 1_800.0  # seconds that a look at the database may take: its log grows meanwhile
_SLICE: Final = 600.0  # seconds for files at one time; the rest comes the next time


def with_database(settings: Settings, record: Record, now: float) -> Record:
    """With a look at the database, if it is time; others read and write meanwhile."""
    days = settings.health.database_days
    if not _is_due(record.database_at, days, now, was_bad=record.damage != ""):
        return record
    path = path_of(settings.database_url)
    if not path.exists():
        return record
    found = quick_damage(path, _LONGEST)
    if found is None:
        return replace(record, database_at=now, cut_off=True)
    return replace(record, database_at=now, damage=found, cut_off=False)


def with_files(
    settings: Settings,
    record: Record,
    now: float,
    counter: Callable[[], float] = time.monotonic,
) -> Record:
    """With a look at some files, if it is time, or a round was begun; never by a database that is
    damaged, for it may not say what they should be."""
    days = settings.health.files_days
    is_due = _is_due(record.files_at, days, now, was_bad=any(record.bad))
    if not days or record.damage or not (record.file or is_due):
        return record
    last, bad = record.bad
    try:
        with closing(open_store(settings.database_url)) as store:
            depot, until = Depot(settings.uploads_dir), counter() + _SLICE
            for one in store.uploads.all():
                if one.id <= record.file:
                    continue
                bad += trouble_with(depot, store, one) != ""
                if counter() > until:
                    return replace(record, file=one.id, bad=(last, bad))
    except StorageError:
        return record  # that is told elsewhere
    return replace(record, files_at=now, file="", bad=(bad, 0))


def _is_due(last: float, days: int, now: float, *, was_bad: bool) -> bool:
    """A time of the future is of a clock that was wrong."""
    pause = min(days, 1) if was_bad else days
    return days > 0 and not 0 <= now - last < pause * _DAY


def look_at_database(settings: Settings, record: Record) -> Part:
    """What is known of it."""
    troubles = (
        Trouble(
            "database",
            1,
            f"The database of this server is damaged: {record.damage}. 'hausbote check store' tells"
            " what else is; put a backup in its place, and look at the disk.",
            "The database of this server is sound again.",
        ),
    )
    if record.cut_off and not record.damage:
        told = "it is too large to be looked at by the way"
        return Part("database", told, known=False, change="'hausbote check store' takes its time")
    told = _told(record.database_at, settings.health.database_days, "it is sound")
    return Part("database", told, troubles if record.damage else ())


def look_at_files(settings: Settings, record: Record) -> Part:
    """What is known of uploaded files."""
    bad = max(record.bad)
    troubles = (
        Trouble(
            "files",
            bad.bit_length(),
            f"Of the uploaded files {counted(bad, 'file')} cannot be read as uploaded: 'hausbote"
            " files scrub' tells which; look at the disk.",
            "All uploaded files are as they were uploaded again.",
        ),
    )
    told = _told(record.files_at, settings.health.files_days, "they are as they were uploaded")
    return Part("files", told, troubles if bad else ())


def _told(at: float, days: int, good: str) -> str:
    if not at:
        return "not looked at yet" if days else "not looked at: the settings say so"
    return f"{good}, as of {time.strftime('%Y-%m-%d', time.localtime(at))}"
