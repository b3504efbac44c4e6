"""Random names that nobody can guess."""

import secrets


def token(bits: int = 128) -> str:
    """URL-safe text with that much randomness."""
    return secrets.token_urlsafe((bits + 7) // 8)


def session_tag() -> str:
    """Names a connection in the log: long enough to tell apart, meaningless otherwise."""
    return secrets.token_hex(3)
