"""Where a stream's elements begin and end on the wire: one long document, or a frame for each.

Over TCP a stream is one document (RFC 6120 §4).  Over WebSocket every element is a message of its
own, with <open/> and <close/> for the ends of the document (RFC 7395); BOSH's bodies are taken
apart into the same frames.  What is below reads and writes the ends; elements between them are
written by whoever negotiates, without the namespaces that the document's root declares.
"""

from typing import Final, Protocol

from hausbote.xmpp import ns
from hausbote.xmpp.declaration import without_declaration
from hausbote.xmpp.errors import StreamError
from hausbote.xmpp.stanza import Stanza
from hausbote.xmpp.stream import (
    BEFORE_LOGIN,
    Closed,
    Event,
    Opened,
    ParserLimits,
    StreamParser,
)
from hausbote.xmpp.xml import el, escape_attribute


class Parser(Protocol):
    """Bytes in, events out."""

    def feed(self, data: bytes) -> list[Event]: ...

    def reset(self) -> None: ...

    def rest(self) -> bool: ...

    def allow(self, limits: ParserLimits) -> None: ...


class Framing(Protocol):
    """How a stream's ends look, and what reads the client's side."""

    @property
    def closing(self) -> bytes: ...

    def parser(self) -> Parser: ...

    def opening(self, attributes: dict[str, str]) -> bytes: ...


class _Document:
    """Header and end of one document (RFC 6120 §4.7)."""

    closing: Final = b"</stream:stream>"

    def parser(self) -> Parser:
        return StreamParser(BEFORE_LOGIN)

    def opening(self, attributes: dict[str, str]) -> bytes:
        inner = "".join([f" {k}='{escape_attribute(v)}'" for k, v in attributes.items()])
        return (
            f"<?xml version='1.0'?><stream:stream{inner} xmlns='{ns.CLIENT}'"
            f" xmlns:stream='{ns.STREAMS}'>"
        ).encode()


class _Frames:
    """<open/> and <close/> (RFC 7395 §3.4, §3.6)."""

    closing: Final = el("close", xmlns=ns.FRAMING).encode()

    def parser(self) -> Parser:
        return FrameParser(BEFORE_LOGIN)

    def opening(self, attributes: dict[str, str]) -> bytes:
        inner = "".join(f" {k}='{escape_attribute(v)}'" for k, v in attributes.items())
        return f"<open xmlns='{ns.FRAMING}'{inner}/>".encode()


DOCUMENT: Final[Framing] = _Document()
FRAMES: Final[Framing] = _Frames()

_ROOT: Final = f"<stream:stream xmlns='{ns.CLIENT}' xmlns:stream='{ns.STREAMS}'>".encode()
_SPACE: Final = b" \t\r\n"


class FrameParser:
    """Whole frames in, events out: one element each, read by the parser of streams.

    White space alone is let pass: some clients keep their connection alive with it.
    """

    __slots__ = ("_failed", "_limits", "_opened", "_parser", "_rooted")

    def __init__(self, limits: ParserLimits = BEFORE_LOGIN) -> None:
        self._limits = limits
        self._parser = StreamParser(limits)
        self.reset()

    def reset(self) -> None:
        """The next frame is <open/> again."""
        self._opened = self._failed = self._rooted = False
        # There is no root before a frame comes: expat and its handlers are a circle, and this may
        # be the end.
        self._parser.reset()

    def rest(self) -> bool:
        return self._parser.rest()

    def allow(self, limits: ParserLimits) -> None:
        self._limits = limits
        self._parser.allow(limits)

    def feed(self, data: bytes) -> list[Event]:
        """The event of one frame."""
        data = data.strip(_SPACE)
        if self._failed or not data:
            return []
        try:
            return [self._event(without_declaration(data))]
        except StreamError as error:
            self._failed = True
            return [error]

    def _event(self, frame: bytes) -> Event:
        if 0 < self._limits.stanza < len(frame):
            raise StreamError("policy-violation", "a stanza is too large")
        if not frame.startswith(b"<"):
            raise StreamError("bad-format", "a frame is one element")
        if not self._rooted:
            self._rooted = True
            self._parser.feed(_ROOT)
        events = self._parser.feed(frame)
        for event in events:
            if isinstance(event, StreamError):
                raise event
        if len(events) != 1 or not isinstance(events[0], Stanza) or not self._parser.between:
            raise StreamError("bad-format", "a frame is one complete element")
        return self._named(events[0])

    def _named(self, element: Stanza) -> Event:
        if self._opened:
            if element.ns != ns.FRAMING:
                return element
            if element.name == "close":
                return Closed()
            raise StreamError("bad-format", "the stream is open")
        if element.name in ("open", "stream") and element.ns != ns.FRAMING:
            raise StreamError("invalid-namespace", f"<open/> is of {ns.FRAMING}")
        if element.ns == ns.FRAMING and element.name == "close":
            return Closed()
        if element.name != "open":
            raise StreamError("bad-format", "a stream begins with <open/>")
        self._opened = True
        return Opened(element.attrs)


def alone(element: bytes) -> bytes:
    """One element as we write it for a document, made to stand without the document's root."""
    name, _, _ = element[1:64].partition(b">")
    name = name.partition(b" ")[0].rstrip(b"/")
    if name in _OF_CONTENT:
        return b"<%s xmlns='%s'%s" % (name, _CONTENT, element[1 + len(name) :])
    if name.startswith(b"stream:"):
        return b"<%s xmlns:stream='%s'%s" % (name, _STREAMS, element[1 + len(name) :])
    return element


_OF_CONTENT: Final = frozenset({b"message", b"presence", b"iq"})
_CONTENT: Final = ns.CLIENT.encode()
_STREAMS: Final = ns.STREAMS.encode()
