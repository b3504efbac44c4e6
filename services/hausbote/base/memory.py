"""How much memory a process has, and what the allocator keeps although nothing uses it any more."""

import ctypes
from pathlib import Path
from typing import Final

_LIBC: Final = ctypes.CDLL(None)
_MUCH: Final = 200  # stanzas, or streams that ended, after which it is worth it


class Rests:
    """Gives memory back when a service that has done much does nothing any more.

    Crowds that come into rooms leave 1.5 kB each behind, streams that end what lay around them.
    """

    def __init__(self) -> None:
        self._seen = self._given_at = 0

    def look(self, done: int) -> None:
        """To be called now and then with the number of things that were done in all."""
        if done == self._seen and done - self._given_at >= _MUCH:
            self._given_at = done
            give_back()
        self._seen = done


def give_back() -> None:
    """Let the kernel have whatever whole pages are free; takes some milliseconds.

    glibc keeps what lies between things in use, as handshakes and parsers leave it behind between
    the connections that they belonged to: 5 kB for each of 2,000 clients that logged in at once.
    Other C libraries have no such call, and need none.
    """
    trim = getattr(_LIBC, "malloc_trim", None)
    if trim is not None:
        trim(0)


def own_memory() -> int | None:
    """Bytes of this process, its part of what it shares among them (PSS)."""
    return memory_of("self")


def memory_of(pid: int | str) -> int | None:
    """The same of another process; None if it is not there for us."""
    try:
        rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return None
    return next((int(row.split()[1]) * 1024 for row in rows if row.startswith("Pss:")), None)
