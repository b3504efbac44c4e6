"""The proxy's connections: SOCKS5, a wait for the other side, and then bytes to and fro.

Nothing is read of a connection before its stream is activated, so nothing is kept.
"""

import socket
import time
from contextlib import suppress
from functools import partial
from typing import Any, Final

import gevent
from gevent.event import Event as Signal
from gevent.server import StreamServer

from hausbote.base.log import bug
from hausbote.base.settings_sections import Proxy
from hausbote.core.host import Host
from hausbote.net.address_book import AddressBook, Entry, most_connections
from hausbote.net.front_socket import is_front_socket, proxied_peer
from hausbote.net.listener import keep_alive, listening
from hausbote.net.proxy_protocol import Peer
from hausbote.upload.socks import Handshake, Reply, SocksError
from hausbote.upload.streams import Party, Streams

_HANDSHAKE: Final = 10.0  # seconds
_ACTIVATION: Final = 60.0  # seconds
_PIECE: Final = 65_536


class ProxyServer:
    """Listens for ports.proxy; `host` is the one of the proxy's domain."""

    def __init__(self, host: Host) -> None:
        self._settings = host.settings
        self._streams = host.state(Streams)
        limits = host.settings.limits
        most = most_connections(limits.connections, share=3)
        self._book = AddressBook(limits.connections_per_address, most)
        self._server: Any = None

    def start(self) -> None:
        """OSError if the port is taken."""
        sock = listening(self._settings, "proxy", self._settings.ports.proxy)
        if sock is not None:
            self._server = StreamServer(sock, self._serve)
            self._server.start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    def _serve(self, sock: Any, address: tuple[Any, ...]) -> None:
        """One connection, in a greenlet of its own."""
        peer = self._proxied_peer(sock) if is_front_socket(sock) else address
        entry = None if peer is None else self._book.enter(peer[0])
        if entry is None:
            sock.close()
            return
        entry.end = partial(_cut_off, sock)
        try:
            keep_alive(sock, self._settings.limits.idle_seconds)
            self._attend(sock, entry)
        except OSError:
            pass  # the peer is gone
        except Exception as error:  # noqa: BLE001 - one connection's fault
            bug(error)
        finally:
            entry.leave()
            sock.close()

    def _proxied_peer(self, sock: Any) -> Peer | None:
        sock.setblocking(False)
        peer = proxied_peer(sock)
        sock.setblocking(True)
        return peer

    def _attend(self, sock: Any, entry: Entry) -> None:
        handshake = _shake_hands(sock)
        if handshake is None:
            return
        party = Party(sock, entry.address)
        if not self._streams.join(handshake.address, party):
            sock.sendall(handshake.reply(Reply.FORBIDDEN))
            return
        try:
            sock.sendall(handshake.reply(Reply.GRANTED))
            party.called.wait(_ACTIVATION)
        finally:
            self._streams.leave(handshake.address, party)
        if party.other is None:
            return
        entry.known()  # somebody of the box has asked for this stream
        if party.leads:
            self._lead(party, party.other)
        else:
            party.done.wait()

    def _lead(self, party: Party, other: Party) -> None:
        try:
            Relay(party.sock, other.sock, self._settings.proxy).run()
        finally:
            self._streams.over(party)
            other.done.set()


def _cut_off(sock: Any) -> None:
    """Whoever reads or writes here finds that it is over."""
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def _shake_hands(sock: Any) -> Handshake | None:
    """None if it did not come to a request."""
    handshake = Handshake()
    with gevent.Timeout(_HANDSHAKE, False):
        while not handshake.address:
            data = sock.recv(handshake.missing)
            if not data:
                return None
            try:
                sock.sendall(handshake.feed(data))
            except SocksError as no:
                sock.sendall(no.answer)
                return None
    return handshake if handshake.address else None


class Relay:
    """One stream, both ways, until both sides are done or a limit is reached."""

    def __init__(self, one: Any, other: Any, limits: Proxy) -> None:
        self._ways = ((one, other), (other, one))
        self._limits = limits
        self._bytes = 0
        self._moved = time.monotonic()
        self._open = 2
        self._over = Signal()

    def run(self) -> None:
        """Return when it is over."""
        for source, _ in self._ways:
            source.settimeout(self._limits.idle_seconds)
        pumps = [gevent.spawn(self._pump, *way) for way in self._ways]
        self._over.wait(self._limits.stream_seconds or None)
        gevent.killall(pumps)

    def _pump(self, source: Any, sink: Any) -> None:
        view = memoryview(bytearray(_PIECE))
        try:
            while size := self._read(source, view):
                sink.sendall(view[:size])
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            self._over.set()
        self._open -= 1
        if not self._open:
            self._over.set()

    def _read(self, source: Any, view: memoryview) -> int:
        """How many bytes came; 0 at the end, OSError beyond a limit."""
        while True:
            try:
                size: int = source.recv_into(view)
            except TimeoutError:
                # The other way may be busy while nothing comes this way.
                if time.monotonic() - self._moved >= self._limits.idle_seconds:
                    raise
                continue
            self._moved = time.monotonic()
            self._bytes += size
            if 0 < self._limits.stream_bytes < self._bytes:
                raise ConnectionAbortedError
            return size
