"""Looks now and then whether the relay's secret and configuration are what they should be."""

from typing import Final

import gevent

from hausbote.base.log import bug
from hausbote.base.settings import Settings
from hausbote.core.bus import Bus
from hausbote.core.threads import compute
from hausbote.turn.certificate import RelayCertificate
from hausbote.turn.desk import Desk
from hausbote.turn.keeper import keep_true, let_read, wanted
from hausbote.turn.service import tell_of_change

_PAUSE: Final = 60.0  # seconds


class Caretaker:
    """`look` at once when somebody says that something has changed."""

    def __init__(self, settings: Settings, desk: Desk, bus: Bus) -> None:
        self._settings = settings
        self._desk = desk
        self._bus = bus
        self._certificate = RelayCertificate(settings)

    def look(self) -> None:
        """Look after both; people are told if their credentials are void."""
        if self._desk.tend():
            tell_of_change(self._bus)
        if self._settings.relay.run == "here":
            text = compute(wanted, self._settings)
            if keep_true(self._settings, text):
                compute(let_read, self._settings)
            self._certificate.look()

    def watch(self) -> None:
        """For ever, in a greenlet."""
        while True:
            gevent.sleep(_PAUSE)
            try:
                self.look()
            except Exception as fault:  # noqa: BLE001 - the clock must go on
                bug(fault)
