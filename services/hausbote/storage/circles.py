"""Circles: rooms whose people are each other's contacts (`hausbote circle`).

What makes a room one is the word `circle` of its configuration, which is the group that its people
have each other in.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from peewee import SqliteDatabase

from hausbote.storage.rosters import befriend
from hausbote.storage.writer import Writer

_GROUP: Final = "json_extract(config, '$.circle')"
_ALL: Final = f"SELECT id, local, {_GROUP} FROM room WHERE {_GROUP} != '' ORDER BY local"
_FIND: Final = f"SELECT id, local, {_GROUP} FROM room WHERE {_GROUP} != '' AND local = ?"
_GROUP_OF: Final = f"SELECT {_GROUP} FROM room WHERE id = ?"
_PEOPLE: Final = (
    "SELECT jid FROM room_affiliation WHERE room_id = ? AND affiliation != 'outcast' ORDER BY jid"
)
# Who is something there already stays that; who was banned is asked in again.
_AFFILIATE: Final = (
    "INSERT INTO room_affiliation (room_id, jid, affiliation, nick, reason)"
    " VALUES (?, ?, ?, '', '') ON CONFLICT (room_id, jid) DO UPDATE SET"
    " affiliation = excluded.affiliation, reason = '' WHERE affiliation = 'outcast'"
)


class Circle(NamedTuple):
    """`name` is the local part of its room, `group` the group of contacts, which people see."""

    id: int
    name: str
    group: str


class Circles:
    """Changes are on disk when the methods return."""

    def __init__(self, reader: SqliteDatabase, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def all(self) -> list[Circle]:
        """By name."""
        return [Circle(*row) for row in self._reader.execute_sql(_ALL).fetchall()]

    def find(self, name: str) -> Circle | None:
        row = self._reader.execute_sql(_FIND, (name,)).fetchone()
        return None if row is None else Circle(*row)

    def people(self, circle: int, domain: str) -> list[str]:
        """The local parts of the box's people who belong to it."""
        return _locals(self._reader.execute_sql(_PEOPLE, (circle,)).fetchall(), domain)

    def join(self, circle: int, domain: str, new: Sequence[str], owner: str = "") -> list[str]:
        """Take people in; returns whose contacts have changed: everybody's, new ones included.

        The `owner` is one of the new people to whom the room belongs.
        """
        return self._writer.submit(lambda c: join(c, circle, domain, new, owner)).wait()


def join(
    connection: sqlite3.Connection,
    circle: int,
    domain: str,
    new: Sequence[str],
    owner: str = "",
) -> list[str]:
    """In the writer's thread: everybody who is new and everybody else become contacts."""
    row = connection.execute(_GROUP_OF, (circle,)).fetchone()
    if row is None:
        return []  # it was deleted meanwhile
    people = _locals(connection.execute(_PEOPLE, (circle,)), domain)
    there = [one for one in people if one not in new]
    for local in new:
        word = "owner" if local == owner else "member"
        connection.execute(_AFFILIATE, (circle, f"{local}@{domain}", word))
    everybody = [*there, *new]
    for local in everybody:
        for other in everybody if local in new else new:
            if other != local:
                befriend(connection, local, f"{other}@{domain}", group=row[0] or "")
    return everybody


def _locals(rows: Iterable[tuple[str]], domain: str) -> list[str]:
    parted = [jid.partition("@") for (jid,) in rows]
    return [local for local, _, where in parted if where == domain]
