"""Administrators hear that backups fail or are too old, and when there is a good one again.

They are told once a day for as long as it lasts.
"""

from contextlib import suppress
from typing import Final

from hausbote.base.backup_record import read_record, trouble
from hausbote.base.files import replace_text
from hausbote.base.log import Event, log
from hausbote.base.tokens import token
from hausbote.core.dispatch import route
from hausbote.core.host import Host
from hausbote.xmpp import ns
from hausbote.xmpp.stanza import Child, stanza
from hausbote.xmpp.xml import el

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
        told.at = _read(host)
    found = trouble(read_record(settings.backup_dir), settings.backup, now)
    if found and not 0 <= now - told.at < _DAY:
        log(Event.BACKUP_TROUBLE)
        _note(host, told, now)
        _tell(host, f"{found} 'hausbote status' tells more.")
    elif not found and told.at:
        log(Event.BACKUP_WORKS_AGAIN)
        _note(host, told, 0.0)
        _tell(host, "There is a good backup of this server again.")


def _read(host: Host) -> float:
    try:
        return float((host.settings.backup_dir / _TOLD).read_text("ascii"))
    except (OSError, ValueError):
        return 0.0


def _note(host: Host, told: _Told, at: float) -> None:
    """In the file, too: a service that is started again and again does not tell it each time."""
    told.at = at
    with suppress(OSError):
        replace_text(host.settings.backup_dir / _TOLD, f"{at:.0f}\n")


def _tell(host: Host, text: str) -> None:
    body = Child(ns.CLIENT, "body", el("body", text))
    for local in host.store.accounts.admins():
        to = f"{local}@{host.domain}"
        route(host, stanza("message", body, from_=host.domain, to=to, type="normal", id=token(64)))
