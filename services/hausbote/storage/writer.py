"""The only thing in a process that writes to the database: a thread with group commit.

Whatever is queued while one transaction goes to disk becomes the next one, so that a hundred
messages cost one fsync.  What nobody waits for also gets some milliseconds of company: the client
that it will be acknowledged to does not notice, and on an ordinary day a commit, its fsync and two
changes of threads are most of what a message costs.

If one of them fails, the others run again without it: operations touch
nothing but the database.  What is to be expected, like a name that is taken, is a return value
and not an exception, for it must not cost the others that.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from typing import Any, Final, NamedTuple, TypeVar

from peewee import SqliteDatabase

from hausbote.base.log import Event, log
from hausbote.storage.errors import StorageError
from hausbote.storage.ticket import Ticket, WaitingRoom

T = TypeVar("T")
Operation = Callable[[sqlite3.Connection], Any]
Together = Callable[[sqlite3.Connection, Sequence[Any]], None]
"""Writes many rows at once; equal ones take each other's rows."""
_MAX_BATCH: Final = 500
_AGAIN: Final = object()  # what a job returns that is not done yet
_OF_THE_DISK: Final = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY)
_TRY_AGAIN: Final = 2.0  # seconds
_COMPANY: Final = 0.05  # seconds that what nobody waits for waits for others


class _Job(NamedTuple):
    """An operation, or a row that `together` writes with its neighbours."""

    ticket: Ticket[Any]
    operation: Operation
    together: Together | None
    row: Any


def _primary_code(error: BaseException) -> int:
    """SQLite's result code without what only some know (0 = it is no error of SQLite)."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _is_of_the_disk(error: BaseException) -> bool:
    """Whether every write would fail like this one."""
    return _primary_code(error) in _OF_THE_DISK


def _nothing(_connection: sqlite3.Connection) -> None:
    """What a job does that is a row."""


def _is_full(error: Exception) -> bool:
    """Whether the disk has no room; SQLite calls it another error where it maps files."""
    return _primary_code(error) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


def _rewrite_version(connection: sqlite3.Connection) -> None:
    """Write a page that stays what it is."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    connection.execute(f"PRAGMA user_version = {version:d}")


def _is_attempt(batch: Sequence[_Job]) -> bool:
    return batch[0].operation is _rewrite_version


@lru_cache
def _many(sql: str) -> Together:
    def execute(connection: sqlite3.Connection, rows: Sequence[Any]) -> None:
        connection.executemany(sql, rows)

    return execute


class Writer:
    """Takes writes from anywhere, in order; `close` finishes them.

    `relieve` is called when the disk is full, and tells whether it has more room now.  What nobody
    waits for waits `company` seconds for others.
    """

    def __init__(
        self,
        database: SqliteDatabase,
        room: WaitingRoom,
        relieve: Callable[[], bool] = lambda: False,
        company: float = _COMPANY,
    ) -> None:
        self._database = database
        self._relieve = relieve
        self._connection: sqlite3.Connection = database.connection()
        self._room = room
        self._company = company
        self._jobs: list[_Job] = []
        self._wake = threading.Condition()
        self._closed = False
        self._hurried = False
        self._busy = False
        self.failed_at = 0.0  # since when writing fails, in seconds since 1970; 0 = it works
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def submit(self, operation: Callable[[sqlite3.Connection], T]) -> Ticket[T]:
        """Run `operation` inside a transaction; its return value is the ticket's."""
        ticket: Ticket[T] = Ticket(self._room, self._hurry)
        self._put(_Job(ticket, operation, None, None))
        return ticket

    def repeat(self, step: Callable[[sqlite3.Connection], object]) -> Ticket[None]:
        """Run `step` again and again, until it returns something false; each time in another
        transaction, so that others come in between.  For what would be too much for one."""

        def operation(connection: sqlite3.Connection) -> object:
            return _AGAIN if step(connection) else None

        ticket: Ticket[None] = Ticket(self._room, self._hurry)
        self._put(_Job(ticket, operation, None, None))
        return ticket

    def insert(self, sql: str, row: Sequence[object]) -> Ticket[None]:
        """Run one statement; neighbours with the same SQL are run together."""
        return self.insert_with(_many(sql), row)

    def insert_with(self, together: Together, row: Any) -> Ticket[None]:
        """Let `together` write a row; it gets its neighbours at the same time."""
        ticket: Ticket[None] = Ticket(self._room, self._hurry)
        self._put(_Job(ticket, _nothing, together, row))
        return ticket

    @property
    def idle(self) -> bool:
        """Whether everything given to it so far is on disk, so that a reader sees all of it."""
        return not self._jobs and not self._busy

    def settle(self) -> None:
        """Return when everything queued so far is on disk."""
        self.submit(_nothing).wait()

    def close(self) -> None:
        """Finish what is queued and stop."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join()
        self._database.close()

    def _put(self, job: _Job) -> None:
        with self._wake:
            if self._closed:
                raise StorageError("the store is closed")
            self._jobs.append(job)
            if len(self._jobs) in (1, _MAX_BATCH):
                self._wake.notify()

    def _hurry(self) -> None:
        """Somebody waits."""
        with self._wake:
            self._hurried = True
            self._wake.notify()

    # -- in the thread -------------------------------------------------------------------------

    def _run(self) -> None:
        while batch := self._take():
            self._write(batch)
            self._put_again([job for job in batch if job.ticket.value is _AGAIN])
            self._busy = False
            self._room.announce([job.ticket for job in batch if job.ticket.value is not _AGAIN])

    def _put_again(self, jobs: list[_Job]) -> None:
        if jobs:
            with self._wake:
                self._jobs += jobs
                self._hurried = True  # whoever waits has hurried it once

    def _take(self) -> list[_Job]:
        """What is to be written; nothing at the end."""
        with self._wake:
            if not self._wake.wait_for(lambda: self._jobs or self._closed, self._patience):
                return [_Job(Ticket(self._room, self._hurry), _rewrite_version, None, None)]
            self._wake.wait_for(self._is_time, self._company)
            self._hurried = False
            self._busy = True
            batch, self._jobs = self._jobs[:_MAX_BATCH], self._jobs[_MAX_BATCH:]
        return batch

    @property
    def _patience(self) -> float | None:
        """Until it is tried whether writing works again, though nobody wants to write."""
        return _TRY_AGAIN if self.failed_at else None

    def _is_time(self) -> bool:
        return self._hurried or self._closed or len(self._jobs) >= _MAX_BATCH

    def _write(self, batch: list[_Job]) -> None:
        """Commit the batch, but for those jobs of it that fail."""
        before = self._connection.total_changes  # what changes nothing tells nothing of the disk
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            fault = self._apply(batch)
            if fault is None:
                self._connection.execute("COMMIT")
                if self._connection.total_changes > before or _is_attempt(batch):
                    self._succeeded()
            elif _is_of_the_disk(fault):
                raise fault
        except sqlite3.Error as error:
            # The lock or the disk: no job is at fault, and each of them would only fail the same.
            self._undo()
            if _is_full(error) and self._relieve():
                self._write(batch)
            else:
                self._fail(batch, error)
            return
        if fault is not None:
            self._undo()
            self._separate(batch, fault)

    def _succeeded(self) -> None:
        if self.failed_at:
            self.failed_at = 0.0
            log(Event.STORE_WORKS_AGAIN)

    def _apply(self, batch: list[_Job]) -> Exception | None:
        try:
            for together, jobs in groupby(batch, key=attrgetter("together")):
                if together is not None:
                    together(self._connection, [job.row for job in jobs])
                else:
                    self._operate(jobs)
        except Exception as error:  # noqa: BLE001 - it belongs to whoever waits
            return error
        return None

    def _operate(self, jobs: Iterable[_Job]) -> None:
        for job in jobs:
            job.ticket.value = job.operation(self._connection)

    def _separate(self, batch: list[_Job], fault: Exception) -> None:
        """Halve until the one at fault is alone: a dozen commits instead of hundreds."""
        if len(batch) == 1:
            self._fail(batch, fault)
            return
        middle = len(batch) // 2
        self._write(batch[:middle])
        self._write(batch[middle:])

    def _fail(self, batch: list[_Job], error: Exception) -> None:
        if isinstance(error, sqlite3.OperationalError) or type(error) is sqlite3.DatabaseError:
            full = _primary_code(error) == sqlite3.SQLITE_FULL
            error = StorageError(f"the database could not be written: {error}", full=full)
            if not self.failed_at:  # a full disk must not fill with lines that say so
                log(Event.STORE_FAILED)
                self.failed_at = time.time()
        for job in batch:
            job.ticket.value, job.ticket.error = None, error

    def _undo(self) -> None:
        with suppress(sqlite3.Error):  # SQLite may have rolled back by itself
            self._connection.execute("ROLLBACK")
