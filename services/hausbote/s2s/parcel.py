"""A stanza on its way to another server."""

from collections.abc import Callable
from typing import Final

from hausbote.base.clock import timestamp
from hausbote.core.bus.cause import Cause
from hausbote.xmpp import ns
from hausbote.xmpp.stanza import Stanza, start_tag
from hausbote.xmpp.xml import el, escape_attribute

_KEPT_PRESENCE: Final = frozenset({"subscribed", "unsubscribe", "unsubscribed"})
_MAX_ID: Final = 200
_LATE: Final = 10.0  # seconds on the way, from which on a message says when it was sent


class Parcel:
    """`id` names it for ever, `row` is its place in the queue on disk (0 = it is not there), and
    `at` is when it came, in seconds since 1970.

    Pending for the bus: it is `safe` when it is kept on disk, or the other server has it.  Until
    then it belongs to the frame that brought it, of which `cause` waits.  Hops are ours to write:
    what a client put there would let it name other people's stanzas.
    """

    __slots__ = ("_callbacks", "_safe", "at", "cause", "id", "kept", "row", "size", "stanza")

    error: Exception | None = None  # whoever sent what can neither arrive nor be kept was told

    def __init__(
        self, stanza: Stanza, id: str, at: float, row: int = 0, cause: Cause | None = None
    ) -> None:
        self.stanza = without_hop(stanza)[0]
        self.id = id
        self.at = at
        self.row = row
        self.cause = cause
        self.kept = is_kept(stanza)  # whether it waits for a server that is away
        self.size = _size(self.stanza)  # bytes, about
        self._safe = row > 0
        self._callbacks: list[Callable[[], None]] = []

    @property
    def sender(self) -> str:
        """Who of the box, or which room of it, as a bare JID."""
        return self.stanza.attrs.get("from", "").partition("/")[0]

    def then(self, callback: Callable[[], None]) -> None:
        if self._safe:
            callback()
        else:
            self._callbacks.append(callback)

    def safe(self) -> None:
        """Somebody else answers for it now."""
        self._safe, self.cause = True, None
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def lighten(self) -> None:
        """It was written and will not be again: its start tag is enough to answer for it."""
        self.stanza = self.stanza.with_children(())
        self.size = _size(self.stanza)

    def wire(self, now: float, *, with_hop: bool) -> bytes:
        """What is written to the peer; with a hop it can tell when it gets the same again."""
        more = f"<hop xmlns='{ns.HOP}' id='{escape_attribute(self.id)}'/>" if with_hop else ""
        if now - self.at >= _LATE:
            more += self._delay()
        return self.stanza.wire(more)

    def _delay(self) -> str:
        """When a message was sent that waited here (XEP-0203 §2); it says that only once."""
        stanza = self.stanza
        if stanza.name != "message" or any(part.ns == ns.DELAY for part in stanza.children):
            return ""
        domain = self.sender.rpartition("@")[2]
        return el("delay", xmlns=ns.DELAY, from_=domain, stamp=timestamp(self.at))


def _size(stanza: Stanza) -> int:
    inner = stanza.inner
    content = len(inner) if inner.isascii() else len(inner.encode())
    return content + sum(map(len, stanza.attrs.values())) + 200


def is_kept(stanza: Stanza) -> bool:
    """Whether it waits for a server that is away.

    Messages do, and answers about subscriptions, which nobody ever repeats: without them the two
    servers would not agree on who may see whom.  Errors do not: nobody waits for them.  Neither do
    results from an archive, which are asked for again.
    """
    if stanza.name == "presence":
        return stanza.type in _KEPT_PRESENCE
    return stanza.name == "message" and stanza.type != "error" and not is_result(stanza)


def is_result(stanza: Stanza) -> bool:
    """Whether it is a result from an archive, one of many (XEP-0313 §4.2)."""
    return any(part.ns == ns.MAM and part.name == "result" for part in stanza.children)


def without_hop(stanza: Stanza) -> tuple[Stanza, str]:
    """What a peer sent without its hop, and the hop's id ("" = it has none)."""
    for part in stanza.children:
        if part.ns == ns.HOP:
            break
    else:
        return stanza, ""
    hop = stanza.child(ns.HOP, "hop")
    others = tuple([part for part in stanza.children if part.ns != ns.HOP])
    id = start_tag(hop).get("id", "") if hop is not None else ""
    return stanza.with_children(others), id if len(id) <= _MAX_ID else ""
