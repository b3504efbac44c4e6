"""All clients' streams of this process, their listeners and the clock that watches them."""

import socket
import time
from typing import Any, Final

import gevent

from hausbote.base.log import bug
from hausbote.base.memory import Rests, give_back
from hausbote.c2s.login import KeyRing
from hausbote.c2s.management import hibernation, preserving
from hausbote.c2s.portal_logins import guard_of
from hausbote.c2s.stream import ClientStream
from hausbote.core import dispatch
from hausbote.core.exchange import announce_deletion
from hausbote.core.feature import Feature, Phase
from hausbote.core.host import Host
from hausbote.features import blocklist, external_services, store_news
from hausbote.features.archive import preferences
from hausbote.features.clients import end_agents_sessions, forget_old_clients
from hausbote.features.contacts import forget_person
from hausbote.features.roster_changes import reread
from hausbote.net.address_book import AddressBook, most_connections
from hausbote.net.certificates import certificates, use_new_certificates
from hausbote.net.connection import Connection
from hausbote.net.listener import Listener, listening
from hausbote.net.tls import TlsShelf
from hausbote.net.traffic import Traffic
from hausbote.net.transport import Transport
from hausbote.xmpp.errors import StreamError
from hausbote.xmpp.framing import DOCUMENT, Framing
from hausbote.xmpp.stream import LOGIN_SECONDS
from hausbote.xmpp.xml import Markup

_MANY: Final = 100  # streams that came to rest at once leave memory that is worth looking for
_FAREWELL: Final = 2.0  # seconds that what clients sent has to become safe when the service stops
_SWEEP: Final = 2.0  # seconds
_CERTIFICATE_CHECK: Final = 60.0  # seconds
_FLUSH: Final = 10.0  # seconds
_PRUNE: Final = 3_600.0  # seconds


feature = Feature("direct TLS", xeps={"0368": "1.1.0"})
# Here and not in the modules themselves, which are loaded only if there is a port for them.
web_feature = Feature("web transports", xeps={"0124": "1.11.2", "0156": "1.4.0", "0206": "1.4"})


class Server:
    """The client-facing side of a host."""

    def __init__(self, host: Host) -> None:
        settings = host.settings
        self.host = host
        self.keys = KeyRing(host.store)
        self.guard = guard_of(host)
        self.shelf = TlsShelf(*certificates(settings))
        self.offers = offers(host)
        limits = settings.limits
        most = most_connections(limits.connections)
        self.book = AddressBook(limits.connections_per_address, most)
        self.traffic = Traffic(
            limits.bytes_per_second, limits.burst_bytes, idle=limits.idle_seconds
        )
        self._streams: set[ClientStream] = set()
        self._strangers: set[ClientStream] = set()  # no resource yet
        self._awake: set[ClientStream] = set()  # may have a parser to give back
        self._ended = 0  # streams, in all
        self._rests = Rests()
        self._listeners: list[Listener] = []
        self._web: Any = None
        self._clock: Any = None
        self._certificates_checked = self._flushed = time.monotonic()
        self._pruned = self._flushed - _PRUNE  # at the first occasion

    def start(self) -> None:
        """Accept clients; OSError if a port is taken."""
        settings = self.host.settings
        for backend, port, accept in (
            ("c2s", settings.ports.c2s, self._accept),
            ("c2s_tls", settings.ports.c2s_tls, self._accept_tls),
        ):
            sock = listening(settings, backend, port)
            if sock is not None:
                listener = Listener(sock, accept, self.book, self.traffic)
                listener.start()
                self._listeners.append(listener)
        sock = listening(settings, "web", settings.ports.web)
        if sock is not None:
            self._start_web(sock)
        self._clock = gevent.spawn(self._watch)

    def _start_web(self, sock: socket.socket) -> None:
        from hausbote.c2s.web import Web  # without it the service is some megabytes smaller

        self._web = Web(self)
        self._web.start(sock)

    def stop(self) -> None:
        """Say goodbye to everybody and accept nobody."""
        for listener in self._listeners:
            listener.close()
        if self._web is not None:
            self._web.stop()
        if self._clock is not None:
            self._clock.kill()  # what is kept for the next start must not end meanwhile
        self._finish()
        for stream in list(self._streams):
            stream.leave_for_restart()
        preserving.preserve(self.host)

    def _finish(self) -> None:
        """Return when all that came from clients and services is safe, or after some seconds."""
        for stream in self._streams:
            stream.read_no_more()
        deadline = time.monotonic() + _FAREWELL
        while time.monotonic() < deadline and any(one.is_at_work for one in self._streams):
            gevent.sleep(0.01)
        self.host.bus.finish()

    @property
    def connections(self) -> int:
        return len(self._streams)

    def reload_certificates(self) -> None:
        use_new_certificates(self.shelf, *([self._web.shelf] if self._web is not None else []))

    def account_changed(self, message: dict[str, str]) -> None:
        """An account was deleted or locked, or got another password: its streams end."""
        local, change = message.get("account", ""), message.get("change", "")
        self.keys.look_again()
        if change == "imported":
            self._forget_what_was_missing(local)
            return
        if change == "revoked":
            end_agents_sessions(self.host, local, message.get("agent", ""))
            return
        if change == "roster":
            reread(self.host, local)
            return
        reason = "not-authorized" if change == "deleted" else "reset"
        error = StreamError(reason, f"the account was changed: {change}")
        for stream in [
            s for s in self._strangers if s.login is not None and s.login.local == local
        ]:
            stream.end(error)
        account = self.host.directory.online(local)
        if change == "deleted":
            self.host.directory.forget(local)  # first: nothing of it is kept for who gets the name
        for session in list(account.sessions.values()) if account is not None else ():
            session.transport.end(error)
            dispatch.gone(self.host, session)
        if change == "deleted":
            self.host.store.activity.forget(local)
            self.host.store.clients.forget(local)
            forget_person(self.host, f"{local}@{self.host.domain}")
            # What was queued for it must not find the next account of that name.
            self.host.store.settle()
            announce_deletion(self.host, local)

    def _forget_what_was_missing(self, local: str) -> None:
        """There is an account now, and lists of it, where there was none."""
        if self.host.directory.online(local) is None:
            self.host.directory.forget(local)
        blocklist.read_again(self.host)
        preferences.read_again(self.host)

    # -- streams come and go -------------------------------------------------------------------

    def welcome(self, connection: Transport, framing: Framing = DOCUMENT) -> None:
        """A stream begins on a connection that the address book has counted."""
        stream = ClientStream(self, connection, time.monotonic(), framing)
        self._streams.add(stream)
        self._strangers.add(stream)
        self._awake.add(stream)
        connection.receiver = stream

    def _accept(self, connection: Connection) -> None:
        self.welcome(connection)
        connection.start()

    def _accept_tls(self, connection: Connection) -> None:
        self._accept(connection)
        connection.start_tls(self.shelf)

    def adopt(self, connection: Connection, early: bytes) -> None:
        """A client whose TLS is up already, and what it has sent."""
        self._accept(connection)
        connection.receiver.on_data(early)

    def logged_in(self, stream: ClientStream) -> None:
        self._strangers.discard(stream)
        if stream.connection.entry is not None:
            stream.connection.entry.known()

    def woke(self, stream: ClientStream) -> None:
        self._awake.add(stream)

    def forget(self, stream: ClientStream) -> None:
        if stream.connection.entry is not None:
            stream.connection.entry.leave()
        self._ended += 1
        for streams in (self._streams, self._strangers, self._awake):
            streams.discard(stream)

    # -- the clock -----------------------------------------------------------------------------

    def _watch(self) -> None:
        while True:
            gevent.sleep(_SWEEP)
            try:
                self._end_slow_logins()
                self._let_rest()
                self._rests.look(self._ended)
                hibernation.sweep(self.host)
                store_news.look(self.host)
                external_services.give_up_late(self.host)
                self._look_at_certificates()
                self._flush()
                self._forget_old_clients()
            except Exception as fault:  # noqa: BLE001 - the clock must go on
                bug(fault)

    def _end_slow_logins(self) -> None:
        late = time.monotonic() - LOGIN_SECONDS
        for stream in [s for s in self._strangers if s.since < late]:
            self._strangers.discard(stream)
            if stream.connection.closed:
                stream.connection.abort()
            else:
                stream.end(StreamError("connection-timeout", "the login took too long"))

    def _let_rest(self) -> None:
        """Streams that were silent for a whole sweep give their parser back."""
        resting = [s for s in self._awake if not s.awake and s.rest()]
        self._awake.difference_update(resting)
        for stream in self._awake:
            stream.awake = False
        if len(resting) >= _MANY:
            give_back()

    def _flush(self) -> None:
        now = time.monotonic()
        if now - self._flushed > _FLUSH:
            self._flushed = now
            self.host.store.flush()

    def _forget_old_clients(self) -> None:
        now = time.monotonic()
        if now - self._pruned > _PRUNE:
            self._pruned = now
            forget_old_clients(self.host)

    def _look_at_certificates(self) -> None:
        now = time.monotonic()
        if now - self._certificates_checked > _CERTIFICATE_CHECK:
            self._certificates_checked = now
            if self.shelf.changed():
                self.reload_certificates()


def offers(host: Host) -> dict[Phase, list[Markup]]:
    """What the features add to <stream:features/>; settings do not change while we run."""
    made = {phase: [f(host) for f in host.registry.stream_features(phase)] for phase in Phase}
    return {phase: [one for one in found if one is not None] for phase, found in made.items()}
