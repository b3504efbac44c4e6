"""One component's stream: header, handshake, stanzas (XEP-0114 §3).

Like a client's: the hub frames, a worker handles in order, and a component that sends faster than
that is held back.  One that does not read loses its connection when `Traffic.unread` is used up.
"""

from enum import Enum, auto
from functools import partial
from typing import TYPE_CHECKING, Final

from hausbote.base.jid import JID, InvalidJID
from hausbote.base.log import Event, Word, log
from hausbote.base.tokens import session_tag, token
from hausbote.c2s.components.outlet import Component
from hausbote.core.dispatch import route
from hausbote.core.guard import guarded
from hausbote.core.host import Host
from hausbote.core.pump import Lane
from hausbote.net.connection import Connection
from hausbote.xmpp import ns
from hausbote.xmpp.component import is_right
from hausbote.xmpp.errors import RemoteServerTimeout, StreamError
from hausbote.xmpp.stanza import Stanza, error, stanza
from hausbote.xmpp.stream import BEFORE_LOGIN, Closed, Opened, ParserLimits, StreamParser
from hausbote.xmpp.stream import Event as StreamEvent
from hausbote.xmpp.xml import el, escape_attribute

if TYPE_CHECKING:
    from hausbote.c2s.components.server import ComponentServer

_MAX_INBOX: Final = 64  # stanzas read ahead of their handlers
_END: Final = b"</stream:stream>"


class _Gone(Enum):
    """What the hub tells the worker besides the parser's events."""

    GONE = auto()


class ComponentStream:
    """`component` is known from the header on, and `attached` when it has proven itself."""

    def __init__(self, server: "ComponentServer", connection: Connection) -> None:
        self.server = server
        self.connection = connection
        self.component: Component | None = None
        self.tag = session_tag()
        self._id = token()
        self._parser = StreamParser(BEFORE_LOGIN, ns.COMPONENT)
        self._lane = Lane(self._handle)
        self._header_sent = False
        self._ended = False

    # -- on the hub ----------------------------------------------------------------------------

    def on_data(self, data: bytes) -> None:
        if self._ended:
            return
        for event in self._parser.feed(data):
            self.server.host.pump.post(self._lane, event)
        if len(self._lane.items) > _MAX_INBOX:
            self.connection.pause()
            self._lane.drained = self.connection.resume

    def on_closed(self) -> None:
        self._ended = True
        self.server.forget(self)
        self.server.host.pump.post(self._lane, _Gone.GONE)

    # -- in a worker ---------------------------------------------------------------------------

    def _handle(self, event: "StreamEvent | _Gone") -> None:
        guarded(self._take, event, self.end)

    def _take(self, event: "StreamEvent | _Gone") -> None:
        if event is _Gone.GONE:
            self._detach()
            self._let_go()
        elif self._ended:
            return
        elif isinstance(event, Stanza):
            self._take_element(event)
        elif isinstance(event, StreamError):
            raise event
        elif isinstance(event, Opened):
            self._open(event.attrs)
        elif isinstance(event, Closed):
            self._close()

    def _open(self, attrs: dict[str, str]) -> None:
        self._send_header(attrs.get("to", ""))
        component = self.server.component(attrs.get("to", ""))
        if component is None:
            log(Event.COMPONENT_REFUSED, session=Word(self.tag))
            raise StreamError("host-unknown", "no component of that name is in the settings")
        if component.attached:
            raise StreamError("conflict", "this component is attached already")
        self.component = component

    def _take_element(self, element: Stanza) -> None:
        component = self.component
        assert component is not None
        if component.stream is self:
            self._take_stanza(component, element)
        elif element.ns == ns.COMPONENT and element.name == "handshake":
            self._shake_hands(component, element.inner)
        else:
            raise StreamError("not-authorized", "the handshake comes first")

    def _shake_hands(self, component: Component, given: str) -> None:
        if not is_right(given, self._id, self.server.secrets[component.domain]):
            log(Event.COMPONENT_REFUSED, session=Word(self.tag))
            raise StreamError("not-authorized")
        if component.attached:
            raise StreamError("conflict", "this component is attached already")
        component.stream = self
        self.server.proven(self)
        self._parser.allow(ParserLimits(stanza=self.server.host.settings.limits.stanza_bytes))
        self.send(el("handshake").encode())
        log(Event.COMPONENT_ATTACHED, session=Word(self.tag))
        self._announce(component)

    def _take_stanza(self, component: Component, stanza: Stanza) -> None:
        """Both addresses are needed, and the sender is one of the component's domain."""
        if stanza.ns != ns.CLIENT:  # what the parser makes of the content namespace
            raise StreamError("unsupported-stanza-type")
        if "to" not in stanza.attrs or "from" not in stanza.attrs:
            raise StreamError("improper-addressing", "a stanza needs to and from")
        sender, to = _parsed(stanza.attrs["from"]), _parsed(stanza.attrs["to"])
        if sender is None or sender.domain != component.domain:
            raise StreamError("invalid-from", "the sender is not of this component's domain")
        stanza.attrs["from"] = sender.full
        if to is not None and stanza.name != "iq":  # an answer names its sender as it was written
            stanza.attrs["to"] = to.full
        self.server.host.handled += 1
        route(self.server.host, stanza)

    def _detach(self) -> None:
        """Its domain is free again, for another connection of the same component most often."""
        if self.component is not None and self.component.stream is self:
            self.component.stream = None
            log(Event.COMPONENT_DETACHED, session=Word(self.tag))
            self._announce(self.component)

    def _announce(self, component: Component) -> None:
        """As for other servers: its people are away now, or are to be asked after."""
        host = self.server.host
        news = stanza("presence", from_=component.domain, to=host.domain)
        if not component.attached:
            turned = news.replace(from_=host.domain, to=component.domain)
            news = error(turned, RemoteServerTimeout())
        host.pump.run(partial(_tell, host, news))

    def _let_go(self) -> None:
        # No circles of references: what is over is freed now.
        self._parser.reset()
        self._lane.handle = _ignore

    # -- what the stream says ------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        self.connection.write(data)

    def _send_header(self, domain: str) -> None:
        attributes = {"from": domain, "id": self._id, "xmlns": ns.COMPONENT}
        inner = "".join(f" {k}='{escape_attribute(v)}'" for k, v in attributes.items())
        start = f"<?xml version='1.0'?><stream:stream xmlns:stream='{ns.STREAMS}'{inner}>"
        self.connection.write(start.encode())
        self._header_sent = True

    def _close(self) -> None:
        if not self._ended:
            self._ended = True
            self._detach()
            self.connection.write(_END)
            self.connection.close()

    def end(self, error: StreamError) -> None:
        """Name the error and close (RFC 6120 §4.9)."""
        if self._ended:
            return
        log(Event.STREAM_ERROR, session=Word(self.tag), condition=Word(error.condition))
        if not self._header_sent:
            self._send_header(self.server.host.domain)
        self.send(error.markup().encode())
        self._close()


def _parsed(address: str) -> JID | None:
    try:
        return JID.parse(address)
    except InvalidJID:
        return None


def _tell(host: Host, news: Stanza) -> None:
    route(host, news)


def _ignore(_event: object) -> None:
    """Handles what comes after the end."""
