"""What was handled of a stream of stanzas (XEP-0198 §4), in both directions; without I/O."""

import time
from bisect import bisect, insort
from collections.abc import Callable
from operator import itemgetter
from typing import Final, NamedTuple

from hausbote.xmpp.stanza import Stanza
from hausbote.xmpp.xml import escape_attribute

_MODULUS: Final = 2**32
_ASK_AFTER: Final = 10  # stanzas that are no message, until we ask whether they arrived
_PAUSE: Final = 5.0  # seconds between two questions about what rooms say, for they keep it


class HandledCountTooHigh(Exception):
    """The other side claims to have handled more than it was sent."""

    def __init__(self, h: int, sent: int) -> None:
        super().__init__(h, sent)
        self.h = h
        self.sent = sent


class Sent(NamedTuple):
    """`stanza` is set for what must not get lost with a session; `at` is in seconds since 1970.

    With a `rest` it is shared by all clients that it went to: their address belongs between `data`
    and that, and the stanza has no to.  Without `data` it is `missing`.
    """

    data: bytes
    at: float
    stanza: Stanza | None
    rest: bytes = b""

    def wire(self, to: str) -> bytes:
        """What that client was sent."""
        if not self.rest:
            return self.data
        return b"%b%b%b" % (self.data, escape_attribute(to).encode(), self.rest)


def missing(at: float) -> Sent:
    """In the place of what was sent then and is not here any more: it is counted, until it is known
    whether it arrived."""
    return Sent(b"", at, None)


class Unacked:
    """What was sent and not acknowledged yet.

    `overflowed` is called once, when more than `limit` bytes wait (0 = no limit).
    """

    __slots__ = (
        "_asked",
        "_asked_last",
        "_clock",
        "_important",
        "_limit",
        "_others",
        "_overflowed",
        "_said",
        "_sent",
        "_size",
        "_timer",
        "_waiting",
        "asked_at",
        "queue",
    )

    def __init__(
        self,
        limit: int,
        overflowed: Callable[[], None],
        clock: Callable[[], float] = time.time,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self.queue: list[Sent] = []  # an empty list takes 56 bytes, an empty deque 760
        self.asked_at: float | None = None  # when we asked for an answer that did not come yet
        self._sent = 0
        self._asked = 0  # what was sent when we asked last
        self._asked_last = 0.0
        self._important = 0  # what was sent with the last message
        self._said = 0  # ... with the last of a room
        self._others = 0  # that are no messages, since we asked
        self._size = 0
        self._limit = limit
        self._overflowed = overflowed
        self._clock = clock
        self._timer = timer
        self._waiting: list[tuple[int, Callable[[], None]]] = []

    def add(self, data: bytes, stanza: Stanza | None, at: float | None = None) -> None:
        """One more stanza goes out, which came at that time."""
        self.keep(Sent(data, self._clock() if at is None else at, stanza))

    def keep(self, sent: Sent) -> None:
        """The same for what others may share."""
        self.queue.append(sent)
        self._sent += 1
        if not sent.data.startswith(b"<message"):
            self._others += 1
        elif sent.rest:
            self._said = self._sent
        else:
            self._important = self._sent
        before = self._size
        self._size += _size(sent)
        if before <= self._limit < self._size and self._limit:
            self._overflowed()

    def restore(self, acknowledged: int, queue: list[Sent]) -> None:
        """Go on where another left off: so many had been acknowledged, these had not."""
        overflowed, self._overflowed = self._overflowed, _nobody
        self._sent = self._asked = acknowledged
        for sent in queue:
            self.keep(sent)
        self._overflowed = overflowed

    def forget_missing(self) -> None:
        """The client has said how much it has: what is missing behind that was never sent, for it
        will not count it."""
        before, kept, places = self.acknowledged, [], []
        for place, sent in enumerate(self.queue, before + 1):
            if sent.data:
                kept.append(sent)
            else:
                places.append(place)
        self.queue[:] = kept
        self._sent -= len(places)
        self._asked, self._important, self._said = (
            min(number, self._sent) for number in (self._asked, self._important, self._said)
        )
        self._waiting = [(up_to - bisect(places, up_to), call) for up_to, call in self._waiting]
        self._call_back()

    @property
    def acknowledged(self) -> int:
        """How many of what was sent have arrived, since the session began."""
        return self._sent - len(self.queue)

    @property
    def total(self) -> int:
        """How many were sent since the session began."""
        return self._sent

    @property
    def size(self) -> int:
        """Bytes that wait."""
        return self._size

    def is_due(self) -> bool:
        """Whether to ask now; if so, it counts as asked.  Never while an answer is due."""
        if self.asked_at is not None or not self.queue:
            return False
        if not self._is_worth_asking(self._asked):
            return False
        self.ask()
        return True

    def _is_worth_asking(self, asked: int) -> bool:
        if self._important > asked or self._others >= _ASK_AFTER:
            return True
        return self._said > asked and self._timer() - self._asked_last >= _PAUSE

    @property
    def sent(self) -> int:
        """How many were sent, as it is on the wire."""
        return self._sent % _MODULUS

    def ask(self) -> None:
        self._asked, self._others = self._sent, 0
        self.asked_at = self._asked_last = self._timer()

    def is_possible(self, h: int) -> bool:
        """Whether `h` does not count more than was sent; an old number is no lie."""
        return self._new(h) <= len(self.queue)

    def acknowledge(self, h: int) -> bool:
        """The other side has handled so many; HandledCountTooHigh if that cannot be.

        Whether that is all we asked for; if not, the rest is asked for with the next stanza.
        """
        if not self.is_possible(h):
            raise HandledCountTooHigh(h, self.sent)
        arrived = self.queue[: self._new(h)]
        del self.queue[: len(arrived)]
        self._size -= sum([_size(sent) for sent in arrived])
        acked = self._sent - len(self.queue)
        complete = acked >= self._asked
        self.asked_at = None
        if not complete:
            self._asked, self._others = acked, len(self.queue)
        self._call_back()
        return complete

    def close(self) -> None:
        """The session is over: nobody is called back any more."""
        self._waiting.clear()
        self._overflowed = _nobody

    def then(self, callback: Callable[[], None]) -> None:
        """Call back when all that was sent so far is acknowledged, if ever."""
        self.when(self._sent, callback)

    def when(self, total: int, callback: Callable[[], None]) -> None:
        """Call back when so many are acknowledged, since the session began."""
        if total > self.acknowledged:
            insort(self._waiting, (total, callback), key=itemgetter(0))
        else:
            callback()

    def _call_back(self) -> None:
        while self._waiting and self._waiting[0][0] <= self.acknowledged:
            self._waiting.pop(0)[1]()

    def _new(self, h: int) -> int:
        """How many more than before; 0 for a number of the past."""
        more = (h - (self._sent - len(self.queue))) % _MODULUS
        return more if more < _MODULUS // 2 else 0


def _size(sent: Sent) -> int:
    return len(sent.data) + len(sent.rest)


def _nobody() -> None:
    """Is told of what happens after the end."""


class _Entry:
    """A stanza that came; `done` when nothing of it can get lost any more."""

    __slots__ = ("done",)

    def __init__(self) -> None:
        self.done = False


class Ledger:
    """What came, and how much of it is handled: all up to the first that is not."""

    __slots__ = ("_asked", "_open", "_owed", "handled")

    def __init__(self) -> None:
        self.handled = 0
        self._open: list[_Entry] = []
        self._asked: list[tuple[int, float, Callable[[], None]]] = []
        # The last that was answered late: it is answered again, for who asked may ask no more.
        self._owed: tuple[int, Callable[[], None]] | None = None

    def __len__(self) -> int:
        """How many came and are not handled."""
        return len(self._open)

    @property
    def count(self) -> int:
        """`handled` as it is on the wire."""
        return self.handled % _MODULUS

    def enter(self) -> Callable[[], None]:
        """One more came; what is returned is to be called when it is handled."""
        entry = _Entry()
        self._open.append(entry)

        def leave() -> None:
            entry.done = True
            self._settle()

        return leave

    def then(self, callback: Callable[[], None], now: float) -> None:
        """Call back when all that came so far is handled, and maybe before, in `answer_late`."""
        if self._open:
            self._asked.append((self.handled + len(self._open), now, callback))
        else:
            callback()

    def answer_late(self, before: float) -> None:
        """Call back those who have waited since then, though not all is handled.

        Some of those before them may have more patience.  The last of them is called back once
        more when all of it is handled.
        """
        due = [(total, callback) for total, since, callback in self._asked if since <= before]
        if due:
            self._asked = [one for one in self._asked if one[1] > before]
            self._owed = due[-1]
        for _, callback in due:
            callback()

    def _settle(self) -> None:
        while self._open and self._open[0].done:
            self._open.pop(0)
            self.handled += 1
        while self._asked and self._asked[0][0] <= self.handled:
            self._asked.pop(0)[2]()
        if self._owed is not None and self._owed[0] <= self.handled:
            (_, callback), self._owed = self._owed, None
            callback()
