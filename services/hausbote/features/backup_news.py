"""Administrators hear that backups fail or are too old, and when there is a good one again.

They are told once a day for as long as it lasts.
"""

from typing import Final

from hausbote.base.backup_record import read_record, trouble
from hausbote.base.log import Event, log
from hausbote.core.host import Host
from hausbote.features.news import last_told, note_told, tell_administrators

_TOLD: Final = "told"  # in DIR/backup: when they were told of what still lasts
_DAY: Final = 86_400.0  # seconds


class _Told:
    """`at` is when they were told of a trouble that still lasts, in seconds since 1970; 0 if there
    is none, None if that was not read yet."""

    def __init__(self) -> None:
        self.at: float | None = None


def look(host: Host) -> None:
    """To be called every minute, in a greenlet that may wait."""
    settings = host.settings
    if not settings.backup.repository:
        return
    told, now = host.state(_Told), host.clock()
    if told.at is None:
        told.at = last_told(settings.backup_dir / _TOLD)
    found = trouble(read_record(settings.backup_dir), settings.backup, now)
    if found and not 0 <= now - told.at < _DAY:
        log(Event.BACKUP_TROUBLE)
        _note(host, told, now)
        tell_administrators(host, "normal", f"{found} 'hausbote status' tells more.")
    elif not found and told.at:
        log(Event.BACKUP_WORKS_AGAIN)
        _note(host, told, 0.0)
        tell_administrators(host, "normal", "There is a good backup of this server again.")


def _note(host: Host, told: _Told, at: float) -> None:
    """In the file, too: a service that is started again and again does not tell it each time."""
    told.at = at
    note_told(host.settings.backup_dir / _TOLD, at)
