"""The box's gate to other servers: what all their streams share, and the way to the box's services.

A stanza of the box comes over the bus, goes to the link of its two domains, and its frame is
acknowledged when the stanza is on disk or the peer has it.  A stanza of a peer is sent over the bus
to the service of its domain, and acknowledged to the peer when that service has it.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final

import gevent

from hausbote.base.jid import JID, InvalidJID
from hausbote.base.log import Event, Word, log
from hausbote.base.settings import Settings
from hausbote.base.tokens import token
from hausbote.core.bus import Bus
from hausbote.core.bus.cause import Cause, Pending
from hausbote.core.bus.frame import STANZA, Frame
from hausbote.core.bus.inbox import Inbox
from hausbote.core.host import Host
from hausbote.net.connection import Connection
from hausbote.net.dns import Resolver
from hausbote.net.outgoing_tls import OutgoingTls
from hausbote.net.tls import TlsShelf
from hausbote.net.traffic import Traffic
from hausbote.s2s.attempts import Attempts
from hausbote.s2s.incoming import IncomingStream
from hausbote.s2s.links import Link, unpacked
from hausbote.s2s.parcel import Parcel
from hausbote.s2s.pings import Pings
from hausbote.s2s.problem import Problem, away, word
from hausbote.s2s.stream import PeerStream
from hausbote.s2s.trust import Trust
from hausbote.storage import Certificate, Outgoing, Returned, Room, Ticket
from hausbote.xmpp.errors import (
    RemoteServerNotFound,
    RemoteServerTimeout,
    ResourceConstraint,
    ServiceUnavailable,
    StanzaError,
    StreamError,
)
from hausbote.xmpp.stanza import Stanza, error, stanza

_PORTION: Final = 100  # stanzas read from the queue at once
_MAX_LINKS: Final = 10_000
_MANY_LINKS: Final = 1_000  # from there on nobody may open more than
_MAX_IN_VAIN: Final = 100  # where messages only wait
_MAX_OF_ONE: Final = 40  # streams of one server
_MAX_UNSAFE: Final = 2_097_152  # bytes that are not on disk yet and wait for all servers
_TOTAL: Final = 8  # how many times what may wait for one server may wait for all


class Gate:
    """`hosted` maps the domains of the box to the names of their services on the bus."""

    def __init__(self, host: Host, resolver: Resolver, tls: OutgoingTls, shelf: TlsShelf) -> None:
        settings = host.settings
        self.host = host
        self.settings: Settings = settings
        self.store = host.store
        self.pump = host.pump
        self.hosted = dict(host.services)
        self.secret = host.store.secret("dialback")
        self.trust = Trust(settings, host.store, host.clock)
        self.attempts = Attempts(self, resolver)
        self.pings = Pings()
        self.tls = tls
        self.shelf = shelf
        self.stopping = False
        federation = settings.federation
        self.keeps = federation.queue_days > 0
        self.room = Room(
            federation.queue_messages, federation.queue_bytes, federation.queue_bytes * _TOTAL
        )
        self.streams: set[PeerStream] = set()
        self.bounced: set[str] = set()  # frames in the queue whose senders are being told
        self.links: dict[tuple[str, str], Link] = {}
        self.traffic = Traffic(
            settings.limits.bytes_per_second, settings.limits.burst_bytes, idle=120
        )
        self.left: Callable[[str], None] = lambda _: None  # an accepted connection is gone
        self._unsafe = 0  # bytes of the box that are neither on disk nor at their server
        self._arrivals = Inbox(20_000)
        self._patience = federation.queue_days * 86_400

    @property
    def bus(self) -> Bus:
        return self.host.bus

    # -- from the box --------------------------------------------------------------------------

    def from_bus(self, frame: Frame) -> list[Pending]:
        """Handle a frame for other servers; returns what must be safe before it is."""
        try:
            stanza = Stanza.unpack(frame.payload)
        except ValueError:
            log(Event.STANZA_REFUSED_BY_BUS)
            return []
        pending: list[Pending] = []
        for number, recipient in enumerate(frame.recipients):
            self.host.handled += 1
            copy = stanza if stanza.to == recipient else stanza.replace(to=recipient)
            parcel = Parcel(copy, f"{frame.id}/{number}" if number else frame.id)
            pending.append(parcel)
            self._unsafe += parcel.size
            parcel.then(partial(self._is_safe, parcel.size))
            self._send(parcel)
        return pending

    def _is_safe(self, size: int) -> None:
        self._unsafe -= size

    @property
    def has_room(self) -> bool:
        """Whether more may wait in memory, that of the box's other services included."""
        return self._unsafe < _MAX_UNSAFE

    def _send(self, parcel: Parcel) -> None:
        try:
            sender = JID.parse(parcel.stanza.attrs["from"])
            remote = JID.parse(parcel.stanza.attrs["to"]).domain
            link = self.link(sender.domain, remote, sender.bare)
        except (InvalidJID, KeyError):
            self.refuse(parcel.stanza, RemoteServerNotFound())
        except StanzaError as problem:
            self.refuse(parcel.stanza, problem)
        else:
            link.send(parcel)
            return
        parcel.safe()

    def link(self, local: str, remote: str, opener: str = "") -> Link:
        """The link of a pair, made for `opener`; StanzaError if there can be none."""
        found = self.links.get((local, remote))
        if found is not None:
            return found
        if local not in self.hosted or remote in self.hosted:
            raise RemoteServerNotFound
        if len(self.links) >= _MAX_LINKS:
            self._forget_idle_links()
        if len(self.links) >= _MANY_LINKS and self._in_vain(opener) >= _MAX_IN_VAIN:
            raise ResourceConstraint("messages of yours wait for many servers already")
        made = self.links[local, remote] = Link(self, local, remote, opener)
        return made

    def _in_vain(self, opener: str) -> int:
        """How many links were made for somebody whose server does not come."""
        ones = [one for one in self.links.values() if one.opener == opener] if opener else []
        return sum(one.waiting and one.stream is None for one in ones)

    def _forget_idle_links(self) -> None:
        """Somebody looks for thousands of servers: that must not keep others from theirs."""
        idle = [(pair, link) for pair, link in self.links.items() if link.idle]
        # That a server is away is worth remembering, but not at any price.
        for pair, _ in [one for one in idle if not one[1].is_away] or idle:
            del self.links[pair]
        if len(self.links) >= _MAX_LINKS:
            raise ResourceConstraint("too many servers are spoken with")

    def keep(self, link: Link, parcel: Parcel) -> Ticket[bool]:
        """Into the queue on disk."""
        return self.store.outgoing.keep(
            link.remote, link.local, parcel.id, parcel.stanza.pack(), self.host.clock(), self.room
        )

    def put_back(self, link: Link, parcels: list[Parcel], after: int) -> Ticket[bool]:
        """What was under way becomes the beginning of the queue on disk."""
        returned = [Returned(p.row, p.id, b"" if p.row else p.stanza.pack()) for p in parcels]
        return self.store.outgoing.put_back(
            link.remote, link.local, returned, self.host.clock(), after
        )

    def refuse(self, stanza: Stanza, why: StanzaError) -> None:
        """Tell a stanza's sender, who is of the box, no (RFC 6120 §8.3.1)."""
        if stanza.type in ("error", "result"):
            return
        if stanza.name == "presence" and stanza.type == "unavailable":
            return
        self._to_box(error(stanza, why))

    def bounce(self, row: Outgoing, problem: Problem) -> None:
        """What waited in the queue comes back; it is forgotten when its sender has the error."""

        def refuse() -> tuple[Pending, ...]:
            self.refuse(unpacked(row).stanza, problem.answer())
            return ()

        def told() -> None:
            forgotten = self.store.outgoing.forget(row.frame)
            forgotten.then(lambda: self.bounced.discard(row.frame))

        if row.frame in self.bounced:
            return
        self.bounced.add(row.frame)
        Cause(f"bounce:{row.frame}", told).run(refuse)

    # -- to the box ----------------------------------------------------------------------------

    def arrived(
        self, stanza: Stanza, sender: JID, to: JID, id: str, done: Callable[[str], None]
    ) -> None:
        """A stanza that a peer may send; `done` is called when it is safe here."""
        if _is_news_of_servers(stanza, sender, to) or self.pings.take(stanza, sender, to):
            done(id)
            return
        if not self._arrivals.enter(id, done):
            return
        self.host.handled += 1

        def hand_over() -> tuple[Pending, ...]:
            self._hand_over(stanza, to)
            return ()

        Cause(id, lambda: self._arrivals.leave(id)).run(hand_over)

    def _to_box(self, stanza: Stanza) -> None:
        with suppress(InvalidJID):
            self._hand_over(stanza, JID.parse(stanza.attrs.get("to", "")))

    def _hand_over(self, stanza: Stanza, to: JID) -> None:
        service = self.hosted.get(to.domain)
        if service is not None:
            sender = stanza.attrs.get("from", "")
            self.bus.send(service, STANZA, sender, (to.full,), stanza.pack())

    def announce(self, link: Link, *, away: bool) -> None:
        """Tell a service of the box that all of a server's people are away, or may be back."""
        news = stanza("presence", from_=link.remote, to=link.local)
        self._to_box(
            error(news.replace(from_=link.local, to=link.remote), RemoteServerTimeout())
            if away
            else news
        )

    def undeliverable(self, service: str, frame: Frame) -> None:
        """A service of the box was away for too long: the peer's user hears of it."""
        log(Event.UNDELIVERABLE, service=Word(service))
        try:
            refused = Stanza.unpack(frame.payload)
        except ValueError:
            return
        if refused.type not in ("error", "result") and refused.sender is not None:
            sorry = ServiceUnavailable("this part of the server is not running", type="wait")
            self._send(Parcel(error(refused, sorry), token(96)))

    # -- streams -------------------------------------------------------------------------------

    def welcome(self, connection: Connection) -> IncomingStream:
        """A peer connects; the connection is to be started."""
        stream = IncomingStream(self, connection)
        self.streams.add(stream)
        return stream

    def is_incoming(self, stream: PeerStream) -> bool:
        return isinstance(stream, IncomingStream)

    def forget(self, stream: PeerStream) -> None:
        """Its connection is closed."""
        self.streams.discard(stream)
        self.pings.forget(stream)
        if self.is_incoming(stream):
            self.left(stream.connection.address)

    def heard(self, stream: PeerStream, domain: str) -> None:
        """A peer proved that it speaks for a domain; StreamError if it has enough streams."""
        others = sum(one.remote == domain and bool(one.proven) for one in self.streams)
        if others > _MAX_OF_ONE:
            raise StreamError("resource-constraint", "this server has many streams already")
        log(Event.PEER_HEARD, domain=word(domain))
        self.store.peers.heard(domain, self.host.clock(), Certificate())
        for (_, remote), link in list(self.links.items()):
            if remote == domain and (link.waiting or link.is_away):
                link.connect(now=True)  # it is there again

    def resume(self) -> None:
        """At start: what waits from before is to be sent."""
        for one in self.store.outgoing.waiting():
            try:
                link = self.link(one.local, one.remote)
            except StanzaError:
                continue  # the domain is not ours any more; its time will come
            link.waiting = True
            link.connect()

    def stop(self) -> None:
        """Close all streams; what they have not brought there goes to the disk."""
        self.stopping = True
        for stream in list(self.streams):
            stream.end(StreamError("system-shutdown"))
        for link in list(self.links.values()):
            link.stop()

    def expire(self) -> None:
        """What has waited too long goes back to its senders, with the cause."""
        after, given_up = 0, 0
        while rows := self.store.outgoing.late(self.oldest, after, _PORTION):
            for row in rows:
                after = row.id
                given_up += self.give_up(row)
        if given_up:
            log(Event.QUEUE_GIVEN_UP, messages=given_up)

    @property
    def oldest(self) -> float:
        """What came before that, in seconds since 1970, has waited too long."""
        return self.host.clock() - self._patience

    def give_up(self, row: Outgoing) -> bool:
        """Not what is under way to the peer at last: it would come back, and arrive as well."""
        parcel = unpacked(row)
        domains = [JID.parse(parcel.stanza.attrs[key]).domain for key in ("from", "to")]
        link = self.links.get((domains[0], domains[1]))
        if row.frame in self.bounced or (link is not None and link.is_sent(row.id)):
            return False
        why = link.problem if link is not None else None
        fault = "could not be reached" if link is None or link.stream is None else "took nothing"
        self.bounce(row, why or away("too-late", f"{domains[1]} {fault} in time."))
        return True

    # -- what the owner asks and tells -----------------------------------------------------------

    def describe(self) -> dict[str, object]:
        """How it is with every server now."""
        peers: dict[str, dict[str, object]] = {}
        for stream in self.streams:
            way = "in" if self.is_incoming(stream) else "out"
            for domain in {theirs for theirs, _ in stream.proven} | {stream.remote}:
                if domain and stream.proven:
                    peer = peers.setdefault(domain, {"in": 0, "out": 0})
                    peer[way] = int(str(peer.get(way, 0))) + 1
        now = time.monotonic()
        for (_, remote), link in self.links.items():
            if link.problem is not None:
                peer = peers.setdefault(remote, {"in": 0, "out": 0})
                peer["problem"] = link.problem.sentence
                peer["next"] = max(0, round(link.next_attempt - now))
        return {"sessions": sum(bool(one.proven) for one in self.streams), "peers": peers}

    def notified(self, message: dict[str, str]) -> None:
        """`flush`: try the servers that something waits for now; "" means all of them."""
        if message.get("change") != "flush":
            return
        for one in self.store.outgoing.waiting():
            if message.get("domain") in ("", one.remote) and one.local in self.hosted:
                with suppress(StanzaError):  # one too many; its messages stay where they are
                    link = self.link(one.local, one.remote)
                    link.waiting = True
                    link.connect(now=True)

    def changed(self) -> bool:
        """Whether certificates on disk are newer than those in use."""
        return self.shelf.changed() or self.trust.changed()

    def reload(self) -> None:
        """Use what is on disk now; CertificateError keeps our own certificates as they were."""
        self.trust.reload()
        self.judge_again()
        self.shelf.reload()
        self.tls.reload()

    def judge_again(self) -> None:
        """Certificates end, and are taken back, while streams go on."""
        self.pump.run(self._judge_again)

    def _judge_again(self) -> None:
        for stream in list(self.streams):
            if stream.proven and not stream.closed:
                problem = self.trust.has_lost(stream)
                if problem is not None:
                    stream.end(StreamError("not-authorized", problem.sentence))
                gevent.sleep(0)  # others have their turn between


def _is_news_of_servers(stanza: Stanza, sender: JID, to: JID) -> bool:
    """Whether it would tell the box that a server is away or back, which only we ourselves tell."""
    return stanza.name == "presence" and not sender.local and not to.local
