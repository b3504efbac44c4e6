"""Descriptors used up: nobody is accepted for a second, and it is told once until it is over."""

import errno
import time
from typing import Final

from hausbote.base.log import Event, log

PAUSE: Final = 1.0  # seconds until accepting is tried again
_OVER: Final = 60.0  # seconds after which it is told again, and status forgets it
_CAUSES: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

_last = -_OVER  # of the monotonic clock


def is_shortage(error: OSError) -> bool:
    """Whether accepting failed for want of descriptors or memory; then it is noted."""
    global _last
    if error.errno not in _CAUSES:
        return False
    told = is_now()
    _last = time.monotonic()
    if not told:
        log(Event.OUT_OF_FILES)
    return True


def is_now() -> bool:
    """Whether there was one within the last minute."""
    return time.monotonic() - _last < _OVER
