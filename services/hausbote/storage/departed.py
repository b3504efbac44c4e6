"""Names of deleted accounts, which strangers do not get for a while.

Whoever got one at once would be taken for who had it before: by contacts on other servers, by
rooms, by people.  A name is kept with the time as a hash whose key is a secret of the box.  The key
lies in the same database: names cannot be read there, but whoever has all of it can try some.
"""

import hmac
import secrets
import sqlite3
from typing import Final

_KEY: Final = "departed-names"
_MAKE_KEY: Final = "INSERT OR IGNORE INTO secret (name, value) VALUES (?, ?)"
_GET_KEY: Final = "SELECT value FROM secret WHERE name = ?"
_NOTE: Final = "INSERT OR REPLACE INTO departed_name (name, at) VALUES (?, ?)"
_FIND: Final = "SELECT 1 FROM departed_name WHERE name = ? AND at > ?"


def note_departed(connection: sqlite3.Connection, local: str, now: int) -> None:
    """Its account is deleted in this transaction."""
    connection.execute(_NOTE, (_hashed(connection, local), now))


def is_departed(connection: sqlite3.Connection, local: str, since: int) -> bool:
    """Whether an account of that name was deleted later than that, in seconds since 1970."""
    found = connection.execute(_FIND, (_hashed(connection, local), since))
    return found.fetchone() is not None


def forget_departed(connection: sqlite3.Connection, before: int) -> None:
    """Names of accounts that were deleted until then can be had again."""
    connection.execute("DELETE FROM departed_name WHERE at <= ?", (before,))


def _hashed(connection: sqlite3.Connection, local: str) -> bytes:
    connection.execute(_MAKE_KEY, (_KEY, secrets.token_bytes(32)))
    (key,) = connection.execute(_GET_KEY, (_KEY,)).fetchone()
    return hmac.digest(key, local.encode(), "sha256")
