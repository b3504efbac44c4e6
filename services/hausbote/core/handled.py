"""Frames that were dealt with before this service was started.

A service remembers in memory what it has handled.  If it is killed together with the service that
was to be told so, the same comes again, and people would have it twice.
"""

from hausbote.core.bus.cause import repeatable
from hausbote.core.host import Host
from hausbote.storage.arrivals import Earlier, name_of


class _Memory:
    def __init__(self) -> None:
        self.earlier: Earlier | None = None


def was_handled(host: Host, frame: str) -> bool:
    """Whether all that the frame of this id is to do is done and on disk."""
    return _earlier(host).find(name_of(frame)) is not None


def name_for(*purpose: str) -> int:
    """The name of what is done now because of a frame that may come again; 0 if there is none."""
    frame = repeatable()
    return name_of(frame, *purpose) if frame else 0


def earlier_id(host: Host, name: int) -> int | None:
    """The id of the message that was kept under that name; None if there is none."""
    return _earlier(host).find(name) if name else None


def _earlier(host: Host) -> Earlier:
    memory = host.state(_Memory)
    if memory.earlier is None:
        memory.earlier = host.store.arrivals.earlier()
    return memory.earlier
