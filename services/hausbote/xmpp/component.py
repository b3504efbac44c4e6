"""How a component proves that it knows its secret (XEP-0114 §3)."""

import hashlib
import hmac


def handshake(stream_id: str, secret: str) -> str:
    """The SHA-1 of both, in lower-case hexadecimal digits."""
    return hashlib.sha1((stream_id + secret).encode(), usedforsecurity=False).hexdigest()


def is_right(given: str, stream_id: str, secret: str) -> bool:
    """Whether the handshake is the one that the secret makes."""
    return hmac.compare_digest(given.strip().encode(), handshake(stream_id, secret).encode())
