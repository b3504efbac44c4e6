"""Accepts connections, as many as the address book allows."""

import socket
from collections.abc import Callable
from typing import Any, Final

import gevent
from gevent import get_hub

from hausbote.base.front import leads_to
from hausbote.base.log import Event, Word, log
from hausbote.base.settings import Settings
from hausbote.net import front_socket
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
    """Takes connections of a listening socket; each goes to `accept`, which must not block.

    What comes by the front is waited for until it is known who that is.
    """

    def __init__(
        self,
        sock: socket.socket,
        accept: Callable[[Connection], None],
        book: AddressBook,
        traffic: Traffic,
    ) -> None:
        self._accept = accept
        self._book = book
        self._traffic = traffic
        self._sock = sock
        self._is_front_socket = front_socket.is_front_socket(sock)
        self._closed = False
        self._loop: Any = get_hub().loop
        self._watcher: Any = self._loop.io(self._sock.fileno(), READ)
        self._retry: Any = self._loop.timer(PAUSE)

    def start(self) -> None:
        self._watcher.start(self._readable)

    def close(self) -> None:
        """Accept nothing more."""
        self._closed = True
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
            sock.setblocking(False)
            if not self._is_front_socket:
                self._welcome(sock, peer[0])
            elif (client := front_socket.peer_at_once(sock)) is not None:
                self._welcome(sock, client.address)
            else:
                gevent.spawn(self._meet, sock)

    def _meet(self, sock: socket.socket) -> None:
        peer = front_socket.proxied_peer(sock)
        if peer is None or self._closed:
            sock.close()
        else:
            self._welcome(sock, peer.address)

    def _welcome(self, sock: socket.socket, address: str) -> None:
        entry = self._book.enter(address)
        if entry is None:
            sock.close()
            return
        keep_alive(sock, self._traffic.idle)
        connection = Connection(sock, address, self._traffic)
        connection.entry = entry
        entry.end = connection.abort
        self._accept(connection)


def keep_alive(sock: socket.socket, idle: int) -> None:
    """Notice dead peers on this connection, after `idle` seconds of silence if that is not 0.

    Of those who come by the front, the front notices it.
    """
    if front_socket.is_front_socket(sock):
        return
    for level, option, value in _KEEPALIVE:
        sock.setsockopt(level, option, value)
    if idle:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, idle)


def listening(settings: Settings, backend: str, port: int) -> socket.socket | None:
    """Where a service takes connections: as the front's backend of that name if there is a front,
    on its own port otherwise.  None if it is to take none; OSError if the place is taken."""
    if settings.has_front:
        made = (
            front_socket.open_front_socket(settings, backend)
            if leads_to(settings, backend)
            else None
        )
        where: dict[str, int | Word] = {"front": Word(backend)}
    else:
        made = listen(settings.address, port) if port else None
        where = {"port": port}
    if made is not None:
        log(Event.LISTENING, **where)
    return made


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
