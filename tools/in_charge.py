"""Who is in charge of an upgrade: one program, its journal, and its hand in the box."""

import fcntl
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from containers import HARDENED, Container, Problem


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """One of this program at a time."""
    with open(directory / ".upgrade.lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Problem("An upgrade is under way.") from None
        yield


class Journal:
    """What is being done: the step, and the images of both versions by service."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.known = json.loads(path.read_text("utf-8")) if path.exists() else {}

    def begin(self, step: str, **more: object) -> None:
        """What comes now; it is on the disk before it is begun."""
        self.known = {**self.known, "step": step, **more}
        part = self._path.with_suffix(".part")
        with part.open("w", encoding="utf-8") as file:
            json.dump(self.known, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        part.rename(self._path)

    def end(self) -> None:
        self.known = {}
        self._path.unlink(missing_ok=True)


class Conductor:
    """`hausbote upgrade conduct` in a container with the box's volume."""

    def __init__(self, box: Container) -> None:
        volume = ("--volumes-from", box.id)
        run = ("docker", "run", "--rm", "--interactive", *volume, *HARDENED)
        command = [*run, box.image, "upgrade", "conduct"]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=pipe, text=True,
            start_new_session=True,  # Ctrl-C is for this program, which still needs it then
        )  # fmt: skip
        self._answer()

    def does(self, step: str) -> None:
        """Problem if it cannot."""
        with suppress(BrokenPipeError):  # then there is no answer either
            self._process.stdin.write(f"{step}\n")
            self._process.stdin.flush()
        if reason := self._answer():
            raise Problem(str(reason))

    def end(self) -> None:
        """Nobody is in charge any more."""
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()

    def _answer(self) -> object:
        line = self._process.stdout.readline()
        if not line:
            raise Problem(self._process.stderr.read().strip() or "The engine ended the upgrade.")
        return json.loads(line)
