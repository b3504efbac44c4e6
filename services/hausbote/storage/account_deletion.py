"""The end of an account: every row of it, and what others have of it."""

import sqlite3
import time
from functools import partial
from typing import Final

from peewee import SqliteDatabase

from hausbote.storage.archives import clear_archive, sort_in
from hausbote.storage.departed import note_departed
from hausbote.storage.writer import Writer

_KNOWING: Final = (
    "SELECT account_id FROM contact WHERE jid = ? AND NOT removed"
    " AND (subscription != 'none' OR ask OR approved)"
)
_NEXT_VERSION: Final = (
    "UPDATE account SET roster_version = roster_version + 1 WHERE id = ? RETURNING roster_version"
)
# One that is there for its approval only goes with it.
_UNSUBSCRIBE: Final = (
    "UPDATE contact SET subscription = 'none', ask = 0, approved = 0, version = ?,"
    " removed = NOT listed WHERE account_id = ? AND jid = ?"
)

# What may be large, in steps that need little room on a full disk: at most 4 MiB each.
_DELETE_OFFLINE: Final = (
    "DELETE FROM offline WHERE id IN (SELECT offline.id FROM offline"
    " JOIN account ON account.id = account_id WHERE local = ? LIMIT 16)"
)
_DELETE_UPLOADS: Final = (
    "DELETE FROM upload WHERE id IN (SELECT upload.id FROM upload"
    " JOIN account ON account.id = account_id WHERE local = ? LIMIT 200)"
)
_DELETE_ITEMS: Final = (
    "DELETE FROM pubsub_item WHERE number IN (SELECT number FROM pubsub_item"
    " JOIN pubsub_node ON pubsub_node.id = node_id"
    " JOIN account ON account.id = account_id WHERE local = ? LIMIT 16)"
)


def delete_account(reader: SqliteDatabase, writer: Writer, local: str, jid: str) -> bool:
    """What `Accounts.delete` does."""
    clear_archive(reader, writer, local)  # which may be long
    for sql in (_DELETE_OFFLINE, _DELETE_UPLOADS, _DELETE_ITEMS):
        writer.repeat(partial(_execute, sql, local)).wait()

    def delete(connection: sqlite3.Connection) -> bool:
        sort_in(connection)  # what is not in the archive yet would not go with it
        if not connection.execute("DELETE FROM account WHERE local = ?", (local,)).rowcount:
            return False
        note_departed(connection, local, int(time.time()))
        connection.execute("DELETE FROM subscription_request WHERE jid = ?", (jid,))
        connection.execute("DELETE FROM room_affiliation WHERE jid = ?", (jid,))
        connection.execute("DELETE FROM destroyed_room_person WHERE jid = ?", (jid,))
        connection.execute("UPDATE room SET creator = '' WHERE creator = ?", (jid,))
        connection.execute("UPDATE room_message SET sender = '' WHERE sender = ?", (jid,))
        rows = connection.execute(_KNOWING, (jid,)).fetchall()
        for (account,) in rows:
            row = connection.execute(_NEXT_VERSION, (account,)).fetchone()
            connection.execute(_UNSUBSCRIBE, (row[0], account, jid))
        return True

    return writer.submit(delete).wait()


def _execute(sql: str, local: str, connection: sqlite3.Connection) -> int:
    return connection.execute(sql, (local,)).rowcount
