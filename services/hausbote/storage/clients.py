"""The clients that have logged in to an account, by the id of each installation (XEP-0388)."""

import sqlite3
from typing import Final, NamedTuple

from peewee import SqliteDatabase

from hausbote.base.tokens import token
from hausbote.storage.account_events import EventKind, note
from hausbote.storage.ticket import Ticket
from hausbote.storage.tokens import end_tokens
from hausbote.storage.web_logins import end_web_logins
from hausbote.storage.writer import Writer

_REF_BITS: Final = 72
_OF: Final = (
    "SELECT agent, ref, software, device, password, first_seen, last_seen,"
    " (SELECT max(expires) FROM token WHERE client_id = client.id)"
    " FROM client JOIN account ON account.id = account_id WHERE local = ?"
)
_EXISTS: Final = (
    "SELECT 1 FROM client JOIN account ON account.id = account_id WHERE local = ? AND agent = ?"
)
_ADD: Final = (
    "INSERT OR IGNORE INTO client"
    " (account_id, agent, ref, software, device, password, first_seen, last_seen)"
    " SELECT id, ?, ?, '', '', 0, ?, ? FROM account WHERE local = ?"
)
_CHANGE: Final = (
    "UPDATE client SET software = ?, device = ?, password = password OR ?, last_seen = ?"
    " WHERE account_id = (SELECT id FROM account WHERE local = ?) AND agent = ?"
)
_SEEN: Final = (
    "UPDATE client SET last_seen = ?"
    " WHERE account_id = (SELECT id FROM account WHERE local = ?) AND agent = ?"
)
_OLDEST: Final = (
    "DELETE FROM client WHERE id IN (SELECT client.id FROM client"
    " JOIN account ON account.id = account_id WHERE local = ?"
    " ORDER BY last_seen DESC, client.id DESC LIMIT -1 OFFSET ?)"
)
_FIND: Final = (
    "SELECT client.id, agent, password FROM client JOIN account ON account.id = account_id"
    " WHERE local = ? AND ref = ?"
)
_ACCOUNT: Final = "SELECT id FROM account WHERE local = ?"
_PRUNE: Final = "DELETE FROM client WHERE last_seen < ?"


class Client(NamedTuple):
    """`agent` is the installation's own id and nobody else's business, `ref` what stands for it.

    `password` tells whether it has proven the current password, `tokens_until` when its last token
    ends.  Times are in seconds since 1970.
    """

    agent: str
    ref: str
    software: str
    device: str
    password: bool
    first_seen: int
    last_seen: int
    tokens_until: int


class Revoked(NamedTuple):
    """A client whose tokens were deleted; it may still know the password."""

    agent: str
    password: bool


class Clients:
    """When a known client was last here goes to disk by `flush`, everything else at once."""

    def __init__(self, reader: SqliteDatabase, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer
        self._noted: dict[tuple[str, str], int] = {}

    def exists(self, local: str, agent: str) -> bool:
        """Whether it has logged in before and was not forgotten."""
        return self._reader.execute_sql(_EXISTS, (local, agent)).fetchone() is not None

    def get(self, local: str, agent: str) -> Client | None:
        row = self._reader.execute_sql(f"{_OF} AND agent = ?", (local, agent)).fetchone()
        return None if row is None else self._client(local, row)

    def all(self, local: str) -> list[Client]:
        """All that were given to `remember` before; those that were here last come first."""
        if self._writer.idle:
            rows = self._reader.execute_sql(_OF, (local,)).fetchall()
        else:
            rows = self._writer.submit(lambda c: c.execute(_OF, (local,)).fetchall()).wait()
        clients = [self._client(local, row) for row in rows]
        return sorted(clients, key=lambda client: client.last_seen, reverse=True)

    def remember(
        self,
        local: str,
        agent: str,
        at: int,
        *,
        software: str = "",
        device: str = "",
        password: bool = False,
        limit: int = 0,
    ) -> Ticket[None]:
        """It logged in; beyond `limit` (0 = none) those that were away longest are forgotten.

        That a new one came is an event of the account.
        """

        def remember(connection: sqlite3.Connection) -> None:
            is_new = connection.execute(_ADD, (agent, token(_REF_BITS), at, at, local)).rowcount
            if is_new:
                (account,) = connection.execute(_ACCOUNT, (local,)).fetchone()
                told = ", ".join(filter(None, (software, device)))
                note(connection, account, EventKind.DEVICE, at, told)
            connection.execute(_CHANGE, (software, device, password, at, local, agent))
            if limit:
                connection.execute(_OLDEST, (local, limit))

        return self._writer.submit(remember)

    def seen(self, local: str, agent: str, at: int) -> None:
        """Note that a known client was here."""
        self._noted[local, agent] = at

    def revoke(self, local: str, ref: str) -> Revoked | None:
        """Delete its tokens, and all of it if it cannot log in by password; None if unknown."""

        def revoke(connection: sqlite3.Connection) -> Revoked | None:
            row = connection.execute(_FIND, (local, ref)).fetchone()
            if row is None:
                return None
            id, agent, password = row
            end_tokens(connection, id)
            end_web_logins(connection, id)
            if not password:
                connection.execute("DELETE FROM client WHERE id = ?", (id,))
            return Revoked(agent, bool(password))

        return self._writer.submit(revoke).wait()

    def forget(self, local: str) -> None:
        """The account was deleted."""
        self._noted = {key: at for key, at in self._noted.items() if key[0] != local}

    def prune(self, before: int) -> None:
        """Forget clients that were not here since then, with their tokens."""
        self.flush()
        self._writer.insert(_PRUNE, (before,))

    def flush(self) -> None:
        """Give what was noted to the writer."""
        noted, self._noted = self._noted, {}
        for (local, agent), at in noted.items():
            self._writer.insert(_SEEN, (at, local, agent))

    def _client(self, local: str, row: tuple[str, str, str, str, int, int, int, int]) -> Client:
        agent, ref, software, device, password, first, last, until = row
        last = max(last, self._noted.get((local, agent), 0))
        return Client(agent, ref, software, device, bool(password), first, last, until or 0)
