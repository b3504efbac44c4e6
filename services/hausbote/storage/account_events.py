"""What happened to accounts, for the eyes of whoever has them: devices that came, passwords, locks.

Everybody can fail to log in to an account, and somebody who got in can log in with ever more
devices.  So failures are one row a day, and of each kind the newest are kept: nobody makes others'
events go, and an account has some hundred small rows at most.  Networks' addresses are not kept.
"""

import sqlite3
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from peewee import SqliteDatabase

from hausbote.storage.writer import Writer

_OF_A_KIND: Final = 50  # of one account
_MOST_TOLD: Final = 200  # characters
_OF: Final = (
    "SELECT kind, at, count, told FROM account_event JOIN account ON account.id = account_id"
    " WHERE local = ? ORDER BY at DESC, account_event.id DESC"
)
_ID: Final = "SELECT id FROM account WHERE local = ?"
_ADD: Final = "INSERT INTO account_event (account_id, kind, at, count, told) VALUES (?, ?, ?, ?, ?)"
_COUNT: Final = (
    "UPDATE account_event SET count = count + ? WHERE account_id = ? AND kind = ? AND at = ?"
)
_OLDEST: Final = (
    "DELETE FROM account_event WHERE account_id = ?1 AND kind = ?2 AND id NOT IN"
    " (SELECT id FROM account_event WHERE account_id = ?1 AND kind = ?2"
    " ORDER BY at DESC, id DESC LIMIT ?3)"
)
_PRUNE: Final = "DELETE FROM account_event WHERE at < ?"


class EventKind(StrEnum):
    """What can happen to an account."""

    DEVICE = "device"  # one logged in that had not before, or was forgotten
    FAILED = "failed"  # logins of one day with a wrong password
    PASSWORD = "password"  # it was changed  # noqa: S105
    RESET_MADE = "reset-made"  # a link for another password was made,
    RESET_USED = "reset-used"  # and used
    LOCKED = "locked"
    UNLOCKED = "unlocked"
    LEAVING = "leaving"  # whoever has it wants it to go,
    STAYED = "stayed"  # and changed their mind


class AccountEvent(NamedTuple):
    """`at` is in seconds since 1970, of FAILED noon of the day; `times` how often it happened then;
    `told` what a device calls itself, "" of anything else."""

    kind: EventKind
    at: int
    times: int
    told: str


class AccountEvents:
    """Most are written by who brings them about, in the same transaction: see `note`."""

    def __init__(self, reader: SqliteDatabase, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def of(self, local: str) -> list[AccountEvent]:
        """The newest first."""
        rows = self._reader.execute_sql(_OF, (local,)).fetchall()
        return [AccountEvent(EventKind(kind), *rest) for kind, *rest in rows]

    def add_failures(self, counts: Mapping[str, int], noon: int) -> None:
        """So many failed logins to these accounts, on the day whose noon is given."""

        def add(connection: sqlite3.Connection) -> None:
            for local, count in counts.items():
                row = connection.execute(_ID, (local,)).fetchone()
                if row is not None:
                    _count(connection, row[0], noon, count)

        self._writer.submit(add)

    def prune(self, before: int) -> None:
        """Forget what happened until then."""
        self._writer.insert(_PRUNE, (before,))


def note(
    connection: sqlite3.Connection, account: int, kind: EventKind, at: int, told: str = ""
) -> None:
    """It happens in this transaction; the writer's own."""
    _add(connection, account, kind, at, 1, told[:_MOST_TOLD])


def _count(connection: sqlite3.Connection, account: int, noon: int, count: int) -> None:
    row = (count, account, EventKind.FAILED, noon)
    if not connection.execute(_COUNT, row).rowcount:
        _add(connection, account, EventKind.FAILED, noon, count, "")


def _add(
    connection: sqlite3.Connection, account: int, kind: EventKind, at: int, count: int, told: str
) -> None:
    connection.execute(_ADD, (account, kind, at, count, told))
    connection.execute(_OLDEST, (account, kind, _OF_A_KIND))
