"""All that is looked at, put together."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from hausbote.base.believed_clock import DOUBTED, clock_is_doubted, is_synchronised
from hausbote.base.settings import Settings
from hausbote.base.troubles import Trouble
from hausbote.health.asking import ask
from hausbote.health.contents import look_at_database, look_at_files, with_database, with_files
from hausbote.health.disks import SYS, Disk, Volume, volume_of
from hausbote.health.file_system import look_at_file_system
from hausbote.health.flash import look_at_flash
from hausbote.health.part import Part
from hausbote.health.record import Reading, Record
from hausbote.health.smart import Answer
from hausbote.health.space import KEY, look_at_space, noted
from hausbote.storage import Reserve, path_of, spare_in


def brought_up_to_date(settings: Settings, record: Record, now: float, sys: Path = SYS) -> Record:
    """The record after asking everything that it is time to ask; that may take long."""
    answers = asked(settings, sys)
    record = replace(record, readings=tuple(_readings(record, answers, now)))
    if not clock_is_doubted(settings.clock_mark):
        record = _with_room(settings, record, now)
        record = with_files(settings, with_database(settings, record, now), now)
    found = (one.key for part in looked_at(settings, record, sys) for one in part.troubles)
    return replace(record, fills=KEY in found)


def _places(settings: Settings) -> dict[str, Path]:
    """Directories of the box that are on a file system of their own; "" is that of the database."""
    found = {"": path_of(settings.database_url).parent}
    devices = {found[""].stat().st_dev}
    for part, place in (("settings", settings.state), ("files", settings.uploads_dir)):
        with suppress(OSError):  # it is not there, or its disk is gone
            device = place.stat().st_dev
            if device not in devices:
                devices.add(device)
                found[part] = place
    return found


def _with_room(settings: Settings, record: Record, now: float) -> Record:
    disk = os.statvfs(path_of(settings.database_url).parent)
    size = disk.f_blocks * disk.f_frsize
    days = record.days if record.size == size else ()  # it is another one, or was enlarged
    return replace(record, days=noted(days, now, _reserve(settings).room), size=size)


def asked(settings: Settings, sys: Path = SYS) -> dict[str, Answer]:
    """What each disk says of itself, by its name."""
    volumes = [volume_of(place, sys) for place in _places(settings).values()]
    return {disk.name: ask(settings, disk) for disk in _disks_of(volumes)}


def _disks_of(volumes: Iterable[Volume]) -> list[Disk]:
    """Each once."""
    return list(dict.fromkeys(disk for one in volumes for disk in one.disks))


def looked_at(
    settings: Settings,
    record: Record,
    sys: Path = SYS,
    answers: Mapping[str, Answer] | None = None,
) -> Iterator[Part]:
    """Everything as it is now, which is quick; of disks what they have said last, or `answers`."""
    places = _places(settings)
    volumes = {part: volume_of(place, sys) for part, place in places.items()}
    yield from _disks(_disks_of(volumes.values()), record, {} if answers is None else answers)
    for part, place in places.items():
        yield look_at_file_system(place, volumes[part], part, sys)
    reserve = _reserve(settings)
    yield look_at_space(record.days, reserve.room, is_low=reserve.is_low, was_told=record.fills)
    yield look_at_database(settings, record)
    yield look_at_files(settings, record)
    yield _clock(settings)


def troubles_of(parts: Iterator[Part]) -> list[Trouble]:
    """All troubles of these."""
    return [one for part in parts for one in part.troubles]


def _reserve(settings: Settings) -> Reserve:
    path = path_of(settings.database_url)
    return Reserve(path, settings.disk.reserve_bytes, lambda: spare_in(path))


def _readings(record: Record, answers: Mapping[str, Answer], now: float) -> Iterator[Reading]:
    """Of the disks that are there: what they say, or have said when they spoke last."""
    before = {one.disk: one for one in record.readings}
    for name, answer in answers.items():
        if answer.told:
            yield Reading(name, now, answer.told, answer.troubles)
        elif name in before:
            yield before[name]


def _disks(disks: list[Disk], record: Record, answers: Mapping[str, Answer]) -> Iterator[Part]:
    """One part for each disk that tells something, and one for those that tell nothing."""
    readings = {one.disk: one for one in record.readings}
    silent, told = [], False
    for disk in disks:
        flash, answer = look_at_flash(disk), answers.get(disk.name)
        if flash is not None:
            yield flash
        if answer is not None and answer.told:
            yield Part(f"disk {disk.name}", answer.told, answer.troubles)
        elif (reading := readings.get(disk.name)) is not None:
            yield Part(f"disk {disk.name}", reading.told, reading.troubles)
        elif flash is None:
            silent.append((disk.name, answer or Answer("", why="not asked yet")))
            continue
        told = True
    if silent or not told:
        yield _silent(silent)


def _silent(disks: list[tuple[str, Answer]]) -> Part:
    whys = "; ".join(one.why if name in one.why else f"{name}: {one.why}" for name, one in disks)
    return Part(
        "disk",
        "this machine does not tell how its disk is" + (f" ({whys})" if whys else ""),
        known=False,
        change=next((answer.change for _, answer in disks if answer.change), ""),
    )


def _clock(settings: Settings) -> Part:
    doubted = Trouble("clock", 1, DOUBTED, "The clock of this server is believed again.")
    if clock_is_doubted(settings.clock_mark):
        return Part("clock", "", (doubted,))
    kept = is_synchronised()
    return Part(
        "clock",
        "it is kept right" if kept else "nobody keeps it right, as far as the kernel knows",
        known=kept,
        change="" if kept else "apt install systemd-timesyncd",
    )
