"""What a stanza put on its way to the disk: acknowledged is only what is safe.

If a write fails, the stanza's sender is told, with an error of the type wait; when that is on its
way, the stanza was answered and counts as handled.  This is the one place that decides so, for what
clients send and for what comes over the bus.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from hausbote.base.log import bug
from hausbote.core.bus.cause import Pending, current
from hausbote.storage import StorageError
from hausbote.xmpp.errors import InternalServerError, ResourceConstraint, StanzaError
from hausbote.xmpp.stanza import Stanza

if TYPE_CHECKING:
    from hausbote.core.host import Host
    from hausbote.core.session import Session

_FULL: Final = "the server's disk is full; whoever is there may have got this, but it is not kept"
_BROKEN: Final = (
    "the server's disk does not work; whoever is there may have got this, but it is not kept"
)


def problem_of(error: Exception) -> StanzaError:
    """The answer to whoever sent what could not be handled or written."""
    if isinstance(error, StanzaError):
        return error
    if not isinstance(error, StorageError):
        bug(error)
        return InternalServerError()
    if error.full:
        return ResourceConstraint(_FULL, type="wait")
    return InternalServerError(_BROKEN, type="wait")


class Refuse(Protocol):
    """Tells a stanza's sender no, as `dispatch.refuse` does."""

    def __call__(
        self, host: "Host", stanza: Stanza, problem: StanzaError, session: "Session | None"
    ) -> None: ...


class Writes:
    """All that one stanza wants written.

    Pending: done when all of it is on disk, or when `refuse`, which is called in a worker, has told
    the stanza's sender why it is not, and what that sent to other services is safe there.
    """

    __slots__ = (
        "_callbacks",
        "_cause",
        "_host",
        "_open",
        "_refuse",
        "_session",
        "_stanza",
        "_tickets",
    )

    error: Exception | None = None  # its sender knows

    def __init__(
        self,
        host: "Host",
        tickets: Sequence[Pending],
        refuse: Refuse,
        stanza: Stanza,
        session: "Session | None" = None,
    ) -> None:
        self._host = host
        self._refuse, self._stanza, self._session = refuse, stanza, session
        self._cause = current.get()
        self._callbacks: list[Callable[[], None]] = []
        self._tickets = tickets
        self._open = len(tickets)
        for ticket in tickets:
            ticket.then(self._ended)

    def then(self, callback: Callable[[], None]) -> None:
        if self._open:
            self._callbacks.append(callback)
        else:
            callback()

    def _ended(self) -> None:
        """One of them, on the hub or at once."""
        if self._open > 1:
            self._open -= 1
        elif self._fault() is None:
            self._finish()
        else:
            self._host.pump.run(self._answer)

    def _fault(self) -> Exception | None:
        for ticket in self._tickets:
            if ticket.error is not None:
                return ticket.error
        return None

    def _answer(self) -> None:
        """What is sent here belongs to what is being handled, which is not acknowledged before."""
        fault = self._fault()
        assert fault is not None
        token = current.set(self._cause)
        try:
            self._refuse(self._host, self._stanza, problem_of(fault), self._session)
        finally:
            current.reset(token)
            self._finish()

    def _finish(self) -> None:
        self._open = 0
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()
