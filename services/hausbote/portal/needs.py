"""What needs the owner of the box: each thing with its cause and the one thing to do.

Looked up by page, from where `hausbote status` looks.
"""

import time
from dataclasses import dataclass
from typing import Final

from hausbote.base.acme_record import read_record
from hausbote.base.backup_record import read_record as read_backups
from hausbote.base.backup_record import trouble
from hausbote.base.services import ours
from hausbote.core.bus import query_status
from hausbote.net.in_use import in_use
from hausbote.portal.names_check import is_at_home
from hausbote.portal.visit import Visit

_OURSELVES: Final = "portal"


@dataclass(frozen=True)
class Need:
    """`what` is the thing itself, `why` its cause; the page at `path` is for it."""

    grave: bool
    what: str
    why: str
    path: str
    do: str


def needs(visit: Visit) -> list[Need]:
    """The graver ones first; none if all is well."""
    found = [*_services(visit), *_disk(visit), *_certificate(visit), *_backup(visit)]
    found += _reports(visit)
    return sorted(found, key=lambda need: not need.grave)


def _services(visit: Visit) -> list[Need]:
    silent = silent_services(visit)
    if not silent:
        return []
    return [
        Need(
            True,
            visit.say("A part of the box does not answer: %(names)s.", names=", ".join(silent)),
            visit.say("It is started again by itself. If this stays, look into its log."),
            "/box",
            visit.say("Show the box"),
        )
    ]


def _reports(visit: Visit) -> list[Need]:
    count = visit.box.store.abuse_reports.count()
    if not count:
        return []
    what = visit.language.count(
        "Somebody was reported.", "There are %(num)s reports of people.", count
    )
    why = visit.say("Whoever reports has blocked them already; you decide whether more is needed.")
    return [Need(False, what, why, "/reports", visit.say("Show"))]


def silent_services(visit: Visit) -> list[str]:
    """Those that do not say how they are."""
    settings = visit.box.settings
    asked = [name for name in ours(settings) if name != _OURSELVES]
    answers = visit.box.compute(lambda: [query_status(settings.bus_dir, name) for name in asked])
    return [name for name, answer in zip(asked, answers, strict=True) if answer is None]


def _disk(visit: Visit) -> list[Need]:
    if not visit.box.store.reserve.is_low:
        return []
    return [
        Need(
            True,
            visit.say("The disk is nearly full."),
            visit.say("Messages that would have to be kept are refused until there is room."),
            "/storage",
            visit.say("Show what fills it"),
        )
    ]


def _certificate(visit: Visit) -> list[Need]:
    settings = visit.box.settings
    if is_at_home(settings):
        return []
    shown, now = in_use(settings), time.time()
    record = read_record(settings.acme_record)
    path, do = "/setup/certificate", visit.say("Show what to do")
    if shown is None or shown.ends <= now:
        what = visit.say("The certificate has ended: apps and other servers refuse the box.")
        return [Need(True, what, visit.reason(record.problem), path, do)]
    if shown.ends_soon(now):
        days = shown.days_left(now)
        what = visit.language.count(
            "The certificate ends in %(num)s day.", "The certificate ends in %(num)s days.", days
        )
        return [Need(True, what, visit.reason(record.problem), path, do)]
    if shown.own:
        what = visit.say("The box has no certificate yet that others trust.")
        why = visit.reason(record.problem) or visit.say(
            "Until then apps warn, and other servers stay away."
        )
        return [Need(False, what, why, path, do)]
    return []


def _backup(visit: Visit) -> list[Need]:
    settings = visit.box.settings
    if not settings.backup.repository:
        return [
            Need(
                False,
                visit.say("There are no backups."),
                visit.say("If the disk breaks, everything is gone."),
                "/box#backups",
                visit.say("Show how"),
            )
        ]
    problem = trouble(read_backups(settings.backup_dir), settings.backup, time.time())
    if not problem:
        return []
    what = visit.say("The last backup failed, or is too old.")
    return [Need(True, what, visit.reason(problem), "/box#backups", visit.say("Show the box"))]
