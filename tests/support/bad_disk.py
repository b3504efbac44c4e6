"""A box whose disk fails when the test says so: calls of the C library are replaced in its services."""

import errno
import os
import subprocess
from pathlib import Path

from support.worlds import RunningWorld


class BoxOnBadDisk(RunningWorld):
    """`fails` makes every write to the database fail, `heals` ends that."""

    def prepare(self):
        library = self.state / "bad_disk.so"
        source = Path(__file__).with_name("bad_disk.c")
        subprocess.run(
            ["gcc", "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"], check=True
        )
        self._flag = self.state / "bad-disk"
        self._environment = {"LD_PRELOAD": str(library), "BAD_DISK": str(self._flag)}

    def start(self):
        before = dict(os.environ)
        os.environ.update(self._environment)
        try:
            super().start()
        finally:
            for name in self._environment:
                os.environ.pop(name)
            os.environ.update(before)

    def fails(self, error="ENOSPC"):
        whole = self._flag.with_suffix(".new")
        whole.write_text(str(getattr(errno, error)))
        whole.rename(self._flag)

    def heals(self):
        self._flag.unlink(missing_ok=True)
