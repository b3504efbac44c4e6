"""What came over the bus and was dealt with: whoever was killed may get it again.

Names are digests: what is remembered takes 16 bytes of memory each, and tells nothing.
"""

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from peewee import SqliteDatabase

from hausbote.storage.ticket import Ticket
from hausbote.storage.writer import Writer

REMEMBERED: Final = 40_000  # rows; a message makes two, and one more if nobody is there
PUT: Final = "INSERT INTO arrival (name, id) VALUES (?, ?)"
_PRUNE: Final = "DELETE FROM arrival WHERE number <= (SELECT max(number) FROM arrival) - ?"
_LOAD: Final = (
    "SELECT name, id FROM (SELECT name, id FROM arrival ORDER BY number DESC LIMIT ?) ORDER BY name"
)


def name_of(*parts: str) -> int:
    """The name of what these say together; never 0, which is none."""
    digest = blake2b("\0".join(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True) or 1


class Arrivals:
    """`earlier` knows what was noted before this process began."""

    def __init__(self, reader: SqliteDatabase, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def note(self, name: int) -> Ticket[None]:
        """That is done, with everything that was given to the store before."""
        return self._writer.insert(PUT, (name, 0))

    def earlier(self) -> "Earlier":
        return Earlier(self._reader.execute_sql(_LOAD, (REMEMBERED,)).fetchall())

    def prune(self) -> None:
        """Forget the oldest."""
        self._writer.insert(_PRUNE, (REMEMBERED,)).wait()


class Earlier:
    """What was done: pairs of a name and an id, in the order of names."""

    def __init__(self, rows: Sequence[tuple[int, int]]) -> None:
        self._names = array("q", [name for name, _ in rows])
        self._ids = array("q", [id for _, id in rows])

    def find(self, name: int) -> int | None:
        """The id under which a message is kept, 0 for what has none; None if it was not done."""
        at = bisect_left(self._names, name)
        if at < len(self._names) and self._names[at] == name:
            return self._ids[at]
        return None
