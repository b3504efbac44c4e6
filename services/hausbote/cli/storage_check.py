"""hausbote check storage: how the disk and all that is kept on it are."""

from collections.abc import Iterator

from hausbote.base.settings import Settings
from hausbote.base.troubles import Trouble
from hausbote.cli.finding import Finding, Mark
from hausbote.cli.problem import Problem
from hausbote.health.look import asked, looked_at, troubles_of
from hausbote.health.part import Part
from hausbote.health.record import read_record
from hausbote.storage import path_of


def storage_findings(settings: Settings) -> Iterator[Finding]:
    """A line for each thing; disks are asked now, the database and files were when it was time."""
    database = path_of(settings.database_url)
    if not database.exists():
        raise Problem(f"There is no database {database}.")
    record = read_record(settings.health_dir)
    for part in looked_at(settings, record, answers=asked(settings)):
        yield from _findings(part)


def storage_troubles(settings: Settings) -> list[Trouble]:
    """What `hausbote status` says besides what services tell of themselves: clock, full disk."""
    try:
        found = troubles_of(looked_at(settings, read_record(settings.health_dir)))
    except OSError:
        return []  # the disk is gone: services tell that they cannot write
    return [one for one in found if not one.elsewhere and one.key != "clock"]


def _findings(part: Part) -> Iterator[Finding]:
    for one in part.troubles:
        yield Finding(Mark.BAD, part.subject, one.told)
    if not part.troubles:
        yield Finding(Mark.GOOD if part.known else Mark.HINT, part.subject, part.told, part.change)
