"""The sessions whose stanzas are counted, and what is said when that fails (XEP-0198)."""

import math
from typing import TYPE_CHECKING, Final

from hausbote.base.shares import Shares
from hausbote.core import dispatch
from hausbote.core.feature import Feature
from hausbote.core.host import Host
from hausbote.core.session import Session
from hausbote.xmpp import ns
from hausbote.xmpp.acks import HandledCountTooHigh
from hausbote.xmpp.errors import (
    StanzaError,
    StreamError,
)
from hausbote.xmpp.xml import Markup, el

if TYPE_CHECKING:
    from hausbote.c2s.stream import ClientStream

feature = Feature("stream management", xeps={"0198": "1.6.3"})

_REMEMBERED: Final = 10_000  # ended sessions whose last count is still known
_ASLEEP: Final = 2_000  # sessions that wait for their clients; each may have some megabytes
ASK: Final = el("r", xmlns=ns.SM).encode()
OFFER: Final = el("sm", xmlns=ns.SM)
"""In the features of a stream, unless it was enabled with Bind 2 already."""


class Managed:
    """A session whose stanzas are counted; `id` is "" if it cannot be resumed.

    `stream` is None while it hibernates, `until` is when that ends, and `wake_at` when its client
    is to be woken for what waits since before a restart, both on time.monotonic()'s clock.
    """

    __slots__ = ("id", "seconds", "session", "stream", "taker", "until", "wake_at")

    def __init__(
        self, id: str, seconds: int, session: Session, stream: "ClientStream | None"
    ) -> None:
        self.id = id
        self.seconds = seconds
        self.session = session
        self.stream: ClientStream | None = stream
        self.until = 0.0
        self.wake_at = math.inf
        self.taker: ClientStream | None = None  # its client is just coming back over this

    @property
    def waits(self) -> bool:
        """Whether nobody is there."""
        return self.stream is None and self.taker is None


class Place:
    """Where a session finds what manages it."""

    __slots__ = ("managed",)

    def __init__(self) -> None:
        self.managed: Managed | None = None


class Book:
    """All managed sessions of this service, and how far those were that ended.

    Of what sleeps and of what ended every account has a share.
    """

    def __init__(self) -> None:
        self.all: set[Managed] = set()
        self.by_id: dict[str, Managed] = {}
        self.ended: Shares[str, tuple[str, int]] = Shares(_REMEMBERED)
        self.asleep: Shares[Managed, None] = Shares(_ASLEEP)  # sessions that hibernate


def failed(problem: StanzaError, h: int | None = None) -> Markup:
    """<failed/>: nothing changed, and the stream goes on (§6)."""
    condition = el(problem.condition, xmlns=ns.STANZA_ERRORS)
    return el("failed", condition, h=None if h is None else str(h), xmlns=ns.SM)


def number(text: str | None) -> int | None:
    if text is None or not text.isascii() or not text.isdecimal() or len(text) > 10:
        return None
    number = int(text)
    return number if number < 2**32 else None


def too_high(problem: HandledCountTooHigh) -> StreamError:
    h, sent = str(problem.h), str(problem.sent)
    detail = el("handled-count-too-high", **{"h": h, "send-count": sent, "xmlns": ns.SM})
    text = f"You acknowledged {h} stanzas, but only {sent} were sent so far."
    return StreamError("undefined-condition", text, extra=detail)


def overflowed(host: Host, session: Session) -> None:
    """In the middle of whoever sends to it: the end is a worker's job."""
    error = StreamError("policy-violation", "too much was sent without being acknowledged")

    def end() -> None:
        session.transport.end(error)
        dispatch.gone(host, session)

    host.pump.run(end)
