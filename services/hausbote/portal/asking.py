"""Questions to other services over the bus, which a page waits for."""

from collections.abc import Sequence
from typing import Final

from gevent.event import AsyncResult
from gevent.timeout import Timeout

from hausbote.base.portal_logins import ASK, TOLD, Attempt, Judgement
from hausbote.base.tokens import token
from hausbote.core.bus import Bus
from hausbote.core.bus.cause import Pending
from hausbote.core.bus.frame import Frame

_PATIENCE: Final = 10.0  # seconds that somebody looks at an empty page
_WHO_KNOWS: Final = "c2s"


class Away(Exception):
    """A service does not answer now."""


class Asking:
    """`bus` is set when it is open; `take` gets its frames."""

    def __init__(self) -> None:
        self.bus: Bus | None = None
        self._waiting: dict[str, AsyncResult] = {}

    def judge(self, local: str, address: str, agent: str, *, proven: bool) -> Judgement:
        """What becomes of a login; Away if c2s does not say so."""
        assert self.bus is not None
        attempt = Attempt(token(96), local, address, agent, proven)
        answer = self._waiting[attempt.id] = AsyncResult()
        try:
            self.bus.send(_WHO_KNOWS, ASK, "", (), attempt.pack())
            with Timeout(_PATIENCE):
                found: Judgement = answer.get()
                return found
        except Timeout:
            raise Away from None
        finally:
            del self._waiting[attempt.id]

    def take(self, frame: Frame) -> Sequence[Pending]:
        """An answer; of those that nobody waits for any more, nothing comes."""
        if frame.kind == TOLD:
            judgement = Judgement.unpack(frame.payload)
            answer = self._waiting.get(judgement.id)
            if answer is not None:
                answer.set(judgement)
        return ()
