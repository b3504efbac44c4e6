"""What pywsgi reads from and writes to: the server's side of one TLS connection over pyOpenSSL.

What a peer may cost is bounded here: the seconds and the bytes of a request, bytes per second, and
what is read or written until all others have had their turn, however much is there.
"""

import contextlib
import errno
import io
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final

import gevent
from gevent.socket import wait
from OpenSSL import SSL

from hausbote.net import memory_tls
from hausbote.net.address_book import Entry
from hausbote.net.connection import READ, WRITE
from hausbote.net.records import PIECES
from hausbote.net.traffic import Budget, Traffic

CHUNK: Final = 16_384  # what fits into one TLS record
_AHEAD: Final = 4_096  # bytes that are read beyond what was asked for
_HEAD_BYTES: Final = 32_768  # before its own bound, which has an answer
_HANDSHAKE: Final = 10.0  # seconds
_REQUEST: Final = 30.0  # seconds from a request's first byte to its last
_IDLE: Final = 75.0  # seconds between two requests: longer than a held one is held
_WRITE: Final = 30.0  # seconds without a byte taken
_STALL: Final = 30.0  # seconds without a byte of a body that may take its time
_SLOWEST: Final = 8_192  # bytes per second of such a body, on the whole
_ENOUGH: Final = 65_536  # and at least, if they are not the last ones
_LOOKS: Final = 32  # at what comes while an answer is due; who sends more is not watched
_NEXT_TURN: Final = 1e-6  # seconds; after none at all one is back before others' sockets are read


class HttpSocket:
    """One connection."""

    def __init__(self, sock: socket.socket, tls: SSL.Connection, traffic: Traffic) -> None:
        # Not called `_sock`: that pywsgi would close itself, before the peer is told of the end.
        self._plain: socket.socket | None = sock
        self._readable = _watcher(sock, READ)
        self._writable: Any = None
        self._tls = tls
        self._budget = Budget(traffic)
        self._row = 0  # records since others had their turn
        self._early = b""  # came with the end of the handshake
        self._until = time.monotonic() + _HANDSHAKE
        self._bytes = 0
        self._between = False
        self._latest = 0.0  # when a body that may take its time must be there; 0 = there is none
        self._ended = False  # by the peer
        self._looks = 0  # that are left
        self.entry: Entry | None = None
        self.handed_over = False
        self.is_mute = False

    def handshake(self) -> None:
        """OSError, or whatever OpenSSL and our callbacks raise."""
        assert self._plain is not None
        while True:
            self._wait(self._readable)
            with contextlib.suppress(BlockingIOError):
                data = memory_tls.received(self._plain)
                if memory_tls.handshake(self._tls, self._plain, data):
                    break
        self._early = b"".join(memory_tls.decrypted(self._tls, b"")[0])
        memory_tls.let_read(self._tls, self._plain)

    def begins_with(self, byte: bytes) -> bool:
        """Whether that is what the peer begins with, who named no protocol (ALPN); waits for it."""
        if self._tls.get_alpn_proto_negotiated():
            return False
        self.expect_request()
        if not self._early:
            buffer = bytearray(_AHEAD)
            self._early = bytes(buffer[: self.recv_into(buffer)])
        return self._early.startswith(byte)

    def expect_request(self) -> None:
        """The next byte may take its time; from there on a request has its seconds and bytes."""
        self._until = time.monotonic() + _IDLE
        self._bytes = _HEAD_BYTES + CHUNK  # the end of the head brings some of the body
        self._between = True
        self._latest = 0.0

    def expect_file(self, size: int) -> None:
        """The rest of the request is a body that may take long, as long as it gets on."""
        self.expect_body(size)
        self._latest = time.monotonic() + _REQUEST + size / _SLOWEST

    def expect_body(self, size: int) -> None:
        self._bytes = size + CHUNK  # the chunks' own lines

    def recv_into(self, buffer: Any) -> int:
        """How many bytes came; 0 at the end."""
        if self._plain is None:
            return 0
        try:
            size = self._take_early(buffer) or self._retry(
                partial(self._tls.recv_into, buffer, CHUNK)
            )
        except SSL.ZeroReturnError:
            self._ended = True
            return 0
        if self._between:
            self._between = False
            self._until = time.monotonic() + _REQUEST
        elif self._latest:
            self._get_on()
        self._charge(size, 1)
        return size

    def _take_early(self, buffer: Any) -> int:
        data, self._early = self._early[: len(buffer)], self._early[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)

    def early(self, file: io.BufferedReader, limit: int) -> bytes:
        """Up to that much of what `file`, which is ours, has read ahead."""
        self.is_mute = True
        data = file.read1(limit)
        self.is_mute = False
        return data

    def fill(self, buffer: memoryview) -> int:
        """How many bytes came: all that is there, as much as there is room for, and never so little
        that it would not be worth the way to the disk.  OSError if it does not come."""
        recv_into, at, pieces = self._tls.recv_into, 0, 0
        enough = min(_ENOUGH, len(buffer))
        while at < len(buffer):
            try:
                at += recv_into(buffer[at : at + CHUNK])
                pieces += 1
                self._give_way(1)
            except SSL.WantReadError:
                if at >= enough:
                    break
                at += self._some(buffer[at:])
            except SSL.Error:
                raise cut() from None
        self._get_on()
        self._charge(at, pieces)
        return at

    def _some(self, buffer: memoryview) -> int:
        try:
            size: int = self._retry(partial(self._tls.recv_into, buffer, CHUNK))
        except SSL.ZeroReturnError:
            raise cut() from None
        self._get_on()
        return size

    def _get_on(self) -> None:
        """Something of a body came: so much time is left for more."""
        now = time.monotonic()
        self._until = min(now + _STALL, self._latest)
        if self._until <= now:
            raise _too_late()

    def _charge(self, size: int, pieces: int) -> None:
        self._bytes -= size
        if self._bytes < 0:
            raise ConnectionAbortedError("a request is too large")
        seconds = self._budget.charge(size, pieces)
        if seconds:
            gevent.sleep(seconds)
        else:
            self._give_way(pieces)

    def _give_way(self, pieces: int) -> None:
        """Let others have their turn, even if there is always more to do here."""
        self._row += pieces
        if self._row >= PIECES:
            self._row = 0
            gevent.sleep(_NEXT_TURN)

    def sendall(self, data: bytes | bytearray | memoryview) -> None:
        if self._plain is None:
            raise cut()
        view = memoryview(data)
        while view:
            try:
                view = view[self._tls.send(view) :]
            except SSL.WantWriteError:
                self._until = time.monotonic() + _WRITE
                view = view[self._retry(partial(self._tls.send, view)) :]
            except SSL.Error:
                raise cut() from None

    def stream(self, size: int, piece: Callable[[int], memoryview]) -> None:
        """Send that many bytes; `piece` has those from a place on, for as long as nobody waits.

        Where the peer takes no more, nothing is held for it but what OpenSSL has made of it; that
        wants to be shown the same once more, and so it is asked for again.
        """
        if self._plain is None:
            raise cut()
        send, at = self._tls.send, 0
        while at < size:
            try:
                at += send(piece(at))
                self._give_way(1)
            except SSL.WantReadError:
                self._wait(self._readable)
            except SSL.WantWriteError:
                self._until = time.monotonic() + _WRITE
                self._wait(self._for_writing())
            except SSL.Error:
                raise cut() from None

    def _retry(self, step: Callable[[], Any]) -> Any:
        """Call until it need not wait; OSError when time is up or the connection is broken."""
        if self._plain is None:
            raise cut()
        while True:
            try:
                return step()
            except SSL.WantReadError:
                self._wait(self._readable)
                self._charge(0, 1)
            except SSL.WantWriteError:
                self._wait(self._for_writing())
            except SSL.ZeroReturnError:
                raise
            except SSL.Error:
                raise cut() from None

    def _wait(self, watcher: Any) -> None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise _too_late()
        wait(watcher, timeout=left, timeout_exc=_too_late())
        self._row = 0

    def _for_writing(self) -> Any:
        self._writable = self._writable or _watcher(self._plain, WRITE)
        return self._writable

    def watch(self, gone: Callable[[], None]) -> None:
        """While an answer is due: call `gone` on the hub, once, if the peer ends the connection.

        To be ended by `unwatch`.  What comes is looked at by OpenSSL, and stays to be read: the
        next request, which means that the peer is there.
        """
        if self._plain is not None and not self._early:
            self._looks = _LOOKS
            self._readable.start(self._look, gone)

    def unwatch(self) -> None:
        self._readable.stop()

    def _look(self, gone: Callable[[], None]) -> None:
        ended = False
        try:
            self._tls.recv(1, socket.MSG_PEEK)
        except SSL.WantReadError:
            self._looks -= 1
            if self._looks:
                return  # a piece of a record, or one that is not for us
        except SSL.WantWriteError:
            pass
        except SSL.Error:
            ended = True
        self._readable.stop()
        if ended:
            gone()

    def makefile(self, *_: object) -> io.BufferedReader:
        return io.BufferedReader(_Raw(self), _AHEAD)

    def hand_over(self) -> tuple[socket.socket, SSL.Connection, bytes]:
        """Give the connection to somebody else, with what came already and nobody has read; nothing
        is read or closed here any more."""
        self.handed_over = True
        early, self._early = self._early, b""
        return self._let_go(), self._tls, early

    def cut_off(self) -> None:
        """Whoever reads or writes here finds that it is over."""
        if self._plain is not None:
            with suppress(OSError):
                self._plain.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        if self._plain is None:
            return
        if not self._ended:
            self._say_goodbye(self._plain)
        self._let_go().close()

    def _say_goodbye(self, sock: socket.socket) -> None:
        try:
            self._tls.shutdown()
            sock.shutdown(socket.SHUT_WR)
            sock.recv(CHUNK)  # what is left unread would make the end a reset
        except (OSError, SSL.Error):
            pass

    def _let_go(self) -> socket.socket:
        sock, self._plain = self._plain, None
        assert sock is not None
        for watcher in (self._readable, self._writable):
            if watcher is not None:
                watcher.close()
        return sock


class _Raw(io.RawIOBase):
    def __init__(self, source: HttpSocket) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        return None if self._source.is_mute else self._source.recv_into(buffer)


def _watcher(sock: socket.socket | None, events: int) -> Any:
    assert sock is not None
    return gevent.get_hub().loop.io(sock.fileno(), events)


# pywsgi wants errors of connections to have numbers.


def cut() -> ConnectionResetError:
    return ConnectionResetError(errno.ECONNRESET, "the peer is gone")


def _too_late() -> TimeoutError:
    return TimeoutError(errno.ETIMEDOUT, "the peer is too slow")
