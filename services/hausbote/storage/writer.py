"""The only thing in a process that writes to the database: a thread with group commit.

Whatever is queued while one transaction goes to disk becomes the next one, so that a hundred
messages cost one fsync.  Operations may run twice (see `_alone`): they touch nothing but the
database.
"""

import sqlite3
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from peewee import SqliteDatabase

from hausbote.storage.errors import StorageError
from hausbote.storage.ticket import Ticket, WaitingRoom

T = TypeVar("T")
Operation = Callable[[sqlite3.Connection], Any]
_MAX_BATCH: Final = 500


class _Job(NamedTuple):
    ticket: Ticket[Any]
    operation: Operation | None
    sql: str
    row: Sequence[object]


class Writer:
    """Takes writes from anywhere, in order; `close` finishes them."""

    def __init__(self, database: SqliteDatabase, room: WaitingRoom) -> None:
        self._database = database
        self._connection: sqlite3.Connection = database.connection()
        self._room = room
        self._jobs: list[_Job] = []
        self._wake = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def submit(self, operation: Callable[[sqlite3.Connection], T]) -> Ticket[T]:
        """Run `operation` inside a transaction; its return value is the ticket's."""
        ticket: Ticket[T] = Ticket(self._room)
        self._put(_Job(ticket, operation, "", ()))
        return ticket

    def insert(self, sql: str, row: Sequence[object]) -> Ticket[None]:
        """Run one statement; neighbours with the same SQL are run together."""
        ticket: Ticket[None] = Ticket(self._room)
        self._put(_Job(ticket, None, sql, row))
        return ticket

    def settle(self) -> None:
        """Return when everything queued so far is on disk."""
        self.submit(lambda _: None).wait()

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
            if len(self._jobs) == 1:
                self._wake.notify()

    # -- in the thread -------------------------------------------------------------------------

    def _run(self) -> None:
        while batch := self._take():
            try:
                self._together(batch)
            except Exception:  # noqa: BLE001 - whose fault it is shows when each runs alone
                self._undo()
                for job in batch:
                    self._alone(job)
            self._room.announce([job.ticket for job in batch])

    def _take(self) -> list[_Job]:
        with self._wake:
            self._wake.wait_for(lambda: self._jobs or self._closed)
            batch, self._jobs = self._jobs[:_MAX_BATCH], self._jobs[_MAX_BATCH:]
        return batch

    def _together(self, batch: list[_Job]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        at = 0
        while at < len(batch):
            job = batch[at]
            if job.operation is not None:
                job.ticket.value = job.operation(self._connection)
                at += 1
                continue
            end = at + 1
            while end < len(batch) and batch[end].sql == job.sql:
                end += 1
            self._connection.executemany(job.sql, [same.row for same in batch[at:end]])
            at = end
        self._connection.execute("COMMIT")

    def _alone(self, job: _Job) -> None:
        job.ticket.value = None
        try:
            self._together([job])
        except sqlite3.OperationalError as error:
            self._undo()
            job.ticket.error = StorageError(f"the database could not be written: {error}")
        except Exception as error:  # noqa: BLE001 - it belongs to whoever waits
            self._undo()
            job.ticket.error = error

    def _undo(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
