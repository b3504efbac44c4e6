"""The keys of server dialback (XEP-0185)."""

import hashlib
import hmac


def key(secret: bytes, receiving: str, originating: str, stream_id: str) -> str:
    """What proves that the owner of `secret` speaks for `originating` on that stream."""
    text = f"{receiving} {originating} {stream_id}"
    hashed = hashlib.sha256(secret).hexdigest()
    return hmac.new(hashed.encode(), text.encode(), hashlib.sha256).hexdigest()


def is_right(given: str, secret: bytes, receiving: str, originating: str, stream_id: str) -> bool:
    """Whether the key is the one that the secret makes."""
    expected = key(secret, receiving, originating, stream_id)
    return hmac.compare_digest(given.strip().encode(), expected.encode())
