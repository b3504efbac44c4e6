"""Contact lists with versions (RFC 6121 §2), and subscription requests waiting for an answer."""

import json
import sqlite3
from collections.abc import Sequence
from typing import Final, NamedTuple

from peewee import SqliteDatabase

from hausbote.storage.writer import Writer

_REMOVALS_KEPT: Final = 100
_COLUMNS: Final = "jid, name, subscription, ask, approved, listed, groups"
_LOAD: Final = (
    f"SELECT roster_version, {_COLUMNS} FROM account"
    " LEFT JOIN contact ON account_id = account.id AND NOT removed WHERE local = ? ORDER BY jid"
)
_CHANGES: Final = (
    f"SELECT roster_version, roster_floor, removed, version, {_COLUMNS} FROM account"
    " LEFT JOIN contact ON account_id = account.id AND version > ? WHERE local = ? ORDER BY version"
)
_BUMP: Final = (
    "UPDATE account SET roster_version = roster_version + 1 WHERE local = ?"
    " RETURNING id, roster_version"
)
_PUT: Final = (
    f"INSERT OR REPLACE INTO contact (account_id, version, removed, {_COLUMNS})"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_NOT_GRANTED: Final = (
    "SELECT contact.jid FROM account"
    " JOIN contact ON contact.account_id = account.id AND NOT contact.removed"
    " AND contact.subscription IN ('to', 'both')"
    " LEFT JOIN account AS other"
    " ON other.local = substr(contact.jid, 1, instr(contact.jid, '@') - 1)"
    " LEFT JOIN contact AS own ON own.account_id = other.id AND own.jid = ? AND NOT own.removed"
    " AND own.subscription IN ('from', 'both')"
    " WHERE account.local = ? AND own.jid IS NULL"
    " AND substr(contact.jid, instr(contact.jid, '@') + 1) = ?"
)

_OF_ACCOUNT: Final = "subscription_request JOIN account ON account.id = account_id WHERE local = ?"
_FIND: Final = (
    f"SELECT {_COLUMNS} FROM contact JOIN account ON account.id = account_id"
    " WHERE local = ? AND jid = ? AND NOT removed"
)
_HAS_REQUEST: Final = f"SELECT 1 FROM {_OF_ACCOUNT} AND jid = ?"
_COUNT_REQUESTS: Final = f"SELECT count(*) FROM {_OF_ACCOUNT}"
_REQUESTERS: Final = f"SELECT jid FROM {_OF_ACCOUNT} ORDER BY at, jid"


class RosterItem(NamedTuple):
    """A contact.

    `subscription` is "none", "to", "from" or "both"; `ask` is a request of ours without an answer
    yet, `approved` a request of theirs that is granted before it comes (RFC 6121 §3.4).  One that
    is not `listed` exists only for its approval and is not shown to clients.
    """

    jid: str
    name: str = ""
    subscription: str = "none"
    ask: bool = False
    approved: bool = False
    groups: tuple[str, ...] = ()
    listed: bool = True


class Removed(NamedTuple):
    """A contact that is no longer in the roster."""

    jid: str


class Roster(NamedTuple):
    """`version` is that of the newest change; items are by bare JID."""

    version: int
    items: dict[str, RosterItem]


class Request(NamedTuple):
    """An unanswered subscription request: from whom, and the packed presence stanza."""

    jid: str
    stanza: bytes


class Rosters:
    """Contact lists by account.  Changes are on disk when the methods return."""

    def __init__(self, reader: SqliteDatabase, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def load(self, local: str) -> Roster:
        """The whole roster; an empty one for an account that does not exist."""
        # One statement sees one moment: a version must not be newer than its items.
        rows = self._reader.execute_sql(_LOAD, (local,)).fetchall()
        items = [_item(row[1:]) for row in rows if row[1] is not None]
        return Roster(rows[0][0] if rows else 0, {item.jid: item for item in items})

    def changes(self, local: str, since: int) -> list[tuple[int, RosterItem | Removed]] | None:
        """What changed after version `since`, each with its version, in order; None if that is no
        longer known."""
        rows = self._reader.execute_sql(_CHANGES, (since, local)).fetchall()
        if not rows:
            return None
        newest, floor = rows[0][:2]
        if not floor <= since <= newest:
            return None
        found = [row[2:] for row in rows if row[2] is not None]
        return [(row[1], Removed(row[2]) if row[0] else _item(row[2:])) for row in found]

    def not_granted(self, local: str, domain: str) -> frozenset[str]:
        """Those contacts of the box that an account thinks it sees, by whose own roster, or lack of
        one, it does not."""
        row = (f"{local}@{domain}", local, domain)
        return frozenset([jid for (jid,) in self._reader.execute_sql(_NOT_GRANTED, row)])

    def put(self, local: str, item: RosterItem) -> int:
        """Add or replace a contact; returns the roster's new version."""
        return self._change(local, item, removed=False)

    def put_all(self, local: str, items: Sequence[RosterItem]) -> None:
        """Add or replace many contacts in one transaction, of an account that nobody uses yet."""

        def put(connection: sqlite3.Connection) -> None:
            row = connection.execute(_BUMP, (local,)).fetchone()
            if row is not None:
                rows = [(*row, False, *_row(item)) for item in items]
                connection.executemany(_PUT, rows)

        self._writer.submit(put).wait()

    def remove(self, local: str, jid: str) -> int:
        """Remove a contact; returns the roster's new version."""
        return self._change(local, RosterItem(jid), removed=True)

    def requests(self, local: str) -> list[Request]:
        """Unanswered subscription requests."""
        sql = (
            "SELECT jid, stanza FROM subscription_request JOIN account ON account.id = account_id"
            " WHERE local = ? ORDER BY jid"
        )
        rows = self._reader.execute_sql(sql, (local,))
        return [Request(jid, bytes(stanza)) for jid, stanza in rows]

    def has_request(self, local: str, jid: str) -> bool:
        """Whether a request of that contact waits for an answer."""
        return self._reader.execute_sql(_HAS_REQUEST, (local, jid)).fetchone() is not None

    def count_requests(self, local: str) -> int:
        """How many wait for an answer."""
        return int(self._reader.execute_sql(_COUNT_REQUESTS, (local,)).fetchone()[0])

    def requesters(self, local: str) -> list[str]:
        """Whose requests wait for an answer, the oldest first."""
        return [jid for (jid,) in self._reader.execute_sql(_REQUESTERS, (local,))]

    def add_request(self, local: str, jid: str, stanza: bytes, at: float) -> None:
        """Keep a request; a newer one of the same contact takes its place."""
        sql = (
            "INSERT OR REPLACE INTO subscription_request (account_id, jid, stanza, at)"
            " SELECT id, ?, ?, ? FROM account WHERE local = ?"
        )
        self._writer.insert(sql, (jid, stanza, at, local)).wait()

    def take_request(self, local: str, jid: str) -> bytes | None:
        """Forget a request; its stanza, None if there was none."""
        sql = (
            "DELETE FROM subscription_request WHERE jid = ?"
            " AND account_id = (SELECT id FROM account WHERE local = ?) RETURNING stanza"
        )
        row = self._writer.submit(lambda c: c.execute(sql, (jid, local)).fetchone()).wait()
        return None if row is None else bytes(row[0])

    def remove_request(self, local: str, jid: str) -> bool:
        """Forget a request; False if there was none."""
        sql = (
            "DELETE FROM subscription_request"
            " WHERE jid = ? AND account_id = (SELECT id FROM account WHERE local = ?)"
        )
        return self._writer.submit(lambda c: c.execute(sql, (jid, local)).rowcount > 0).wait()

    def _change(self, local: str, item: RosterItem, *, removed: bool) -> int:
        return self._writer.submit(lambda c: put_item(c, local, item, removed=removed)).wait()


def put_item(
    connection: sqlite3.Connection, local: str, item: RosterItem, *, removed: bool = False
) -> int:
    """In the writer's thread: add, replace or remove a contact; returns the roster's new version,
    0 without such an account."""
    row = connection.execute(_BUMP, (local,)).fetchone()
    if row is None:
        return 0  # the account was deleted meanwhile
    account, version = row
    connection.execute(_PUT, (account, version, removed, *_row(item)))
    if removed:
        _forget_old_removals(connection, account)
    return int(version)


def befriend(connection: sqlite3.Connection, local: str, jid: str, group: str = "") -> None:
    """In the writer's thread: both see each other from now on, as far as this roster says so; a
    `group` is one that the contact is in, besides those that it is in already."""
    row = connection.execute(_FIND, (local, jid)).fetchone()
    item = RosterItem(jid) if row is None else _item(row)
    groups = tuple(dict.fromkeys((*item.groups, group) if group else item.groups))
    both = item._replace(subscription="both", ask=False, approved=False, listed=True, groups=groups)
    put_item(connection, local, both)


def _item(row: tuple[str, str, str, int, int, int, str]) -> RosterItem:
    jid, name, subscription, ask, approved, listed, groups = row
    names = tuple(json.loads(groups))
    return RosterItem(jid, name, subscription, bool(ask), bool(approved), names, bool(listed))


def _row(item: RosterItem) -> tuple[object, ...]:
    groups = json.dumps(item.groups, ensure_ascii=False)
    return (
        item.jid, item.name, item.subscription, item.ask, item.approved, item.listed, groups
    )  # fmt: skip


def _forget_old_removals(connection: sqlite3.Connection, account: int) -> None:
    row = connection.execute(
        "SELECT version FROM contact WHERE account_id = ? AND removed"
        " ORDER BY version DESC LIMIT 1 OFFSET ?",
        (account, _REMOVALS_KEPT),
    ).fetchone()
    if row is not None:
        connection.execute(
            "DELETE FROM contact WHERE account_id = ? AND removed AND version <= ?",
            (account, row[0]),
        )
        connection.execute("UPDATE account SET roster_floor = ? WHERE id = ?", (row[0], account))
