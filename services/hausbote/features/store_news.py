"""Administrators hear that the box cannot write its database, and when it can again.

The first news goes to those who are there, for nothing can be kept then; the second to all.
"""

import time
from typing import Final

from hausbote.base.clock import timestamp
from hausbote.base.tokens import token
from hausbote.core.dispatch import route
from hausbote.core.host import Host
from hausbote.xmpp import ns
from hausbote.xmpp.stanza import Child, stanza
from hausbote.xmpp.xml import el

_PAUSE: Final = 600.0  # seconds between two failures that are told, for a disk that comes and goes


class _Told:
    """What administrators know: `failed_at` as the store has it, `last` is when they were told."""

    def __init__(self) -> None:
        self.failed_at = 0.0
        self.last: float | None = None


def look(host: Host) -> None:
    """To be called every few seconds, in a greenlet that may wait."""
    told, failed_at = host.state(_Told), host.store.failed_at
    if failed_at and not told.failed_at:
        if told.last is not None and time.monotonic() - told.last < _PAUSE:
            return
        told.failed_at, told.last = failed_at, time.monotonic()
        _tell(
            host,
            "headline",
            "The database cannot be written: check the disk and its free space. People are told"
            " that what they send is not kept.",
        )
    elif told.failed_at and not failed_at:
        since, told.failed_at = told.failed_at, 0.0
        _tell(
            host,
            "normal",
            f"The database could not be written since {timestamp(since)}; now it can be again.",
        )


def _tell(host: Host, type: str, text: str) -> None:
    body = Child(ns.CLIENT, "body", el("body", text))
    for local in host.store.accounts.admins():
        to = f"{local}@{host.domain}"
        route(host, stanza("message", body, from_=host.domain, to=to, type=type, id=token(64)))
