"""One XML stream with another server (RFC 6120 §4), whoever began it.

On the hub bytes become events; a worker handles them one after the other.  Until the peer is proven
it is read in lockstep: nothing more is taken before the last step is answered, so that no byte can
slip past a restart of the stream.

What was sent is kept until the peer has acknowledged it (XEP-0198); a peer without stream
management is asked with a ping (XEP-0199), which it can only answer after what came before.
"""

import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from hausbote.base.jid import JID, InvalidJID
from hausbote.base.log import Event, Word, log
from hausbote.base.tokens import session_tag, token
from hausbote.core.guard import guarded
from hausbote.core.pump import Lane
from hausbote.net.connection import Connection
from hausbote.net.tlsa import PublishedCertificates
from hausbote.s2s.acks import Answers, Sent, TooManyAcknowledged
from hausbote.s2s.parcel import Parcel, without_hop
from hausbote.s2s.problem import harmless, word
from hausbote.xmpp import ns
from hausbote.xmpp.acks import Ledger
from hausbote.xmpp.errors import StreamError
from hausbote.xmpp.stanza import Stanza
from hausbote.xmpp.stream import (
    BEFORE_LOGIN,
    Closed,
    Opened,
    ParserLimits,
    StreamParser,
    language_of,
)
from hausbote.xmpp.stream import Event as StreamEvent
from hausbote.xmpp.xml import Markup, el, escape_attribute

if TYPE_CHECKING:
    from hausbote.s2s.gate import Gate
    from hausbote.s2s.links import Link

UNUSED_OF_THEIRS: Final = 3_600  # seconds without a stanza, until a stream of theirs is closed
_MAX_INBOX: Final = 64  # stanzas read ahead of their handlers
_MAX_UNSAFE: Final = 500  # stanzas read ahead of the rest of the box
_MAX_SENT: Final = 20_000  # stanzas, and
_MAX_SENT_SIZE: Final = 4_194_304  # bytes that the peer has not acknowledged
_VERSION: Final = re.compile(r"0*([0-9]{1,5})\.[0-9]{1,5}")
_STANZAS: Final = frozenset({"message", "presence", "iq"})
_END: Final = b"</stream:stream>"
_H: Final = re.compile(r"[0-9]{1,10}")

Pair = tuple[str, str]
"""A domain of theirs and one of ours."""


class _Step(Enum):
    """What the hub tells the worker besides the parser's events."""

    RESUME = auto()
    GONE = auto()


class PeerStream(ABC):
    """`proven` is who may speak to whom here; `link` is whose stanzas we may send, if anybody's."""

    __slots__ = (
        "_answers",
        "_came",
        "_header_sent",
        "_held_back",
        "_lane",
        "_parser",
        "_stopped",
        "answers",
        "asked",
        "asking",
        "connection",
        "deaf",
        "ended",
        "gate",
        "heard",
        "hops",
        "id",
        "language",
        "last_words",
        "link",
        "local",
        "managed",
        "proven",
        "published",
        "received",
        "remote",
        "said",
        "sent",
        "since",
        "tag",
        "used",
    )

    def __init__(self, gate: "Gate", connection: Connection, local: str, remote: str) -> None:
        self.gate = gate
        self.connection = connection
        self.local = local
        self.remote = remote
        self.tag = session_tag()
        self.id = token()  # of our header
        self.since = self.heard = self.said = self.used = time.monotonic()
        self.proven: set[Pair] = set()
        self.published: PublishedCertificates | None = None  # by DNS, of the peer's host
        self.link: Link | None = None
        self.sent = Sent()
        self.received = Ledger()
        self.hops = False  # whether the peer knows what a hop is
        self.managed = False  # whether there is stream management
        self.answers = False  # whether the peer has ever answered a ping
        self.deaf = False  # whether it answers none: what its machine has counts as arrived
        self.asking = False  # whether we asked what has arrived and there is no answer yet
        self.asked = 0.0  # when we first did, since something last arrived; 0 = we did not
        self.last_words = ""  # why the peer ended the stream
        self.language: str | None = None
        self.ended = False
        self._answers = Answers(self.received, self._say_handled)
        self._held_back = False  # the box does not keep up with the peer
        self._stopped = False
        self._came = 0  # stanzas
        self._parser = StreamParser(BEFORE_LOGIN, ns.SERVER)
        self._lane = Lane(self._handle)
        self._header_sent = False
        connection.receiver = self

    @property
    def closed(self) -> bool:
        return self.ended or self.connection.closed

    # -- on the hub ----------------------------------------------------------------------------

    def on_data(self, data: bytes) -> None:
        if self.ended:
            return
        self.heard = time.monotonic()
        events = self._parser.feed(data)
        post, lane = self.gate.pump.post, self._lane
        if self.proven:
            for event in events:
                post(lane, event)
            if len(lane.items) > _MAX_INBOX:
                self.connection.pause()
                lane.drained = self._listen
        elif not self.connection.encrypted:
            for event in events:  # nothing here blocks
                self._handle(event)
                if self.connection.encrypted:
                    return
        elif events:
            self.connection.pause()
            for event in events:
                post(lane, event)
            post(lane, _Step.RESUME)

    def on_closed(self) -> None:
        self.ended = True
        self.gate.forget(self)
        self.gate.pump.post(self._lane, _Step.GONE)

    def rest(self) -> None:
        """Give memory back while nothing comes."""
        self._parser.rest()

    def _listen(self) -> None:
        if len(self.received) <= _MAX_UNSAFE and not self._stopped:
            self.connection.resume()

    # -- in a worker ---------------------------------------------------------------------------

    def _handle(self, event: "StreamEvent | _Step") -> None:
        guarded(self._take, event, self.end)

    def _take(self, event: "StreamEvent | _Step") -> None:
        if event is _Step.GONE:
            self._let_go()
        elif self.ended:
            return
        elif isinstance(event, Stanza):
            self._take_element(event)
        elif isinstance(event, StreamError):
            raise event
        elif isinstance(event, Opened):
            self._open(event.attrs)
        elif isinstance(event, Closed):
            self.close()
        else:
            self._listen()

    def _open(self, attrs: dict[str, str]) -> None:
        self.language = language_of(attrs, self.gate.settings.language)
        self.opened(attrs)

    def _take_element(self, element: Stanza) -> None:
        if element.ns == ns.STREAMS and element.name == "error":
            self.last_words = _last_words(element)
            self.close()
        elif element.ns == ns.CLIENT:  # what the parser makes of the content namespace
            if not self.proven:
                raise StreamError("not-authorized", "prove first who you are")
            if element.name not in _STANZAS:
                raise StreamError("unsupported-stanza-type")
            self._take_stanza(element)
        elif element.ns == ns.SM and self.proven:
            self._manage(element)
        elif element.ns == ns.HOP and self.proven:
            self.hops = True
        else:
            self.negotiate(element)

    def _take_stanza(self, stanza: Stanza) -> None:
        """Its addresses are checked, each time (RFC 6120 §8.1.1.2, §8.1.2.2)."""
        handled = self.received.enter()
        self.used = self.heard
        if "to" not in stanza.attrs or "from" not in stanza.attrs:
            raise StreamError("improper-addressing", "a stanza needs to and from")
        try:
            sender = JID.parse(stanza.attrs["from"])
        except InvalidJID:
            raise StreamError("invalid-from", "the sender is no address") from None
        try:
            to = JID.parse(stanza.attrs["to"])
        except InvalidJID:
            raise StreamError("improper-addressing", "the recipient is no address") from None
        if (sender.domain, to.domain) not in self.proven:
            self._refuse_pair(sender.domain, to.domain)
        if self.language is not None and "xml:lang" not in stanza.attrs:
            stanza.attrs["xml:lang"] = self.language
        stanza.attrs["from"], stanza.attrs["to"] = sender.full, to.full
        stanza, hop = without_hop(stanza)
        self._came += 1
        id = f"{sender.domain}:{hop}" if hop and self.hops else f"{self.id}-{self._came}"
        self.gate.arrived(stanza, sender, to, id, lambda _: self._is_safe(handled))
        if len(self.received) > _MAX_UNSAFE:
            self._held_back = True
            self.connection.pause()

    def _refuse_pair(self, sender: str, to: str) -> None:
        if any(theirs == sender for theirs, _ in self.proven):
            raise StreamError("host-unknown", "this stream was not opened for that domain")
        raise StreamError("invalid-from", "this domain was not proven")

    def _is_safe(self, handled: Callable[[], None]) -> None:
        handled()
        if self.closed:
            return
        if self._held_back and len(self.received) <= _MAX_UNSAFE:
            self._held_back = False
            if self._lane.drained is None:  # otherwise the lane listens again when it is empty
                self._listen()

    # -- stream management ---------------------------------------------------------------------

    def _manage(self, element: Stanza) -> None:
        if element.name == "r":
            if self.managed:
                self._answers.wanted()
        elif element.name == "a":
            h = element.attrs.get("h", "")
            if not _H.fullmatch(h):
                raise StreamError("policy-violation", "h is a number")
            try:
                self._arrived(self.sent.acknowledge(int(h)))
            except TooManyAcknowledged:
                text = "more was acknowledged than was sent"
                raise StreamError("undefined-condition", text) from None
        else:
            self.negotiate(element)

    def _say_handled(self, count: int) -> None:
        if not self.closed:
            self.say(el("a", xmlns=ns.SM, h=str(count)))

    def read_no_more(self) -> None:
        """What comes from now on is left to who comes after us."""
        self._held_back = False
        self._lane.drained = None
        self._stopped = True
        self.connection.pause()

    @property
    def is_at_work(self) -> bool:
        """Whether something that came is not safe yet."""
        return not self.closed and bool(self._lane.busy or self.received)

    def acknowledge(self) -> None:
        """Say how much is safe, though nobody asked: for the last time."""
        if self.managed and self.proven:
            self._say_handled(self.received.count)

    def manage(self) -> None:
        """Count from now on."""
        self.managed = True
        self.sent, self.received = Sent(), Ledger()
        self._answers = Answers(self.received, self._say_handled)

    def deliver(self, parcel: Parcel) -> None:
        """Send a stanza, and ask what has arrived."""
        self.used = self.said = time.monotonic()
        self.connection.write(parcel.wire(self.gate.host.clock(), with_hop=self.hops))
        if self.managed and not parcel.kept:
            parcel.lighten()
        if self.managed or parcel.kept:
            self.sent.add(parcel)
            self.ask()
        if len(self.sent) > _MAX_SENT or self.sent.size > _MAX_SENT_SIZE:
            self.end(StreamError("resource-constraint", "too much is not acknowledged"))

    def ask(self) -> None:
        """Ask what has arrived, if no question is open."""
        if not self.asking and self.proven and not self.closed:
            self.asking = True
            self.asked = self.asked or time.monotonic()
            if self.managed:
                self.say(el("r", xmlns=ns.SM))
            elif not self.deaf:  # otherwise TCP is asked, now and then
                self.gate.pings.ask(self)

    def answered(self, place: int) -> None:
        """The peer has all that was written before that place."""
        self._arrived(self.sent.take_until(place))

    def _arrived(self, parcels: list[Parcel]) -> None:
        """An answer that says nothing new leaves the time running; it is asked again soon."""
        self.asking = False
        if parcels or not len(self.sent):
            self.asked = 0.0
        if self.link is not None and parcels:
            self.link.arrived(parcels)
        if parcels and len(self.sent):
            self.ask()

    # -- what the two directions do differently ------------------------------------------------

    @abstractmethod
    def opened(self, attrs: dict[str, str]) -> None:
        """The peer's header came."""

    @abstractmethod
    def negotiate(self, element: Stanza) -> None:
        """Something that is no stanza came."""

    # -- what the stream says ------------------------------------------------------------------

    def say(self, markup: Markup) -> None:
        self.said = time.monotonic()
        self.connection.write(markup.encode())

    def send_header(self, **attributes: str | None) -> None:
        """Our side of a stream's beginning (RFC 6120 §4.7)."""
        attributes |= {"version": "1.0", "xml:lang": self.gate.settings.language}
        attributes |= {"xmlns": ns.SERVER, "xmlns:db": ns.DIALBACK, "xmlns:stream": ns.STREAMS}
        written = "".join(
            [f" {k.rstrip('_')}='{escape_attribute(v)}'" for k, v in attributes.items() if v]
        )
        self.connection.write(f"<?xml version='1.0'?><stream:stream{written}>".encode())
        self._header_sent = True

    def restart(self) -> None:
        """After TLS and after the proof the stream begins again.

        What the peer sent behind its last step belongs to no stream and is dropped.
        """
        self._parser.reset()
        self._header_sent = False
        self._lane.items[:] = [item for item in self._lane.items if isinstance(item, _Step)]

    def prove(self, theirs: str, ours: str) -> None:
        """From here on the configured limits hold, and stanzas may come."""
        if not self.proven:
            self._parser.allow(ParserLimits(stanza=self.gate.settings.limits.stanza_bytes))
            self.gate.hold(self)
        self.proven.add((theirs, ours))

    # -- the end -------------------------------------------------------------------------------

    def close(self) -> None:
        """The peer said goodbye, or we do."""
        if not self.ended:
            self.ended = True
            if self._header_sent:
                self.connection.write(_END)
            self.connection.close()
            self.lost()

    def end(self, error: StreamError) -> None:
        """Name the error and close (RFC 6120 §4.9)."""
        if self.ended:
            return
        log(Event.STREAM_ERROR, session=Word(self.tag), condition=Word(error.condition))
        if not self._header_sent:
            self.send_header(from_=self.local or self.gate.settings.domain, id=self.id)
        self.say(error.markup())
        self.close()

    def lost(self) -> None:
        """Nothing more will be sent here: what has not arrived goes back to its link."""
        link, self.link = self.link, None
        if link is not None:
            link.lost(self, self.sent.take(len(self.sent)))

    def _let_go(self) -> None:
        """End the circles of references: what is over is freed now, not by a later collection."""
        if self.proven and self.last_words:
            log(Event.PEER_LOST, domain=word(self.remote))
        self.lost()
        self._parser.reset()
        self._lane.handle = _ignore


def is_versioned(attrs: dict[str, str]) -> bool:
    """Whether the peer's header is of a time that knows TLS."""
    version = _VERSION.fullmatch(attrs.get("version", ""))
    return version is not None and int(version[1]) >= 1


def _last_words(error: Stanza) -> str:
    """The condition of a stream error, and its text."""
    names = [part.name for part in error.children if part.ns == ns.STREAM_ERRORS]
    condition = next((name for name in names if name != "text"), "undefined-condition")
    text = error.text(ns.STREAM_ERRORS, "text")
    return harmless(f"{condition}: {text}" if text else condition)


def _ignore(_event: object) -> None:
    """Handles what comes after the end."""
