"""The first bytes of a document: how it is encoded, and its XML declaration if it has one."""

from pyexpat import ExpatError, ParserCreate
from typing import Final

from hausbote.xmpp.errors import StreamError

_LONGEST: Final = 120  # bytes of a declaration
_START: Final = b"<?xml"
_SPACE: Final = b" \t\r\n"


def check_encoding(data: bytes) -> None:
    """expat takes UTF-16 by its byte order mark or zero bytes even when told UTF-8."""
    if data[:1] in (b"\xfe", b"\xff", b"\x00") or data[1:2] == b"\x00":
        raise StreamError("unsupported-encoding", "streams are UTF-8 (RFC 6120 §11.6)")
    if data[:2] == b"\xef\xbb":
        raise StreamError("not-well-formed", "a byte order mark is text here (RFC 6120 §11.6)")


def check_declaration(version: str, encoding: str | None, _standalone: int) -> None:
    """What expat has read of a declaration; StreamError."""
    if encoding is not None and encoding.upper() != "UTF-8":
        raise StreamError("unsupported-encoding", "streams are UTF-8 (RFC 6120 §11.6)")
    if version != "1.0":
        raise StreamError("not-well-formed", "streams are XML 1.0")


def without_declaration(document: bytes) -> bytes:
    """A whole document, behind its declaration; StreamError if that would not begin a stream.

    A WebSocket's frame may have one, though it should not (RFC 7395 §3.3.3), and so may a body of
    BOSH.  They are read inside a root, where none may be.
    """
    if not document.startswith(_START) or document[5:6] not in _SPACE:
        return document
    end = document.find(b"?>", 0, _LONGEST) + 2
    expat = ParserCreate("UTF-8")
    expat.XmlDeclHandler = check_declaration
    try:
        expat.Parse(document[:end], False)
    except ExpatError:
        raise StreamError("not-well-formed", "this is no XML declaration") from None
    if end < 2:
        raise StreamError("not-well-formed", "an XML declaration without an end")
    return document[end:].lstrip(_SPACE)
