"""Accounts and the keys that prove their passwords."""

import sqlite3
import time
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Final, NamedTuple

from peewee import SqliteDatabase

from hausbote.storage import account_locks, schema
from hausbote.storage.account_deletion import delete_account
from hausbote.storage.account_events import EventKind, note
from hausbote.storage.account_locks import end_logins
from hausbote.storage.departed import forget_departed, is_departed
from hausbote.storage.invitation import Kind
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
_WITHDRAW: Final = (
    "UPDATE invitation SET withdrawn = 1 WHERE inviter_id = ? AND kind IN"
    f" ('{Kind.ACCOUNT}', '{Kind.FRIEND}', '{Kind.RESET}')"
)


class AccountExists(Exception):
    """The name is taken."""


class Account(NamedTuple):
    """`local` is the part before the @, times are in seconds since 1970; `leaves` is when the
    account goes, as whoever has it wants; 0 if it stays."""

    local: str
    admin: bool
    locked: bool
    created: int
    leaves: int = 0


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

    def is_here(self, local: str) -> bool:
        """Whether others find such an account: there is one, and it is not about to go."""
        sql = "SELECT 1 FROM account WHERE local = ? AND leaves = 0"
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
        """False without such an account.  Invitations to an account here, and to another password,
        are withdrawn with the right to give them."""

        def change(connection: sqlite3.Connection) -> bool:
            row = connection.execute("SELECT id, admin FROM account WHERE local = ?", (local,))
            found = row.fetchone()
            if found is None:
                return False
            id, was_admin = found
            connection.execute("UPDATE account SET admin = ? WHERE id = ?", (admin, id))
            if was_admin and not admin:
                connection.execute(_WITHDRAW, (id,))
            return True

        return self._writer.submit(change).wait()

    def set_locked(self, local: str, locked: bool) -> bool:
        """A locked account cannot log in, and its tokens end; one that is let in again does not
        leave, whoever wanted that.  False without such an account, or if it goes just now."""
        return self._writer.submit(partial(account_locks.set_locked, local, locked)).wait()

    def leave(self, local: str, at: int) -> bool:
        """It goes at that time, in seconds since 1970, and is locked until then; False without such
        an account, or if it is locked already."""
        return self._writer.submit(partial(account_locks.leave, local, at)).wait()

    def stay(self, local: str) -> bool:
        """Who wanted to leave does not; False if they did not want to, if an administrator has
        locked the account, or if it goes just now."""
        return self._writer.submit(partial(account_locks.stay, local)).wait()

    def take_departed(self, now: int) -> list[str]:
        """Accounts whose time is over: from now on nobody takes them back, and the caller deletes
        them; also those whose deletion was cut off."""
        if self._reader.execute_sql(account_locks.DEPARTED, (now,)).fetchone() is None:
            return []
        return self._writer.submit(partial(account_locks.take_departed, now)).wait()

    def delete(self, local: str, jid: str) -> bool:
        """Delete the account and every row of it; False without such an account.

        Nobody is subscribed to `jid` then: whoever gets the name next inherits nothing, and
        strangers do not get it for a while (`register`).
        """
        return delete_account(self._reader, self._writer, local, jid)

    def _update(self, sql: str, row: tuple[object, ...]) -> bool:
        return self._writer.submit(lambda c: c.execute(sql, row).rowcount > 0).wait()


def _account(row: schema.Account) -> Account:
    return Account(row.local, bool(row.admin), bool(row.locked), row.created, row.leaves)


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
    end_logins(connection, row[0])
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
