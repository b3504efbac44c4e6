"""A database as it was before the last migration."""

import sqlite3
from contextlib import closing

from hausbote.storage.migrations import NEWEST, STEPS


def undo_last_step(path):
    """Take out of the tables what the last step has put in: tables, or columns."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as older:
        for step in STEPS[:-1]:
            step(older)
        before = _columns(older)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        for table, columns in _columns(database).items():
            if table not in before:
                database.execute(f"DROP TABLE {table}")
                continue
            for column in columns - before[table]:
                database.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        assert _columns(database) == before, "the last step cannot be undone like this"
        database.execute(f"PRAGMA user_version = {NEWEST - 1}")


def _columns(database):
    tables = database.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    ).fetchall()
    return {
        table: {row[1] for row in database.execute(f"PRAGMA table_info({table})")}
        for (table,) in tables
    }
