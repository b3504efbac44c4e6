"""Programs that are killed in the middle of what they do with files."""

import os
import signal
import subprocess
import sys
from pathlib import Path


class Killing:
    """`run` runs a program of Python to a call of its choice; `count` says how many there are."""

    def __init__(self, directory):
        self._library = directory / "kill_at.so"
        self._count = directory / "kill_at.count"
        source = Path(__file__).with_name("kill_at.c")
        subprocess.run(
            ["gcc", "-shared", "-fPIC", "-O1", "-o", self._library, source, "-ldl"], check=True
        )

    def run(self, *arguments, at):
        """Whether it was killed there; it has fewer calls else, and must have succeeded."""
        done = self._run(arguments, KILL_AT=str(at))
        if done.returncode == -signal.SIGKILL:
            return True
        assert done.returncode == 0, done.stderr
        return False

    def count(self, *arguments):
        """How many calls there are from its beginning to its end, which it reaches."""
        done = self._run(arguments, KILL_COUNT=str(self._count))
        assert done.returncode == 0, done.stderr
        return int(self._count.read_text())

    def _run(self, arguments, **environment):
        return subprocess.run(
            [sys.executable, "-B", *arguments],
            env=os.environ | {"LD_PRELOAD": str(self._library)} | environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
