"""SASL messages inside XML: base64, with "=" for an empty one (RFC 6120 §6.4.2)."""

import base64

from hausbote.xmpp.sasl.errors import SaslError


def decode(text: str) -> bytes:
    """The message in an <auth/> or <response/>; SaslError("incorrect-encoding") if it is none."""
    if text == "=":
        return b""
    try:
        return from_base64(text)
    except ValueError:
        raise SaslError("incorrect-encoding") from None


def encode(message: bytes) -> str:
    """The message as the text of a <challenge/> or <success/>."""
    return base64.b64encode(message).decode() or "="


def from_base64(text: str) -> bytes:
    """The bytes of canonical base64 (RFC 4648 §3.5); ValueError for any other spelling.

    The library's own decoder takes superfluous padding and stray bits, differently by version.
    """
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("not canonical base64")
    return data
