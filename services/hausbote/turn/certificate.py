"""Has coturn read a new certificate, without a call noticing (its manual: SIGUSR2)."""

import contextlib
import os
import signal

from hausbote.base.log import Event, log
from hausbote.base.settings import Settings
from hausbote.turn.keeper import relay_process

_Stamp = tuple[tuple[int, int], ...]


class RelayCertificate:
    """`look` now and then.  The first time coturn is told in any case: it may have read the files
    just before they changed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._told: _Stamp | None = None

    def look(self) -> None:
        """Tell coturn if the files are others now."""
        now = self._stamps()
        if now == self._told:
            return
        pid = relay_process(self._settings)
        if pid is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGUSR2)
            if self._told is not None:
                log(Event.CERTIFICATE_RELOADED)
            self._told = now

    def _stamps(self) -> _Stamp:
        tls = self._settings.tls
        return tuple([self._stamp(name) for name in (tls.certificate, tls.key)])

    def _stamp(self, name: str) -> tuple[int, int]:
        try:
            status = self._settings.path(name).stat()
        except OSError:
            return (0, 0)
        return (status.st_mtime_ns, status.st_ino)
