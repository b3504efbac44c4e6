"""The listener for components, and their secrets."""

from typing import Any, Final

import gevent

from hausbote.base.jid import InvalidJID, prepare_domain
from hausbote.base.log import Event, log
from hausbote.base.settings import Settings
from hausbote.c2s.components.outlet import Component
from hausbote.c2s.components.stream import ComponentStream
from hausbote.core.feature import Feature
from hausbote.core.host import Host
from hausbote.net.address_book import AddressBook
from hausbote.net.connection import Connection
from hausbote.net.listener import Listener, listen
from hausbote.net.traffic import Traffic
from hausbote.xmpp.errors import StreamError

_HANDSHAKE_TIME: Final = 30.0  # seconds
_CONNECTIONS: Final = 100  # at the same time
_FILE: Final = "file:"


feature = Feature("components", xeps={"0114": "1.6"}, partial={"0114": "accept, not connect"})


class SecretMissing(Exception):
    """A file with a component's secret cannot be read."""


class ComponentServer:
    """Components' side of the c2s service."""

    def __init__(self, host: Host) -> None:
        settings = host.settings
        self.host = host
        self.secrets = secrets(settings)
        self._book = AddressBook(settings.limits.connections_per_address, _CONNECTIONS)
        self._traffic = Traffic(bytes_per_second=0)  # the owner chose them, the pump holds back
        self._streams: dict[ComponentStream, Any] = {}  # with the clock of their handshake
        self._listener: Listener | None = None

    def start(self) -> None:
        """Accept components, if there is a port for them; OSError if it is taken."""
        port, address = self.host.settings.ports.component, self.host.settings.components.address
        if port:
            sock = listen(address, port)
            self._listener = Listener(sock, self._accept, self._book, self._traffic)
            self._listener.start()
            log(Event.LISTENING, port=port)

    def stop(self) -> None:
        if self._listener is not None:
            self._listener.close()
        for stream in list(self._streams):
            stream.end(StreamError("system-shutdown"))

    def component(self, name: str) -> Component | None:
        """The component of that domain, attached or not; None if the settings know none."""
        try:
            found = self.host.outlets.get(prepare_domain(name))
        except InvalidJID:
            return None
        return found if isinstance(found, Component) else None

    def _accept(self, connection: Connection) -> None:
        stream = ComponentStream(self, connection)
        late = StreamError("connection-timeout", "the handshake took too long")
        self._streams[stream] = gevent.spawn_later(_HANDSHAKE_TIME, stream.end, late)
        connection.receiver = stream
        connection.start()

    def proven(self, stream: ComponentStream) -> None:
        """It has all the time in the world now."""
        if stream.connection.entry is not None:
            stream.connection.entry.known()
        self._stop_clock(stream)

    def forget(self, stream: ComponentStream) -> None:
        if stream.connection.entry is not None:
            stream.connection.entry.leave()
        self._stop_clock(stream)
        self._streams.pop(stream, None)

    def _stop_clock(self, stream: ComponentStream) -> None:
        clock = self._streams.get(stream)
        if clock is not None:
            self._streams[stream] = None
            clock.kill(block=False)


def secrets(settings: Settings) -> dict[str, str]:
    """The secret of each domain; SecretMissing if a file of one cannot be read."""
    found = settings.components.by_domain
    return {domain: _secret(settings, domain, given) for domain, given in found.items()}


def _secret(settings: Settings, domain: str, given: str) -> str:
    if not given.startswith(_FILE):
        return given
    path = settings.path(given.removeprefix(_FILE))
    try:
        secret = path.read_text("utf-8").strip()
    except (OSError, ValueError):
        secret = ""
    if not secret:
        raise SecretMissing(f"components.secrets: there is no secret for {domain} in {path}")
    return secret
