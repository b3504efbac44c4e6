"""Whether a database is as it was written: SQLite's own checks, and whether rows can be read."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from hausbote.xmpp.soundness import is_sound, is_sound_packed

_STEPS: Final = 10_000  # of SQLite's machine between two looks at the clock
_MOST_TOLD: Final = 20  # rows of a kind
_NOT_NOW: Final = (sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)

# What is sent to others as it is kept: how a row is called, its query, and the test of its content.
_ROWS: Final[tuple[tuple[str, str, Callable[[bytes], bool]], ...]] = (
    ("message in archives", "SELECT id, stanza FROM archived_message", is_sound),
    ("message in a room", "SELECT id, stanza FROM room_message", is_sound_packed),
    ("message that waits for somebody", "SELECT id, stanza FROM offline", is_sound_packed),
    ("stanza that waits for a server", "SELECT id, stanza FROM outgoing WHERE size > 0",
     is_sound_packed),
    ("presence in a room", "SELECT room_id, presence FROM room_occupant", is_sound_packed),
    ("contact request", "SELECT account_id, stanza FROM subscription_request", is_sound_packed),
    ("item of a node", "SELECT number, payload FROM pubsub_item WHERE payload <> ''", is_sound),
    ("piece of private XML", "SELECT account_id, xml FROM private_xml", is_sound),
    ("vCard", "SELECT account_id, xml FROM vcard", is_sound),
    ("vCard of a room", "SELECT id, vcard FROM room WHERE vcard IS NOT NULL", is_sound),
)  # fmt: skip


def quick_damage(path: Path, seconds: float) -> str | None:
    """What is wrong with the file first of all; "" if that is nothing, None if it is not known in
    time, or because somebody has the database for himself."""
    until = time.monotonic() + seconds
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            connection.text_factory = bytes  # names that it tells may be damaged themselves
            connection.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
            found: bytes = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        return None if error.sqlite_errorcode in _NOT_NOW else str(error)
    return "" if found == b"ok" else _one_line(found.decode(errors="replace"))


def all_damage(path: Path) -> Iterator[str]:
    """A sentence for all that is wrong; reads the whole file, and may take minutes."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        connection.text_factory = bytes  # a flipped bit need not leave UTF-8
        yield from _damage_of_pages(connection)
        for name, query, sound in _ROWS:
            yield from _damage_of_rows(connection, name, query, sound)


def _damage_of_pages(connection: sqlite3.Connection) -> Iterator[str]:
    try:
        for (found,) in connection.execute(f"PRAGMA integrity_check({_MOST_TOLD})"):
            if found != b"ok":
                yield f"The file is damaged: {_one_line(found.decode(errors='replace'))}."
        for table, _row, parent, _key in connection.execute("PRAGMA foreign_key_check"):
            names = [name.decode(errors="replace") for name in (table, parent)]
            yield f"A row of {names[0]} belongs to one of {names[1]} that is gone."
    except sqlite3.DatabaseError as error:
        yield f"The file is damaged: {error}."


def _damage_of_rows(
    connection: sqlite3.Connection, name: str, query: str, sound: Callable[[bytes], bool]
) -> Iterator[str]:
    told = 0
    try:
        for id, content in connection.execute(query):
            if not sound(content):
                told += 1
                if told <= _MOST_TOLD:
                    yield f"A {name} cannot be read (row {id}); it is left out."
    except sqlite3.DatabaseError as error:
        yield f"Of each {name} not all can be read: {error}."
    if told > _MOST_TOLD:
        yield f"{told - _MOST_TOLD} more of these: {name}."


def _one_line(text: str) -> str:
    return " ".join(text.split())
