"""Sessions over an orderly restart of the service: their clients can resume them (XEP-0198 §5).

When the service stops, everything that came is finished, clients are told how much was handled, and
what can be resumed goes to sleep and into the store.  The next service takes it out before it
listens: until their clients come, these sessions hibernate, and nobody notices that they were gone.

Of a service that is killed nothing is kept: how much it had handled cannot be known.
"""

import json
import time
from functools import partial
from typing import Any

from hausbote.base.jid import JID
from hausbote.base.log import Event, bug, log
from hausbote.c2s.management.hibernation import NOWHERE, Hibernation, hold
from hausbote.c2s.management.managed import Book, Managed, Place, overflowed
from hausbote.core import dispatch
from hausbote.core.acks import Acks
from hausbote.core.feature import Moment
from hausbote.core.host import Host
from hausbote.core.session import Session
from hausbote.features import push
from hausbote.features.presence import rooms_of
from hausbote.storage import StorageError
from hausbote.storage.sessions import StoredSession
from hausbote.xmpp.acks import Sent
from hausbote.xmpp.stanza import Stanza


def put_to_sleep(host: Host, session: Session) -> bool:
    """The session has no stream from now on; False if it cannot be resumed."""
    managed = session.state(Place).managed
    if session.gone or session.acks is None or managed is None or not managed.seconds:
        return False
    if managed.stream is not None:
        managed.stream, managed.until = None, time.monotonic() + managed.seconds
        session.transport, session.asleep = Hibernation(host, session), None
        for hook in host.registry.hooks(Moment.HIBERNATES):
            hook(host, session)
    return True


def preserve(host: Host) -> None:
    """Keep all sessions that sleep; if that is not possible, they end, as all others do."""
    book, now = host.state(Book), host.clock()
    for managed in list(book.all):
        if not managed.waits:
            dispatch.gone(host, managed.session)
    asleep = list(book.all)  # now, for what others leave behind may be for these
    rows = [_packed(host, managed) for managed in asleep]
    ended = now + host.settings.resumption.seconds
    for id in book.ended:
        known = book.ended.get(id)
        if known is not None:
            rows.append(StoredSession(id, known[0], ended, known[1], b""))
    try:
        host.store.sessions.keep(rows).wait()
    except StorageError:
        for managed in asleep:
            dispatch.gone(host, managed.session)
    else:
        log(Event.SESSIONS_KEPT, sessions=len(asleep))


def _packed(host: Host, managed: Managed) -> StoredSession:
    session = managed.session
    acks = session.acks
    assert acks is not None
    if session.keeper is not None:
        session.keeper.flush()
    until = host.clock() + managed.until - time.monotonic()
    state = {
        "resource": session.jid.resource,
        "seconds": managed.seconds,
        "acknowledged": acks.unacked.acknowledged,
        "queue": [_packed_sent(sent, session.jid.full) for sent in acks.unacked.queue],
        "presence": None if session.presence is None else session.presence.pack().decode(),
        "priority": session.priority,
        "ready": session.ready_since,
        "features": {
            name: packed
            for name, (pack, _) in host.registry.session_states.items()
            if (packed := pack(session))
        },
    }
    local, handled = session.account.local, acks.ledger.handled
    return StoredSession(managed.id, local, until, handled, json.dumps(state).encode())


def _packed_sent(sent: Sent, to: str) -> list[Any]:
    owed = sent.stanza
    if owed is not None and sent.rest:
        owed = owed.replace(to=to)
    return [sent.wire(to).decode(), sent.at, None if owed is None else owed.pack().decode()]


def restore(host: Host) -> list[str]:
    """Take the sessions out again; returns the addresses of those who are in rooms."""
    book, now, inside = host.state(Book), host.clock(), []
    for row in host.store.sessions.take():
        if not row.state:
            if row.until > now:
                book.ended.put(row.id, row.local, (row.local, row.handled))
            continue
        try:
            session = _restored(host, book, row)
        except Exception as fault:  # noqa: BLE001 - a row that cannot be read is one session's end
            bug(fault)
            continue
        if not host.store.accounts.may_log_in(row.local):  # it was locked meanwhile
            dispatch.gone(host, session)
        elif rooms_of(session):
            inside.append(session.jid.full)
    return inside


def _restored(host: Host, book: Book, row: StoredSession) -> Session:
    state = json.loads(row.state)
    jid = JID(row.local, host.domain, state["resource"])
    session = Session(jid, host.directory.account(row.local), NOWHERE)
    session.transport = Hibernation(host, session)
    session.acks = acks = Acks(
        host.settings.limits.unacknowledged_bytes, partial(overflowed, host, session)
    )
    acks.ledger.handled = row.handled
    acks.unacked.restore(
        state["acknowledged"],
        [
            Sent(data.encode(), at, None if owed is None else Stanza.unpack(owed.encode()))
            for data, at, owed in state["queue"]
        ],
    )
    if state["presence"] is not None:
        session.presence = Stanza.unpack(state["presence"].encode())
    session.priority, session.ready_since = state["priority"], state["ready"]
    session.asleep = partial(push.wake, host, session)
    for name, (_, unpack) in host.registry.session_states.items():
        if name in state["features"]:
            unpack(session, state["features"][name])
    managed = Managed(row.id, state["seconds"], session, None)
    managed.until = time.monotonic() + min(row.until - host.clock(), managed.seconds)
    session.state(Place).managed = managed
    book.all.add(managed)
    book.by_id[row.id] = managed
    host.directory.add(session)
    hold(host, managed)
    return session
