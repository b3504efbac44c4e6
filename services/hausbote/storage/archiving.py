"""What accounts want archived (XEP-0441), and which of their clients read the archive."""

import json
from typing import Final, NamedTuple

from peewee import SqliteDatabase

from hausbote.storage.writer import Writer

_PUT_PREFERENCES: Final = (
    "INSERT INTO archive_preferences (account_id, fallback, always, never)"
    " SELECT id, ?, ?, ? FROM account WHERE local = ?"
    " ON CONFLICT (account_id) DO UPDATE SET fallback = excluded.fallback,"
    " always = excluded.always, never = excluded.never"
)
_DAYS: Final = (
    "SELECT days FROM archive_preferences JOIN account ON account.id = account_id WHERE local = ?"
)
_PUT_DAYS: Final = (
    "INSERT INTO archive_preferences (account_id, fallback, always, never, days)"
    " SELECT id, 'always', '[]', '[]', ? FROM account WHERE local = ?"
    " ON CONFLICT (account_id) DO UPDATE SET days = excluded.days"
)
_PREFERENCES: Final = (
    "SELECT fallback, always, never FROM archive_preferences"
    " JOIN account ON account.id = account_id WHERE local = ?"
)
_LOCALS: Final = "SELECT local FROM archive_preferences JOIN account ON account.id = account_id"
_READER: Final = (
    "SELECT at FROM archive_reader JOIN account ON account.id = account_id"
    " WHERE local = ? AND resource = ?"
)
_PUT_READER: Final = (
    "INSERT OR REPLACE INTO archive_reader (account_id, resource, at)"
    " SELECT id, ?, ? FROM account WHERE local = ?"
)
_FORGET_READERS: Final = (
    "DELETE FROM archive_reader WHERE account_id = (SELECT id FROM account WHERE local = ?1)"
    " AND resource NOT IN (SELECT resource FROM archive_reader WHERE account_id ="
    " (SELECT id FROM account WHERE local = ?1) ORDER BY at DESC, resource LIMIT ?2)"
)
_RENEWED_AFTER: Final = 86_400  # seconds: that a client reads is written once a day


class Preferences(NamedTuple):
    """`fallback` is "always", "never" or "roster"; the lists hold JIDs."""

    fallback: str = "always"
    always: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


class Archiving:
    """Accounts without a row have the defaults."""

    def __init__(self, reader: SqliteDatabase, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def preferences(self, local: str) -> Preferences:
        row = self._reader.execute_sql(_PREFERENCES, (local,)).fetchone()
        if row is None:
            return Preferences()
        return Preferences(row[0], tuple(json.loads(row[1])), tuple(json.loads(row[2])))

    def set_preferences(self, local: str, wanted: Preferences) -> None:
        lists = json.dumps(wanted.always), json.dumps(wanted.never)
        self._writer.insert(_PUT_PREFERENCES, (wanted.fallback, *lists, local)).wait()

    def days(self, local: str) -> int:
        """Days for which the account wants its messages kept; 0 = as long as the box keeps them."""
        row = self._reader.execute_sql(_DAYS, (local,)).fetchone()
        return 0 if row is None else int(row[0])

    def set_days(self, local: str, days: int) -> None:
        self._writer.insert(_PUT_DAYS, (days, local)).wait()

    def locals(self) -> set[str]:
        """The local parts of those who have preferences of their own."""
        return {local for (local,) in self._reader.execute_sql(_LOCALS)}

    def is_reader(self, local: str, resource: str) -> bool:
        """Whether a client of that resource has read the archive before."""
        return self._read_at(local, resource) is not None

    def note_reader(self, local: str, resource: str, at: int, limit: int) -> None:
        """A client reads the archive at that time; `limit` resources are remembered (0 = all)."""
        before = self._read_at(local, resource)
        if before is None or at - before > _RENEWED_AFTER:
            self._writer.insert(_PUT_READER, (resource, at, local))
            if limit:
                self._writer.insert(_FORGET_READERS, (local, limit))

    def _read_at(self, local: str, resource: str) -> int | None:
        row = self._reader.execute_sql(_READER, (local, resource)).fetchone()
        return None if row is None else int(row[0])
