"""Questions to other services over the bus, which a page waits for."""

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from gevent.event import AsyncResult
from gevent.timeout import Timeout

from hausbote.base import portal_actions, portal_joins, portal_logins, portal_notices, portal_rooms
from hausbote.base.portal_actions import AccountAction, ActionDone, ActionRequest, ActionTrouble
from hausbote.base.portal_joins import Join, Keys, Newcomer, Outcome
from hausbote.base.portal_logins import Attempt, Judgement
from hausbote.base.tokens import token
from hausbote.core.bus import Bus
from hausbote.core.bus.cause import Pending
from hausbote.core.bus.frame import Frame

_PATIENCE: Final = 10.0  # seconds that somebody looks at an empty page
_WHO_KNOWS: Final = "c2s"
_ROOMS: Final = "rooms"
_OWN: Final = "portal"
_ANSWERS: Final[dict[str, Callable[[bytes], Any]]] = {
    portal_logins.TOLD: Judgement.unpack,
    portal_joins.TOLD: Outcome.unpack,
    portal_actions.TOLD: ActionDone.unpack,
    portal_notices.TOLD: portal_notices.NoticeDone.unpack,
    portal_rooms.TOLD: portal_rooms.RoomsTold.unpack,
}


class _Question(Protocol):
    """What goes into a frame."""

    @property
    def id(self) -> str: ...

    def pack(self) -> bytes: ...


class Away(Exception):
    """A service does not answer now."""


class Asking:
    """`bus` is set when it is open; `take` gets its frames."""

    def __init__(self) -> None:
        self.bus: Bus | None = None
        self._waiting: dict[str, AsyncResult] = {}

    def judge(
        self, local: str, address: str, agent: str, *, proven: bool | None = None
    ) -> Judgement:
        """What becomes of a login, or whether its password may be looked at (`proven` is None);
        Away if c2s does not say so."""
        attempt = Attempt(token(96), local, address, agent, proven)
        found: Judgement = self._ask(portal_logins.ASK, attempt)
        return found

    def admit(self, address: str) -> Outcome:
        """Whether somebody from there may follow an invitation now, which counts as a try; Away
        likewise."""
        found: Outcome = self._ask(portal_joins.ADMIT, Newcomer(token(96), address))
        return found

    def join(self, token_: str, local: str, keys: Keys, address: str) -> Outcome:
        """What becomes of somebody who was admitted and follows an invitation; Away likewise."""
        found: Outcome = self._ask(portal_joins.ASK, Join(token(96), token_, local, keys, address))
        return found

    def act(self, local: str, act: AccountAction, value: str, more: str = "") -> ActionTrouble:
        """Why something that the account wants is not done, or NONE; Away likewise."""
        request = ActionRequest(token(96), local, act, value, more)
        found: ActionDone = self._ask(portal_actions.ASK, request, f"{local}@{_OWN}")
        return found.trouble

    def rooms(
        self, act: portal_rooms.RoomAction, local: str = "", **more: Any
    ) -> portal_rooms.RoomsTold:
        """What the rooms service says, or has done; `more` are fields of the question."""
        question = portal_rooms.RoomsQuestion(token(96), act, local, **more)
        found: portal_rooms.RoomsTold = self._ask(portal_rooms.ASK, question, service=_ROOMS)
        return found

    def announce(self, act: portal_notices.NoticeAction, text: str) -> portal_notices.NoticeDone:
        """Whether everybody is told that."""
        notice = portal_notices.Notice(token(96), act, text)
        found: portal_notices.NoticeDone = self._ask(portal_notices.ASK, notice)
        return found

    def _ask(
        self, kind: str, question: _Question, sender: str = "", service: str = _WHO_KNOWS
    ) -> Any:
        """What is asked for by an address is done in its order, and waits for nobody else's."""
        assert self.bus is not None
        answer = self._waiting[question.id] = AsyncResult()
        try:
            self.bus.send(service, kind, sender, (), question.pack())
            with Timeout(_PATIENCE):
                return answer.get()
        except Timeout:
            raise Away from None
        finally:
            del self._waiting[question.id]

    def take(self, frame: Frame) -> Sequence[Pending]:
        """An answer; of those that nobody waits for any more, nothing comes."""
        read = _ANSWERS.get(frame.kind)
        if read is not None:
            found = read(frame.payload)
            answer = self._waiting.get(found.id)
            if answer is not None:
                answer.set(found)
        return ()
