"""A box whose clock is wrong when the test says so: calls of the C library are replaced in it."""

import struct

from support.preloaded import PreloadedBox

_WORD = struct.Struct("=qq")


class BoxWithClock(PreloadedBox):
    """`jumps` puts its time of day off the right one, `hurries` brings what it does now and then."""

    source, variable = "wrong_clock.c", "WRONG_CLOCK"

    def prepare(self):
        super().prepare()
        self._off, self._ahead = 0, 0
        self.word.write_bytes(_WORD.pack(0, 0))

    def jumps(self, seconds):
        """The clock is off by so much from now on; 0 is right."""
        self._off = seconds
        self._say()

    def hurries(self, seconds):
        """What is to be done within that time is done now; the time of day is not changed."""
        self._ahead += seconds
        self._say()

    def _say(self):
        with self.word.open("r+b") as file:  # in place: it is mapped
            file.write(_WORD.pack(self._off, self._ahead))
