"""Accounts and the keys that prove their passwords."""

import sqlite3
import time
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Final, NamedTuple

from peewee import SqliteDatabase

from hausbote.storage import schema
from hausbote.storage.account_events import EventKind, note
from hausbote.storage.archives import clear_archive, sort_in
from hausbote.storage.departed import forget_departed, is_departed, note_departed
from hausbote.storage.tokens import end_tokens
from hausbote.storage.web_logins import end_web_logins
from hausbote.storage.writer import Writer
from hausbote.xmpp.sasl import ScramKeys

Keys = Mapping[str, ScramKeys]
"""By hash: "SHA-1" and "SHA-256"; of an account that has moved here perhaps others."""
HIDDEN: Final = "/"
"""What the names of accounts begin with that are being imported (`moves`)."""

_NAMES: Final = f"SELECT local FROM account WHERE local NOT GLOB '{HIDDEN}*'"
_KEYS: Final = (
    "SELECT salt, iterations, stored_key, server_key, locked FROM scram"
    " JOIN account ON account.id = account_id WHERE local = ? AND hash = ?"
)
# No two accounts have a roster version in common, for ids are never used again: a client that knows
# one of a deleted account must not take it for one of the next account of that name.
_START_ROSTER: Final = (
    "UPDATE account SET roster_version = id << 24, roster_floor = id << 24 WHERE id = ?"
)
_ADD_KEYS: Final = (
    "INSERT OR IGNORE INTO scram (account_id, hash, salt, iterations, stored_key, server_key)"
    " SELECT id, ?, ?, ?, ?, ? FROM account WHERE local = ? AND NOT locked"
)

_LACKING: Final = (
    "SELECT 1 FROM account WHERE NOT locked AND NOT EXISTS"
    " (SELECT 1 FROM scram WHERE account_id = account.id AND hash = ?) LIMIT 1"
)
_ALL_KEYS: Final = (
    "SELECT hash, salt, iterations, stored_key, server_key FROM scram"
    " JOIN account ON account.id = account_id WHERE local = ? ORDER BY hash"
)
_LOCK_OF: Final = "SELECT id, locked FROM account WHERE local = ?"
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


class AccountExists(Exception):
    """The name is taken."""


class Account(NamedTuple):
    """`local` is the part before the @, `created` is in seconds since 1970."""

    local: str
    admin: bool
    locked: bool
    created: int


class Accounts:
    """Who has an account.  Changes are on disk when the methods return."""

    def __init__(self, reader: SqliteDatabase, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def get(self, local: str) -> Account | None:
        table = schema.Account
        rows = list(table.select().where(table.local == local).execute(self._reader))
        return _account(rows[0]) if rows else None

    def exists(self, local: str) -> bool:
        sql = "SELECT 1 FROM account WHERE local = ?"
        return self._reader.execute_sql(sql, (local,)).fetchone() is not None

    def may_log_in(self, local: str) -> bool:
        """Whether there is such an account, and it is not locked."""
        sql = "SELECT 1 FROM account WHERE local = ? AND NOT locked"
        return self._reader.execute_sql(sql, (local,)).fetchone() is not None

    def keys(self, local: str, hash: str, *, even_locked: bool = False) -> ScramKeys | None:
        """None without such an account, and for a locked one unless that is asked for."""
        row = self._reader.execute_sql(_KEYS, (local, hash)).fetchone()
        if row is None:
            return None
        *keys, locked = row
        return None if locked and not even_locked else ScramKeys(*keys)

    def all_keys(self, local: str) -> dict[str, ScramKeys]:
        """The keys for every hash, also of a locked account."""
        rows = self._reader.execute_sql(_ALL_KEYS, (local,)).fetchall()
        return {hash: ScramKeys(*keys) for hash, *keys in rows}

    def everybody_has(self, hash: str) -> bool:
        """Whether all who may log in have keys for that hash."""
        return self._reader.execute_sql(_LACKING, (hash,)).fetchone() is None

    def all(self) -> list[Account]:
        """By name."""
        table = schema.Account
        rows = table.select().where(~table.local.startswith(HIDDEN)).order_by(table.local)
        return [_account(row) for row in rows.execute(self._reader)]

    def admins(self) -> list[str]:
        """The local parts of those who may administer the box and can log in."""
        sql = "SELECT local FROM account WHERE admin AND NOT locked ORDER BY local"
        return [local for (local,) in self._reader.execute_sql(sql)]

    def is_admin(self, local: str) -> bool:
        sql = "SELECT 1 FROM account WHERE local = ? AND admin AND NOT locked"
        return self._reader.execute_sql(sql, (local,)).fetchone() is not None

    def names(self) -> list[str]:
        """The local parts of all accounts."""
        return [local for (local,) in self._reader.execute_sql(_NAMES)]

    def count(self) -> int:
        row = self._reader.execute_sql(f"SELECT count(*) FROM ({_NAMES})").fetchone()
        return int(row[0])

    def create(self, local: str, keys: Keys, *, admin: bool = False) -> None:
        """AccountExists if the name is taken."""

        if not self._writer.submit(lambda c: insert(c, local, keys, admin=admin)).wait():
            raise AccountExists(local)

    def register(self, local: str, keys: Keys, since: int) -> None:
        """Create it for a stranger; AccountExists, too, if one of that name was deleted since."""

        def register(connection: sqlite3.Connection) -> bool:
            free = not is_departed(connection, local, since)
            return free and insert(connection, local, keys)

        if not self._writer.submit(register).wait():
            raise AccountExists(local)

    def is_departed(self, local: str, since: int) -> bool:
        """Whether an account of that name was deleted since, in seconds since 1970."""
        return self._writer.submit(lambda c: is_departed(c, local, since)).wait()

    def forget_departed(self, before: int) -> None:
        """Names of accounts that were deleted until then are free for everybody."""
        self._writer.submit(lambda c: forget_departed(c, before)).wait()

    def create_many(self, rows: Iterable[tuple[str, Keys]]) -> list[str]:
        """Create all of them in one transaction; returns the names that were taken already."""
        rows = list(rows)

        def create(connection: sqlite3.Connection) -> list[str]:
            return [local for local, keys in rows if not insert(connection, local, keys)]

        return self._writer.submit(create).wait()

    def set_keys(self, local: str, keys: Keys) -> bool:
        """Another password, which ends all tokens, and links for setting one; False without such
        an account."""
        change = partial(replace_keys, local=local, keys=keys, event=EventKind.PASSWORD)
        return self._writer.submit(change).wait()

    def add_keys(self, local: str, hash: str, keys: ScramKeys) -> bool:
        """Keys of the current password for one more hash; False if there are some already."""
        return self._update(_ADD_KEYS, (hash, *keys, local))

    def set_admin(self, local: str, admin: bool) -> bool:
        """False without such an account."""
        return self._update("UPDATE account SET admin = ? WHERE local = ?", (admin, local))

    def set_locked(self, local: str, locked: bool) -> bool:
        """A locked account cannot log in, and its tokens end; False without such an account."""

        def lock(connection: sqlite3.Connection) -> bool:
            row = connection.execute(_LOCK_OF, (local,)).fetchone()
            if row is None:
                return False
            account, before = row
            connection.execute("UPDATE account SET locked = ? WHERE id = ?", (locked, account))
            if locked:
                _end_tokens(connection, account)
            if bool(before) != locked:
                kind = EventKind.LOCKED if locked else EventKind.UNLOCKED
                note(connection, account, kind, int(time.time()))
            return True

        return self._writer.submit(lock).wait()

    def delete(self, local: str, jid: str) -> bool:
        """Delete the account and every row of it; False without such an account.

        Nobody is subscribed to `jid` then: whoever gets the name next inherits nothing, and
        strangers do not get it for a while (`register`).
        """
        clear_archive(self._reader, self._writer, local)  # which may be long
        for sql in (_DELETE_OFFLINE, _DELETE_UPLOADS, _DELETE_ITEMS):
            self._writer.repeat(partial(_execute, sql, local)).wait()

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

        return self._writer.submit(delete).wait()

    def _update(self, sql: str, row: tuple[object, ...]) -> bool:
        return self._writer.submit(lambda c: c.execute(sql, row).rowcount > 0).wait()


def _execute(sql: str, local: str, connection: sqlite3.Connection) -> int:
    return connection.execute(sql, (local,)).rowcount


def _account(row: schema.Account) -> Account:
    return Account(row.local, bool(row.admin), bool(row.locked), row.created)


def _end_tokens(connection: sqlite3.Connection, account: int) -> None:
    clients = connection.execute("SELECT id FROM client WHERE account_id = ?", (account,))
    for (client,) in clients.fetchall():
        end_tokens(connection, client)
        end_web_logins(connection, client)


def insert(
    connection: sqlite3.Connection,
    local: str,
    keys: Keys,
    *,
    admin: bool = False,
    locked: bool = False,
) -> bool:
    """In the writer's thread: a new account; False if the name is taken."""
    cursor = connection.execute(
        "INSERT OR IGNORE INTO account"
        " (local, admin, locked, created, roster_version, roster_floor) VALUES (?, ?, ?, ?, 0, 0)",
        (local, admin, locked, int(time.time())),
    )
    if cursor.rowcount == 0 or cursor.lastrowid is None:
        return False
    connection.execute(_START_ROSTER, (cursor.lastrowid,))
    put_keys(connection, cursor.lastrowid, keys)
    return True


def replace_keys(connection: sqlite3.Connection, local: str, keys: Keys, event: EventKind) -> bool:
    """In the writer's thread: what `Accounts.set_keys` does, and what that is to the account."""
    row = connection.execute("SELECT id FROM account WHERE local = ?", (local,)).fetchone()
    if row is None:
        return False
    # A hash that the new keys lack must not go on proving the old password.
    connection.execute("DELETE FROM scram WHERE account_id = ?", row)
    put_keys(connection, row[0], keys)
    _end_tokens(connection, row[0])
    connection.execute("UPDATE client SET password = 0 WHERE account_id = ?", row)
    connection.execute("UPDATE invitation SET withdrawn = 1 WHERE account_id = ?", row)
    note(connection, row[0], event, int(time.time()))
    return True


def put_keys(connection: sqlite3.Connection, account: int, keys: Keys) -> None:
    """In the writer's thread."""
    connection.executemany(
        "INSERT INTO scram (account_id, hash, salt, iterations, stored_key, server_key)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        [(account, name, *key) for name, key in keys.items()],
    )
