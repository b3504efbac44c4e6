"""Message archives (XEP-0313): each message once, with an entry in the archive of each side.

Ids are microseconds since 1970, made unique by counting on: a moment is an id, and order and time
need no column.  Nobody outside the box sees them as they are.

What has come lately is one row at the end of a table, and is sorted in later: see `sort_in`.
"""

import json
import sqlite3
import sys
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import closing
from functools import partial
from typing import Any, Final, NamedTuple
from zlib import crc32

from peewee import SqliteDatabase

from hausbote.base.moment_ids import MICROSECONDS, MomentIds
from hausbote.storage import archive_sizes, arrivals
from hausbote.storage.ranges import Portion, Range, narrowed, taken
from hausbote.storage.ticket import Ticket
from hausbote.storage.writer import Writer

_SORTED_AT_ONCE: Final = 500
_LARGE: Final = 16_384  # bytes that count as another message there

_LAST: Final = "SELECT max(id) FROM archived_message WHERE id <= ?"
_PUT_MESSAGE: Final = (
    "INSERT INTO archived_message (id, entries, stanza, checksum) VALUES (?, ?, ?, ?)"
)
_PUT_ENTRY: Final = "INSERT INTO archive (account_id, id, peer_id) VALUES (?, ?, ?)"
_PUT_FRESH: Final = "INSERT INTO archive_fresh (id, entries) VALUES (?, ?)"
_FRESH: Final = (
    "SELECT archive_fresh.id, archive_fresh.entries, length(stanza) FROM archive_fresh"
    " CROSS JOIN archived_message AS message ON message.id = archive_fresh.id"
    " ORDER BY archive_fresh.id"
)
_IS_FRESH: Final = "SELECT EXISTS (SELECT 1 FROM archive_fresh)"
_ACCOUNT: Final = "SELECT id FROM account WHERE local = ?"
_PEER: Final = "SELECT id FROM archive_peer WHERE account_id = ? AND jid = ?"
_PUT_PEER: Final = "INSERT INTO archive_peer (account_id, jid) VALUES (?, ?) RETURNING id"
_DELETE_PEERS: Final = (
    "DELETE FROM archive_peer WHERE account_id = ? AND NOT EXISTS (SELECT 1 FROM archive"
    " WHERE archive.account_id = archive_peer.account_id AND peer_id = archive_peer.id)"
)
_FIRST_TOO_MANY: Final = (
    "SELECT id FROM archive WHERE account_id = ? ORDER BY id DESC LIMIT 1 OFFSET ?"
)
# CROSS JOIN: SQLite must go along the account's entries, and not along the messages.
_MESSAGES: Final = (
    "SELECT message.id, stanza, checksum FROM archive CROSS JOIN archived_message AS message"
    " ON message.id = archive.id WHERE"
)


_WANTED_DAYS: Final = (
    "SELECT id, coalesce(days, 0) FROM account"
    " LEFT JOIN archive_preferences ON account_id = account.id"
)
_DAY: Final = 86_400.0  # seconds


class Archived(NamedTuple):
    """`stanza` is the message as it goes over the wire; one that was kept long ago may have no
    `checksum`."""

    id: int
    stanza: bytes
    checksum: int | None = None

    @property
    def at(self) -> float:
        """Seconds since 1970."""
        return self.id / MICROSECONDS

    @property
    def is_intact(self) -> bool:
        """Whether it is known to be as it was written."""
        return crc32(self.stanza) == self.checksum


class _Row(NamedTuple):
    id: int
    stanza: bytes
    entries: tuple[tuple[str, str], ...]
    name: int


class Archives:
    """All accounts' archives.  `keep` returns at once; reads see what was given to it before."""

    def __init__(
        self,
        reader: SqliteDatabase,
        writer: Writer,
        clock: Callable[[], float] = time.time,
        bytes_each: int = 0,
    ) -> None:
        """An account's archive has `bytes_each` at most, or its oldest messages go (0 = no
        limit)."""
        self._reader = reader
        self._writer = writer
        self._bytes_each = bytes_each
        self.ids = MomentIds(clock, self.is_taken)
        for last in (sys.maxsize, self.ids.horizon()):  # there may be some of the future
            row = reader.execute_sql(_LAST, (last,)).fetchone()
            self.ids.note(int(row[0] or 0))
        self._fresh = 0  # not sorted in yet, as far as this process knows; for the writer's thread

    def next_id(self) -> int:
        """The id of a message that comes now; see `MomentIds`."""
        return self.ids.next()

    def is_taken(self, id: int) -> bool:
        """Whether some message has that id."""
        sql = "SELECT EXISTS (SELECT 1 FROM archived_message WHERE id = ?)"
        return bool(self._reader.execute_sql(sql, (id,)).fetchone()[0])

    def keep(
        self, id: int, stanza: bytes, entries: Iterable[tuple[str, str]], name: int = 0
    ) -> Ticket[None]:
        """Put a message into archives, each named by (local part, bare JID of the other side).

        `name` is that of its arrival, if it may come again: it is noted in the same transaction.
        """
        return self._writer.insert_with(self._write, _Row(id, stanza, tuple(entries), name))

    # -- reading -------------------------------------------------------------------------------

    def page(
        self,
        local: str,
        where: Range,
        limit: int,
        *,
        size: int = sys.maxsize,
        backwards: bool = False,
    ) -> list[Archived]:
        """The first messages of the range, or its last; oldest first either way.

        No more than `limit`, and no more once they have `size` bytes together.
        """
        condition, values = _condition(local, where)
        order = "DESC" if backwards else "ASC"
        sql = f"{_MESSAGES} {condition} ORDER BY archive.id {order} LIMIT ?"
        with closing(self._connection().execute(sql, (*values, limit))) as rows:
            found = taken(rows, Archived, size)
        return found[::-1] if backwards else found

    def get(self, local: str, id: int) -> Archived | None:
        found = self.page(local, Range(id - 1, id + 1), 1)
        return found[0] if found else None

    def count(self, local: str, where: Range, limit: int = sys.maxsize) -> Portion:
        """How many are in the range, from its beginning and up to `limit`."""
        condition, values = _condition(local, where)
        sql = (
            "SELECT count(*), coalesce(max(id), 0) FROM"
            f" (SELECT archive.id FROM archive WHERE {condition} ORDER BY archive.id LIMIT ?)"
        )
        return Portion(*self._connection().execute(sql, (*values, limit)).fetchone())

    def total(self, local: str) -> int:
        """How many there are, without counting."""
        sql = f"SELECT messages FROM archive_size WHERE account_id = ({_ACCOUNT})"
        return _first(self._connection().execute(sql, (local,))) or 0

    def has(self, local: str, ids: Collection[int]) -> bool:
        """Whether all of them are there."""
        wanted = tuple(set(ids))
        return self.count(local, Range(ids=wanted)).number == len(wanted)

    def ends(self, local: str) -> tuple[int, int] | None:
        """The ids of the oldest and of the newest message; None for an empty archive."""
        connection = self._connection()
        entries = f"FROM archive WHERE account_id = ({_ACCOUNT}) ORDER BY id"
        first = connection.execute(f"SELECT id {entries} LIMIT 1", (local,)).fetchone()
        last = connection.execute(f"SELECT id {entries} DESC LIMIT 1", (local,)).fetchone()
        return None if first is None else (first[0], last[0])

    # -- changing ------------------------------------------------------------------------------

    def rewrite(
        self,
        entries: Sequence[tuple[str, str]],
        change: Callable[[bytes], bytes | None],
        among: int,
    ) -> Ticket[bool]:
        """Put what `change` makes of it in the place of the newest message of which it makes one.

        It is looked for in these archives, each named by (local part, bare JID of the other side)
        until it is found, among the newest messages there.  Whoever else has the message sees the
        change, too.  `change` runs in the writer's thread.
        """

        def rewrite(connection: sqlite3.Connection) -> bool:
            self._sort_in(connection)
            for local, peer in entries:
                changed = _changed(connection, local, peer, change, among)
                if changed is not None:
                    archive_sizes.rewrite(connection, *changed)
                    return True
            return False

        return self._writer.submit(rewrite)

    def sort_in(self) -> None:
        """Make the entries of what came lately, and forget the oldest where there are too many."""
        self._writer.submit(self._sort_in).wait()

    def purge(self, before: float, at_most: int = 0, now: float = 0.0) -> int:
        """Delete what came before that time, in seconds since 1970, what is older at `now` than its
        account wants (0 = nothing is), and the oldest of those that have more than `at_most` (0 =
        no limit) or too many bytes; returns how many entries went."""
        wanted = self._connection().execute(_WANTED_DAYS).fetchall()
        return sum(
            self._purge(
                id, int(max(before, now - days * _DAY if days else 0.0) * MICROSECONDS), at_most
            )
            for id, days in wanted
        )

    def _purge(self, account: int, before: int, at_most: int) -> int:
        def limit(connection: sqlite3.Connection) -> int:
            row = connection.execute(_FIRST_TOO_MANY, (account, at_most)).fetchone()
            return before if row is None else max(before, row[0] + 1)

        if at_most:
            before = self._writer.submit(limit).wait()
        deleted = _delete(self._writer, account, before)
        trim = partial(archive_sizes.trim, account=account, limit=self._bytes_each)
        while more := self._writer.submit(trim).wait():
            deleted += more
        if deleted:
            self._writer.insert(_DELETE_PEERS, (account,)).wait()
        return deleted

    # -- inside --------------------------------------------------------------------------------

    def _connection(self) -> sqlite3.Connection:
        """To read, after all that was given to `keep` before is there to be seen."""
        connection: sqlite3.Connection = self._reader.connection()
        if not self._writer.idle or connection.execute(_IS_FRESH).fetchone()[0]:
            self.sort_in()
        return connection

    def _write(self, connection: sqlite3.Connection, rows: Sequence[_Row]) -> None:
        """In the writer's thread: many messages at once."""
        accounts: dict[str, int | None] = {}  # some may have been deleted meanwhile
        messages, fresh, size = [], [], 0
        for row in rows:
            entries = []
            for local, peer in row.entries:
                if local not in accounts:
                    accounts[local] = _first(connection.execute(_ACCOUNT, (local,)))
                if accounts[local] is not None:
                    entries.append((accounts[local], peer))
            if entries:
                messages.append((row.id, len(entries), row.stanza, crc32(row.stanza)))
                fresh.append((row.id, json.dumps(entries)))
                size += len(row.stanza)
        connection.executemany(_PUT_MESSAGE, messages)
        connection.executemany(_PUT_FRESH, fresh)
        named = [(row.name, row.id) for row in rows if row.name]
        if named:
            connection.executemany(arrivals.PUT, named)
        self._fresh += len(fresh) + size // _LARGE
        if self._fresh >= _SORTED_AT_ONCE:
            self._fresh = 0  # if this is undone, they are sorted in a little later
            self._sort_in(connection)

    def _sort_in(self, connection: sqlite3.Connection) -> None:
        for account in sort_in(connection):
            archive_sizes.trim(connection, account, self._bytes_each)


def sort_in(connection: sqlite3.Connection) -> Iterable[int]:
    """In the writer's thread: make the entries of messages that came since this was done last.

    Returns the accounts that they are made for.

    Each message touches pages all over the archives of two people.  Doing that for many at once, or
    when somebody reads, makes the disk write a good deal less.
    """
    accounts: dict[int, bool] = {}
    peers: dict[tuple[int, str], int] = {}
    sizes: dict[int, int] = {}
    numbers: dict[int, int] = {}
    made = []
    for id, text, size in connection.execute(_FRESH).fetchall():
        entries = json.loads(text)
        alive = [entry for entry in entries if _lives(connection, accounts, entry[0])]
        for account, jid in alive:
            if (account, jid) not in peers:
                peers[account, jid] = _peer(connection, account, jid)
            made.append((account, id, peers[account, jid]))
            sizes[account] = sizes.get(account, 0) + size
            numbers[account] = numbers.get(account, 0) + 1
        if not alive:
            connection.execute("DELETE FROM archived_message WHERE id = ?", (id,))
        elif len(alive) < len(entries):
            connection.execute(
                "UPDATE archived_message SET entries = ? WHERE id = ?", (len(alive), id)
            )
    connection.executemany(_PUT_ENTRY, sorted(made))
    connection.execute("DELETE FROM archive_fresh")
    for account, size in sizes.items():
        archive_sizes.grow(connection, account, size, numbers[account])
    return sizes


def clear_archive(reader: SqliteDatabase, writer: Writer, local: str) -> None:
    """Delete an account's archive in small steps, so that others' writes come in between."""
    account = _first(reader.connection().execute(_ACCOUNT, (local,)))
    if account is not None:
        writer.submit(sort_in).wait()
        _delete(writer, account, sys.maxsize)


def _changed(
    connection: sqlite3.Connection,
    local: str,
    peer: str,
    change: Callable[[bytes], bytes | None],
    among: int,
) -> tuple[int, bytes, bytes] | None:
    """The id of the message that is to be changed, what it was and what it becomes."""
    condition, values = _condition(local, Range(peer=peer))
    sql = f"{_MESSAGES} {condition} ORDER BY archive.id DESC LIMIT ?"
    with closing(connection.execute(sql, (*values, among))) as rows:
        for id, old, _checksum in rows:
            new = change(old)
            if new is not None:
                return id, old, new
    return None


def _delete(writer: Writer, account: int, before: int) -> int:
    gone = 0
    while deleted := writer.submit(lambda c: archive_sizes.delete_some(c, account, before)).wait():
        gone += deleted
    return gone


def _condition(local: str, where: Range) -> tuple[str, list[object]]:
    """What follows WHERE, and its values."""
    sql = f"archive.account_id = ({_ACCOUNT})"
    values: list[object] = [local]
    if where.peer:
        sql += (
            " AND peer_id = (SELECT id FROM archive_peer"
            f" WHERE account_id = ({_ACCOUNT}) AND jid = ?)"
        )
        values += [local, where.peer]
    more, bounds = narrowed(where, "archive.id")
    return sql + more, [*values, *bounds]


def _lives(connection: sqlite3.Connection, known: dict[int, bool], account: int) -> bool:
    if account not in known:
        row = connection.execute("SELECT 1 FROM account WHERE id = ?", (account,)).fetchone()
        known[account] = row is not None
    return known[account]


def _peer(connection: sqlite3.Connection, account: int, jid: str) -> int:
    peer = _first(connection.execute(_PEER, (account, jid)))
    if peer is None:
        peer = _first(connection.execute(_PUT_PEER, (account, jid)))
    assert peer is not None
    return peer


def _first(cursor: Any) -> int | None:
    row = cursor.fetchone()
    return None if row is None else int(row[0])
