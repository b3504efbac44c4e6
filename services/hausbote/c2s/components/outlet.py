"""Where stanzas for a component's domain go."""

from typing import TYPE_CHECKING, Final

from hausbote.xmpp.errors import RemoteServerTimeout
from hausbote.xmpp.stanza import Stanza

if TYPE_CHECKING:
    from hausbote.c2s.components.stream import ComponentStream


class Component:
    """A domain that a component may attach to; there is one at a time."""

    def __init__(self, domain: str) -> None:
        self.domain: Final = domain
        self.stream: ComponentStream | None = None

    @property
    def attached(self) -> bool:
        return self.stream is not None

    def send(self, stanza: Stanza) -> None:
        if self.stream is None:
            raise RemoteServerTimeout("this part of the server is not running")
        self.stream.send(stanza.wire())
