"""Locks of accounts: by an administrator, or because whoever has one wants it to go.

All of it runs in the writer's thread; `Accounts` has what it means.
"""

import sqlite3
import time
from typing import Final

from hausbote.storage.account_events import EventKind, note
from hausbote.storage.tokens import end_tokens
from hausbote.storage.web_logins import end_web_logins

_OPEN: Final = 0
_LOCKED: Final = 1  # by an administrator
_BY_ITSELF: Final = 2  # because it leaves, and for nothing else
_GOING: Final = -1  # instead of when it leaves: its time is over
DEPARTED: Final = "SELECT 1 FROM account WHERE leaves != 0 AND leaves <= ? LIMIT 1"
_TAKE: Final = (
    f"UPDATE account SET leaves = {_GOING} WHERE leaves != 0 AND leaves <= ? RETURNING local"
)
_GET: Final = "SELECT id, locked, leaves FROM account WHERE local = ?"
_SET: Final = "UPDATE account SET locked = ?, leaves = ? WHERE id = ?"


def set_locked(local: str, locked: bool, connection: sqlite3.Connection) -> bool:
    row = connection.execute(_GET, (local,)).fetchone()
    if row is None or row[2] == _GOING:
        return False
    account, before, leaves = row
    lock = _LOCKED if locked else _OPEN
    connection.execute(_SET, (lock, leaves if locked else 0, account))
    if locked:
        end_logins(connection, account)
    if before != lock:
        kind = EventKind.LOCKED if locked else EventKind.UNLOCKED
        note(connection, account, kind, int(time.time()))
    return True


def leave(local: str, at: int, connection: sqlite3.Connection) -> bool:
    row = connection.execute(_GET, (local,)).fetchone()
    if row is None or row[1] != _OPEN:
        return False
    connection.execute(_SET, (_BY_ITSELF, at, row[0]))
    end_logins(connection, row[0])
    note(connection, row[0], EventKind.LEAVING, int(time.time()))
    return True


def stay(local: str, connection: sqlite3.Connection) -> bool:
    row = connection.execute(_GET, (local,)).fetchone()
    if row is None or row[1] != _BY_ITSELF or row[2] == _GOING:
        return False
    connection.execute(_SET, (_OPEN, 0, row[0]))
    note(connection, row[0], EventKind.STAYED, int(time.time()))
    return True


def take_departed(now: int, connection: sqlite3.Connection) -> list[str]:
    return [local for (local,) in connection.execute(_TAKE, (now,)).fetchall()]


def end_logins(connection: sqlite3.Connection, account: int) -> None:
    """End whatever its clients log in with, but the password."""
    clients = connection.execute("SELECT id FROM client WHERE account_id = ?", (account,))
    for (client,) in clients.fetchall():
        end_tokens(connection, client)
        end_web_logins(connection, client)
