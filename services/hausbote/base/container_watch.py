"""Looks after the services of a container, inside the supervisor there.

An extension of `container_supervisor.py`.  Every five seconds it tries again what was given up,
with pauses that grow, has services read certificates that have changed, and says in the services'
lock files how they are.  A container that is only tried ends when nobody is in charge of that any
more.  It is loaded in every container, so it imports next to nothing.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

from supervisor import events
from supervisor.states import ProcessStates

from hausbote.base.locks import RUNNING, ServiceLock
from hausbote.base.trial import TRIAL, is_conducted

SERVICES: Final = "HAUSBOTE_SERVICES"  # in the environment: JSON, {name: Watched}
_FIRST_PAUSE: Final = 5.0  # seconds until a service that was given up is tried again, ...
_LONGEST_PAUSE: Final = 60.0  # ... doubled with each time
_STEADY: Final = 600.0  # seconds after which earlier ends are forgotten
_SIGNALS: Final = {"HUP": signal.SIGHUP, "USR2": signal.SIGUSR2}


class Watched(NamedTuple):
    """What is known of a service."""

    lock: int  # descriptor
    certificates: list[str]  # paths that it reads
    reread: str  # the signal at which it reads them again


class _Life:
    """What it has done lately."""

    def __init__(self, known: Watched) -> None:
        self.known = known
        self.seen: object = None  # the certificates as they were when the service last read them
        self.changing: object = None  # and at the last look, if that is something else
        self.pause = _FIRST_PAUSE
        self.next_try = 0.0
        self.ends = 0
        self.since = 0.0  # when it was started last; of the monotonic clock


class Watch:
    """What the supervisor calls at its ticks, and when it starts something."""

    def __init__(self, supervisord: Any, clock: Callable[[], float] = time.monotonic) -> None:
        self._supervisord = supervisord
        self._clock = clock
        told = json.loads(os.environ.get(SERVICES, "{}"))
        self._watched = {name: _Life(Watched(*one)) for name, one in told.items()}

    def tick(self, _event: object) -> None:
        """Look at every service."""
        trial = os.environ.get(TRIAL)
        if trial and not is_conducted(Path(trial)):
            os.kill(os.getpid(), signal.SIGTERM)  # the supervisor ends all, and itself
            return
        for name, one in self._watched.items():
            process = self._supervisord.process_groups[name].processes[name]
            state = process.get_state()
            if state == ProcessStates.FATAL:
                self._try_again(name, one, process)
            elif state in (ProcessStates.STARTING, ProcessStates.RUNNING):
                self._lives(name, one, process)
            self._say(name, one, state)

    def _say(self, name: str, one: _Life, state: int) -> None:
        text = {
            ProcessStates.RUNNING: RUNNING,
            ProcessStates.STARTING: f"{name} was started just now.",
            ProcessStates.FATAL: f"{name} ends as soon as it starts; it is tried again and again.",
        }.get(state, f"{name} ended and is being started again.")
        ServiceLock(one.known.lock).say(text)

    def _try_again(self, name: str, one: _Life, process: Any) -> None:
        now = self._clock()
        if not one.next_try:
            one.next_try = now + one.pause
            tell(f"{name} ends as soon as it starts; it is tried again in {one.pause:.0f} s.")
        elif now >= one.next_try:
            one.next_try = 0.0
            one.pause = min(2 * one.pause, _LONGEST_PAUSE)
            process.spawn()

    def started(self, event: Any) -> None:
        """A process is being started."""
        name = event.process.config.name
        one = self._watched.get(name)
        if one is None:  # a program that runs now and then
            return
        one.since, one.seen = self._clock(), _state(one.known.certificates)
        if event.from_state == ProcessStates.STOPPED:
            return  # the first time, or it was told to stop: see turn/in_container.py
        one.ends += 1
        if one.ends.bit_count() == 1:  # 1, 2, 4, 8 ...: one that ends every minute is told
            tell(f"{name} ended and was started again (times: {one.ends}).")

    def _lives(self, name: str, one: _Life, process: Any) -> None:
        if self._clock() - one.since > _STEADY:
            one.ends, one.pause = 0, _FIRST_PAUSE
        self._certificates(name, one, process)

    def _certificates(self, name: str, one: _Life, process: Any) -> None:
        """A chain and its key come one after the other: what still changes is left for later."""
        now = _state(one.known.certificates)
        if now == one.seen:
            one.changing = None
        elif now != one.changing:
            one.changing = now
        else:
            one.seen, one.changing = now, None
            process.signal(_SIGNALS[one.known.reread])
            tell(f"{name} was told that its certificates have changed.")


def _state(paths: list[str]) -> object:
    return [_stat(path) for path in paths]


def _stat(path: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def tell(sentence: str) -> None:
    """In the container's log."""
    try:
        print(sentence, file=sys.stdout, flush=True)
    except OSError:  # nobody reads it any more
        return


def extend(supervisord: Any) -> None:
    """Be called from now on."""
    watch = Watch(supervisord)
    events.subscribe(events.Tick5Event, watch.tick)
    events.subscribe(events.ProcessStateStartingEvent, watch.started)
