"""Fills an archive for the scenario `mam`: with rows like the last one that the server wrote itself.

A million messages sent by the generator would take an hour with some of the servers; what is
measured is reading them.  Hausbote's are written through its store, with entries for both sides.  The
peers' are copied within their SQLite files, for the reader alone.
"""

import re
import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from servers import DOMAIN

from hausbote.storage import Range, open_store

WRITER, READER = "umam0", "umam1"
_NUMBER = re.compile(rb"#[0-9a-f]{6}\.\d+#")
_BATCH = 500


def fill(name: str, database: Path, count: int) -> None:
    """Bring the reader's archive to so many messages."""
    {"Hausbote": _hausbote, "Prosody": _prosody, "ejabberd": _ejabberd}[name](database, count)


def _copies(message: bytes, number: int) -> Iterator[bytes]:
    before, after = _NUMBER.split(message, maxsplit=1)
    for n in range(number):
        yield b"%s#f111ed.%d#%s" % (before, n, after)


def _hausbote(database: Path, count: int) -> None:
    store = open_store(f"sqlite:///{database}")
    archives = store.archives
    entries = [(WRITER, f"{READER}@{DOMAIN}"), (READER, f"{WRITER}@{DOMAIN}")]
    last = archives.page(READER, Range(), 1, backwards=True)[0].stanza
    for n, message in enumerate(_copies(last, count - archives.count(READER, Range()).number)):
        ticket = archives.keep(archives.next_id(), message, entries)
        if n % _BATCH == 0:
            ticket.wait()
    store.close()


def _prosody(database: Path, count: int) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        host, user, store, with_, type, last = connection.execute(
            'SELECT host, "user", store, "with", type, value FROM prosodyarchive'
            ' WHERE "user" = ? ORDER BY sort_id DESC', (READER,)
        ).fetchone()  # fmt: skip
        now = int(time.time())
        connection.executemany(
            'INSERT INTO prosodyarchive (host, "user", store, "with", type, "when", key, value)'
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (host, user, store, with_, type, now, str(uuid.uuid4()), one.decode())
                for one in _copies(
                    last.encode(), count - _rows(connection, "prosodyarchive", "user")
                )
            ),
        )


def _ejabberd(database: Path, count: int) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        peer, bare, text, kind, last = connection.execute(
            "SELECT peer, bare_peer, txt, kind, xml FROM archive WHERE username = ?"
            " ORDER BY id DESC", (READER,)
        ).fetchone()  # fmt: skip
        now = int(time.time() * 1e6)
        connection.executemany(
            "INSERT INTO archive (username, peer, bare_peer, txt, kind, nick, timestamp, xml)"
            " VALUES (?, ?, ?, ?, ?, '', ?, ?)",
            (
                (READER, peer, bare, text, kind, now + n, one.decode())
                for n, one in enumerate(
                    _copies(last.encode(), count - _rows(connection, "archive", "username"))
                )
            ),
        )


def _rows(connection: sqlite3.Connection, table: str, owner: str) -> int:
    sql = f'SELECT count(*) FROM {table} WHERE "{owner}" = ?'
    return connection.execute(sql, (READER,)).fetchone()[0]
