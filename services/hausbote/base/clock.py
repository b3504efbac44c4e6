"""Points in time as XMPP writes them."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_DATETIME: Final = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def timestamp(at: float) -> str:
    """Seconds since 1970 as a UTC DateTime with milliseconds (XEP-0082)."""
    text = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


def exact_timestamp(at: int) -> str:
    """Microseconds since 1970 as a UTC DateTime that has all of them (XEP-0082)."""
    text = (_EPOCH + timedelta(microseconds=at)).isoformat(timespec="microseconds")
    return text.removesuffix("+00:00") + "Z"


def moment(text: str) -> int | None:
    """A DateTime of XEP-0082 in microseconds since 1970; None if it is none."""
    if not _DATETIME.fullmatch(text):
        return None
    try:
        return (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError):
        return None
