"""What the owner decided about other servers while the box ran: whom it talks with."""

import sqlite3
from typing import Final, NamedTuple

from peewee import SqliteDatabase

from hausbote.storage.writer import Writer

MOST_RULES: Final = 1_000
_ALL: Final = "SELECT domain, allowed, decided FROM server_rule ORDER BY domain"
_OTHERS: Final = "SELECT count(*) FROM server_rule WHERE domain <> ?"
_DECIDE: Final = (
    "INSERT INTO server_rule (domain, allowed, decided) VALUES (?, ?, ?)"
    " ON CONFLICT (domain) DO UPDATE SET allowed = excluded.allowed, decided = excluded.decided"
)
_FORGET: Final = "DELETE FROM server_rule WHERE domain = ?"


class ServerRule(NamedTuple):
    """Of a domain and the names below it; `decided` is in seconds since 1970."""

    domain: str
    allowed: bool
    decided: float


class ServerRules:
    """By domain.  Changes are on disk when the methods return."""

    def __init__(self, reader: SqliteDatabase, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def all(self) -> list[ServerRule]:
        """By name."""
        rows = self._reader.execute_sql(_ALL)
        return [ServerRule(domain, bool(allowed), at) for domain, allowed, at in rows]

    def decisions(self) -> dict[str, bool]:
        """Whether the box talks with a domain."""
        return {one.domain: one.allowed for one in self.all()}

    def decide(self, domain: str, at: float, *, allowed: bool) -> bool:
        """False if there are too many others already."""

        def decide(connection: sqlite3.Connection) -> bool:
            if connection.execute(_OTHERS, (domain,)).fetchone()[0] >= MOST_RULES:
                return False
            connection.execute(_DECIDE, (domain, allowed, at))
            return True

        return self._writer.submit(decide).wait()

    def forget(self, domain: str) -> bool:
        """The settings decide again; False if it was so before."""

        def forget(connection: sqlite3.Connection) -> bool:
            return connection.execute(_FORGET, (domain,)).rowcount > 0

        return self._writer.submit(forget).wait()
