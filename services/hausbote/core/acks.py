"""A session whose stanzas are counted (XEP-0198): acknowledged means safe.

A stanza that came counts as handled when what it caused is on disk, here and in the other services
of the box.
"""

from collections.abc import Callable, Sequence

from hausbote.base.tokens import token
from hausbote.core.bus.cause import Cause, Pending
from hausbote.xmpp.acks import Ledger, Unacked


class Acks:
    """Both directions of one session, over however many streams."""

    __slots__ = ("_name", "_taken", "ledger", "unacked")

    def __init__(self, limit: int, overflowed: Callable[[], None]) -> None:
        self.ledger = Ledger()
        self.unacked = Unacked(limit, overflowed)
        self._name = token(72)
        self._taken = 0

    def handle(self, handler: Callable[[], Sequence[Pending]]) -> None:
        """Handle a stanza that came; `handler` returns what is on its way to the disk."""
        self._taken += 1
        cause = Cause(f"{self._name}.{self._taken}", self.ledger.enter(), repeats=False)
        cause.run(handler)
