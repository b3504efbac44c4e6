"""How many bytes a room's messages have, and the oldest that go if these are too many.

`room.bytes` is the size of messages with ids up to `room.counted`: a message is written by itself,
and counted later with others.  All of this runs in the writer's thread.
"""

import sqlite3
import sys
from typing import Final

from hausbote.storage.archive_sizes import DELETED_AT_ONCE, portion

_STEPS: Final = 20  # in which the oldest messages go

_COUNT: Final = (
    "UPDATE room SET bytes = bytes + (SELECT coalesce(sum(length(stanza)), 0) FROM room_message"
    " WHERE room_id = room.id AND id > counted), counted = max(counted,"
    " (SELECT coalesce(max(id), 0) FROM room_message WHERE room_id = room.id))"
    " WHERE id = ?"
)
_BYTES: Final = "SELECT coalesce(max(bytes), 0) FROM room WHERE id = ?"
_OLDEST: Final = (
    "SELECT id, length(stanza) FROM room_message WHERE room_id = ? AND id < ? ORDER BY id LIMIT ?"
)
_DELETE: Final = "DELETE FROM room_message WHERE room_id = ? AND id <= ?"
_SHRINK: Final = "UPDATE room SET bytes = bytes - ? WHERE id = ?"
_WITH_OLDER: Final = (  # room by room, for there is no index of ids alone
    "SELECT id FROM room WHERE EXISTS"
    " (SELECT 1 FROM room_message WHERE room_id = room.id AND id < ?) LIMIT 1"
)
_REPLACED: Final = (
    "UPDATE room SET bytes = bytes + ?1 - (SELECT length(stanza) FROM room_message"
    " WHERE room_id = ?2 AND id = ?3) WHERE id = ?2 AND counted >= ?3"
    " AND EXISTS (SELECT 1 FROM room_message WHERE room_id = ?2 AND id = ?3)"
)
_REPLACE: Final = "UPDATE room_message SET stanza = ? WHERE room_id = ? AND id = ?"


def count(connection: sqlite3.Connection, room: int, limit: int) -> None:
    """Count the messages that came lately; the oldest of more than `limit` bytes go (0 = no
    limit)."""
    connection.execute(_COUNT, (room,))
    for _ in range(_STEPS if limit else 0):
        over = connection.execute(_BYTES, (room,)).fetchone()[0] - limit
        if over <= 0:
            return
        delete_some(connection, room, _end(connection, room, over))


def delete_some(connection: sqlite3.Connection, room: int, before: int = sys.maxsize) -> int:
    """Delete the oldest messages of a room, of those with lower ids; returns how many.

    Few enough for a full disk (see `archive_sizes.delete_some`).
    """
    connection.execute(_COUNT, (room,))  # for what is not counted is not taken off
    rows = connection.execute(_OLDEST, (room, before, DELETED_AT_ONCE)).fetchall()
    count, size = portion([size for _, size in rows])
    if count:
        connection.execute(_DELETE, (room, rows[count - 1][0]))
        connection.execute(_SHRINK, (size, room))
    return count


def expire_some(connection: sqlite3.Connection, before: int) -> int:
    """The same in some room that has messages with lower ids."""
    row = connection.execute(_WITH_OLDER, (before,)).fetchone()
    return 0 if row is None else delete_some(connection, row[0], before)


def replace(connection: sqlite3.Connection, room: int, id: int, stanza: bytes) -> None:
    """Put something else in a message's place."""
    connection.execute(_REPLACED, (len(stanza), room, id))
    connection.execute(_REPLACE, (stanza, room, id))


def _end(connection: sqlite3.Connection, room: int, size: int) -> int:
    """The id behind the oldest messages that have so many bytes together."""
    end = 0
    for id, one in connection.execute(_OLDEST, (room, sys.maxsize, DELETED_AT_ONCE)).fetchall():
        size -= one
        end = id + 1
        if size <= 0:
            break
    return end
