"""What a disk tells of itself by SMART, read from `smartctl --json` (smartmontools, smartctl(8)).

ATA disks have a verdict and a table of attributes, whose numbers and names are their makers'; only
those that mean the same with nearly all of them count here.  NVMe disks have a log that is the same
for all (NVM Express Base Specification 2.0, 5.16.1.3).
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from hausbote.base.troubles import Trouble
from hausbote.health.part import counted

_REALLOCATED: Final = 5
_UNCORRECTED: Final = 187
_UNREADABLE: Final = (197, 198)  # pending, and found by the disk's own looking about
_COUNT: Final = 0xFFFF_FFFF  # some makers put other things into the upper bits of a count
# Of SSDs: the part of their life that is left, in percent, is the normalized value.
_LIFE_LEFT: Final = (
    "Media_Wearout_Indicator",
    "Percent_Lifetime_Remain",
    "Remaining_Lifetime_Perc",
    "SSD_Life_Left",
    "Wear_Leveling_Count",
)
_WORN: Final = 90  # percent of a disk's life
_HOT: Final = 0x02  # bits of an NVMe disk's critical warning
_SPARE: Final = 0x01


class Answer(NamedTuple):
    """What smartctl has said of a disk: `told` is how the disk is if there are no troubles, "" if
    it did not say; then `why` not, and what to `change` if that is known."""

    told: str
    troubles: tuple[Trouble, ...] = ()
    why: str = ""
    change: str = ""


def understood(name: str, text: str) -> Answer:
    """The answer in what smartctl has written about the disk of that name."""
    try:
        raw = json.loads(text)
    except ValueError:
        return Answer("", why="smartctl gives no answer that can be read")
    passed = _inner(raw, "smart_status", "passed")
    log = _inner(raw, "nvme_smart_health_information_log")
    table = _inner(raw, "ata_smart_attributes", "table")
    if not isinstance(passed, bool) and not isinstance(log, dict) and not isinstance(table, list):
        return _silent(raw)
    model = _inner(raw, "model_name")
    disk = _Disk(name, f"{name} ({model})" if isinstance(model, str) and model else name)
    if isinstance(log, dict):
        told = _shows_nothing(_number(log, "percentage_used"))
        return Answer(told, tuple(_nvme(disk, log)))
    rows = [one for one in table if isinstance(one, dict)] if isinstance(table, list) else []
    rotates = bool(_number(raw, "rotation_rate"))
    troubles = tuple(_ata(disk, rows, failing=passed is False, rotates=rotates))
    return Answer(_shows_nothing(_used(rows)), troubles)


def _silent(raw: object) -> Answer:
    messages = _inner(raw, "smartctl", "messages")
    said = [_inner(one, "string") for one in messages] if isinstance(messages, list) else []
    why = " ".join(" ".join(one.split()) for one in said if isinstance(one, str))[:300]
    may_not = "Permission denied" in why
    change = 'let it be asked by sudo: health.smartctl = "sudo -n smartctl"' if may_not else ""
    return Answer("", why=why or "it has no SMART", change=change)


class _Disk(NamedTuple):
    name: str
    full: str

    def failing(self) -> Trouble:
        return self._trouble(
            "failing",
            1,
            "says that it is failing (SMART): make a backup now, and replace it.",
            "does not say any more that it is failing.",
        )

    def unread(self, sectors: int) -> Trouble:
        return self._trouble(
            "unreadable",
            sectors.bit_length(),  # it is worse with 1, 2, 4, 8 ... of them
            f"has {counted(sectors, 'sector')} that it cannot read: make a backup, and replace it.",
            "has no sectors any more that it cannot read.",
        )

    def errors(self, times: int) -> Trouble:
        return self._trouble(
            "errors",
            times.bit_length(),
            f"could not read what it had written, {counted(times, 'time')} by now: see to it that"
            " there are backups, and replace it soon.",
            "counts no errors of reading any more.",
        )

    def replaced(self, sectors: int) -> Trouble:
        return self._trouble(
            "replaced",
            sectors.bit_length(),
            f"has replaced {counted(sectors, 'sector')} that went bad: see to it that there are"
            " backups; if it becomes more, replace it.",
            "has no replaced sectors any more.",
        )

    def worn(self, percent: int) -> Trouble:
        return self._trouble(
            "worn",
            1 if percent < 100 else 2,
            f"has used {percent} % of its life: see to it that there are backups, and replace it.",
            "has enough of its life left.",
        )

    def without_spare(self, percent: int) -> Trouble:
        return self._trouble(
            "spare",
            1,
            f"has only {percent} % of its spare blocks left: make a backup, and replace it.",
            "has enough spare blocks.",
        )

    def hot(self) -> Trouble:
        return self._trouble("hot", 1, "is too hot: give it air.", "is not too hot any more.")

    def _trouble(self, kind: str, level: int, told: str, over: str) -> Trouble:
        key = f"smart:{self.name}:{kind}"
        return Trouble(key, level, f"The disk {self.full} {told}", f"The disk {self.full} {over}")


# -- ATA -----------------------------------------------------------------------------------------


def _ata(
    disk: _Disk, rows: list[dict[str, Any]], *, failing: bool, rotates: bool
) -> Iterator[Trouble]:
    below = any(
        one.get("when_failed") == "now" and _inner(one, "flags", "prefailure") is True
        for one in rows
    )
    if failing or below:
        yield disk.failing()
    if sectors := max(map(_counter(rows), _UNREADABLE)):
        yield disk.unread(sectors)
    if times := _counter(rows)(_UNCORRECTED):
        yield disk.errors(times)
    if rotates and (sectors := _counter(rows)(_REALLOCATED)):  # SSDs do it all their life
        yield disk.replaced(sectors)
    used = _used(rows)
    if used is not None and used >= _WORN:
        yield disk.worn(used)


def _counter(rows: list[dict[str, Any]]) -> Callable[[int], int]:
    counts = {one.get("id"): (_number(one, "raw", "value") or 0) & _COUNT for one in rows}
    return lambda id: counts.get(id, 0)


def _used(rows: list[dict[str, Any]]) -> int | None:
    """Percent of an SSD's life; None if it does not say."""
    left = [_number(one, "value") for one in rows if one.get("name") in _LIFE_LEFT]
    known = [one for one in left if one is not None and 0 <= one <= 100]
    return 100 - min(known) if known else None


# -- NVMe ----------------------------------------------------------------------------------------


def _nvme(disk: _Disk, log: dict[str, Any]) -> Iterator[Trouble]:
    warning = _number(log, "critical_warning") or 0
    spare, least = _number(log, "available_spare"), _number(log, "available_spare_threshold")
    if warning & ~(_HOT | _SPARE):
        yield disk.failing()
    if spare is not None and (warning & _SPARE or (least is not None and spare < least)):
        yield disk.without_spare(spare)
    if warning & _HOT:
        yield disk.hot()
    if times := _number(log, "media_errors"):
        yield disk.errors(times)
    used = _number(log, "percentage_used")
    if used is not None and used >= _WORN:
        yield disk.worn(used)


def _shows_nothing(used: int | None) -> str:
    life = "" if used is None else f", and {used} % of its life are used"
    return f"no trouble is to be seen (SMART){life}"


# -- what others have written --------------------------------------------------------------------


def _inner(raw: object, *path: str) -> object:
    """What is there; None if that way leads nowhere."""
    for name in path:
        raw = raw.get(name) if isinstance(raw, dict) else None
    return raw


def _number(raw: object, *path: str) -> int | None:
    """A number that is there and is none below 0."""
    found = _inner(raw, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else None
