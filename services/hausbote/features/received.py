"""What clients that are gone had received of what was sent to their account.

Messages go to all clients that are there, and what one of them never got is given again when its
session ends.  If another one got it live, and has gone since, it was no message to nobody: it is in
the archive for whoever has not seen it, and not given again (RFC 6121 §8.5.2.1.1, XEP-0160 §3).
"""

import math
import time
from typing import Any, Final

from hausbote.core.directory import Account
from hausbote.core.feature import Feature, Moment
from hausbote.core.host import Host
from hausbote.core.session import Session

feature = Feature("what was received")

_MAX_SPANS: Final = 20  # of an account that clients of it are still connected to, or away from
_ONE_DELIVERY: Final = 1.0  # seconds between what two clients note as the time of one message


class _Left:
    """When a session became unavailable, in seconds since 1970."""

    __slots__ = ("at",)

    def __init__(self) -> None:
        self.at = math.inf


class _Spans:
    """From when to when a client of the account got every message that was for all of them."""

    __slots__ = ("all",)

    def __init__(self) -> None:
        self.all: list[tuple[float, float]] = []


@feature.on(Moment.READY)
def stays(_host: Host, session: Session) -> None:
    session.state(_Left).at = math.inf


@feature.on(Moment.LEFT)
def left(_host: Host, session: Session) -> None:
    session.state(_Left).at = time.time()


@feature.on(Moment.GONE)
def note(_host: Host, session: Session) -> None:
    """Only a client that counts has said what it got; what waits for older ones it did not get."""
    if session.acks is None or session.holds or not session.ready_since:
        return
    queue = session.acks.unacked.queue
    missed = [one.at - _ONE_DELIVERY for one in queue if one.stanza is not None]
    until = min([time.time(), session.state(_Left).at, *missed])
    spans = session.account.state(_Spans).all
    spans.append((session.ready_since, until))
    del spans[:-_MAX_SPANS]


def _pack(session: Session) -> list[Any] | None:
    """When it left, and what is known of the others of its account, which is in every session."""
    left, spans = session.state(_Left).at, session.account.state(_Spans).all
    return [left, spans] if spans or left < math.inf else None


def _unpack(_host: Host, session: Session, packed: list[Any]) -> None:
    session.state(_Left).at, spans = packed
    session.account.state(_Spans).all = [(since, until) for since, until in spans]


feature.keeps("received", _pack, _unpack)


def was_received(account: Account, at: float) -> bool:
    """Whether a client that is gone got what came then for all clients of the account."""
    return any(since <= at < until for since, until in account.state(_Spans).all)
