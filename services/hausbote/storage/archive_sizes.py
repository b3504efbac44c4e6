"""How much is in the archive of an account, and its oldest messages that go if it is full.

A message counts in full in each archive that has it.  All of this runs in the writer's thread.
"""

import sqlite3
import sys
from collections.abc import Sequence
from typing import Final
from zlib import crc32

DELETED_AT_ONCE: Final = 500
_BYTES_AT_ONCE: Final = 262_144
_STEPS: Final = 20  # of so many messages each: a tenth of a second's work

_SIZES_OF_OLDEST: Final = (  # CROSS JOIN: along the account's entries, and not along the messages
    "SELECT archive.id, length(stanza) FROM archive CROSS JOIN archived_message AS message"
    " ON message.id = archive.id WHERE account_id = ? AND archive.id < ?"
    " ORDER BY archive.id LIMIT ?"
)
_DELETE: Final = (
    "DELETE FROM archive WHERE account_id = ?1 AND id IN"
    " (SELECT id FROM archive WHERE account_id = ?1 AND id < ?2 ORDER BY id LIMIT ?3)"
)
_SIZE: Final = "SELECT coalesce(max(bytes), 0) FROM archive_size WHERE account_id = ?"
_GROW: Final = (
    "INSERT INTO archive_size (account_id, bytes, messages) VALUES (?, ?, ?)"
    " ON CONFLICT (account_id) DO UPDATE SET bytes = bytes + excluded.bytes,"
    " messages = messages + excluded.messages"
)
_REWRITE: Final = "UPDATE archived_message SET stanza = ?, checksum = ? WHERE id = ?"
_REWRITTEN: Final = (
    "UPDATE archive_size SET bytes = bytes + ?1 WHERE EXISTS"
    " (SELECT 1 FROM archive WHERE archive.account_id = archive_size.account_id AND id = ?2)"
)


def grow(connection: sqlite3.Connection, account: int, size: int, number: int) -> None:
    """Count messages that came into an archive, or left it, and their bytes."""
    connection.execute(_GROW, (account, size, number))


def rewrite(connection: sqlite3.Connection, id: int, old: bytes, new: bytes) -> None:
    """Put a message in the place of another, in all archives that have it."""
    connection.execute(_REWRITE, (new, crc32(new), id))
    connection.execute(_REWRITTEN, (len(new) - len(old), id))


def delete_some(connection: sqlite3.Connection, account: int, before: int) -> int:
    """Delete the oldest messages of an archive, of those with lower ids; returns how many.

    What is deleted is overwritten, and goes through the write-ahead log for that: a full disk has
    no room for much of it at once.
    """
    rows = connection.execute(_SIZES_OF_OLDEST, (account, before, DELETED_AT_ONCE)).fetchall()
    count, size = portion([size for _, size in rows])
    if count:
        connection.execute(_DELETE, (account, before, count))
        grow(connection, account, -size, -count)
    return count


def portion(sizes: Sequence[int]) -> tuple[int, int]:
    """How many of these may be deleted at once, and their bytes together."""
    total = 0
    for count, size in enumerate(sizes, 1):
        total += size
        if total >= _BYTES_AT_ONCE:
            return count, total
    return len(sizes), total


def trim(connection: sqlite3.Connection, account: int, limit: int) -> int:
    """Delete the oldest messages of an archive that has more than `limit` bytes (0 = no limit), as
    many as may go at once; returns how many went."""
    deleted = 0
    for _ in range(_STEPS if limit else 0):
        over = connection.execute(_SIZE, (account,)).fetchone()[0] - limit
        if over <= 0:
            break
        deleted += delete_some(connection, account, _end(connection, account, over))
    return deleted


def _end(connection: sqlite3.Connection, account: int, size: int) -> int:
    """The id behind the oldest messages that have so many bytes together."""
    end = 0
    values = (account, sys.maxsize, DELETED_AT_ONCE)
    for id, bytes_of_one in connection.execute(_SIZES_OF_OLDEST, values).fetchall():
        size -= bytes_of_one
        end = id + 1
        if size <= 0:
            break
    return end
