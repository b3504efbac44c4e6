"""Names of rooms that their owners destroyed: for a time these are theirs (XEP-0045 §10.9)."""

import sqlite3
from typing import Final, NamedTuple

from peewee import SqliteDatabase

from hausbote.storage.ticket import Ticket
from hausbote.storage.writer import Writer

_FIND: Final = (
    "SELECT holder, until, venue, closed FROM destroyed_room WHERE local = ? AND until > ?"
)
_FORGET: Final = "DELETE FROM destroyed_room WHERE local = ?"
_KEEP: Final = (
    "INSERT INTO destroyed_room (local, holder, until, venue, closed) VALUES (?, ?, ?, ?, ?)"
)
_KEEP_PERSON: Final = "INSERT INTO destroyed_room_person (local, jid, owner) VALUES (?, ?, ?)"
_BOUND: Final = (
    "DELETE FROM destroyed_room WHERE holder = ? AND local NOT IN"
    " (SELECT local FROM destroyed_room WHERE holder = ? ORDER BY until DESC, local LIMIT ?)"
)


class DestroyedRoom(NamedTuple):
    """A name that is kept until `until`, in seconds since 1970.

    `holder` is for whom names are counted, the account or the other server of who made the room.
    `venue` is the room that its people were told to go to, "" without one; where the room was
    `closed` that is for its people only.  `owners` may make it anew; accounts that were deleted
    since are in neither.
    """

    local: str
    holder: str
    until: int
    venue: str
    closed: bool
    owners: frozenset[str]
    people: frozenset[str]


class DestroyedRooms:
    def __init__(self, reader: SqliteDatabase, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def find(self, local: str, now: float) -> DestroyedRoom | None:
        """The room of that name, if the name is still kept."""
        row = self._reader.execute_sql(_FIND, (local, now)).fetchone()
        if row is None:
            return None
        sql = "SELECT jid, owner FROM destroyed_room_person WHERE local = ?"
        people = dict(self._reader.execute_sql(sql, (local,)).fetchall())
        owners = frozenset(jid for jid, owner in people.items() if owner)
        holder, until, venue, closed = row
        return DestroyedRoom(local, holder, until, venue, bool(closed), owners, frozenset(people))

    def expire(self, now: float) -> Ticket[None]:
        """Anybody may have the names whose time is over."""
        return self._writer.insert("DELETE FROM destroyed_room WHERE until <= ?", (now,))


def keep(connection: sqlite3.Connection, room: DestroyedRoom, limit: int) -> None:
    """Keep a name; of more than `limit` of one holder the oldest is free again (0 = no limit)."""
    forget(connection, room.local)
    local, holder, until, venue, closed, owners, people = room
    connection.execute(_KEEP, (local, holder, until, venue, closed))
    for jid in owners | people:
        connection.execute(_KEEP_PERSON, (local, jid, jid in owners))
    if limit:
        connection.execute(_BOUND, (holder, holder, limit))


def forget(connection: sqlite3.Connection, local: str) -> None:
    connection.execute(_FORGET, (local,))
