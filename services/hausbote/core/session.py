"""A bound resource: what others see of a client while it is connected."""

import time
from collections.abc import Callable
from typing import Any, Final, Protocol, TypeVar

from gevent.event import Event as Signal

from hausbote.base.jid import JID
from hausbote.core.acks import Acks
from hausbote.core.directory import Account
from hausbote.xmpp import ns
from hausbote.xmpp.acks import Sent, Unacked
from hausbote.xmpp.errors import StreamError
from hausbote.xmpp.stanza import Stanza

T = TypeVar("T")
_MAX_HELD: Final = 1_048_576  # bytes of messages that wait for older ones
_ASK: Final = f"<r xmlns='{ns.SM}'/>".encode()


class Transport(Protocol):
    """How a session's stanzas leave."""

    @property
    def closed(self) -> bool:
        """Whether nothing that is sent now will arrive."""

    def send(self, data: bytes) -> None: ...

    def when_sent(self, callback: Callable[[], None]) -> None:
        """Call back on the hub when nothing waits to be sent any more, or never will be."""

    def end(self, error: StreamError) -> None:
        """Tell the client why, and close."""


class Keeper(Protocol):
    """Keeps back what a client need not see now (XEP-0352)."""

    def keeps(self, stanza: Stanza | None, data: bytes) -> bool:
        """Whether this waits; if not, all that waited has been sent."""

    def flush(self) -> None:
        """Send all that waits."""


class Session:
    """Created when a resource is bound; `presence` is None until it is available."""

    __slots__ = (
        "_departed",
        "_departure",
        "_held",
        "_held_size",
        "_states",
        "account",
        "acks",
        "asleep",
        "gone",
        "jid",
        "keeper",
        "presence",
        "priority",
        "ready_since",
        "transport",
    )

    def __init__(self, jid: JID, account: Account, transport: Transport) -> None:
        self.jid = jid
        self.account = account
        self.transport = transport
        self.presence: Stanza | None = None
        self.priority = 0
        self.gone = False
        self._departed = False
        self._departure: Signal | None = None  # if anybody waits for it
        self.keeper: Keeper | None = None  # while the client says that nobody looks at it
        self.acks: Acks | None = None  # if stanzas are counted
        self.asleep: Callable[[Stanza], None] | None = None  # told of messages while it hibernates
        self.ready_since = 0.0  # when it last became available for messages, since 1970
        self._held: list[tuple[Stanza, bytes, bool, float]] | None = None
        self._held_size = 0
        self._states: dict[type, Any] | None = None

    def state(self, kind: type[T]) -> T:
        """A feature's own state in this session, made on first use by calling `kind`."""
        if self._states is None:
            self._states = {}
        found = self._states.get(kind)
        if found is None:
            found = self._states[kind] = kind()
        return found

    def departed(self) -> None:
        """Nobody finds it any more: its resource is free."""
        self._departed = True
        if self._departure is not None:
            self._departure.set()

    def wait_until_departed(self) -> None:
        if not self._departed:
            self._departure = self._departure or Signal()
            self._departure.wait()

    @property
    def reachable(self) -> bool:
        """Whether what is sent now can arrive; counted stanzas may do so later, or elsewhere."""
        return not self.gone and (self.acks is not None or not self.transport.closed)

    def send(self, stanza: Stanza) -> None:
        request = stanza.name == "iq" and stanza.type in ("get", "set")
        self.write(stanza.wire(), stanza, owed=request)

    def write(
        self,
        data: bytes,
        stanza: Stanza | None = None,
        *,
        owed: bool = False,
        at: float | None = None,
    ) -> None:
        """Send bytes of our own serialising; without the `stanza` that they are they never wait.

        `owed` says that the stanza's sender must hear if the client never gets it.
        """
        if not self.gone and (self.keeper is None or not self.keeper.keeps(stanza, data)):
            self.put(data, stanza if owed else None, at)

    def put(self, data: bytes, owed: Stanza | None = None, at: float | None = None) -> None:
        """Send one stanza now, whatever the client's state."""
        if self.acks is None:
            self.transport.send(data)
            return
        self.acks.unacked.add(data, owed, at)
        self._transmit(data, self.acks.unacked)

    def _transmit(self, data: bytes, unacked: Unacked) -> None:
        self.transport.send(data)
        if unacked.is_due():
            self.transport.send(_ASK)

    def share(self, stanza: Stanza, sent: Sent) -> bool:
        """Send what many get; `sent` is kept by all of them, and the `stanza` has no to.

        A message is delivered: False as of `deliver`.
        """
        data, message = sent.wire(self.jid.full), sent.stanza
        if message is not None and self._held is not None:
            return self.deliver(message.replace(to=self.jid.full), data)
        if self.keeper is None or not self.keeper.keeps(stanza, data):
            if self.acks is None:
                self.transport.send(data)
            else:
                self.acks.unacked.keep(sent)
                self._transmit(data, self.acks.unacked)
        if message is not None and self.asleep is not None:
            self.asleep(message)
        return True

    def deliver(
        self, message: Stanza, data: bytes, *, copied: bool = False, at: float | None = None
    ) -> bool:
        """Send a message, `data` on the wire, after older ones if these are on their way.

        False if it cannot be taken: whoever sent it must keep it or be told.  `copied` says that
        `data` is only a copy of it (XEP-0280), which nobody misses.  `at` is when the message came,
        in seconds since 1970, if that was not now.
        """
        if not self.reachable:
            return False
        if self._held is None:
            self.write(data, message, owed=not copied, at=at)
            if self.asleep is not None and not copied:
                self.asleep(message)
            return True
        if self._held_size + len(data) > _MAX_HELD:
            return False
        self._held.append((message, data, copied, time.time() if at is None else at))
        self._held_size += len(data)
        return True

    def when_taken(self, callback: Callable[[bool], None]) -> None:
        """Call back when all that was sent so far has arrived, as far as can be known.

        That is when it was acknowledged, or without acknowledgements (XEP-0198) when it has left:
        False if the connection ended before.  Never if an acknowledgement never comes.
        """
        if self.acks is not None:
            self.acks.unacked.then(lambda: callback(True))
        else:
            transport = self.transport
            transport.when_sent(lambda: callback(not transport.closed))

    @property
    def holds(self) -> bool:
        """Whether messages are kept back."""
        return self._held is not None

    def hold(self) -> None:
        """Keep messages back until `release`, so that older ones can go first."""
        if self._held is None:
            self._held, self._held_size = [], 0

    def release(self) -> list[tuple[Stanza, float]]:
        """Send what was kept back; returns what cannot be sent any more, and when it came."""
        held, self._held = self._held or [], None
        return [
            (message, at)
            for message, data, copied, at in held
            if not self.deliver(message, data, copied=copied, at=at) and not copied
        ]
