"""Looks into a child element as if it were a stanza of its own."""

from html import unescape
from typing import Final

from hausbote.xmpp import ns
from hausbote.xmpp.errors import BadRequest
from hausbote.xmpp.stanza import Child, Stanza
from hausbote.xmpp.stream import ParserLimits, StreamParser

_HEADER: Final = f"<stream:stream xmlns='{ns.CLIENT}' xmlns:stream='{ns.STREAMS}'>".encode()
_LIMITS: Final = ParserLimits(stanza=0)  # the stream's own limits let it through already


def unfold(child: Child) -> Stanza:
    """The child with its attributes and its own children.

    BadRequest if it goes beyond what one element may be made of.
    """
    parser = StreamParser(_LIMITS)
    _, *elements = parser.feed(_HEADER + child.xml.encode())
    parser.reset()  # expat and its handlers are a circle, which would wait for the collector
    if len(elements) != 1 or not isinstance(elements[0], Stanza):
        raise BadRequest("this element cannot be understood")
    return elements[0]


def text_of(child: Child) -> str:
    """The text of a child, without white space around it; "" if there are elements in it."""
    _, _, rest = child.xml.partition(">")  # of our own writing: there is none in an attribute
    text, _, _ = rest.rpartition("</")
    return "" if "<" in text else unescape(text).strip()
