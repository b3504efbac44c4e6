"""Rooms as the owner of the box sees them: in portions, with numbers of people and bytes."""

import sqlite3
from contextlib import closing
from typing import Final, NamedTuple

from peewee import SqliteDatabase

from hausbote.storage import room_sizes
from hausbote.storage.writer import Writer

_ROW: Final = """
SELECT id, local, creator, locked, config, bytes,
    (SELECT count(*) FROM room_affiliation WHERE room_id = room.id AND affiliation <> 'outcast'),
    (SELECT count(*) FROM room_occupant WHERE room_id = room.id)
FROM room
"""
_AFTER: Final = f"{_ROW} WHERE local > ? ORDER BY local LIMIT ?"
_ONE: Final = f"{_ROW} WHERE local = ?"


class ListedRoom(NamedTuple):
    """`members` are those who belong to it, `inside` the clients that are in it, `bytes` what was
    said there."""

    local: str
    creator: str
    locked: bool
    config: str
    bytes: int
    members: int
    inside: int


class RoomList:
    """By name."""

    def __init__(self, reader: SqliteDatabase, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def after(self, local: str, limit: int) -> list[ListedRoom]:
        """The next ones behind that name, "" = from the beginning; waits for the disk."""
        return self._counted(_AFTER, (local, limit))

    def one(self, local: str) -> ListedRoom | None:
        """None if there is no such room."""
        return next(iter(self._counted(_ONE, (local,))), None)

    def _counted(self, sql: str, values: tuple[object, ...]) -> list[ListedRoom]:
        def look(connection: sqlite3.Connection) -> list[ListedRoom]:
            with closing(connection.execute(sql, values)) as rows:
                found = rows.fetchall()
            for id, *_ in found:
                room_sizes.count(connection, id, 0)  # what came lately is counted, too
            with closing(connection.execute(sql, values)) as rows:
                return [_listed(*row) for row in rows]

        return self._writer.submit(look).wait()


def _listed(
    _id: int,
    local: str,
    creator: str,
    locked: int,
    config: str,
    size: int,
    members: int,
    inside: int,
) -> ListedRoom:
    return ListedRoom(local, creator, bool(locked), config, size, members, inside)
