"""One TCP connection of a peer, with or without TLS, driven by libev watchers on the hub.

An idle connection costs no greenlet: a read watcher calls `receiver.on_data` with what arrived.
What one turn of the event loop writes leaves together, as one TLS record where it fits.
"""

import fcntl
import socket
import struct
import termios
import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from gevent import get_hub
from OpenSSL import SSL

from hausbote.base.ways import DIRECT
from hausbote.net.address_book import Entry
from hausbote.net.peer_tls import Presented, presented
from hausbote.net.tls import channel_bindings, reason
from hausbote.net.transport import Receiver, TlsMaker

READ: Final = 1
WRITE: Final = 2
_CHUNK: Final = 4096
_TURN: Final = 16_384  # bytes of TLS records that are read together
_NONE: Final = bytes(4)
_LINGER: Final = 3.0  # seconds that a closed connection may take to read our last words


class Traffic(NamedTuple):
    """What one connection may send us and leave unread."""

    bytes_per_second: int = 262_144  # 0 = no limit
    burst: int = 1_048_576  # bytes that may come at once
    unread: int = 8_388_608  # bytes we keep for a peer that does not read
    idle: int = 300  # seconds of silence until it is looked for; 0 = for ever


class Connection:
    """Bytes to and from one peer; `receiver` must be set before `start`."""

    __slots__ = (
        "_budget",
        "_budget_at",
        "_closing",
        "_fd_closed",
        "_flush_due",
        "_handshaking",
        "_leftover",
        "_loop",
        "_out",
        "_out_size",
        "_over",
        "_paused",
        "_reader",
        "_sent",
        "_sock",
        "_throttled",
        "_timer",
        "_tls",
        "_traffic",
        "_writer",
        "address",
        "entry",
        "failure",
        "receiver",
    )

    silence = 0.0
    way = DIRECT

    def __init__(self, sock: socket.socket, address: str, traffic: Traffic) -> None:
        self.address = address
        self.entry: Entry | None = None  # of who connected to us
        self.failure = ""  # why TLS did not come about
        self.receiver: Receiver
        self._sock = sock
        self._traffic = traffic
        self._loop: Any = get_hub().loop
        self._tls: SSL.Connection | None = None
        self._handshaking = self._paused = self._throttled = False
        self._closing = self._fd_closed = self._flush_due = self._over = False
        self._out: list[bytes] = []
        self._out_size = 0
        self._leftover = b""
        self._budget = float(traffic.burst)
        self._budget_at = 0.0
        self._reader: Any = self._loop.io(sock.fileno(), READ)
        self._writer: Any = None
        self._timer: Any = None
        self._sent: list[Callable[[], None]] = []

    def start(self) -> None:
        self._reader.start(self._readable)

    @property
    def closed(self) -> bool:
        """Whether writing is pointless."""
        return self._closing or self._fd_closed

    @property
    def encrypted(self) -> bool:
        return self._tls is not None

    def start_tls(self, shelf: TlsMaker) -> None:
        """Everything from here on is TLS; what is queued leaves first, in plain text."""
        self._flush()
        if self._leftover:  # a client that does not read: nothing of this may slip into TLS
            self._gone()
        if not self._fd_closed:
            self._tls = shelf.connection(self._sock)
            self._handshaking = True
            if shelf.initiates:
                self._loop.run_callback(self._begin_handshake)

    def presented(self) -> Presented:
        """The certificates that the peer showed in its handshake."""
        return presented(self._tls) if self._tls is not None else Presented(())

    def adopt_tls(self, tls: SSL.Connection) -> None:
        """The TLS that somebody else began over this socket, with what it has decrypted already."""
        self._tls = tls
        if tls.pending():
            self._loop.run_callback(self._readable)

    def channel_bindings(self) -> dict[str, bytes]:
        """Channel binding data by type; empty without TLS."""
        return channel_bindings(self._tls) if self._tls is not None else {}

    @property
    def tls_version(self) -> int:
        """The number of TLS's version as it is on the wire, 0 without TLS."""
        return self._tls.get_protocol_version() if self._tls is not None else 0

    # -- reading -------------------------------------------------------------------------------

    def pause(self) -> None:
        """Read no further until `resume`: the peer is held back by TCP."""
        self._paused = True
        self._reader.stop()

    def resume(self) -> None:
        if self._paused:
            self._paused = False
            self._listen()

    def _listen(self) -> None:
        if self._paused or self._throttled or self._fd_closed:
            return
        if self._over:
            self._loop.run_callback(self._gone)
        else:
            self._reader.start(self._readable)

    def _readable(self) -> None:
        if self._handshaking:
            self._handshake()
            return
        try:
            data = self._sock.recv(_CHUNK) if self._tls is None else self._decrypt(self._tls)
        except (BlockingIOError, SSL.WantReadError):
            return
        except SSL.WantWriteError:
            self._await_writable()
            return
        except (OSError, SSL.Error):
            data = b""
        if not data:
            self._gone()
        elif not self._closing:
            if self._traffic.bytes_per_second:
                self._charge(len(data))
            self.receiver.on_data(data)
        if self._over:
            self._listen()

    def _decrypt(self, tls: SSL.Connection) -> bytes:
        data = tls.recv(_CHUNK)
        # What OpenSSL has already decrypted does not make the socket readable again.
        while pending := tls.pending():
            data += tls.recv(pending)
        if data and _unread(self._sock):
            data += self._decrypt_more(tls, _TURN - len(data))
        return data

    def _decrypt_more(self, tls: SSL.Connection, most: int) -> bytes:
        """A peer in a hurry sent further records: together they cost one turn of everything."""
        parts = []
        try:
            while most > 0 and _unread(self._sock):
                parts.append(tls.recv(most))
                most -= len(parts[-1])
        except (SSL.WantReadError, SSL.WantWriteError):
            pass
        except (OSError, SSL.Error):
            self._over = True  # for what came before is to be handled first
        while pending := tls.pending():
            parts.append(tls.recv(pending))
        return b"".join(parts)

    def _begin_handshake(self) -> None:
        if self._handshaking and not self._fd_closed:
            self._handshake()

    def _handshake(self) -> None:
        assert self._tls is not None
        try:
            self._tls.do_handshake()
        except SSL.WantReadError:
            return
        except SSL.WantWriteError:
            self._await_writable()
            return
        except Exception as error:  # noqa: BLE001 - OpenSSL's, and what a callback of ours raised
            self.failure = reason(error)
            self._gone()
            return
        self._handshaking = False
        self._flush()
        if self._tls.pending():
            self._loop.run_callback(self._readable)

    def _charge(self, size: int) -> None:
        now = time.monotonic()
        rate, burst = self._traffic.bytes_per_second, self._traffic.burst
        refilled = self._budget + (now - self._budget_at) * rate
        self._budget = min(refilled, burst) - size
        self._budget_at = now
        if self._budget < 0:
            self._throttled = True
            self._reader.stop()
            self._after(-self._budget / rate, self._unthrottle)

    def _unthrottle(self) -> None:
        self._throttled = False
        self._listen()

    # -- writing -------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Queue bytes; they leave at the end of this turn of the loop."""
        if self._closing or self._fd_closed:
            return
        self._out.append(data)
        self._out_size += len(data)
        if self._out_size > self._traffic.unread:
            self._gone()
        elif not self._flush_due and self._writer is None:
            self._flush_due = True
            self._loop.run_callback(self._flush)

    @property
    def unwritten(self) -> int:
        """Bytes that the kernel did not take yet."""
        return self._out_size

    @property
    def under_way(self) -> bool:
        """Whether the other machine did not confirm all; what it has, nobody may have read."""
        if self._out_size or self._fd_closed:
            return True
        try:
            waiting = fcntl.ioctl(self._sock.fileno(), termios.TIOCOUTQ, bytes(4))
        except OSError:
            return True
        return struct.unpack("i", waiting) != (0,)

    def when_sent(self, callback: Callable[[], None]) -> None:
        """Call back on the hub when nothing waits to be sent any more, or never will be."""
        self._sent.append(callback)
        if not self._flush_due and self._writer is None:
            self._flush_due = True
            self._loop.run_callback(self._flush)

    def _tell_sent(self) -> None:
        sent, self._sent = self._sent, []
        for callback in sent:
            callback()

    def _flush(self) -> None:
        self._flush_due = False
        if self._fd_closed:
            self._tell_sent()
        if self._fd_closed or self._handshaking:
            return
        data = self._leftover + b"".join(self._out)
        self._out.clear()
        try:
            data = self._send(data)
        except (OSError, SSL.Error):
            self._gone()
            return
        self._leftover = data
        self._out_size = len(data)
        if data:
            self._await_writable()
        else:
            self._writer_done()

    def _send(self, data: bytes) -> bytes:
        """What could not be sent yet."""
        send = self._sock.send if self._tls is None else self._tls.send
        try:
            while data:
                sent = send(data)
                data = data[sent:]
        except (BlockingIOError, SSL.WantWriteError, SSL.WantReadError):
            pass
        return data

    def _await_writable(self) -> None:
        if self._writer is None:
            self._writer = self._loop.io(self._sock.fileno(), WRITE)
            self._writer.start(self._writable)

    def _writable(self) -> None:
        if self._handshaking:
            self._stop_writer()
            self._handshake()
        else:
            self._flush()

    def _stop_writer(self) -> None:
        if self._writer is not None:
            self._writer.stop()
            self._writer.close()
            self._writer = None

    def _writer_done(self) -> None:
        self._stop_writer()
        if self._sent:
            self._tell_sent()
        if self._closing:
            self._say_goodbye()

    # -- the end -------------------------------------------------------------------------------

    def close(self) -> None:
        """Send what is queued, then close; the receiver hears of it by `on_closed`.

        The peer gets a few seconds to read our last words before the socket is gone: closing at
        once would let a reset overtake them.
        """
        if self.closed:
            return
        self._closing = True
        self._paused = self._throttled = False
        self._after(_LINGER, self._gone)
        if not self._flush_due:
            self._flush_due = True
            self._loop.run_callback(self._flush)

    def abort(self) -> None:
        """Close at once, dropping what is queued."""
        self._gone()

    def _say_goodbye(self) -> None:
        try:
            if self._tls is not None:
                self._tls.shutdown()
            self._sock.shutdown(socket.SHUT_WR)
        except (OSError, SSL.Error):
            self._gone()
            return
        self._listen()

    def _after(self, seconds: float, callback: Any) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer.close()
        self._timer = self._loop.timer(seconds)
        self._timer.start(callback)

    def _gone(self) -> None:
        if self._fd_closed:
            return
        self._fd_closed = True
        self._stop_writer()
        for watcher in (self._reader, self._timer):
            if watcher is not None:
                watcher.stop()
                watcher.close()
        self._timer = None
        self._tls = None
        self._out.clear()
        self._leftover = b""
        self._sock.close()
        receiver = self.receiver
        del self.receiver  # it holds us, too: neither is to wait for the garbage collector
        receiver.on_closed()
        self._tell_sent()


def _unread(sock: socket.socket) -> bool:
    """Whether more has arrived; asking costs less than trying to read in vain."""
    return fcntl.ioctl(sock.fileno(), termios.FIONREAD, _NONE) != _NONE
