"""The listeners for other servers, and the clock that watches all streams with them."""

import time
from collections.abc import Callable
from typing import Any, Final

import gevent

from hausbote.base.log import Event, bug, log
from hausbote.net.address_book import AddressBook, most_connections
from hausbote.net.connection import Connection
from hausbote.net.listener import Listener, listening
from hausbote.net.tls import CertificateError
from hausbote.s2s.gate import Gate
from hausbote.s2s.keepalive import Keepalive

_SWEEP: Final = 2.0  # seconds
_CERTIFICATE_CHECK: Final = 60.0  # seconds
_EXPIRE: Final = 60.0  # seconds
_JUDGE_AGAIN: Final = 3_600.0  # seconds
_MAX_STREAMS: Final = 3_000  # that others began
_MAX_STRANGERS: Final = 500  # that have not proven who they are


class Server:
    """Takes other servers' connections."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self._keepalive = Keepalive(gate)
        limits = gate.settings.limits
        # As many again are for our own calls.
        most = min(most_connections(limits.connections, share=2), _MAX_STREAMS)
        self._book = AddressBook(limits.connections_per_address, most, _MAX_STRANGERS)
        self._listeners: list[Listener] = []
        self._clock: Any = None
        self._jobs: list[_Job] = [
            _Job(_CERTIFICATE_CHECK, self._look_at_certificates),
            _Job(_EXPIRE, gate.queue.expire),
            _Job(_JUDGE_AGAIN, gate.judge_again),
        ]

    def start(self) -> None:
        """Accept other servers; OSError if a port is taken."""
        settings = self.gate.settings
        for backend, port, accept in (
            ("s2s", settings.ports.s2s, self._accept),
            ("s2s_tls", settings.ports.s2s_tls, self._accept_tls),
        ):
            sock = listening(settings, backend, port)
            if sock is not None:
                listener = Listener(sock, accept, self._book, self.gate.traffic)
                listener.start()
                self._listeners.append(listener)
        self._clock = gevent.spawn(self._watch)

    def close(self) -> None:
        """Accept nobody any more and look at the clock no more; the streams stay as they are."""
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()
        if self._clock is not None:
            self._clock.kill()

    def stop(self) -> None:
        """Say goodbye to everybody and accept nobody; what has not arrived goes to the disk."""
        self.close()
        self.gate.stop()

    def reload_certificates(self) -> None:
        """New connections get what is on disk now; if that is unusable, what they got before."""
        try:
            self.gate.reload()
        except CertificateError:
            log(Event.CERTIFICATE_UNUSABLE)
        else:
            log(Event.CERTIFICATE_RELOADED)

    def look(self, now: float) -> None:
        """Do what is due at `now`, in seconds of the monotonic clock: streams that are late, dead
        or unused end, certificates on disk are read, what waited for too long is given up."""
        self._keepalive.sweep(now)
        for job in self._jobs:
            job.run_if_due(now)

    def _accept(self, connection: Connection) -> None:
        self._welcome(connection)

    def _accept_tls(self, connection: Connection) -> None:
        self._welcome(connection)
        connection.start_tls(self.gate.shelf)

    def _welcome(self, connection: Connection) -> None:
        self.gate.welcome(connection)
        connection.start()

    def _watch(self) -> None:
        while True:
            gevent.sleep(_SWEEP)
            try:
                self.look(time.monotonic())
            except Exception as fault:  # noqa: BLE001 - the clock must go on
                bug(fault)

    def _look_at_certificates(self) -> None:
        if self.gate.changed():
            self.reload_certificates()


class _Job:
    """Something to do now and then."""

    def __init__(self, every: float, do: Callable[[], None]) -> None:
        self._every = every
        self._do = do
        self._next = time.monotonic() + every / 10

    def run_if_due(self, now: float) -> None:
        if now >= self._next:
            self._next = now + self._every
            self._do()
