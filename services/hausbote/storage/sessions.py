"""Sessions that wait for their clients while the clients' service is restarted."""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from peewee import SqliteDatabase

from hausbote.storage.ticket import Ticket
from hausbote.storage.writer import Writer

# A row counts from `complete` on; until then its end is negative.
_PUT: Final = (
    "INSERT OR REPLACE INTO session (id, account_id, until, handled, state)"
    " SELECT ?, id, ?, ?, ? FROM account WHERE local = ?"
)
_SHARE: Final = (
    "INSERT OR REPLACE INTO session_shared (number, before, after, at, stanza)"
    " VALUES (?, ?, ?, ?, ?)"
)
_COMPLETE: Final = "UPDATE session SET until = -until WHERE until < 0"
_SIZES: Final = "SELECT id, length(state) FROM session WHERE until > 0 ORDER BY until"
_THESE: Final = (
    "SELECT session.id, local, until, handled, state FROM session"
    " JOIN account ON account.id = account_id WHERE session.id IN ({}) ORDER BY until"
)
_SHARED: Final = "SELECT number, before, after, at, stanza FROM session_shared"
_PORTION: Final = 1_048_576  # bytes that are read together, and
_MAX_ROWS: Final = 500  # sessions


class StoredSession(NamedTuple):
    """`id` is what its client resumes it by, `until` when it ends, in seconds since 1970, `handled`
    how many stanzas of its client were; an empty `state` is that of one that has ended."""

    id: str
    local: str
    until: float
    handled: int
    state: bytes


class StoredShared(NamedTuple):
    """What several sessions were sent at that time: their address stands between `before` and
    `after`.  `stanza` is empty if nobody misses it."""

    number: int
    before: bytes
    after: bytes
    at: float
    stanza: bytes


class Sessions:
    """What was kept is taken once: whoever is killed afterwards has nothing that would be true.

    They are kept in portions, and count when all of them are there.
    """

    def __init__(self, reader: SqliteDatabase, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def keep(
        self, sessions: Sequence[StoredSession], shared: Sequence[StoredShared] = ()
    ) -> Ticket[None]:
        """A portion of them, and what is shared by these and later ones."""
        rows = [(one.id, -one.until, one.handled, one.state, one.local) for one in sessions]

        def keep(connection: sqlite3.Connection) -> None:
            connection.executemany(_PUT, rows)
            connection.executemany(_SHARE, shared)

        return self._writer.submit(keep)

    def complete(self) -> Ticket[None]:
        """All of them were kept."""
        return self._writer.insert(_COMPLETE, ())

    def clear(self) -> Ticket[None]:
        """Forget what there is: a service was killed while it kept or took sessions."""

        def clear(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM session")
            connection.execute("DELETE FROM session_shared")

        return self._writer.submit(clear)

    def shared(self) -> list[StoredShared]:
        """What sessions have in common; to be read before they are taken."""
        return [StoredShared(*row) for row in self._reader.execute_sql(_SHARED)]

    def take(self) -> Iterator[StoredSession]:
        """All of them, one after the other; they are kept no longer."""
        sizes = self._reader.execute_sql(_SIZES).fetchall()
        for ids in _portions(sizes):
            marks = ",".join("?" * len(ids))
            found = self._reader.execute_sql(_THESE.format(marks), ids).fetchall()
            self._forget(ids).wait()
            for row in found:
                yield StoredSession(*row)
        if self._is_used():
            self.clear().wait()

    def _forget(self, ids: list[str]) -> Ticket[None]:
        def forget(connection: sqlite3.Connection) -> None:
            connection.executemany("DELETE FROM session WHERE id = ?", [(id,) for id in ids])

        return self._writer.submit(forget)

    def _is_used(self) -> bool:
        sql = "SELECT EXISTS (SELECT 1 FROM session) OR EXISTS (SELECT 1 FROM session_shared)"
        (used,) = self._reader.execute_sql(sql).fetchone()
        return bool(used)


def _portions(sizes: Sequence[tuple[str, int]]) -> Iterator[list[str]]:
    """The ids of sessions that are read together."""
    portion: list[str] = []
    together = 0
    for id, size in sizes:
        if portion and (together + size > _PORTION or len(portion) >= _MAX_ROWS):
            yield portion
            portion, together = [], 0
        portion.append(id)
        together += size
    if portion:
        yield portion
