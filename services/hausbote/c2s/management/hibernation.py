"""Sessions that wait for their clients: from the break of a connection to the end."""

import math
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from hausbote.base.log import Event, Word, log
from hausbote.c2s.management.managed import (
    ASK,
    Book,
    Managed,
    Place,
    feature,
)
from hausbote.core import dispatch
from hausbote.core.directory import Account
from hausbote.core.feature import Moment
from hausbote.core.host import Host
from hausbote.core.session import Session
from hausbote.features import push
from hausbote.features.undelivered import hand_on
from hausbote.xmpp.acks import Ledger
from hausbote.xmpp.errors import (
    ServiceUnavailable,
    StreamError,
)

if TYPE_CHECKING:
    from hausbote.c2s.stream import ClientStream

ACK_SECONDS: Final = 30.0  # until a client that does not acknowledge is taken for gone
_LATE: Final = 2.0  # seconds that an <a/> waits for the disk at most


class Hibernation:
    """The transport of a session without a stream: what is sent waits in the session's queue."""

    closed = False

    def __init__(self, host: Host, session: Session) -> None:
        self._host = host
        self._session = session

    def send(self, data: bytes) -> None: ...

    def when_sent(self, callback: Callable[[], None]) -> None:
        """Nothing is sent while nobody is there."""

    def end(self, error: StreamError) -> None:
        dispatch.gone(self._host, self._session)


class _Nowhere:
    """The transport of a session that ended while it hibernated."""

    closed = True

    def send(self, data: bytes) -> None: ...

    def when_sent(self, callback: Callable[[], None]) -> None:
        callback()

    def end(self, error: StreamError) -> None: ...


NOWHERE: Final = _Nowhere()


def hibernate(stream: "ClientStream") -> bool:
    """Keep the session of a stream whose connection broke; False if it is not to be kept."""
    host, session = stream.server.host, stream.session
    if session is None or session.gone or session.acks is None:
        return False
    managed = session.state(Place).managed
    if managed is None or not managed.seconds:
        return False
    managed.stream = None
    managed.until = time.monotonic() + managed.seconds
    session.transport = Hibernation(host, session)
    session.asleep = partial(push.wake, host, session)
    hold(host, managed)
    log(Event.SESSION_HIBERNATES, session=Word(stream.tag))
    _wake(host, managed)
    for hook in host.registry.hooks(Moment.HIBERNATES):
        hook(host, session)
    return True


def _wake(host: Host, managed: Managed) -> None:
    """Its client is to know of what waits for it."""
    session = managed.session
    assert session.acks is not None
    managed.wake_at = math.inf
    for sent in list(session.acks.unacked.queue):
        if sent.stanza is not None and sent.stanza.name == "message":
            push.wake(host, session, sent.stanza)


def hold(host: Host, managed: Managed) -> None:
    """It sleeps; if too many do, another one ends."""
    too_many = host.state(Book).asleep.put(managed, managed.session.account.local, None)
    if too_many is not None:
        host.pump.run(partial(_displace, host, too_many.key))


def sweep(host: Host) -> None:
    """To be called every few seconds: what has waited for too long."""
    now = time.monotonic()
    for managed in list(host.state(Book).all):
        acks, stream = managed.session.acks, managed.stream
        if acks is None:
            continue
        acks.ledger.answer_late(now - _LATE)
        if managed.waits:
            if managed.until < now:
                host.pump.run(partial(_expire, host, managed))
            elif managed.wake_at < now:
                host.pump.run(partial(_wake_late, host, managed))
        elif stream is not None:
            asked = acks.unacked.asked_at
            if asked is not None and asked < now - ACK_SECONDS - stream.connection.silence:
                stream.connection.abort()
            elif acks.unacked.is_due():
                stream.send(ASK)


def _expire(host: Host, managed: Managed) -> None:
    """Unless its client has come at the last moment."""
    if managed.waits and managed.until < time.monotonic():
        dispatch.gone(host, managed.session)


def _wake_late(host: Host, managed: Managed) -> None:
    if managed.waits and not managed.session.gone:
        _wake(host, managed)


def _displace(host: Host, managed: Managed) -> None:
    """Others need its place; unless its client has come meanwhile."""
    if managed.waits:
        dispatch.gone(host, managed.session)


def make_room(host: Host, account: Account) -> bool:
    """End the one of an account's hibernating sessions that has waited longest; False if there is
    none."""
    sessions = list(account.sessions.values())
    going = next((session for session in sessions if session.gone), None)
    if going is not None:
        dispatch.see_off(host, going)
        return True
    places = [session.state(Place).managed for session in sessions]
    asleep = [managed for managed in places if managed is not None and managed.waits]
    if asleep:
        dispatch.see_off(host, min(asleep, key=lambda one: one.until - one.seconds).session)
    return bool(asleep)


@feature.on(Moment.GONE)
def forget(host: Host, session: Session) -> None:
    managed = session.state(Place).managed
    if managed is None or session.acks is None:
        return
    book, ledger = host.state(Book), session.acks.ledger
    book.all.discard(managed)
    book.asleep.pop(managed)
    managed.stream = None
    if managed.id:
        del book.by_id[managed.id]
        local = session.account.local
        book.ended.put(managed.id, local, (local, ledger.count))
        ledger.then(partial(_note_the_rest, book, managed.id, ledger), float("inf"))


def _note_the_rest(book: Book, id: str, ledger: Ledger) -> None:
    """What it sent last is safe now."""
    ended = book.ended.get(id)
    if ended is not None:
        book.ended.renew(id, (ended[0], ledger.count))


@feature.on(Moment.REMOVED)
def hand_back(host: Host, session: Session) -> None:
    """What never arrived is treated as if the client had not been there (§5)."""
    acks = session.acks
    if acks is None:
        return
    queue = acks.unacked.queue
    while queue:
        sent = queue.pop(0)
        if sent.stanza is None:
            continue
        if sent.stanza.name == "message":
            hand_on(host, session, sent.stanza, sent.at)
        elif sent.stanza.sender not in (None, host.domain, session.jid.bare, session.jid.full):
            dispatch.refuse(host, sent.stanza, ServiceUnavailable())
    # Nothing is to keep what is over alive until the garbage collector comes.
    acks.unacked.close()
    session.asleep = session.state(Place).managed = None
    if isinstance(session.transport, Hibernation):
        session.transport = NOWHERE
