"""What people have uploaded, and what they have announced and not uploaded yet.

Rows only; the files lie beside the database.  Whatever deletes a row, be it the end of its account,
leaves the file's id in `gone` until somebody has removed the file and says so.
"""

import sqlite3
from enum import Enum
from typing import Final, NamedTuple

from peewee import SqliteDatabase

from hausbote.storage.writer import Writer

_DAY: Final = 86_400  # seconds

_ACCOUNT: Final = "SELECT id FROM account WHERE local = ?"
_PENDING: Final = (
    "SELECT count(*), coalesce(sum(size), 0) FROM upload"
    " WHERE account_id = ? AND uploaded IS NULL AND until > ?"
)
_STORED: Final = (
    "SELECT coalesce(sum(size), 0) FROM upload WHERE account_id = ? AND uploaded IS NOT NULL"
)
_TOTAL: Final = "SELECT coalesce(sum(size), 0) FROM upload WHERE uploaded IS NOT NULL OR until > ?"
_ON_DAY: Final = "SELECT bytes FROM upload_day WHERE account_id = ? AND day = ?"
_COUNT_DAY: Final = (
    "INSERT INTO upload_day (account_id, day, bytes) VALUES (:account, :day, :bytes)"
    " ON CONFLICT (account_id) DO UPDATE SET day = :day,"
    " bytes = :bytes + CASE WHEN day = :day THEN bytes ELSE 0 END"
)
_RESERVE: Final = (
    "INSERT INTO upload (id, account_id, name, type, size, key, until, expires)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_SLOT: Final = (
    "SELECT id, name, type, size, key, until, expires, uploaded IS NOT NULL FROM upload"
    " WHERE id = ?"
)
_FILL: Final = (
    "UPDATE upload SET uploaded = ?, digest = ? WHERE id = ? AND uploaded IS NULL"
    " RETURNING account_id, size"
)
_OLDEST: Final = (
    "SELECT id, size FROM upload WHERE account_id = ? AND uploaded IS NOT NULL AND id != ?"
    " ORDER BY uploaded, id"
)
_COLUMNS: Final = "upload.id, name, type, size, digest, uploaded, expires"
_GET: Final = f"SELECT {_COLUMNS} FROM upload WHERE id = ? AND uploaded IS NOT NULL"
_OF: Final = (
    f"SELECT {_COLUMNS} FROM upload JOIN account ON account.id = account_id"
    " WHERE local = ? AND uploaded IS NOT NULL ORDER BY uploaded, upload.id"
)
_ALL: Final = f"SELECT {_COLUMNS} FROM upload WHERE uploaded IS NOT NULL ORDER BY upload.id"
_USAGE: Final = (
    "SELECT local, count(*), sum(size) FROM upload JOIN account ON account.id = account_id"
    " WHERE uploaded IS NOT NULL GROUP BY account_id ORDER BY local"
)
_DELETE: Final = (
    "DELETE FROM upload WHERE account_id = (SELECT id FROM account WHERE local = :local)"
    " AND (:id IS NULL OR id = :id)"
)
_EXPIRE: Final = (
    "DELETE FROM upload WHERE uploaded <= :before OR expires <= :now"
    " OR (uploaded IS NULL AND until <= :slots)"
)


class Bounds(NamedTuple):
    """What one account and the box may have; 0 = no limit."""

    slots: int
    account_bytes: int
    day_bytes: int
    total_bytes: int
    oldest_go: bool


class Slot(NamedTuple):
    """A place for a file of that size and type; times are in seconds since 1970.

    `key` is the hash of what its owner must show; `expires` is when the file must go at the latest.
    """

    id: str
    name: str
    type: str
    size: int
    key: bytes
    until: int
    expires: int | None = None
    used: bool = False


class Upload(NamedTuple):
    """A file that is there."""

    id: str
    name: str
    type: str
    size: int
    digest: bytes
    uploaded: float
    expires: int | None = None


class Usage(NamedTuple):
    """What an account has uploaded."""

    local: str
    files: int
    bytes: int


class Refusal(Enum):
    """Why there is no slot."""

    NO_ACCOUNT = "there is no such account"
    SLOTS = "too many uploads are under way"
    DAY = "the day's share is used up"
    ACCOUNT = "the account's share is used up"
    TOTAL = "the box's share is used up"


class Uploads:
    """Changes are on disk when the methods return."""

    def __init__(self, reader: SqliteDatabase, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def reserve(self, local: str, slot: Slot, bounds: Bounds, now: int) -> Refusal | None:
        """Keep a place for a file; None if there is one now."""

        def reserve(connection: sqlite3.Connection) -> Refusal | None:
            row = connection.execute(_ACCOUNT, (local,)).fetchone()
            if row is None:
                return Refusal.NO_ACCOUNT
            refusal = _refusal(connection, row[0], slot.size, bounds, now)
            if refusal is not None:
                return refusal
            connection.execute(_RESERVE, (slot.id, row[0], *slot[1:7]))
            return None

        return self._writer.submit(reserve).wait()

    def slot(self, id: str) -> Slot | None:
        """Used or not; it may be over."""
        row = self._reader.connection().execute(_SLOT, (id,)).fetchone()
        return None if row is None else Slot(*row)

    def fill(self, id: str, digest: bytes, now: float, account_bytes: int) -> bool:
        """The slot's file is there; False if the slot is not there any more, or was filled before.

        What the account has beyond `account_bytes` goes, the oldest files first (0 = no limit).
        """

        def fill(connection: sqlite3.Connection) -> bool:
            row = connection.execute(_FILL, (now, digest, id)).fetchone()
            if row is None:
                return False
            account, size = row
            day = {"account": account, "day": int(now // _DAY), "bytes": size}
            connection.execute(_COUNT_DAY, day)
            if account_bytes:
                _make_room(connection, account, id, account_bytes)
            return True

        return self._writer.submit(fill).wait()

    def get(self, id: str) -> Upload | None:
        """A file that is there; one whose time is over may be among them."""
        row = self._reader.connection().execute(_GET, (id,)).fetchone()
        return None if row is None else Upload(*row)

    def of(self, local: str) -> list[Upload]:
        """The oldest first."""
        return [Upload(*row) for row in self._reader.execute_sql(_OF, (local,))]

    def all(self) -> list[Upload]:
        """By id."""
        return [Upload(*row) for row in self._reader.execute_sql(_ALL)]

    def known(self) -> set[str]:
        """The ids of all files that may be on disk, whether they are meant to stay or to go."""
        sql = "SELECT id FROM upload UNION SELECT id FROM upload_gone"
        return {id for (id,) in self._reader.execute_sql(sql)}

    def usage(self) -> list[Usage]:
        """By account, of those that have any."""
        return [Usage(*row) for row in self._reader.execute_sql(_USAGE)]

    def delete(self, local: str, id: str | None = None) -> int:
        """Delete that file of an account, or all of them with its slots; returns how many."""
        row = {"local": local, "id": id}
        return self._writer.submit(lambda c: c.execute(_DELETE, row).rowcount).wait()

    def expire(self, now: int, before: int, slots: int) -> int:
        """Delete files uploaded up to `before` or that are to go now, and slots over at `slots`.

        Returns how many.
        """
        row = {"now": now, "before": before, "slots": slots}
        return self._writer.submit(lambda c: c.execute(_EXPIRE, row).rowcount).wait()

    def gone(self, limit: int) -> list[str]:
        """Ids whose rows are gone and whose files may still be there."""
        sql = "SELECT id FROM upload_gone LIMIT ?"
        return [id for (id,) in self._reader.execute_sql(sql, (limit,))]

    def forget(self, ids: list[str]) -> None:
        """Their files are gone, too."""
        rows = [(id,) for id in ids]
        sql = "DELETE FROM upload_gone WHERE id = ?"
        self._writer.submit(lambda c: c.executemany(sql, rows)).wait()


def _refusal(
    connection: sqlite3.Connection, account: int, size: int, bounds: Bounds, now: int
) -> Refusal | None:
    count, pending = connection.execute(_PENDING, (account, now)).fetchone()
    if count >= bounds.slots:
        return Refusal.SLOTS
    row = connection.execute(_ON_DAY, (account, now // _DAY)).fetchone()
    on_day = row[0] if row else 0
    stored = 0 if bounds.oldest_go else connection.execute(_STORED, (account,)).fetchone()[0]
    for limit, used, reason in (
        (bounds.day_bytes, on_day, Refusal.DAY),
        (bounds.account_bytes, stored, Refusal.ACCOUNT),
    ):
        if 0 < limit < used + size:
            return reason
        if 0 < limit < used + pending + size:
            return Refusal.SLOTS
    if bounds.total_bytes:
        total = connection.execute(_TOTAL, (now,)).fetchone()[0]
        if total + size > bounds.total_bytes:
            return Refusal.TOTAL
    return None


def _make_room(connection: sqlite3.Connection, account: int, newest: str, limit: int) -> None:
    over = connection.execute(_STORED, (account,)).fetchone()[0] - limit
    for id, size in connection.execute(_OLDEST, (account, newest)).fetchall():
        if over <= 0:
            break
        connection.execute("DELETE FROM upload WHERE id = ?", (id,))
        over -= size
