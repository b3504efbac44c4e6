"""What the server adds to its first SCRAM message so that a client notices a man in the middle.

Signed with the password's keys as part of that message: which mechanisms and channel bindings were
offered (XEP-0474 0.5.0), and by which version of TLS the connection runs (XEP-0515 0.1.0).
"""

import base64
import hashlib
from collections.abc import Collection
from typing import Final

from hausbote.xmpp.sasl.keys import HASHES

_BETWEEN_ITEMS: Final = "\x1e"
_BETWEEN_LISTS: Final = "\x1f"


def offer_hash(mechanisms: Collection[str], bindings: Collection[str], hash_name: str) -> str:
    """The base64 of the hash of both lists (XEP-0474 §5.1); without bindings none were offered."""
    offered = _BETWEEN_ITEMS.join(sorted(mechanisms))
    if bindings:
        offered += _BETWEEN_LISTS + _BETWEEN_ITEMS.join(sorted(bindings))
    digest = hashlib.new(HASHES[hash_name], offered.encode()).digest()
    return base64.b64encode(digest).decode()


def protection(
    mechanisms: Collection[str], bindings: Collection[str], hash_name: str, tls_version: int
) -> str:
    """The attributes for the end of server-first-message.

    `tls_version` is the number on the wire, 0x0304 for TLS 1.3; 0 if there is none to tell.
    """
    version = f",t={tls_version:04x}" if tls_version else ""
    return f",h={offer_hash(mechanisms, bindings, hash_name)}{version}"
