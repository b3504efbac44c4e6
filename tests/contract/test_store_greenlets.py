"""Waiting for the store in greenlets: the hub never stands still."""

import os
import sqlite3
import threading

import gevent
import pytest
from gevent import get_hub

from hausbote.net.waiting import GreenletRoom
from hausbote.storage import AccountExists, migrate, open_store
from hausbote.storage.database import connect
from hausbote.storage.writer import Writer
from hausbote.xmpp.sasl import ScramKeys

KEYS = {"SHA-1": ScramKeys(b"salt", 4096, b"stored", b"server")}


@pytest.fixture
def writer(tmp_path):
    database = connect(tmp_path / "notes.db")
    database.connection().execute("CREATE TABLE note (number INTEGER UNIQUE)")
    writer = Writer(database, GreenletRoom())
    yield writer
    writer.close()


@pytest.fixture
def held(writer):
    """A writer that waits inside an operation until the event is set."""
    go_on = threading.Event()
    ticket = writer.submit(lambda _: go_on.wait(30))
    yield ticket, go_on
    go_on.set()


def insert(writer, number):
    return writer.insert("INSERT INTO note VALUES (?)", (number,))


def test_other_greenlets_run_while_one_waits(held):
    ticket, go_on = held
    waiting = gevent.spawn(ticket.wait)
    gevent.sleep(0)
    assert not waiting.ready()
    gevent.spawn(go_on.set)  # would not run, and the wait inside end with False, on a stuck hub
    assert waiting.get(timeout=20) is True


def test_all_that_wait_together_go_on(writer, held):
    waiting = [gevent.spawn(insert(writer, n).wait) for n in range(300)]
    gevent.sleep(0)
    held[1].set()
    assert len(gevent.joinall(waiting, timeout=20)) == 300
    assert writer.submit(count).wait() == 300


def test_several_may_wait_for_one_ticket(held):
    ticket, go_on = held
    waiting = [gevent.spawn(ticket.wait) for _ in range(5)]
    gevent.sleep(0)
    go_on.set()
    assert [one.get(timeout=20) for one in waiting] == [True] * 5


def test_a_failure_reaches_the_greenlet_that_waits_for_it(writer, held):
    good, bad = insert(writer, 1), insert(writer, 1)
    held[1].set()
    good.wait()
    with pytest.raises(sqlite3.IntegrityError):
        bad.wait()


def test_a_greenlet_that_gives_up_disturbs_nobody(writer, held):
    ticket = insert(writer, 1)
    patient, impatient = gevent.spawn(ticket.wait), gevent.spawn(ticket.wait)
    gevent.sleep(0)
    impatient.kill()
    held[1].set()
    patient.get(timeout=20)
    insert(writer, 2).wait()
    assert writer.submit(count).wait() == 2


def test_callbacks_come_in_the_thread_of_the_hub(writer, held):
    where = []
    ticket = insert(writer, 1)
    ticket.then(lambda: where.append((threading.get_ident(), gevent.getcurrent())))
    held[1].set()
    ticket.wait()
    assert where == [(threading.get_ident(), get_hub())]


def test_a_callback_that_fails_is_reported_and_holds_up_nobody(writer, held, capsys):
    tickets = [insert(writer, n) for n in range(3)]
    tickets[0].then(lambda: [][0])
    waiting = [gevent.spawn(ticket.wait) for ticket in tickets]
    gevent.sleep(0)
    held[1].set()
    for one in waiting:
        one.get(timeout=20)
    assert "bug type=IndexError" in capsys.readouterr().err


def test_tickets_cost_no_file_descriptors(writer, held):
    before = len(os.listdir("/proc/self/fd"))
    waiting = [gevent.spawn(insert(writer, n).wait) for n in range(200)]
    gevent.sleep(0)
    assert len(os.listdir("/proc/self/fd")) == before
    held[1].set()
    gevent.joinall(waiting, timeout=20)


def test_the_whole_store_works_in_greenlets(tmp_path):
    url = f"sqlite:///{tmp_path / 'hausbote.db'}"
    migrate(url)
    store = open_store(url, GreenletRoom())
    made = [gevent.spawn(store.accounts.create, f"user{n}", KEYS) for n in range(50)]
    gevent.joinall(made, timeout=20, raise_error=True)
    assert store.accounts.count() == 50
    with pytest.raises(AccountExists):
        store.accounts.create("user7", KEYS)
    kept = [store.offline.keep("user7", b"x", 1.0, 10) for _ in range(12)]
    assert len(store.offline.pending("user7")) == 10
    assert sum(ticket.wait() for ticket in kept) == 10
    store.close()


def count(connection):
    return connection.execute("SELECT count(*) FROM note").fetchone()[0]
