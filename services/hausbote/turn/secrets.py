"""The secret behind the credentials, in the database from which coturn reads it.

coturn looks there at every login, so the secret changes while calls go on: the newest one signs,
and those before it stay until nothing that they signed is good any more.  DIR/relay/secrets.db is
coturn's (its table is `turn_secret`), ours is only the table that knows how old they are.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from hausbote.base.settings import Settings
from hausbote.base.tokens import token

_BITS: Final = 256
_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS turn_secret"
    " (realm varchar(127) default '', value varchar(256), primary key (realm,value))",
    "CREATE TABLE IF NOT EXISTS secret_age (value TEXT PRIMARY KEY, made REAL NOT NULL)",
)
_PATIENCE: Final = 10.0  # seconds


class Secrets:
    """`realm` is coturn's; secrets of other realms are not touched."""

    def __init__(self, path: Path, realm: str) -> None:
        self._path = path
        self._realm = realm
        self._newest: tuple[str, float] | None = None

    def make(self, now: float) -> None:
        """Make the database and the first secret if they are not there."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        with self._changing() as connection:
            for table in _TABLES:
                connection.execute(table)
            if self._read(connection) is None:
                self._add(connection, now)

    def current(self) -> str:
        """The secret that signs."""
        return self._known()[0]

    def age(self, now: float) -> float:
        """Its age in seconds."""
        return now - self._known()[1]

    def all(self) -> list[str]:
        """All that are good, the newest first."""
        with closing(self._connect()) as connection:
            rows = connection.execute("SELECT value FROM secret_age ORDER BY made DESC").fetchall()
        return [row[0] for row in rows]

    def rotate(self, now: float) -> None:
        """From now on another one signs."""
        with self._changing() as connection:
            self._add(connection, now)

    def forget_before(self, moment: float) -> None:
        """Drop those whose successor was made before that."""
        with closing(self._connect()) as connection:
            rows = connection.execute("SELECT value, made FROM secret_age ORDER BY made").fetchall()
        made = [row[1] for row in rows[1:]]
        old = [row[0] for row, successor in zip(rows, made, strict=False) if successor <= moment]
        if old:
            self._drop(old)

    def reread(self) -> None:
        """Somebody else may have changed them."""
        self._newest = None

    def _drop(self, values: list[str]) -> None:
        with self._changing() as connection:
            for value in values:
                connection.execute("DELETE FROM secret_age WHERE value = ?", (value,))
                connection.execute("DELETE FROM turn_secret WHERE value = ?", (value,))

    def _known(self) -> tuple[str, float]:
        if self._newest is None:
            with closing(self._connect()) as connection:
                self._newest = self._read(connection)
        assert self._newest is not None
        return self._newest

    def _read(self, connection: sqlite3.Connection) -> tuple[str, float] | None:
        query = "SELECT value, made FROM secret_age ORDER BY made DESC LIMIT 1"
        row: tuple[str, float] | None = connection.execute(query).fetchone()
        return row

    def _add(self, connection: sqlite3.Connection, now: float) -> None:
        fresh = token(_BITS)
        connection.execute("INSERT INTO turn_secret VALUES (?, ?)", (self._realm, fresh))
        connection.execute("INSERT INTO secret_age VALUES (?, ?)", (fresh, now))
        self._newest = None

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        with closing(self._connect()) as connection, connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=_PATIENCE, isolation_level=None)
        connection.execute("PRAGMA secure_delete = ON")
        return connection


def secrets_of(settings: Settings) -> Secrets:
    """The box's."""
    return Secrets(settings.relay_secrets, settings.ascii_domain)
