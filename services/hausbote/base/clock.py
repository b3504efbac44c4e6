"""Points in time as XMPP writes them."""

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final

_DATETIME: Final = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_DAY: Final = date(1970, 1, 1).toordinal()


def timestamp(at: float) -> str:
    """Seconds since 1970 as a UTC DateTime with milliseconds (XEP-0082).

    A page of an archive needs one for each message; `datetime` takes twice as long.
    """
    seconds, milliseconds = divmod(round(at * 1_000_000) // 1_000, 1_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"{_day(days)}T{hours:02}:{minutes:02}:{seconds:02}.{milliseconds:03}Z"


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


@lru_cache(maxsize=64)
def _day(number: int) -> str:
    """The date that is so many days after 1970-01-01."""
    return date.fromordinal(_FIRST_DAY + number).isoformat()
