"""A box whose disk fails when the test says so: calls of the C library are replaced in its services."""

import errno

from support.preloaded import PreloadedBox


class BoxOnBadDisk(PreloadedBox):
    """`fails` makes every write to the database fail, `heals` ends that."""

    source, variable = "bad_disk.c", "BAD_DISK"

    def fails(self, error="ENOSPC"):
        whole = self.word.with_suffix(".new")
        whole.write_text(str(getattr(errno, error)))
        whole.rename(self.word)

    def heals(self):
        self.word.unlink(missing_ok=True)
