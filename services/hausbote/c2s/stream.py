"""One client's XML stream (RFC 6120 §4): from its first byte to its end.

On the hub bytes become events; a worker handles them one after the other.  Until a resource is
bound the client is read in lockstep: nothing more is taken before the last step is answered, so
that no byte can slip past a restart of the stream.
"""

from collections.abc import Callable
from enum import Enum, auto
from functools import partial
from typing import TYPE_CHECKING, Final

from hausbote.base.log import Event, Word, log
from hausbote.base.tokens import session_tag, token
from hausbote.c2s.login import Login
from hausbote.c2s.management import hibernation, preserving
from hausbote.c2s.negotiation import features, negotiate, open_stream
from hausbote.core import dispatch
from hausbote.core.guard import guarded
from hausbote.core.pump import HOLD, Lane
from hausbote.core.session import Session
from hausbote.net.transport import Transport
from hausbote.xmpp import ns
from hausbote.xmpp.errors import StreamError
from hausbote.xmpp.framing import DOCUMENT, Framing
from hausbote.xmpp.stanza import Stanza
from hausbote.xmpp.stream import Closed, Opened, ParserLimits
from hausbote.xmpp.stream import Event as StreamEvent
from hausbote.xmpp.xml import Markup

if TYPE_CHECKING:
    from hausbote.c2s.server import Server

_MAX_INBOX: Final = 64  # stanzas read ahead of their handlers
_MAX_UNWRITTEN: Final = 262_144  # bytes that wait for a client whose next stanza is handled


class _Step(Enum):
    """What the hub tells the worker besides the parser's events."""

    RESUME = auto()
    GONE = auto()


class ClientStream:
    """Receives from its connection, and is the transport of its session."""

    __slots__ = (
        "_ended",
        "_framing",
        "_header_sent",
        "_held",
        "_lane",
        "_language",
        "_parser",
        "_restarting",
        "awake",
        "connection",
        "language",
        "login",
        "server",
        "session",
        "since",
        "tag",
        "waiting",
    )

    def __init__(
        self,
        server: "Server",
        connection: Transport,
        since: float,
        framing: Framing = DOCUMENT,
    ) -> None:
        self.server = server
        self.connection = connection
        self.since = since
        self.login: Login | None = None
        self.session: Session | None = None
        self.language: str | None = None  # of the client's stream, if it is not ours
        self.tag = session_tag()
        self.waiting = False  # for the end of a penalty, before anything more is read
        self.awake = True  # whether something came since the last sweep
        self._framing = framing
        self._parser = framing.parser()
        self._lane = Lane(self._handle)
        self._header_sent = False
        self._ended = False
        self._held = False  # until the client has read what waits for it

    # -- on the hub ----------------------------------------------------------------------------

    def on_data(self, data: bytes) -> None:
        if self._ended:
            return
        events = self._parser.feed(data)
        if not self.awake:
            self.awake = True
            self.server.woke(self)
        post, lane = self.server.host.pump.post, self._lane
        if self.session is not None:
            for event in events:
                post(lane, event)
            if len(lane.items) > _MAX_INBOX:
                self.connection.pause()
                lane.drained = self.connection.resume
        elif not self.connection.encrypted:
            self._in_plain_text(events)
        elif events:
            self.connection.pause()
            for event in events:
                post(lane, event)
            post(lane, _Step.RESUME)

    def _in_plain_text(self, events: list[StreamEvent]) -> None:
        """Nothing here blocks; what comes behind <starttls/> is dropped with the parser."""
        for event in events:
            self._handle(event)
            if self.connection.encrypted:
                return

    def on_closed(self) -> None:
        self._ended = True
        self.server.forget(self)
        self.server.host.pump.post(self._lane, _Step.GONE)

    def read_no_more(self) -> None:
        """What the client sends from now on was never received."""
        self._lane.drained = None
        self.connection.pause()

    @property
    def is_at_work(self) -> bool:
        """Whether something that came is not safe yet."""
        acks = self.session.acks if self.session is not None else None
        # A client that does not read may do so for ever; what it is to read first has not begun.
        handles = self._lane.busy and not self._held
        return not self._ended and (handles or (acks is not None and bool(acks.ledger)))

    def rest(self) -> bool:
        """Give memory back while nothing comes; False in the middle of something."""
        return self._parser.rest()

    # -- in a worker ---------------------------------------------------------------------------

    def _handle(self, event: "StreamEvent | _Step") -> object:
        """A client that asks for much reads it before it gets more."""
        guarded(self._take, event, self.end)
        if self.connection.unwritten <= _MAX_UNWRITTEN or self._ended:
            return None
        self._held = True
        self.connection.when_sent(self._go_on)
        return HOLD

    def _go_on(self) -> None:
        self._held = False
        self.server.host.pump.release(self._lane)

    def _take(self, event: "StreamEvent | _Step") -> None:
        if isinstance(event, Stanza):
            self._take_element(event)
        elif isinstance(event, StreamError):
            self.end(event)
        elif isinstance(event, Opened):
            if not self._ended:
                open_stream(self, event.attrs)
        elif isinstance(event, Closed):
            self.close()
        elif event is _Step.GONE:
            if not hibernation.hibernate(self):
                self._leave()
            self._let_go()
        elif not self.waiting:
            self.connection.resume()

    def _take_element(self, stanza: Stanza) -> None:
        if stanza.ns == ns.STREAMS and stanza.name == "error":
            self.close()  # the client gives up; an error is not answered with one (§4.9.1.1)
            return
        session = self.session
        if session is None:
            if not self._ended:
                negotiate(self, stanza)
        elif not session.gone:
            if stanza.ns != ns.CLIENT:
                self._take_nonza(session, stanza)
                return
            if self.language is not None and "xml:lang" not in stanza.attrs:
                stanza.attrs["xml:lang"] = self.language
            host, acks = self.server.host, session.acks
            if acks is None:
                dispatch.from_session(host, session, stanza)
            else:
                acks.handle(partial(dispatch.from_session, host, session, stanza))
        else:
            self.end(StreamError("reset", "the session is over"))

    def _take_nonza(self, session: Session, element: Stanza) -> None:
        host = self.server.host
        handler = host.registry.nonzas.get((element.ns, element.name))
        if handler is None:
            raise StreamError("unsupported-stanza-type")
        handler(host, session, element)

    def _leave(self) -> None:
        if self.session is not None and not self.session.gone:
            log(Event.SESSION_ENDED, session=Word(self.tag))
            dispatch.gone(self.server.host, self.session)

    def _let_go(self) -> None:
        """End the circles of references: what is over is freed now, not by a later collection."""
        self._parser.reset()
        self._lane.handle = _ignore
        self.session = None

    # -- what the stream says ------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        return self._ended or self.connection.closed

    def send(self, data: bytes) -> None:
        self.connection.write(data)

    def when_sent(self, callback: Callable[[], None]) -> None:
        self.connection.when_sent(callback)

    def say(self, markup: Markup) -> None:
        self.connection.write(markup.encode())

    def send_header(self, to: str | None = None, *, versioned: bool = True) -> None:
        """Our side of a stream's beginning (RFC 6120 §4.7).

        A client of the time before versions gets none back (§4.7.5).
        """
        host = self.server.host
        attributes = {
            "from": host.domain,
            "id": token(),
            "version": "1.0",
            "xml:lang": host.settings.language,
        }
        if not versioned:
            del attributes["version"]
        if to is not None:
            attributes["to"] = to
        self.connection.write(self._framing.opening(attributes))
        self._header_sent = True

    def send_features(self) -> None:
        self.connection.write(features(self))

    def restart(self) -> None:
        """After TLS and after the login the client begins a stream again.

        What it sent behind its last step belongs to no stream and is dropped.
        """
        self._parser.reset()
        self._header_sent = False
        self._lane.items[:] = [item for item in self._lane.items if isinstance(item, _Step)]

    def start_tls(self) -> None:
        self.restart()
        self.connection.start_tls(self.server.shelf)

    def welcome(self, session: Session) -> None:
        """A resource is bound: from here on the configured limits hold."""
        self._parser.allow(ParserLimits(stanza=self.server.host.settings.limits.stanza_bytes))
        self.session = session
        self.login = None
        self.server.logged_in(self)
        log(Event.SESSION_STARTED, session=Word(self.tag))

    # -- the end -------------------------------------------------------------------------------

    def leave_for_restart(self) -> None:
        """The service stops: tell the client how much was handled; if it may, it comes back."""
        session = self.session
        if session is not None and session.acks is not None and not self.closed:
            self.send(f"<a xmlns='{ns.SM}' h='{session.acks.ledger.count}'/>".encode())
            if preserving.put_to_sleep(self.server.host, session):
                self.session = None
        self.end(StreamError("system-shutdown"))

    def close(self) -> None:
        """The client said goodbye, or we do."""
        if not self._ended:
            self._ended = True
            self.connection.write(self._framing.closing)
            self.connection.close()
            self._leave()

    def end(self, error: StreamError) -> None:
        """Name the error and close (RFC 6120 §4.9)."""
        if self._ended:
            return
        log(Event.STREAM_ERROR, session=Word(self.tag), condition=Word(error.condition))
        if not self._header_sent:
            self.send_header()
        self.say(error.markup())
        self.close()


def _ignore(_event: object) -> None:
    """Handles what comes after the end."""
