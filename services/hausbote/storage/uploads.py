"""What people have uploaded.

Rows, and the content of small files: these cost one wait for the disk instead of three.  The others
lie beside the database; whatever deletes a row of theirs, be it the end of its account, leaves the
file's id in `gone` until somebody has removed the file and says so.
"""

import sqlite3
from typing import Final, NamedTuple

from peewee import SqliteDatabase

from hausbote.storage.writer import Writer

_DAY: Final = 86_400  # seconds

_ACCOUNT: Final = "SELECT id FROM account WHERE local = ?"
_STORED: Final = "SELECT coalesce(sum(size), 0) FROM upload WHERE account_id = ?"
_TOTAL: Final = "SELECT coalesce(sum(size), 0) FROM upload"
_ON_DAY: Final = "SELECT bytes FROM upload_day WHERE account_id = ? AND day = ?"
_COUNT_DAY: Final = (
    "INSERT INTO upload_day (account_id, day, bytes) VALUES (:account, :day, :bytes)"
    " ON CONFLICT (account_id) DO UPDATE SET day = :day,"
    " bytes = :bytes + CASE WHEN day = :day THEN bytes ELSE 0 END"
)
_ADD: Final = (
    "INSERT OR IGNORE INTO upload"
    " (id, account_id, name, type, size, digest, uploaded, expires, content)"
    " SELECT :id, id, :name, :type, :size, :digest, :uploaded, :expires, :content"
    " FROM account WHERE id = :account"
)
_OLDEST: Final = (
    "SELECT id, size FROM upload WHERE account_id = ? AND id != ? ORDER BY uploaded, id"
)
_COLUMNS: Final = "upload.id, name, type, size, digest, uploaded, expires"
_GET: Final = f"SELECT {_COLUMNS} FROM upload WHERE id = ?"
_FETCH: Final = f"SELECT content, {_COLUMNS} FROM upload WHERE id = ?"
_OF: Final = (
    f"SELECT {_COLUMNS} FROM upload JOIN account ON account.id = account_id"
    " WHERE local = ? ORDER BY uploaded, upload.id"
)
_ALL: Final = f"SELECT {_COLUMNS} FROM upload ORDER BY upload.id"
_KNOWN: Final = "SELECT id FROM upload WHERE content IS NULL UNION SELECT id FROM upload_gone"
_USAGE: Final = (
    "SELECT local, count(*), sum(size) FROM upload JOIN account ON account.id = account_id"
    " GROUP BY account_id ORDER BY local"
)
_DELETE: Final = (
    "DELETE FROM upload WHERE id IN (SELECT id FROM upload"
    " WHERE account_id = (SELECT id FROM account WHERE local = :local)"
    " AND (:id IS NULL OR id = :id) LIMIT :limit)"
)
_EXPIRE: Final = (
    "DELETE FROM upload WHERE id IN"
    " (SELECT id FROM upload WHERE uploaded <= :before OR expires <= :now LIMIT :limit)"
)
_DELETED_AT_ONCE: Final = 100  # whose contents are overwritten, for which a full disk needs room


class Upload(NamedTuple):
    """A file that is there; times are in seconds since 1970.

    `expires` is when it must go at the latest.
    """

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


class Uploads:
    """Changes are on disk when the methods return."""

    def __init__(self, reader: SqliteDatabase, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def account(self, local: str) -> int | None:
        """What `add` knows an account by; None if there is none of that name."""
        return self._number(_ACCOUNT, local)

    def stored(self, account: int) -> int:
        """Bytes of all files of an account."""
        return self._number(_STORED, account) or 0

    def on_day(self, account: int, now: float) -> int:
        """Bytes that it has uploaded on this day (UTC), whatever has become of them."""
        return self._number(_ON_DAY, account, int(now // _DAY)) or 0

    def total(self) -> int:
        """Bytes of all files of the box."""
        return self._number(_TOTAL) or 0

    def add(self, account: int, file: Upload, content: bytes | None, account_bytes: int) -> bool:
        """A file that is on the disk, or its `content`; False if there is no such account any more,
        or a file of that id.

        What the account has beyond `account_bytes` goes, the oldest files first (0 = no limit).
        """
        row = file._asdict() | {"account": account, "content": content}

        def add(connection: sqlite3.Connection) -> bool:
            if connection.execute(_ADD, row).rowcount < 1:
                return False
            day = {"account": account, "day": int(file.uploaded // _DAY), "bytes": file.size}
            connection.execute(_COUNT_DAY, day)
            if account_bytes:
                _make_room(connection, account, file.id, account_bytes)
            return True

        return self._writer.submit(add).wait()

    def get(self, id: str) -> Upload | None:
        """A file that is there; one whose time is over may be among them."""
        row = self._reader.connection().execute(_GET, (id,)).fetchone()
        return None if row is None else Upload(*row)

    def fetch(self, id: str) -> tuple[Upload, bytes | None] | None:
        """The same with its content, unless that lies beside the database."""
        row = self._reader.connection().execute(_FETCH, (id,)).fetchone()
        return None if row is None else (Upload(*row[1:]), row[0])

    def of(self, local: str) -> list[Upload]:
        """The oldest first."""
        return [Upload(*row) for row in self._reader.execute_sql(_OF, (local,))]

    def all(self) -> list[Upload]:
        """By id."""
        return [Upload(*row) for row in self._reader.execute_sql(_ALL)]

    def known(self) -> set[str]:
        """The ids of all files beside the database, whether they are meant to stay or to go."""
        return {id for (id,) in self._reader.execute_sql(_KNOWN)}

    def usage(self) -> list[Usage]:
        """By account, of those that have any."""
        return [Usage(*row) for row in self._reader.execute_sql(_USAGE)]

    def delete(self, local: str, id: str | None = None) -> int:
        """Delete that file of an account, or all of them; returns how many."""
        return self._delete(_DELETE, {"local": local, "id": id})

    def expire(self, now: int, before: int) -> int:
        """Delete files uploaded up to `before` or that are to go now; returns how many."""
        return self._delete(_EXPIRE, {"now": now, "before": before})

    def gone(self, limit: int) -> list[str]:
        """Ids whose rows are gone and whose files may still be there."""
        sql = "SELECT id FROM upload_gone LIMIT ?"
        return [id for (id,) in self._reader.execute_sql(sql, (limit,))]

    def forget(self, ids: list[str]) -> None:
        """Their files are gone, too."""
        rows = [(id,) for id in ids]
        sql = "DELETE FROM upload_gone WHERE id = ?"
        self._writer.submit(lambda c: c.executemany(sql, rows)).wait()

    def _delete(self, sql: str, values: dict[str, object]) -> int:
        row, gone = values | {"limit": _DELETED_AT_ONCE}, 0
        while deleted := self._writer.submit(lambda c: c.execute(sql, row).rowcount).wait():
            gone += deleted
        return gone

    def _number(self, sql: str, *values: object) -> int | None:
        row = self._reader.connection().execute(sql, values).fetchone()
        number: int | None = None if row is None else row[0]
        return number


def _make_room(connection: sqlite3.Connection, account: int, newest: str, limit: int) -> None:
    over = connection.execute(_STORED, (account,)).fetchone()[0] - limit
    for id, size in connection.execute(_OLDEST, (account, newest)).fetchall():
        if over <= 0:
            break
        connection.execute("DELETE FROM upload WHERE id = ?", (id,))
        over -= size
