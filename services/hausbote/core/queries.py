"""Questions that this service asks: IQs of its own, and who waits for which answer.

An answer is taken from nobody but the one who was asked (RFC 6120 §8.1.3, by id and sender).
"""

from collections.abc import Callable
from typing import Final

from hausbote.base.domains import party_of
from hausbote.base.jid import JID
from hausbote.base.shares import Shares
from hausbote.base.tokens import token
from hausbote.xmpp.stanza import Child, Stanza, stanza

_MAX_OPEN: Final = 10_000


class Queries:
    """Open questions by id, of a service of the box at `home`.

    When there are more than `most`, the oldest to whom most were asked is forgotten: who answers
    nothing takes nobody else's answers away.
    """

    def __init__(self, home: str, most: int = _MAX_OPEN) -> None:
        self._home = home
        self._open: Shares[str, tuple[str, Callable[[Stanza], None]]] = Shares(most)

    def ask(
        self, type: str, payload: Child, sender: str, to: JID, callback: Callable[[Stanza], None]
    ) -> Stanza:
        """The IQ to be sent; `callback` gets the result or error, if one ever comes."""
        id = token(96)
        self._open.put(id, party_of(to, self._home), (to.full, callback))
        return stanza("iq", payload, type=type, id=id, from_=sender, to=to.full)

    def answered(self, answer: Stanza, sender: JID) -> None:
        """Give an answer to whoever waits for it."""
        known = self._open.get(answer.id or "")
        if known is not None and known[0] == sender.full:
            self._open.pop(answer.id or "")
            known[1](answer)
