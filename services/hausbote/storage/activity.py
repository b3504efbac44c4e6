"""When an account was last here, and what it said when it left (XEP-0012)."""

from typing import Final, NamedTuple

from peewee import SqliteDatabase

from hausbote.storage.writer import Writer

_PUT: Final = (
    "INSERT OR REPLACE INTO activity (account_id, at, status)"
    " SELECT id, ?, ? FROM account WHERE local = ?"
)
_GET: Final = (
    "SELECT at, status FROM activity JOIN account ON account.id = account_id WHERE local = ?"
)


class LastSeen(NamedTuple):
    """`at` is in seconds since 1970, `status` the text of the last unavailable presence."""

    at: float
    status: str


class LastActivity:
    """Goes to disk by `flush`, not by every goodbye: a flash card is spared, and a crash costs no
    more than the last seconds of something that nobody relies on."""

    def __init__(self, reader: SqliteDatabase, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer
        self._noted: dict[str, LastSeen] = {}

    def left(self, local: str, at: float, status: str) -> None:
        """Note that the last session of an account ended."""
        self._noted[local] = LastSeen(at, status)

    def last(self, local: str) -> LastSeen | None:
        """None if the account was never here."""
        noted = self._noted.get(local)
        if noted is not None:
            return noted
        row = self._reader.execute_sql(_GET, (local,)).fetchone()
        return None if row is None else LastSeen(*row)

    def forget(self, local: str) -> None:
        """The account was deleted."""
        self._noted.pop(local, None)

    def flush(self) -> None:
        """Give what was noted to the writer."""
        noted, self._noted = self._noted, {}
        for local, seen in noted.items():
            self._writer.insert(_PUT, (*seen, local))
