"""Keeps coturn's configuration true: a box may get another address, or stand in another network.

Networks that were strange before may be the owner's own now, which calls must not reach.  So the
file is compared with what it should be, and coturn started anew if it is not.
"""

import contextlib
import os
import signal
from pathlib import Path

from hausbote.base.files import replace_text
from hausbote.base.log import Event, log
from hausbote.base.settings import Settings
from hausbote.turn.coturn import configuration
from hausbote.turn.offers import PROGRAM
from hausbote.turn.place import place
from hausbote.turn.restart import start_anew


def wanted(settings: Settings) -> str | None:
    """What the file should be now, None if nobody knows; may wait for DNS."""
    here = place(settings)
    return configuration(settings, here) if here.certain else None


def keep_true(settings: Settings, text: str | None) -> bool:
    """Make the file `text`; returns whether it was another, and coturn has to read it."""
    if text is None or not settings.relay_config.exists() or _read(settings) == text:
        return False
    replace_text(settings.relay_config, text)  # coturn may read it at any time
    log(Event.RELAY_MOVED)
    return True


def let_read(settings: Settings) -> None:
    """Have coturn started anew; may take seconds."""
    if start_anew(settings):
        return
    pid = relay_process(settings)
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


def _read(settings: Settings) -> str:
    return settings.relay_config.read_text("utf-8")


def relay_process(settings: Settings) -> int | None:
    """The id of the coturn that wrote it; a number that somebody else has by now is none."""
    try:
        pid = int(settings.relay_pid.read_text("ascii"))
        name = Path(f"/proc/{pid}/comm").read_text("utf-8").strip()
    except (OSError, ValueError):
        return None
    return pid if name == PROGRAM else None
