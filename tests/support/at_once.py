"""Two things at the same time."""

import sqlite3
from contextlib import contextmanager

import gevent

_TURNS = 100


@contextmanager
def at_once(world):
    """What is sent inside is under way at once.

    In memory the disk is busy until the end of the block and every handler has come as far as it
    can without; a running box has a real disk, and no answer is waited for inside.
    """
    if world.name != "memory":
        yield
        return
    with busy_disk(world):
        yield
        for _ in range(_TURNS):
            gevent.sleep(0)
        gevent.sleep(0.02)  # what is done in threads
        for _ in range(_TURNS):
            gevent.sleep(0)


@contextmanager
def busy_disk(world):
    """Nothing can be written inside: somebody else has the lock of the database."""
    path = world.settings.database_url.removeprefix("sqlite:///")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def outcomes(*answers):
    """How many of these succeeded, and the conditions of the others."""
    conditions = [
        answer.find("{*}error")[0].tag.partition("}")[2]
        for answer in answers
        if answer.get("type") == "error"
    ]
    return len(answers) - len(conditions), conditions
