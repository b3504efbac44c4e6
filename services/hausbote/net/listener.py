"""Accepts connections, as many as the address book allows."""

import socket
from collections.abc import Callable
from typing import Any, Final

from gevent import get_hub

from hausbote.net.address_book import AddressBook
from hausbote.net.connection import READ, Connection
from hausbote.net.shortage import PAUSE, is_shortage
from hausbote.net.traffic import Traffic

_BACKLOG: Final = 1024
_PER_WAKE_UP: Final = 64
# A dead peer is noticed after the idle time and two minutes of asking, or when what we sent stays
# unacknowledged for a minute and a half; more often would only wake sleeping phones.
_KEEPALIVE: Final = (
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 30),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 90_000),
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
)


class Listener:
    """A listening TCP socket; every accepted connection goes to `accept`, on the hub."""

    def __init__(
        self,
        address: str,
        port: int,
        accept: Callable[[Connection], None],
        book: AddressBook,
        traffic: Traffic,
    ) -> None:
        self._accept = accept
        self._book = book
        self._traffic = traffic
        self._sock = listen(address, port)
        self.port: int = self._sock.getsockname()[1]
        self._loop: Any = get_hub().loop
        self._watcher: Any = self._loop.io(self._sock.fileno(), READ)
        self._retry: Any = self._loop.timer(PAUSE)

    def start(self) -> None:
        self._watcher.start(self._readable)

    def close(self) -> None:
        """Accept nothing more."""
        for watcher in (self._watcher, self._retry):
            watcher.stop()
            watcher.close()
        self._sock.close()

    def _readable(self) -> None:
        for _ in range(_PER_WAKE_UP):
            try:
                sock, peer = self._sock.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if is_shortage(error):
                    self._watcher.stop()
                    self._retry.close()
                    self._retry = self._loop.timer(PAUSE)  # libev's cannot be started twice
                    self._retry.start(self.start)
                    return
                continue  # the peer gave up before we came
            self._welcome(sock, peer[0])

    def _welcome(self, sock: socket.socket, address: str) -> None:
        entry = self._book.enter(address)
        if entry is None:
            sock.close()
            return
        sock.setblocking(False)
        keep_alive(sock, self._traffic.idle)
        connection = Connection(sock, address, self._traffic)
        connection.entry = entry
        entry.end = connection.abort
        self._accept(connection)


def keep_alive(sock: socket.socket, idle: int) -> None:
    """Notice dead peers on this connection, after `idle` seconds of silence if that is not 0."""
    for level, option, value in _KEEPALIVE:
        sock.setsockopt(level, option, value)
    if idle:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, idle)


def listen(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(address != "::"))
    sock.bind((address, port))
    sock.listen(_BACKLOG)
    sock.setblocking(False)
    return sock
