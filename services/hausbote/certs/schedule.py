"""When to look after the certificate: at the start, twice a day, and after failures as written."""

import os
import sys
import time
from typing import Final

import gevent
from gevent import subprocess

from hausbote.base.acme_record import read_record
from hausbote.base.believed_clock import BelievedClock, is_synchronised
from hausbote.base.log import bug
from hausbote.base.parent import PARENT
from hausbote.base.settings import Settings
from hausbote.certs.renewal_kinds import Urgency

_LOOK: Final = 60.0  # seconds between two looks at the time


class Schedule:
    """`watch` in a greenlet, `stop` when the service goes."""

    def __init__(self, settings: Settings, clock: BelievedClock) -> None:
        self._settings = settings
        self._clock = clock
        self._child: subprocess.Popen[bytes] | None = None
        self.handled = 0  # times that something was done

    def watch(self) -> None:
        """For ever.  What was failing when the last process ended waits for its time; else the
        first look comes at once, for the settings may be others now."""
        if not read_record(self._settings.acme_record).failures:
            self._try(Urgency.LOOK)
        while True:
            try:
                self._clock.look()
                if self._is_time():
                    self._try(Urgency.USUAL)
            except Exception as fault:  # noqa: BLE001 - the clock must go on
                bug(fault)
            gevent.sleep(_LOOK)

    def stop(self) -> None:
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()

    def _is_time(self) -> bool:
        """By a clock that is believed: by another one, every certificate may look ended."""
        doubted = self._clock.is_doubted and not is_synchronised()
        return not doubted and read_record(self._settings.acme_record).is_due(time.time())

    def _try(self, urgency: Urgency) -> None:
        command = [sys.executable, "-m", "hausbote.certs.renewal"]
        command += ["--state", str(self._settings.state), "--urgency", urgency.value]
        environment = os.environ | {PARENT: str(os.getpid())}
        self._child = subprocess.Popen(command, env=environment)
        self._child.wait()
        self.handled += 1
