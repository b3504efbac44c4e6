"""Random names that nobody can guess."""

import secrets
from base64 import b32encode


def token(bits: int = 128) -> str:
    """URL-safe text with that much randomness."""
    return secrets.token_urlsafe((bits + 7) // 8)


def link_token() -> str:
    """160 random bits as 32 letters and digits, for links: short enough to be typed."""
    return b32encode(secrets.token_bytes(20)).decode().lower()


def session_tag() -> str:
    """Names a connection in the log: long enough to tell apart, meaningless otherwise."""
    return secrets.token_hex(3)
