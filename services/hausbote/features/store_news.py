"""Administrators hear that the box cannot write its database, and when it can again.

The first news goes to those who are there, for nothing can be kept then; the second to all.
"""

import time
from typing import Final

from hausbote.base.clock import timestamp
from hausbote.core.host import Host
from hausbote.features.news import tell_administrators

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
        tell_administrators(
            host,
            "headline",
            "The database cannot be written: check the disk and its free space. People are told"
            " that what they send is not kept.",
        )
    elif told.failed_at and not failed_at:
        since, told.failed_at = told.failed_at, 0.0
        tell_administrators(
            host,
            "normal",
            f"The database could not be written since {timestamp(since)}; now it can be again.",
        )
