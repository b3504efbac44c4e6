"""The box's gate to other servers: what all their streams share, and the way to the box's services.

A stanza of the box comes over the bus, goes to the link of its two domains, and its frame is
acknowledged when the stanza is on disk or the peer has it.  A stanza of a peer is sent over the bus
to the service of its domain, and acknowledged to the peer when that service has it.
"""

import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from hashlib import blake2b
from typing import Final

import gevent

from hausbote.base.domains import registrable_domain
from hausbote.base.jid import JID, InvalidJID
from hausbote.base.log import Event, Word, log
from hausbote.base.settings import Settings
from hausbote.base.shares import Shares
from hausbote.base.tokens import token
from hausbote.core.bus import Bus
from hausbote.core.bus.cause import Cause, Pending, current, purpose
from hausbote.core.bus.frame import STANZA, Frame
from hausbote.core.bus.inbox import Inbox
from hausbote.core.exchange import is_goodbye, say_goodbye
from hausbote.core.host import Host
from hausbote.net.connection import Connection
from hausbote.net.dns import Resolver
from hausbote.net.outgoing_tls import OutgoingTls
from hausbote.net.tls import TlsShelf
from hausbote.net.traffic import Traffic
from hausbote.s2s.attempts import Attempts
from hausbote.s2s.incoming import IncomingStream
from hausbote.s2s.links import Link
from hausbote.s2s.parcel import Parcel
from hausbote.s2s.pings import Pings
from hausbote.s2s.problem import word
from hausbote.s2s.queue import Queue
from hausbote.s2s.stream import PeerStream
from hausbote.s2s.trust import Trust
from hausbote.storage import Certificate
from hausbote.xmpp.errors import (
    RemoteServerNotFound,
    RemoteServerTimeout,
    ResourceConstraint,
    ServiceUnavailable,
    StanzaError,
    StreamError,
)
from hausbote.xmpp.stanza import Stanza, error, stanza

_MAX_LINKS: Final = 10_000
_MANY_LINKS: Final = 1_000  # from there on nobody may open more than
_MAX_IN_VAIN: Final = 100  # where messages only wait
_MAX_OF_ONE: Final = 40  # streams of one server
_MAX_STREAMS: Final = 3_000  # that are proven, in both directions; who holds most loses one
_MAX_UNSAFE: Final = 2_097_152  # bytes that are not on disk yet and wait for all servers
_LITTLE: Final = 131_072  # bytes of these that one sender may have even then
_FAREWELL: Final = 2.0  # seconds that what came has to become safe when the service stops


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
        self.trust = Trust(settings, host.store, lambda: host.clock())
        self.attempts = Attempts(self, resolver)
        self.pings = Pings()
        self.tls = tls
        self.shelf = shelf
        self.stopping = False
        self.keeps = settings.federation.queue_days > 0
        self.queue = Queue(self)
        self.streams: set[PeerStream] = set()
        self.links: dict[tuple[str, str], Link] = {}
        self.traffic = Traffic(
            settings.limits.bytes_per_second, settings.limits.burst_bytes, idle=120
        )
        self.proven: Shares[PeerStream, None] = Shares(_MAX_STREAMS)
        self._unsafe = 0  # bytes of the box that are neither on disk nor at their server
        self._unsafe_of: Counter[str] = Counter()  # by sender
        self._arrivals = Inbox(20_000)

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
        now = self.host.clock()
        for recipient in frame.recipients:
            self.host.handled += 1
            copy = stanza if stanza.to == recipient else stanza.replace(to=recipient)
            id = f"{frame.id}/{_short(recipient)}"
            parcel = Parcel(copy, id, now, cause=current.get())
            pending.append(parcel)
            sender, size = parcel.sender, parcel.size
            self._unsafe += size
            self._unsafe_of[sender] += size
            parcel.then(partial(self._is_safe, sender, size))
            self._send(parcel)
        return pending

    def _is_safe(self, sender: str, size: int) -> None:
        self._unsafe -= size
        self._unsafe_of[sender] -= size
        if not self._unsafe_of[sender]:
            del self._unsafe_of[sender]

    def has_room(self, sender: str) -> bool:
        """Whether more of `sender` may wait in memory, that of the box's other services included:
        there is always some for who has little there."""
        if self._unsafe < _MAX_UNSAFE:
            return True
        return self._unsafe < 2 * _MAX_UNSAFE and self._unsafe_of[sender] < _LITTLE

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

    def refuse(self, stanza: Stanza, why: StanzaError) -> None:
        """Tell a stanza's sender, who is of the box, no (RFC 6120 §8.3.1)."""
        if stanza.type in ("error", "result"):
            return
        if stanza.name == "presence" and stanza.type == "unavailable":
            return
        self._to_box(error(stanza, why))

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
            with purpose("arrived"):
                self._hand_over(stanza, to)
            return ()

        Cause(id, lambda: self._arrivals.leave(id)).run(hand_over)

    def _to_box(self, stanza: Stanza) -> None:
        with suppress(InvalidJID):
            self._hand_over(stanza, JID.parse(stanza.attrs.get("to", "")))

    def _hand_over(self, stanza: Stanza, to: JID) -> None:
        """It counts for the server that it is from, which has as many names as it likes."""
        service = self.hosted.get(to.domain)
        if service is not None:
            sender = stanza.attrs.get("from", "")
            server = registrable_domain(sender.partition("/")[0].rpartition("@")[2])
            self.bus.send(service, STANZA, sender, (to.full,), stanza.pack(), account=server)

    def announce(self, link: Link, *, away: bool) -> None:
        """Tell a service of the box that all of a server's people are away, or may be back."""
        news = stanza("presence", from_=link.remote, to=link.local)
        if away:
            turned = news.replace(from_=link.local, to=link.remote)
            news = error(turned, RemoteServerTimeout())
        service = self.hosted[link.local]
        self.bus.send_vital(service, STANZA, link.remote, (link.local,), news.pack())

    def undeliverable(self, service: str, frame: Frame) -> None:
        """A service of the box was away for too long, or took too little: the peer's user hears of
        it, or it is kept."""
        log(Event.UNDELIVERABLE, service=Word(service))
        try:
            refused = Stanza.unpack(frame.payload)
        except ValueError:
            return
        if is_goodbye(refused):
            say_goodbye(self.bus, service, frame, refused)
        elif refused.type not in ("error", "result") and refused.sender is not None:
            sorry = ServiceUnavailable("this part of the server takes no more now", type="wait")
            self._send(Parcel(error(refused, sorry), token(96), self.host.clock()))

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
        self.proven.pop(stream)
        if stream.connection.entry is not None:
            stream.connection.entry.leave()

    def hold(self, stream: PeerStream) -> None:
        """A stream was proven: if there are too many, one with whoever has most of them goes."""
        if stream.connection.entry is not None:
            stream.connection.entry.known()
        displaced = self.proven.put(stream, registrable_domain(stream.remote), None)
        if displaced is not None:
            displaced.key.end(StreamError("resource-constraint", "you have many streams here"))

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
        """Close all streams; what they have not brought there goes to the disk.

        What peers sent and we have read is handed over first, and acknowledged: they would send it
        to our successor again.
        """
        self.stopping = True
        for stream in list(self.streams):
            stream.read_no_more()
        deadline = time.monotonic() + _FAREWELL
        while time.monotonic() < deadline and any(stream.is_at_work for stream in self.streams):
            gevent.sleep(0.02)
        self.bus.finish()  # what the box says from here on is for our successor
        for stream in list(self.streams):
            stream.acknowledge()
            stream.end(StreamError("system-shutdown"))
        for link in list(self.links.values()):
            link.stop()

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
        """`flush`: try the servers that something waits for now; "" means all of them.  `try`: also
        if nothing waits.  `rules`: the owner has decided about a server."""
        match message.get("change"):
            case "flush":
                self._flush(message)
            case "try":
                self._try(message.get("domain", ""))
            case "rules":
                self.trust.reread_rules()
                for link in list(self.links.values()):
                    link.reconsider()
                self.judge_again()

    def _try(self, domain: str) -> None:
        known = [link for (_, remote), link in self.links.items() if remote == domain]
        with suppress(StanzaError):  # it is the box's own, or there are too many others
            for link in known or [self.link(self.settings.domain, domain)]:
                link.connect(now=True)

    def _flush(self, message: dict[str, str]) -> None:
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


def _short(recipient: str) -> str:
    """Tells the recipients of a frame apart, whoever else is among them when it comes again."""
    return blake2b(recipient.encode(), digest_size=8).hexdigest()
