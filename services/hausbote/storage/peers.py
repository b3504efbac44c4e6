"""How it went with other servers: the last good hour of each, and why it was refused or failed."""

import sqlite3
from collections.abc import Callable
from typing import Final, NamedTuple

from peewee import SqliteDatabase

from hausbote.base.domains import registrable_domain
from hausbote.base.shares import Shares
from hausbote.storage.ticket import Ticket
from hausbote.storage.writer import Writer

_MAX_PEERS: Final = 5_000
_TRIMMED: Final = 50  # one in so many is forgotten at once, so that this is done rarely
_COLUMNS: Final = (
    "domain, reached_at, heard_at, failed_at, cause, sentence, fingerprint, expires_at, authority"
)
_MAKE: Final = "INSERT OR IGNORE INTO peer (domain, changed_at) VALUES (?, ?)"
_COUNT: Final = "SELECT count(*) FROM peer"
_BY_TIME: Final = "SELECT domain FROM peer ORDER BY changed_at"
_FORGET: Final = "DELETE FROM peer WHERE domain = ?"


class Peer(NamedTuple):
    """Times are in seconds since 1970, 0 = never.

    `cause` and `sentence` say what went wrong last, and are empty when all has been well since.
    """

    domain: str
    reached_at: float = 0.0  # we connected to it
    heard_at: float = 0.0  # it connected to us
    failed_at: float = 0.0
    cause: str = ""
    sentence: str = ""
    fingerprint: str = ""  # SHA-256 of the certificate that it showed last
    expires_at: float = 0.0
    authority: str = ""


class Certificate(NamedTuple):
    """What is remembered of a certificate."""

    fingerprint: str = ""
    expires_at: float = 0.0
    authority: str = ""


class Peers:
    """Other servers, by domain."""

    def __init__(self, reader: SqliteDatabase, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def reached(self, domain: str, at: float, certificate: Certificate) -> Ticket[None]:
        """We connected to it."""
        return self._note(domain, at, ("reached_at", at), ("cause", ""), *_of(certificate))

    def heard(self, domain: str, at: float, certificate: Certificate) -> Ticket[None]:
        """It connected to us."""
        return self._note(domain, at, ("heard_at", at), *_of(certificate))

    def failed(
        self, domain: str, at: float, cause: str, sentence: str, certificate: Certificate
    ) -> Ticket[None]:
        """It could not be reached, or was refused."""
        what = (("failed_at", at), ("cause", cause), ("sentence", sentence))
        return self._note(domain, at, *what, *_of(certificate))

    def get(self, domain: str) -> Peer | None:
        rows = self._reader.execute_sql(f"SELECT {_COLUMNS} FROM peer WHERE domain = ?", (domain,))
        row = rows.fetchone()
        return None if row is None else Peer(*row)

    def all(self) -> list[Peer]:
        """All of them, by name."""
        rows = self._reader.execute_sql(f"SELECT {_COLUMNS} FROM peer ORDER BY domain")
        return [Peer(*row) for row in rows]

    def _note(self, domain: str, at: float, *what: tuple[str, float | str]) -> Ticket[None]:
        changes = ", ".join(f"{column} = ?" for column, _ in (*what, ("changed_at", at)))
        row = (*[value for _, value in what], at, domain)

        def note(connection: sqlite3.Connection) -> None:
            if connection.execute(_MAKE, (domain, at)).rowcount:
                _trim(connection)
            connection.execute(f"UPDATE peer SET {changes} WHERE domain = ?", row)

        job: Callable[[sqlite3.Connection], None] = note
        return self._writer.submit(job)


def _trim(connection: sqlite3.Connection) -> None:
    """Forget those that nothing was heard of for the longest time, of whoever has most names."""
    if connection.execute(_COUNT).fetchone()[0] <= _MAX_PEERS:
        return
    shares: Shares[str, None] = Shares(_MAX_PEERS - _MAX_PEERS // _TRIMMED)
    for (domain,) in connection.execute(_BY_TIME).fetchall():
        displaced = shares.put(domain, registrable_domain(domain), None)
        if displaced is not None:
            connection.execute(_FORGET, (displaced.key,))


def _of(certificate: Certificate) -> tuple[tuple[str, float | str], ...]:
    if not certificate.fingerprint:
        return ()
    return tuple(certificate._asdict().items())
