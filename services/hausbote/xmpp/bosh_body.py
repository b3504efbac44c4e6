"""BOSH's <body/> (XEP-0124 §5, version 1.11.2; XEP-0206, version 1.4): read and written."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from hausbote.xmpp import ns
from hausbote.xmpp.declaration import without_declaration
from hausbote.xmpp.errors import StreamError
from hausbote.xmpp.stanza import Child, Stanza
from hausbote.xmpp.stream import ParserLimits, StreamParser
from hausbote.xmpp.xml import Markup, el, escape_attribute

_ROOT: Final = f"<stream:stream xmlns='{ns.CLIENT}' xmlns:stream='{ns.STREAMS}'>".encode()
_LARGEST_RID: Final = 9_007_199_254_740_991


class BadBody(Exception):
    """A request that is no <body/>, or none with the attributes that it must have."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request: its own attributes, those of XEP-0206, and each payload as a frame."""

    rid: int
    attrs: dict[str, str]
    xmpp: dict[str, str]
    payloads: tuple[bytes, ...]

    @property
    def sid(self) -> str | None:
        return self.attrs.get("sid")

    @property
    def terminate(self) -> bool:
        return self.attrs.get("type") == "terminate"

    @property
    def restart(self) -> bool:
        return self.xmpp.get("restart") in ("true", "1")

    @property
    def pause(self) -> int | None:
        return self.number("pause")

    def number(self, name: str) -> int | None:
        """A whole number; None if it is not there or is none."""
        return _number(self.attrs.get(name))


def read_body(data: bytes, limit: int) -> Request:
    """The request in an HTTP body of no more than `limit` bytes; BadBody."""
    if len(data) > limit:
        raise BadBody("the request is too large")
    try:
        document = without_declaration(data.strip())
    except StreamError as error:
        raise BadBody(error.condition) from None
    parser = StreamParser(ParserLimits(stanza=limit))
    parser.feed(_ROOT)
    events = parser.feed(document)
    whole = parser.between
    parser.reset()  # expat and its handlers are a circle, which would wait for the collector
    if len(events) != 1 or not isinstance(events[0], Stanza) or not whole:
        reason = events[-1] if events and isinstance(events[-1], StreamError) else None
        raise BadBody(reason.condition if reason else "the request is not one <body/>")
    body = events[0]
    if body.name != "body" or body.ns != ns.HTTP_BIND:
        raise BadBody("the request is not a <body/>")
    if len(body.inner.strip()) != sum(len(child.xml) for child in body.children):
        raise BadBody("text beside the payloads")
    rid = _number(body.attrs.get("rid"))
    if rid is None or not 0 < rid <= _LARGEST_RID:
        raise BadBody("a request has a rid")
    return Request(rid, body.attrs, _of_xbosh(body), tuple(map(_frame, body.children)))


def _number(text: str | None) -> int | None:
    return int(text) if text and len(text) < 17 and text.isascii() and text.isdigit() else None


def _of_xbosh(body: Stanza) -> dict[str, str]:
    prefixes = [k.removeprefix("xmlns:") for k, v in body.attrs.items() if v == ns.XBOSH]
    found: dict[str, str] = {}
    for prefix in prefixes:
        found |= {
            name.removeprefix(f"{prefix}:"): value
            for name, value in body.attrs.items()
            if name.startswith(f"{prefix}:")
        }
    return found


def _frame(child: Child) -> bytes:
    """A payload on its own; many clients leave stanzas in the wrapper's namespace."""
    if child.ns == ns.HTTP_BIND:
        start = f"<{child.name} xmlns='{ns.HTTP_BIND}'"
        return child.xml.replace(start, f"<{child.name} xmlns='{ns.CLIENT}'", 1).encode()
    return child.xml.encode()


def write_body(payloads: Iterable[bytes] = (), **attributes: str | int | None) -> bytes:
    """A response; underscores in names stand for XEP-0206's prefix."""
    named = {
        key.replace("xmpp_", "xmpp:").rstrip("_"): str(value)
        for key, value in attributes.items()
        if value is not None
    }
    declared = {"xmlns": ns.HTTP_BIND, "xmlns:stream": ns.STREAMS}
    if any(name.startswith("xmpp:") for name in named):
        declared["xmlns:xmpp"] = ns.XBOSH
    start = "".join(f" {k}='{escape_attribute(v)}'" for k, v in (declared | named).items())
    inner = b"".join(payloads)
    if not inner:
        return f"<body{start}/>".encode()
    return b"<body%s>%s</body>" % (start.encode(), inner)


def opening(request: Request, before: Request | None = None) -> bytes:
    """What a session's creation and a restart say to the stream: its header.

    A restart need not repeat what the creation `before` it said (XEP-0206 §5).
    """
    given = request.attrs if before is None else before.attrs | request.attrs
    said = {
        "to": given.get("to"),
        "from": request.attrs.get("from"),
        "version": request.xmpp.get("version", "1.0"),
        "xml:lang": given.get("xml:lang"),
    }
    inner = "".join(f" {k}='{escape_attribute(v)}'" for k, v in said.items() if v is not None)
    return Markup(f"<open xmlns='{ns.FRAMING}'{inner}/>").encode()


CLOSING: Final = el("close", xmlns=ns.FRAMING).encode()
