"""Waiting for the store in a greenlet, so that the hub goes on meanwhile."""

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

from gevent import get_hub
from gevent.hub import Waiter


class Finishable(Protocol):
    """What is waited for: a ticket of the store."""

    def then(self, callback: Callable[[], None]) -> None: ...

    def finish(self) -> None: ...


class GreenletRoom:
    """Finishes tickets on the hub of the greenlet that made it: one wake-up per transaction."""

    def __init__(self) -> None:
        self._hub: Any = get_hub()
        self._finished: deque[Sequence[Finishable]] = deque()
        self._async: Any = self._hub.loop.async_()
        self._async.start(self._finish)

    def block(self, ticket: Finishable) -> None:
        waiter: Any = Waiter(self._hub)
        ticket.then(partial(waiter.switch, None))
        waiter.get()

    def announce(self, tickets: Sequence[Finishable]) -> None:
        self._finished.append(tickets)
        self._async.send()

    def _finish(self) -> None:
        while self._finished:
            for ticket in self._finished.popleft():
                ticket.finish()
