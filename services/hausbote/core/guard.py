"""What a fault may end: one stream, no more."""

from collections.abc import Callable
from typing import TypeVar

from hausbote.base.log import bug
from hausbote.xmpp.errors import StreamError

T = TypeVar("T")


def guarded(take: Callable[[T], None], event: T, end: Callable[[StreamError], None]) -> None:
    """Take an event of a stream; whatever is wrong with it, or with us, ends the stream."""
    try:
        take(event)
    except StreamError as error:
        end(error)
    except Exception as fault:  # noqa: BLE001 - a fault of ours ends one stream, no more
        bug(fault)
        end(StreamError("internal-server-error"))
