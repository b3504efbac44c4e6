"""What a container waits for, and how it says so: on its screen, to health checks, to `status`."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from hausbote.base.locks import ServiceLock
from hausbote.cli.problem import Problem
from hausbote.core.health import IDLE, WAITING

_FIRST_PAUSE: Final = 1.0  # seconds until another try, ...
_LONGEST_PAUSE: Final = 30.0  # ... doubled with each
_REPEAT: Final = 600.0  # seconds after which a sentence is said again


class Idle(Problem):
    """By its settings, the box does without the service: no trouble, and may change."""


class Short(Problem):
    """Somebody does something with the box, and people wait for its end: looked at each second."""


class Waiting:
    """Says what a container waits for: once, and then now and then."""

    def __init__(self, run_dir: Path, locks: dict[str, ServiceLock]) -> None:
        self._run_dir = run_dir
        self._locks = locks
        self._said: Sequence[str] = ()
        self._said_at = 0.0
        self._pause = _FIRST_PAUSE

    def tell(
        self, sentences: Sequence[str], kind: str = WAITING, *, is_short: bool = False
    ) -> None:
        now = time.monotonic()
        if is_short or sentences != self._said:
            self._pause = _FIRST_PAUSE
        if sentences != self._said or now - self._said_at > _REPEAT:
            self._said, self._said_at = sentences, now
            for sentence in sentences:
                click.echo(sentence)
            sys.stdout.flush()
            self.end()
            (self._run_dir / kind).write_text("\n".join(sentences))
        for lock in self._locks.values():
            lock.say(sentences[0])

    def pause(self) -> float:
        """Seconds until the next try."""
        now, self._pause = self._pause, min(2 * self._pause, _LONGEST_PAUSE)
        return now

    def end(self) -> None:
        for name in (WAITING, IDLE):
            (self._run_dir / name).unlink(missing_ok=True)
