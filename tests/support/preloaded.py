"""A box whose services call other functions than those of the C library: LD_PRELOAD."""

import os
import subprocess
from contextlib import contextmanager
from pathlib import Path

from support.worlds import RunningWorld, hausbote


class PreloadedBox(RunningWorld):
    """`source` is a C file beside this one, which finds a file of the test by `variable`."""

    source: str
    variable: str

    def prepare(self):
        source = Path(__file__).with_name(self.source)
        library = self.state / source.with_suffix(".so").name
        subprocess.run(
            ["gcc", "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"], check=True
        )
        self.word = self.state / source.with_suffix(".word").name  # what the test says to it
        self._environment = {"LD_PRELOAD": str(library), self.variable: str(self.word)}

    def start(self):
        with self._preloading():
            super().start()

    def command(self, *arguments):
        """The hausbote command, likewise."""
        with self._preloading():
            return hausbote(*arguments, state=self.state)

    @contextmanager
    def _preloading(self):
        before = dict(os.environ)
        os.environ.update(self._environment)
        try:
            yield
        finally:
            for name in self._environment:
                os.environ.pop(name)
            os.environ.update(before)
