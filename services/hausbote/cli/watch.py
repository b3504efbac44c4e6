"""Services that do not stay: `hausbote run` says so, and has them started again for ever.

The supervisor starts at once what ends, but gives a service up that ends four times soon after its
start.  What is in its way (a full disk, an address that is not there yet) may pass, so the
supervisor is asked to try anew, after pauses that grow.
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import click

from hausbote.base.log import Event, Word, log
from hausbote.base.settings import Settings
from hausbote.cli.supervision import start_again

_RELAY: Final = "relay"  # it is started anew when its configuration has changed
_FIRST_PAUSE: Final = 2.0  # seconds until a service that was given up is tried again, ...
_LONGEST_PAUSE: Final = 60.0  # ... doubled with each time
_STEADY: Final = 600.0  # seconds after which earlier ends are forgotten
_MOST_LOGGED: Final = 1_000_000  # bytes of a log file; the one before it is kept


@dataclass
class _Life:
    """What one service has done lately; times are of the monotonic clock."""

    pid: int = 0
    since: float = 0.0  # when that process was seen first
    config: int = 0  # when its configuration had been written then (the relay's only)
    ends: int = 0  # of processes before it
    told_to_end: int = 0  # the process that somebody wants to be started again
    down: bool = False  # it was given up, and has not stayed since
    pause: float = _FIRST_PAUSE
    next_try: float = 0.0  # 0: the supervisor is at it


class Watch:
    """`look` every few seconds at what the supervisor says of the services."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._lives: dict[str, _Life] = {}

    def look(self, processes: list[dict[str, Any]]) -> None:
        """Tell what has changed, and try again what is due."""
        for process in processes:
            service, state = process["name"], process["statename"]
            life = self._lives.setdefault(service, _Life())
            if state == "FATAL":
                self._given_up(service, life)
            elif state == "RUNNING" and life.down:
                life.down = False
                self._note(service, life, process["pid"])
                self._tell(Event.SERVICE_AGAIN, service, f"{service} serves again.")
            elif state in ("STARTING", "RUNNING") and not life.down:
                self._lives_on(service, life, process["pid"])

    def expect_end(self, service: str) -> None:
        """Its process was told to end, to be started again: that is no news."""
        life = self._lives.setdefault(service, _Life())
        life.told_to_end = life.pid

    def _given_up(self, service: str, life: _Life) -> None:
        now = self._clock()
        if not life.next_try:
            life.next_try = now + life.pause
        elif now >= life.next_try:
            life.next_try = 0.0
            life.pause = min(2 * life.pause, _LONGEST_PAUSE)
            start_again(self._settings, service)
        if not life.down:
            life.down = True
            where = self._settings.log_dir
            text = f"{service} ends as soon as it starts; it is tried again and again. See {where}."
            self._tell(Event.SERVICE_DOWN, service, text)

    def _lives_on(self, service: str, life: _Life, pid: int) -> None:
        now = self._clock()
        if pid == life.pid:
            if now - life.since > _STEADY:
                life.ends, life.pause = 0, _FIRST_PAUSE
            return
        known, read = life.pid not in (0, life.told_to_end), life.config
        self._note(service, life, pid)
        if known and life.config == read:  # or else it was started anew to read another one
            life.ends += 1
            if life.ends.bit_count() == 1:  # 1, 2, 4, 8 ...: one that ends every minute is told
                text = f"{service} ended and was started again (times: {life.ends})."
                self._tell(Event.SERVICE_ENDED, service, text)

    def _note(self, service: str, life: _Life, pid: int) -> None:
        """Another process is at work."""
        life.pid, life.since = pid, self._clock()
        if service == _RELAY:
            with contextlib.suppress(OSError):
                life.config = self._settings.relay_config.stat().st_mtime_ns

    def _tell(self, event: Event, service: str, text: str) -> None:
        """In run.log and on the screen; the services' own log files are the supervisor's."""
        path = self._settings.log_dir / "run.log"
        with contextlib.suppress(OSError):  # a full disk, say
            if path.exists() and path.stat().st_size > _MOST_LOGGED:
                path.replace(path.with_suffix(".log.1"))
            with path.open("a", encoding="utf-8") as file, contextlib.redirect_stderr(file):
                log(event, service=Word(service))
        with contextlib.suppress(OSError):  # nobody reads it any more
            click.echo(text)
