"""A bound resource: what others see of a client while it is connected."""

from typing import Any, Protocol, TypeVar

from hausbote.base.jid import JID
from hausbote.core.directory import Account
from hausbote.xmpp.errors import StreamError
from hausbote.xmpp.stanza import Stanza

T = TypeVar("T")


class Transport(Protocol):
    """How a session's stanzas leave."""

    def send(self, data: bytes) -> None: ...

    def end(self, error: StreamError) -> None:
        """Tell the client why, and close."""


class Session:
    """Created when a resource is bound; `presence` is None until it is available."""

    __slots__ = ("_held", "_states", "account", "gone", "jid", "presence", "priority", "transport")

    def __init__(self, jid: JID, account: Account, transport: Transport) -> None:
        self.jid = jid
        self.account = account
        self.transport = transport
        self.presence: Stanza | None = None
        self.priority = 0
        self.gone = False
        self._held: list[bytes] | None = None
        self._states: dict[type, Any] | None = None

    def state(self, kind: type[T]) -> T:
        """A feature's own state in this session, made on first use by calling `kind`."""
        if self._states is None:
            self._states = {}
        found = self._states.get(kind)
        if found is None:
            found = self._states[kind] = kind()
        return found

    def send(self, stanza: Stanza) -> None:
        self.write(stanza.wire())

    def write(self, data: bytes) -> None:
        """Send bytes of our own serialising; kept back while held."""
        if self._held is not None:
            self._held.append(data)
        elif not self.gone:
            self.transport.send(data)

    def hold(self) -> None:
        """Keep back what is written until `release`, so that something older can go first."""
        self._held = []

    def release(self, first: list[bytes]) -> None:
        """Send `first`, then what was kept back."""
        held, self._held = self._held or [], None
        for data in first + held:
            self.write(data)
