"""The writer: group commit in which nobody pays for another's failure."""

import sqlite3
import threading

import pytest

from hausbote.storage import StorageError
from hausbote.storage.database import connect
from hausbote.storage.ticket import ThreadRoom
from hausbote.storage.writer import Writer

INSERT = "INSERT INTO note (number) VALUES (?)"


class Desk:
    """A writer with a table of its own, that can be held up so that work piles up behind it."""

    def __init__(self, path, **how):
        self.path = path
        self.database = connect(path)
        self.connection = self.database.connection()
        self.connection.execute("PRAGMA busy_timeout = 0")
        self.connection.execute("CREATE TABLE note (number INTEGER UNIQUE NOT NULL, text TEXT)")
        self.statements = []
        self.connection.set_trace_callback(self.statements.append)
        self.writer = Writer(self.database, ThreadRoom(), **how)
        self._go_on = threading.Event()

    def hold(self):
        """Returns once the writer is inside an operation that waits for `let_go`."""
        busy = threading.Event()

        def wait(_connection):
            busy.set()
            assert self._go_on.wait(30)

        self._go_on.clear()
        self.writer.submit(wait)
        assert busy.wait(30)
        self.statements.clear()

    def let_go(self):
        self._go_on.set()

    def note(self, number):
        return self.writer.submit(lambda c: c.execute(INSERT, (number,)).lastrowid)

    def insert(self, number):
        return self.writer.insert(INSERT, (number,))

    def numbers(self):
        """What is committed, in the order of writing, as another process sees it."""
        other = sqlite3.connect(self.path)
        rows = [row[0] for row in other.execute("SELECT number FROM note ORDER BY rowid")]
        other.close()
        return rows


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path / "notes.db")
    yield desk
    desk.let_go()
    desk.writer.close()


def test_a_ticket_brings_what_the_operation_returned(desk):
    assert desk.writer.submit(lambda c: c.execute("SELECT 6 * 7").fetchone()[0]).wait() == 42


def test_what_was_waited_for_is_seen_by_other_processes(desk):
    desk.note(1).wait()
    desk.insert(2).wait()
    assert desk.numbers() == [1, 2]


def test_everything_queued_meanwhile_goes_into_one_transaction(desk):
    desk.hold()
    tickets = [desk.note(n) if n % 3 == 0 else desk.insert(n) for n in range(100)]
    desk.let_go()
    for ticket in tickets:
        ticket.wait()
    assert desk.numbers() == list(range(100))
    assert desk.statements.count("COMMIT") == 2  # the one that was held up, and this


class TestCompany:
    """What nobody waits for is written together with what comes a little later."""

    @pytest.fixture
    def desk(self, tmp_path):
        desk = Desk(tmp_path / "notes.db", company=3_600)
        yield desk
        desk.writer.close()

    def test_it_goes_with_the_next_that_somebody_waits_for(self, desk):
        desk.insert(1)
        desk.note(2)
        assert desk.numbers() == []
        desk.insert(3).wait()
        assert desk.numbers() == [1, 2, 3]
        assert desk.statements.count("COMMIT") == 1

    def test_it_goes_when_somebody_comes_to_wait_for_it(self, desk):
        ticket = desk.insert(1)
        assert desk.numbers() == []
        ticket.wait()
        assert desk.numbers() == [1]

    def test_a_full_batch_needs_nobody_to_wait(self, desk):
        written = threading.Event()
        for number in range(500):
            ticket = desk.insert(number)
        ticket.then(written.set)
        assert written.wait(30)
        assert len(desk.numbers()) == 500


def test_a_failing_operation_fails_alone(desk):
    desk.hold()
    before = [desk.note(n) for n in range(20)]
    broken = desk.writer.submit(lambda c: c.execute("INSERT INTO note VALUES (NULL, '')"))
    after = [desk.insert(n) for n in range(20, 40)]
    desk.let_go()
    with pytest.raises(sqlite3.IntegrityError):
        broken.wait()
    for ticket in before + after:
        ticket.wait()
    assert desk.numbers() == list(range(40))


def test_a_failing_row_does_not_take_the_rows_beside_it(desk):
    desk.hold()
    tickets = [desk.insert(n) for n in (1, 2, 2, 3, 3, 4)]
    desk.let_go()
    assert [failure(t) for t in tickets] == [
        None, None, sqlite3.IntegrityError, None, sqlite3.IntegrityError, None
    ]  # fmt: skip
    assert desk.numbers() == [1, 2, 3, 4]


def test_one_failure_does_not_cost_a_commit_for_each_of_the_others(desk):
    desk.hold()
    tickets = [desk.insert(n) for n in [*range(400), 0]]
    desk.let_go()
    assert failure(tickets[-1]) is sqlite3.IntegrityError
    desk.writer.settle()
    assert desk.numbers() == list(range(400))
    assert desk.statements.count("COMMIT") < 20


def test_a_failing_operation_leaves_nothing_of_itself(desk):
    def half(connection):
        connection.execute(INSERT, (1,))
        raise ValueError("in the middle")

    desk.hold()
    broken, other = desk.writer.submit(half), desk.note(2)
    desk.let_go()
    with pytest.raises(ValueError, match="in the middle"):
        broken.wait()
    other.wait()
    assert desk.numbers() == [2]


def test_more_than_one_batch_keeps_its_order(desk):
    desk.hold()
    for n in range(1200):
        desk.insert(n)
    desk.let_go()
    desk.writer.settle()
    assert desk.numbers() == list(range(1200))


def test_threads_may_write_at_the_same_time(desk):
    def write(start):
        for n in range(start, start + 50):
            desk.note(n).wait()

    threads = [threading.Thread(target=write, args=(n * 50,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(desk.numbers()) == list(range(400))


def test_a_locked_database_is_told_and_works_again_afterwards(desk, capsys):
    other = sqlite3.connect(desk.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for n in (1, 2, 3):
        with pytest.raises(StorageError, match="could not be written: database is locked"):
            desk.note(n).wait()
    other.execute("ROLLBACK")
    other.close()
    desk.note(4).wait()
    assert desk.numbers() == [4]
    assert capsys.readouterr().err.count("store-failed") == 1


def test_a_full_disk_is_told_and_works_again_afterwards(desk):
    desk.note(1).wait()
    pages = desk.connection.execute("PRAGMA page_count").fetchone()[0]
    desk.connection.execute(f"PRAGMA max_page_count = {pages}")
    big = desk.writer.insert("INSERT INTO note VALUES (2, ?)", ("x" * 100_000,))
    with pytest.raises(StorageError, match=r"could not be written: .*full"):
        big.wait()
    desk.connection.execute(f"PRAGMA max_page_count = {pages + 1000}")
    desk.note(3).wait()
    assert desk.numbers() == [1, 3]


def test_a_commit_that_fails_is_told_and_the_next_one_works(desk):
    desk.connection.execute("CREATE TABLE comment (note INTEGER REFERENCES note (number))")

    def dangle(connection):
        connection.execute("PRAGMA defer_foreign_keys = ON")  # so that only COMMIT finds it
        connection.execute("INSERT INTO comment VALUES (404)")

    with pytest.raises(sqlite3.IntegrityError):
        desk.writer.submit(dangle).wait()
    desk.note(1).wait()
    assert desk.numbers() == [1]


def test_settling_waits_for_all_that_was_queued(desk):
    for n in range(300):
        desk.insert(n)
    desk.writer.settle()
    assert len(desk.numbers()) == 300


def test_closing_finishes_what_is_queued(desk):
    desk.hold()
    for n in range(600):
        desk.insert(n)
    desk.let_go()
    desk.writer.close()
    assert len(desk.numbers()) == 600


def test_a_closed_writer_takes_nothing_more(desk):
    desk.writer.close()
    with pytest.raises(StorageError, match="the store is closed"):
        desk.note(1)
    with pytest.raises(StorageError, match="the store is closed"):
        desk.insert(1)


def test_a_callback_comes_after_the_commit(desk):
    seen, called = [], threading.Event()

    def look():
        seen.extend(desk.numbers())
        called.set()

    desk.hold()
    ticket = desk.note(1)
    ticket.then(look)
    assert not called.is_set()
    desk.let_go()
    assert called.wait(30)
    assert seen == [1]


def test_a_callback_on_a_finished_ticket_comes_at_once(desk):
    ticket = desk.note(1)
    ticket.wait()
    called = []
    ticket.then(lambda: called.append(True))
    assert called == [True]


def test_a_callback_that_fails_is_reported_and_holds_up_nobody(desk, capsys):
    called = threading.Event()
    desk.hold()
    ticket, other = desk.note(1), desk.note(2)
    ticket.then(lambda: [][0])
    ticket.then(called.set)
    desk.let_go()
    other.wait()
    assert called.wait(30)
    desk.note(3).wait()
    assert "bug type=IndexError" in capsys.readouterr().err


def failure(ticket):
    """The type of what the ticket raises."""
    try:
        ticket.wait()
    except sqlite3.Error as error:
        return type(error)
    return None


def test_what_is_repeated_lets_others_in_between(desk):
    left = list(range(5))

    def step(connection):
        connection.execute("INSERT INTO note VALUES (?, '')", (left.pop(0),))
        return left

    desk.hold()
    ticket = desk.writer.repeat(step)
    other = desk.insert(99)
    done = []
    for name, one in (("repeated", ticket), ("other", other)):
        one.then(lambda name=name: done.append(name))
    desk.let_go()
    ticket.wait()
    assert done == ["other", "repeated"]
    assert desk.numbers() == [0, 99, 1, 2, 3, 4]


def test_a_repeated_step_that_fails_ends_and_says_so(desk):
    def step(connection):
        connection.execute("INSERT INTO note VALUES (7, '')")
        return True

    with pytest.raises(sqlite3.IntegrityError):
        desk.writer.repeat(step).wait()
    assert desk.numbers() == [7]
