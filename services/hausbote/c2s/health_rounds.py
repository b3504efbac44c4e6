"""Has a process of its own look at the storage, and tells administrators what it found.

c2s does it, for it is there however a box is run, and speaks with administrators.  The process
(`hausbote.health`) has the lowest priority; it may take long, and ends with this one.
"""

import os
import sys
from contextlib import suppress
from typing import IO, Final, cast

import gevent

from hausbote.base.parent import PARENT
from hausbote.base.troubles import from_text
from hausbote.core.host import Host
from hausbote.features import health_news

_LOOK: Final = 5.0  # seconds between two looks whether it has ended
_LONGEST: Final = 10_800.0  # seconds that it may take; a disk that hangs takes for ever


def go_round(host: Host) -> None:
    """To be called every hour, in a greenlet that may wait."""
    import subprocess  # not needed until now

    try:
        # By vfork(2), which copies nothing; in the main thread, as `end_with_parent` needs it.
        child = subprocess.Popen(
            [sys.executable, "-m", "hausbote.health", "--state", str(host.settings.state)],
            env=os.environ | {PARENT: str(os.getpid())},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
    except OSError:
        return  # no memory or descriptor is left: there will be other hours
    output = cast(IO[bytes], child.stdout)
    waited = 0.0
    while child.poll() is None:
        if waited >= _LONGEST:
            child.kill()
        gevent.sleep(_LOOK)
        waited += _LOOK
    with output:
        said = output.read()  # all is there: it is little, and who wrote it has ended
    with suppress(ValueError):  # it was killed, or has told its fault in the log
        health_news.tell(host, from_text(said))
