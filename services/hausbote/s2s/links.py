"""The way from one domain of ours to one of theirs: which stream serves it, and what waits for one.

While a stream is up and nothing waits, stanzas go straight to it and are remembered until the peer
has acknowledged them.  Otherwise messages go to the queue on disk, and from there to the peer in
the order in which they came, as soon as a stream is up; only when the queue is empty do new ones go
straight again.  Everything else waits for a first attempt to connect at most, and is answered with
an error if that fails.
"""

import random
import time
from collections import deque
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import gevent
from gevent.event import Event as Signal

from hausbote.base.log import bug
from hausbote.core.bus.cause import within
from hausbote.core.writes import problem_of
from hausbote.s2s.parcel import Parcel
from hausbote.s2s.problem import Kind, Problem
from hausbote.s2s.stream import PeerStream
from hausbote.storage import Kept, Outgoing, StorageError, Ticket
from hausbote.xmpp.errors import (
    RemoteServerTimeout,
    ResourceConstraint,
    StanzaError,
)
from hausbote.xmpp.stanza import Stanza

if TYPE_CHECKING:
    from hausbote.s2s.gate import Gate

_FIRST_PAUSE: Final = 1.0  # seconds until the second attempt
_LONGEST_PAUSE: Final = 900.0
_AWAY_AFTER: Final = 3  # failures, until the box is told that the server is away
_HOLD: Final = 3.0  # seconds that messages wait in memory: their senders wait for their acks
_MAX_HELD: Final = 200  # stanzas that wait for a first attempt
_MAX_UNSAFE: Final = 10_000  # stanzas, and
_MAX_UNSAFE_SIZE: Final = 524_288  # bytes that are sent and not acknowledged, or held
_MAX_UNWRITTEN: Final = 1_048_576  # bytes of a stream that the network did not take yet
_PORTION: Final = 25  # stanzas read from the queue at once


class Link:
    """`waiting` says that the queue on disk has, or may have, something for this pair.

    `opener` is who of the box wrote there first.
    """

    def __init__(self, gate: "Gate", local: str, remote: str, opener: str = "") -> None:
        self.gate = gate
        self.local = local
        self.remote = remote
        self.opener = opener
        self.stream: PeerStream | None = None
        self.waiting = False
        self.answers = False  # whether the peer has ever answered a ping
        self.problem: Problem | None = None
        self.next_attempt = 0.0
        self.used = time.monotonic()
        self._failures = 0
        self._began = 0.0  # when the attempt did
        self._attempt: Any = None
        self._timer: Any = None
        self._held: deque[Parcel] = deque()
        self._storing = 0  # on their way to the disk
        self._stored = 0  # how often something was given to the disk
        self._draining = False
        self._read = 0  # up to where the queue was given to the stream
        self._room = Signal()

    @property
    def idle(self) -> bool:
        """Whether nothing would be lost with it."""
        active = self.stream or self._attempt or self._timer or self._held or self._storing
        return not active and not self.waiting

    @property
    def is_away(self) -> bool:
        """Whether the box was told so, and is to be told when the server is back."""
        return self._failures >= _AWAY_AFTER

    # -- what comes from the box ---------------------------------------------------------------

    def send(self, parcel: Parcel) -> None:
        """Send it, keep it or refuse it."""
        self.used = time.monotonic()
        straight = self.stream is not None and not self.waiting and not self._held
        room = straight and self._has_room() and self.gate.has_room(parcel.sender)
        if self.stream is not None and room:
            self._write(self.stream, parcel)
        elif self.stream is None and not self.waiting and self._may_connect:
            self._hold(parcel)
        elif parcel.kept:
            self._keep(parcel)
        elif self.stream is not None:
            self._write(self.stream, parcel)
        else:
            self._hold(parcel)

    @property
    def _may_connect(self) -> bool:
        return self._attempt is not None or time.monotonic() >= self.next_attempt

    def _write(self, stream: PeerStream, parcel: Parcel) -> None:
        if not parcel.kept:
            parcel.safe()  # nobody would send it again
        stream.deliver(parcel)

    def _has_room(self) -> bool:
        assert self.stream is not None
        sent, unwritten = self.stream.sent, self.stream.connection.unwritten
        few = len(sent) < _MAX_UNSAFE and sent.size < _MAX_UNSAFE_SIZE
        return few and unwritten <= _MAX_UNWRITTEN

    def _hold(self, parcel: Parcel) -> None:
        """Until the attempt to connect has come to its end, in memory."""
        kept = parcel.kept
        if not kept:
            parcel.safe()  # nobody would send it again
        if self.problem is not None and not self._may_connect:
            self._refuse(parcel, self.problem.answer())
        elif self._may_hold(parcel):
            self._held.append(parcel)
            self.connect()
        elif kept and self.gate.keeps:
            self._spill()
            self._keep(parcel)
        else:
            self._refuse(parcel, ResourceConstraint("too much waits for that server"))

    def _may_hold(self, parcel: Parcel) -> bool:
        size = sum([one.size for one in self._held])
        few = len(self._held) < _MAX_HELD and size < _MAX_UNSAFE_SIZE
        return few and (self.gate.has_room(parcel.sender) or not parcel.kept)

    def check(self, now: float) -> None:
        """If the attempt takes its time, messages are better off on the disk."""
        late = self._attempt is not None and now - self._began > _HOLD
        if late and self._held and self.gate.keeps:
            self._spill()

    def stop(self) -> None:
        """The service ends: what waits in memory goes to the disk, or comes back."""
        self._stop_timer()
        if self._attempt is not None:
            self._attempt.kill(block=False)
        if self.gate.keeps:
            self._spill()
        held, self._held = self._held, deque()
        for parcel in held:
            self._refuse(parcel, RemoteServerTimeout("this server stops"))

    def _spill(self) -> None:
        """To the disk with what is to be kept of what is held."""
        held, self._held = self._held, deque()
        for parcel in held:
            if parcel.kept:
                self._keep(parcel)
            else:
                self._held.append(parcel)

    def _keep(self, parcel: Parcel) -> None:
        """On disk it waits for its turn."""
        problem, soon = self.problem, time.monotonic() < self.next_attempt
        if problem is not None and problem.kind is not Kind.AWAY and soon:
            self._refuse(parcel, problem.answer())
            return
        if not self.gate.keeps:
            self._hold(parcel)
            return
        if self.gate.store.reserve.is_low:
            self._refuse(parcel, ResourceConstraint("the disk of this server is full"))
            return
        self._store([parcel], self.gate.queue.keep(self, parcel))
        self.connect()

    def _store(self, parcels: list[Parcel], ticket: Ticket[Kept]) -> None:
        self.waiting = True
        self._storing += 1
        self._stored += 1
        ticket.then(partial(self._kept, parcels, ticket))

    def _kept(self, parcels: list[Parcel], ticket: Ticket[Kept]) -> None:
        self._storing -= 1
        refusal: StanzaError | None = None
        try:
            found = ticket.wait()
            self.gate.queue.displace(found.displaced)
            if not found.kept:
                refusal = ResourceConstraint("too many messages wait for that server")
        except StorageError as problem:
            refusal = problem_of(problem)
        for parcel in parcels:
            if refusal is not None:
                self._refuse(parcel, refusal)
            else:
                parcel.safe()
        self._room.set()
        self._drain_soon()

    def _refuse(self, parcel: Parcel, why: StanzaError) -> None:
        """What its sender is told belongs to the frame that brought it, wherever that turns out to
        be in vain: it is acknowledged when the sender's service has the answer."""
        with within(parcel.cause, parcel.id):
            self.gate.refuse(parcel.stanza, why)
        parcel.safe()

    # -- attempts ------------------------------------------------------------------------------

    def connect(self, *, now: bool = False) -> None:
        """Begin an attempt, unless there is one, or it is too soon for another."""
        if self.stream is not None or self._attempt is not None or self.gate.stopping:
            self._drain_soon()
            return
        if not now and time.monotonic() < self.next_attempt:
            if self._timer is None and self.waiting:
                pause = self.next_attempt - time.monotonic()
                self._timer = gevent.spawn_later(pause, self._try_again)
            return
        self._stop_timer()
        self._began = time.monotonic()
        self._attempt = gevent.spawn(self._connect)

    def reconsider(self) -> None:
        """The owner has decided otherwise about that server, perhaps: what was denied may be tried
        at once, and what waits for whom we do not talk with any more is given back."""
        allowed = self.gate.trust.rules.for_domain(self.remote).allowed
        if self.problem is not None and self.problem.kind is Kind.DENIED and allowed:
            self.problem, self.next_attempt = None, 0.0
        elif not allowed and self.waiting:
            self.connect(now=True)

    def _try_again(self) -> None:
        self._timer = None
        with suppress(StorageError):
            self._pending(0)
        if self.waiting or self._held:  # otherwise all of it was given up
            self.connect(now=True)

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer is not gevent.getcurrent():
            timer.kill(block=False)

    def _connect(self) -> None:
        try:
            stream = self.gate.attempts.connect(self.local, self.remote)
        except Problem as problem:
            self._failed(problem)
        except Exception as fault:  # noqa: BLE001 - a fault of ours is one attempt's failure
            bug(fault)
            self._failed(Problem(Kind.AWAY, "fault", "Hausbote itself has a fault; see its log."))
        else:
            self._attempt = None
            self.adopt(stream)

    def adopt(self, stream: PeerStream) -> None:
        """A stream may be used from now on, ours or one that the peer began."""
        if self.stream is not None and not self.stream.closed:
            if stream.link is None and not self.gate.is_incoming(stream):
                stream.close()
            return
        if self.stream is not None:
            self.stream.lost()  # its end is known and not handled yet
        if stream.closed:
            self._failed(Problem(Kind.AWAY, "cut", f"{self.remote} closed the connection."))
            return
        self.stream, stream.link = stream, self
        stream.answers = self.answers
        if self.is_away:
            self.gate.announce(self, away=False)
        self.problem, self._failures, self.next_attempt = None, 0, 0.0
        self._stop_timer()
        while self._held and self.stream is stream:
            self._write(stream, self._held.popleft())
        self._drain_soon()

    def _failed(self, problem: Problem) -> None:
        self._attempt = None
        if self.stream is not None:
            return  # the peer came to us meanwhile
        self._pause(problem)
        if problem.kind is Kind.AWAY and self.gate.keeps:
            self._spill()
        held, self._held = self._held, deque()
        for parcel in held:
            self._refuse(parcel, problem.answer())
        if problem.kind is not Kind.AWAY:
            self.gate.pump.run(self.give_up)
        elif self.waiting:
            self.connect()

    def _pause(self, problem: Problem) -> None:
        self.problem = problem
        pause = min(_FIRST_PAUSE * 2**self._failures, _LONGEST_PAUSE) * random.uniform(0.7, 1.3)  # noqa: S311
        self._failures = min(self._failures + 1, 16)
        if self._failures == _AWAY_AFTER:
            self.gate.announce(self, away=True)
        self.next_attempt = time.monotonic() + pause

    def give_up(self) -> None:
        """Tell the senders of all that waits that it will not arrive."""
        problem, after = self.problem, 0
        while problem is not None and self.stream is None:
            rows = self._pending(after)
            for row in rows:
                if self.stream is not None:
                    return  # the peer came to us meanwhile
                self.gate.queue.bounce(row, problem.answer())
                after = row.id
            if not self.waiting:
                return
            if not rows:
                self._room.clear()
                self._room.wait(1.0)

    # -- the queue -----------------------------------------------------------------------------

    def _drain_soon(self) -> None:
        if self.waiting and self.stream is not None and not self._draining:
            self._draining = True
            self.gate.pump.run(self._drain)

    def _drain(self) -> None:
        """In a worker: send what waits, in order, as quickly as the peer takes it."""
        try:
            stream = self.stream
            while stream is not None and self.stream is stream:
                rows = self._pending(self._read)
                if self.stream is not stream:
                    return
                for row in rows:
                    if not self._wait_for_room(stream):
                        return
                    if self.gate.queue.is_lost(row):
                        self._read = row.id
                        continue
                    # What is too old by now may have been sent before, to one that acknowledged
                    # nothing: it is not sent for ever.
                    given_up = row.at < self.gate.queue.oldest and self.gate.queue.give_up(row)
                    self._read = row.id
                    if not given_up and row.frame not in self.gate.queue.bounced:
                        stream.deliver(unpacked(row))
                if not rows and (not self.waiting or self._storing):
                    return
        finally:
            self._draining = False
            if self.stream is not stream:  # another one came while the disk was read
                self._drain_soon()

    def _pending(self, after: int) -> list[Outgoing]:
        """The next portion of the queue; `waiting` ends with the last."""
        stored = self._stored
        rows = self.gate.store.outgoing.pending(self.remote, self.local, after, _PORTION)
        # What was or is on its way to the disk meanwhile is read in the next round.
        if not rows and stored == self._stored:
            self.waiting = self._storing > 0
        return rows

    def is_sent(self, row: int) -> bool:
        """Whether a row of the queue is under way to the peer now."""
        return self.stream is not None and row <= self._read

    def _wait_for_room(self, stream: PeerStream) -> bool:
        """Return when the peer can take more, or False when the stream is over."""
        while self.stream is stream and not self._has_room():
            self._room.clear()
            if stream.connection.unwritten > _MAX_UNWRITTEN:
                stream.connection.when_sent(self._room.set)
            self._room.wait(1.0)
        return self.stream is stream

    def arrived(self, parcels: list[Parcel]) -> None:
        """The peer has these for good."""
        last = 0
        for parcel in parcels:
            last = max(last, parcel.row)
            parcel.safe()
        if last:
            self.gate.store.outgoing.discard(self.remote, self.local, last)
        self._room.set()
        while self._held and self.stream is not None and self._has_room():
            self._write(self.stream, self._held.popleft())  # there is no queue on disk

    def lost(self, stream: PeerStream, parcels: list[Parcel]) -> None:
        """The stream ended; what it did not bring there waits for the next, or is refused."""
        if self.stream is not stream:
            return
        self.stream = None
        self.answers = stream.answers
        read, self._read = self._read, 0
        self._room.set()
        broken = Problem(Kind.AWAY, "cut", f"The connection with {self.remote} broke.")
        for parcel in parcels:
            if not parcel.kept:
                self._refuse(parcel, broken.answer())
        self._take_back([parcel for parcel in parcels if parcel.kept], read)
        if self.waiting and not self.gate.stopping:
            self.next_attempt = time.monotonic() + random.uniform(0.2, 1.5)  # noqa: S311
            self.connect()

    def _take_back(self, parcels: list[Parcel], read: int) -> None:
        """They come first again, each in its place: `read` is up to where the queue was sent."""
        rows = [number for number, parcel in enumerate(parcels, 1) if parcel.row]
        before = len(parcels) if self.waiting else max(rows, default=0)  # before newer rows
        self.waiting = self.waiting or bool(rows)
        new = [parcel for parcel in parcels[:before] if not parcel.row]
        if new and self.gate.keeps:
            self._store(new, self.gate.queue.put_back(self, parcels[:before], read))
            parcels = parcels[before:]
        later, self._held = self._held, deque()
        for parcel in parcels:
            if not parcel.row:
                self._keep(parcel)
        self._held.extend(later)


def unpacked(row: Outgoing) -> Parcel:
    """What waits in the queue, to be sent."""
    return Parcel(Stanza.unpack(row.stanza), row.frame, row.at, row.id)
