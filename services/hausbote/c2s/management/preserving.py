"""Sessions over an orderly restart of the service: their clients can resume them (XEP-0198 §5).

When the service stops, everything that came is finished, clients are told how much was handled, and
what can be resumed goes to sleep and into the store.  The next service takes it out before it
listens: until their clients come, these sessions hibernate, and nobody notices that they were gone.

Of a service that is killed nothing is kept: how much it had handled cannot be known.
"""

import time
from collections.abc import Iterator
from itertools import chain
from typing import Final

from hausbote.base.log import Event, bug, log
from hausbote.c2s.management.hibernation import Hibernation
from hausbote.c2s.management.leaving_out import leave_out
from hausbote.c2s.management.managed import Book, Managed, Place
from hausbote.c2s.management.packing import Packer, Unpacker
from hausbote.core import dispatch
from hausbote.core.feature import Moment
from hausbote.core.host import Host
from hausbote.core.session import Session
from hausbote.features.presence import rooms_of
from hausbote.storage import StorageError
from hausbote.storage.sessions import StoredSession

_MOST: Final = 33_554_432  # bytes that wait for all sessions and are kept: seconds on a slow card
_PORTION: Final = 1_048_576  # bytes that are written together, and
_MAX_ROWS: Final = 500  # rows
_COME_BACK: Final = 5.0  # seconds in which clients that run come back without being woken


def put_to_sleep(host: Host, session: Session) -> bool:
    """The session has no stream from now on; False if it cannot be resumed."""
    managed = session.state(Place).managed
    if session.gone or session.acks is None or managed is None or not managed.seconds:
        return False
    if managed.stream is not None or managed.taker is not None:
        if managed.stream is not None:
            managed.stream.session = None  # its connection may be broken, which nobody has seen yet
        managed.stream, managed.taker = None, None  # who is just coming back comes again
        managed.until = time.monotonic() + managed.seconds
        session.transport, session.asleep = Hibernation(host, session), None
        for hook in host.registry.hooks(Moment.HIBERNATES):
            hook(host, session)
    return True


def preserve(host: Host) -> None:
    """Keep all sessions that can be resumed; if that is not possible, they end, as all others do.

    If more waits for them than may be kept, those end for whose accounts most waits.
    """
    book = host.state(Book)
    for managed in list(book.all):
        if not put_to_sleep(host, managed.session):
            dispatch.gone(host, managed.session)
        elif managed.session.keeper is not None:
            managed.session.keeper.flush()
    while beyond := _beyond(list(book.all)):
        for managed in beyond:
            dispatch.gone(host, managed.session)  # what waits may go to others: look again
    asleep = list(book.all)
    leave_out(host, asleep)
    try:
        _write(host, asleep)
    except StorageError:
        for managed in asleep:
            dispatch.gone(host, managed.session)
    else:
        log(Event.SESSIONS_KEPT, sessions=len(asleep))


def _beyond(asleep: list[Managed]) -> list[Managed]:
    """Those for which there is no room: of the accounts for which most waits.

    What many share takes room once.
    """
    of_account: dict[str, int] = {}
    sizes: dict[Managed, int] = {}
    for managed in asleep:
        assert managed.session.acks is not None
        sizes[managed] = managed.session.acks.unacked.size
        local = managed.session.account.local
        of_account[local] = of_account.get(local, 0) + sizes[managed]
    if sum(sizes.values()) <= _MOST:
        return []
    asleep.sort(key=lambda one: (of_account[one.session.account.local], sizes[one]))
    taken, shared, beyond = 0, set[int](), []
    for managed in asleep:
        assert managed.session.acks is not None
        size, more = 0, set[int]()
        for sent in managed.session.acks.unacked.queue:
            if not sent.rest:
                size += len(sent.data)
            elif id(sent) not in shared and id(sent) not in more:
                more.add(id(sent))
                size += len(sent.data) + len(sent.rest)
        if taken + size > _MOST:
            beyond.append(managed)
        else:
            taken += size
            shared |= more
    return beyond


def _write(host: Host, asleep: list[Managed]) -> None:
    """In portions, each made when the one before is on the disk; StorageError if one is not."""
    store, packer = host.store.sessions, Packer(host)
    rows: list[StoredSession] = []
    size = 0
    for row in chain(map(packer.pack, asleep), _ended(host)):
        rows.append(row)
        size += len(row.state)
        if size > _PORTION or len(rows) >= _MAX_ROWS:
            store.keep(rows, packer.fetch_shared()).wait()
            rows, size = [], 0
    store.keep(rows, packer.fetch_shared()).wait()
    store.complete().wait()


def _ended(host: Host) -> Iterator[StoredSession]:
    """How much was handled of sessions that are over."""
    book, until = host.state(Book), host.clock() + host.settings.resumption.seconds
    for id in list(book.ended):
        known = book.ended.get(id)
        if known is not None:
            yield StoredSession(id, known[0], until, known[1], b"")


def restore(host: Host) -> list[str]:
    """Take the sessions out again; returns the addresses of those who are in rooms."""
    book, now = host.state(Book), host.clock()
    unpacker = Unpacker(host, host.store.sessions.shared())
    over: list[Managed] = []
    for row in host.store.sessions.take():
        if not row.state:
            if row.until > now:
                book.ended.put(row.id, row.local, (row.local, row.handled))
            continue
        try:
            managed = unpacker.unpack(row)
            host.directory.add(managed.session)
        except Exception as fault:  # noqa: BLE001 - a row that cannot be read is one session's end
            bug(fault)
            continue
        managed.wake_at = time.monotonic() + _COME_BACK
        book.all.add(managed)
        book.by_id[row.id] = managed
        displaced = book.asleep.put(managed, row.local, None)
        if displaced is not None:
            over.append(displaced.key)
        if not host.store.accounts.may_log_in(row.local):  # it was locked meanwhile
            over.append(managed)
    for managed in over:  # when all are there: what waits for one may go to another
        dispatch.gone(host, managed.session)
    sessions = [managed.session for managed in book.all]
    return [session.jid.full for session in sessions if rooms_of(session)]
