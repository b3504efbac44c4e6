"""Points in time as XMPP writes them."""

from datetime import UTC, datetime


def timestamp(at: float) -> str:
    """Seconds since 1970 as a UTC DateTime with milliseconds (XEP-0082)."""
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
