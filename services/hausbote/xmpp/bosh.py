"""A BOSH session (XEP-0124, version 1.11.2) without I/O: requests in, answers and frames out.

A request is a `Held` until it gets its answer.  Requests are taken and answered in the order of
their rids; what a lost connection took with it is asked for again by the same rid and answered from
a short memory.  Polling clients (wait or hold of 0) are made to wait a blink, so that the answer to
what they send is most often in the very response.

Not there, because the XEP leaves it open: several streams in one session, content encodings,
reports of missing responses.  Key sequences (§14) are checked where a client uses them.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hausbote.xmpp.bosh_body import CLOSING, Request, opening, write_body

_MAX_WAIT: Final = 60  # seconds
_MAX_HOLD: Final = 1  # clients keep one more open, and some think that all of them are held
_BLINK: Final = 0.2  # seconds that a poll is held
_INACTIVITY: Final = 60  # seconds
_POLLING_INACTIVITY: Final = 120
_MAX_PAUSE: Final = 120
_POLLING: Final = 5  # seconds between two empty requests
_MAX_REPEATS: Final = 10  # of one rid
_RESPONSE: Final = 262_144  # bytes of payloads after which a response takes no more
_LAST_WORDS: Final = 10.0  # seconds that an ended session can still be asked for its end
_VERSION: Final = (1, 11)
_VERSION_FORM: Final = re.compile(r"([0-9]{1,4})\.([0-9]{1,4})")
_CONTENT: Final = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,60}(; ?charset=utf-8)?", re.ASCII | re.I)
_DEFAULT_CONTENT: Final = "text/xml; charset=utf-8"


class Held:
    """A request that waits; `done` is called when `answer` is there."""

    __slots__ = ("answer", "done", "request", "since")

    def __init__(self, request: Request, since: float) -> None:
        self.request = request
        self.since = since
        self.answer: bytes | None = None
        self.done: Callable[[], None] = _nothing

    def say(self, answer: bytes) -> None:
        if self.answer is None:
            self.answer = answer
            self.done()


@dataclass(frozen=True, slots=True)
class _Terms:
    """What both sides agreed on when the session was made."""

    wait: float
    hold: int
    requests: int
    inactivity: float
    polling: bool


class BoshSession:
    """`receive` gets the client's frames; `unread` bounds the bytes that wait for the client."""

    def __init__(
        self,
        sid: str,
        creation: Request,
        domain: str,
        receive: Callable[[bytes], None],
        unread: int,
        now: float,
    ) -> None:
        self.sid = sid
        content = creation.attrs.get("content", "")
        self.content = content if _CONTENT.fullmatch(content) else _DEFAULT_CONTENT
        self.ended = False
        self.overflowed = False
        self._receive = receive
        self._unread = unread
        self._terms = terms = _agree(creation)
        self._creation = creation  # what a restart leaves out is as it was then
        self._last = creation.rid  # taken in order
        self._held: list[Held] = []
        self._early: dict[int, Held] = {}
        self._answers: dict[int, bytes] = {}
        self._repeats = (0, 0)  # rid, how often
        self._out: list[bytes] = []
        self._out_size = 0
        self._key = creation.attrs.get("newkey", "").lower()
        self._pause: int | None = None
        self._quiet_since = now
        self._poll: float | None = None  # when an empty request came that got an empty answer
        self._created: dict[str, str | int | None] | None = {
            "sid": sid,
            "wait": 0 if terms.polling else int(terms.wait),
            "requests": terms.requests,
            "hold": 0 if terms.polling else terms.hold,
            "inactivity": int(terms.inactivity),
            "polling": _POLLING,
            "maxpause": _MAX_PAUSE,
            "ver": _version(creation),
            "ack": creation.rid,
            "from_": domain,
            "xmpp_version": "1.0",
            "xmpp_restartlogic": "true",
        }
        self._end: dict[str, str | int | None] = {}

    # -- requests ------------------------------------------------------------------------------

    def create(self, held: Held) -> None:
        """Take the request that made the session: its answer brings the features."""
        self._held.append(held)
        self._receive(opening(held.request))

    def take(self, held: Held, now: float) -> None:
        """Take any other request."""
        rid = held.request.rid
        if self.ended:
            self._take_late(held)
        elif rid <= self._last or rid in self._early:
            self._take_again(held, now)
        elif rid > self._last + self._terms.requests + _allowance(held.request):
            held.say(refusal("item-not-found"))
            self.end("item-not-found", now)
        else:
            self._early[rid] = held
            while self._last + 1 in self._early and not self.ended:
                self._take_next(self._early.pop(self._last + 1), now)

    def _take_again(self, held: Held, now: float) -> None:
        rid = held.request.rid
        seen, times = self._repeats
        self._repeats = (rid, times + 1 if seen == rid else 1)
        if self._repeats[1] > _MAX_REPEATS:
            held.say(refusal("policy-violation"))
            self.end("policy-violation", now)
        elif rid in self._answers:
            held.say(self._answers[rid])
        elif rid in self._early:
            self._early[rid].say(write_body(type="error"))
            self._early[rid] = held
        else:
            for place, waiting in enumerate(self._held):
                if waiting.request.rid == rid:
                    waiting.say(write_body(type="error"))
                    self._held[place] = held
                    return
            held.say(refusal("item-not-found"))
            self.end("item-not-found", now)

    def _take_late(self, held: Held) -> None:
        """The session is over: the first to ask hears why."""
        known = self._answers.get(held.request.rid)
        if known is not None:
            held.say(known)
        elif held.request.rid == self._last + 1 and self._end:
            self._last += 1
            self._held.append(held)
            self._say_end()
        else:
            held.say(refusal("item-not-found"))

    def _take_next(self, held: Held, now: float) -> None:
        request = held.request
        self._last = request.rid
        self._pause = None
        if not self._has_key(request):
            held.say(refusal("item-not-found"))
            self.end("item-not-found", now)
            return
        acknowledged = request.number("ack")
        if acknowledged is not None:
            for rid in [rid for rid in self._answers if rid <= acknowledged]:
                del self._answers[rid]
        if self._too_frequent(held, now):
            self._held.append(held)
            self.end("policy-violation", now)
            return
        self._held.append(held)
        if request.restart:
            # Payloads are ignored then (XEP-0206 §5).
            self._receive(opening(request, self._creation))
        else:
            for payload in request.payloads:
                self._receive(payload)
        if self.ended:
            return
        if request.pause is not None and request.pause <= _MAX_PAUSE:
            self._begin_pause(request.pause, now)
        if request.terminate:
            self._receive(CLOSING)
        self._answer_what_must_be(now)

    def _has_key(self, request: Request) -> bool:
        """Whether the request continues the key sequence (§14.4), if there is one."""
        key, newkey = request.attrs.get("key", ""), request.attrs.get("newkey", "")
        if self._key and not any(_sha1(one) == self._key for one in (key, key.lower())):
            return False  # clients differ in which of both spellings they hash
        self._key = (newkey or (key if self._key else "")).lower()
        return True

    def _too_frequent(self, held: Held, now: float) -> bool:
        """Empty requests that come faster than agreed (§11, §12)."""
        request = held.request
        empty = not (request.payloads or request.terminate or request.restart)
        if not empty or request.pause is not None:
            self._poll = None
            return False
        if self._terms.polling:
            before, self._poll = self._poll, now
            return before is not None and now - before < _POLLING
        unanswered = self._held
        return (
            len(unanswered) + 1 >= self._terms.requests
            and bool(unanswered)
            and now - unanswered[-1].since < _POLLING
        )

    def _begin_pause(self, seconds: int, now: float) -> None:
        for held in self._held[:-1]:
            self._answer(held, now, payloads=False)
        last = self._held[-1]
        self._held.clear()
        self._finish(last, write_body())
        self._pause = seconds
        self._quiet_since = now

    # -- answers -------------------------------------------------------------------------------

    def push(self, payload: bytes) -> None:
        """Queue an element for the client; `flush` sends what is queued."""
        self._out.append(payload)
        self._out_size += len(payload)
        if self._out_size > self._unread:
            self.overflowed = True

    @property
    def unsent(self) -> int:
        """Bytes that no response has taken yet."""
        return self._out_size

    def flush(self, now: float) -> None:
        """Answer the oldest request that waits, if there is something to say."""
        if self._out and self._held and not self.ended:
            self._answer(self._held.pop(0), now)

    def expire(self, held: Held, now: float) -> None:
        """A request has waited for as long as it may: answer it, and those before it."""
        while held in self._held:
            self._answer(self._held.pop(0), now)

    @property
    def is_quiet(self) -> bool:
        """Whether no request is here."""
        return not self._held and not self._early

    @property
    def wait(self) -> float:
        """Seconds that a request may be held."""
        return self._terms.wait

    def _answer_what_must_be(self, now: float) -> None:
        if self.ended:
            return
        while len(self._held) > self._terms.hold:
            self._answer(self._held.pop(0), now)
        self.flush(now)

    def _answer(self, held: Held, now: float, *, payloads: bool = True) -> None:
        said: list[bytes] = []
        size = 0
        while payloads and self._out and size < _RESPONSE:
            said.append(self._out.pop(0))
            size += len(said[-1])
        self._out_size -= size
        if said:
            self._poll = None
        attributes = self._created or {}
        self._created = None
        if not attributes and self._last != held.request.rid:
            attributes = {"ack": self._last}
        self._finish(held, write_body(said, **attributes))
        if not self._held:
            self._quiet_since = now

    def _finish(self, held: Held, answer: bytes) -> None:
        self._answers[held.request.rid] = answer
        while len(self._answers) > self._terms.requests:
            del self._answers[min(self._answers)]
        held.say(answer)

    # -- the end -------------------------------------------------------------------------------

    def is_forgotten(self, now: float) -> bool:
        """Whether the client has been away for too long, or has had time to hear of the end."""
        if self.ended:
            return now - self._quiet_since > _LAST_WORDS
        if self._held:
            return False
        allowed = self._terms.inactivity if self._pause is None else self._pause
        return now - self._quiet_since > allowed

    def end(self, condition: str | None, now: float) -> None:
        """Nothing more is taken; whoever waits hears of it, or else who asks next."""
        if self.ended:
            return
        self.ended = True
        self._quiet_since = now
        self._end = {"type": "terminate", "condition": condition}
        early = [self._early[rid] for rid in sorted(self._early)]
        self._early.clear()
        if self._held:
            self._say_end()
        for held in early:
            held.say(write_body(type="terminate", condition=condition))

    def _say_end(self) -> None:
        """The oldest request gets the last payloads and the reason, the others nothing (§13)."""
        first, *others = self._held
        self._held = []
        attributes = (self._created or {}) | self._end
        self._created = None
        answer = write_body(self._out, **attributes)
        self._out = []
        self._out_size = 0
        self._end = {}
        self._finish(first, answer)
        for held in others:
            self._finish(held, write_body())


def refusal(condition: str) -> bytes:
    """The answer to a request that no session takes."""
    return write_body(type="terminate", condition=condition)


def _sha1(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def _allowance(request: Request) -> int:
    """One request more than agreed may come to pause or to terminate (§11)."""
    return 1 if request.terminate or request.pause is not None else 0


def _agree(creation: Request) -> _Terms:
    wait, hold = creation.number("wait"), creation.number("hold")
    wait = _MAX_WAIT if wait is None else min(wait, _MAX_WAIT)
    hold = 1 if hold is None else min(hold, _MAX_HOLD)
    if wait == 0 or hold == 0:
        return _Terms(_BLINK, 1, 1 if hold == 0 else 2, _POLLING_INACTIVITY, polling=True)
    return _Terms(float(wait), hold, hold + 1, _INACTIVITY, polling=False)


def _version(creation: Request) -> str | None:
    """The lower of the client's version and ours."""
    found = _VERSION_FORM.fullmatch(creation.attrs.get("ver", ""))
    known = _VERSION if found is None else min((int(found[1]), int(found[2])), _VERSION)
    return ".".join(map(str, known))


def _nothing() -> None:
    """Nobody waits."""
