"""SASL messages inside XML: base64, with "=" for an empty one (RFC 6120 §6.4.2)."""

import base64
import binascii

from hausbote.xmpp.sasl.errors import SaslError


def decode(text: str) -> bytes:
    """The message in an <auth/> or <response/>; SaslError("incorrect-encoding") if it is none."""
    if text == "=":
        return b""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise SaslError("incorrect-encoding") from None


def encode(message: bytes) -> str:
    """The message as the text of a <challenge/> or <success/>."""
    return base64.b64encode(message).decode() or "="
