"""One TCP connection of a peer, with or without TLS, driven by libev watchers on the hub.

An idle connection costs no greenlet: a read watcher calls `receiver.on_data` with what arrived.
What one turn of the event loop writes leaves together, as one TLS record where it fits.
"""

import fcntl
import socket
import struct
import termios
from collections.abc import Callable
from typing import Any, Final

from gevent import get_hub
from OpenSSL import SSL

from hausbote.base.ways import DIRECT
from hausbote.net import memory_tls, records
from hausbote.net.address_book import Entry
from hausbote.net.peer_tls import Presented, presented
from hausbote.net.tls import channel_bindings, reason
from hausbote.net.traffic import Budget, Traffic
from hausbote.net.transport import Receiver, TlsMaker

READ: Final = 1
WRITE: Final = 2
_CHUNK: Final = 4096
_ANSWERS: Final = 16_384  # bytes of TLS's own that wait for one who does not read
_LINGER: Final = 3.0  # seconds that a closed connection may take to read our last words


class Connection:
    """Bytes to and from one peer; `receiver` must be set before `start`."""

    __slots__ = (
        "_budget",
        "_closing",
        "_fd_closed",
        "_flush_due",
        "_handshaking",
        "_in_memory",
        "_keeps_memory",
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
        self._leftover: bytes | memoryview = b""  # of what was joined to be sent
        self._budget = Budget(traffic)
        self._in_memory = self._keeps_memory = False  # TLS over buffers instead of the socket
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
            self._tls = shelf.connection()
            self._handshaking = self._in_memory = True
            self._keeps_memory = shelf.initiates
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
            self._handshake(memory_tls.received)
            return
        try:
            data, pieces = self._read()
        except (BlockingIOError, SSL.WantReadError):  # a part of a record, or one of TLS's own
            self._charge(0, 1)
            return
        except SSL.WantWriteError:  # an answer of TLS's own that the peer does not take
            self._reader.stop()
            self._await_writable()
            return
        except (OSError, SSL.Error):
            data, pieces = b"", 0
        if data:
            self._take(data, pieces)
        else:
            self._gone()
        if self._over:
            self._listen()

    def _take(self, data: bytes, pieces: int) -> None:
        if not self._closing:
            self._charge(len(data), pieces)
            self.receiver.on_data(data)

    def _read(self) -> tuple[bytes, int]:
        """What came, and in how many pieces; nothing at the end."""
        if self._tls is None:
            return self._sock.recv(_CHUNK), 1
        if self._in_memory:
            return self._read_memory(self._tls)
        data, pieces, self._over = records.read(self._tls, self._sock)
        return data, pieces

    def _read_memory(self, tls: SSL.Connection) -> tuple[bytes, int]:
        encrypted = memory_tls.received(self._sock)
        parts, self._over = memory_tls.decrypted(tls, encrypted)
        answer = memory_tls.encrypted(tls, b"")  # of TLS itself, to a request for new keys say
        if answer and len(self._leftover) > _ANSWERS:
            self._over = True  # it asks and asks, and does not read
        elif answer:
            self._leftover = bytes(self._leftover) + answer
            self._out_size += len(answer)
            self._flush_soon()
        if not parts and not self._over:
            self._charge(len(encrypted), 0)
            raise SSL.WantReadError
        return b"".join(parts), len(parts)

    def _begin_handshake(self) -> None:
        if self._handshaking and not self._fd_closed:
            self._handshake(lambda _sock: b"")

    def _handshake(self, receive: Callable[[socket.socket], bytes]) -> None:
        assert self._tls is not None
        try:
            if not memory_tls.handshake(self._tls, self._sock, receive(self._sock)):
                self._charge(0, 1)
                return
            early, self._over = memory_tls.decrypted(self._tls, b"")
        except BlockingIOError:
            return
        except Exception as error:  # noqa: BLE001 - OpenSSL's, and what a callback of ours raised
            self.failure = reason(error)
            self._gone()
            return
        self._handshaking = False
        if not self._keeps_memory:
            memory_tls.let_read(self._tls, self._sock)
            self._in_memory = False
        self._flush()
        if early and not self._fd_closed:
            self._take(b"".join(early), len(early))
        if self._over:
            self._listen()

    def charge(self, pieces: int) -> None:
        """What came had so many parts that each cost as much as a record does."""
        self._charge(0, pieces)

    def _charge(self, size: int, pieces: int) -> None:
        wait = self._budget.charge(size, pieces)
        if wait and not self.closed:
            self._throttled = True
            self._reader.stop()
            self._after(wait, self._unthrottle)

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
        else:
            self._flush_soon()

    def _flush_soon(self) -> None:
        if not self._flush_due and self._writer is None:
            self._flush_due = True
            self._loop.run_callback(self._flush)

    @property
    def unwritten(self) -> int:
        """Bytes that the kernel did not take yet."""
        return self._out_size

    @property
    def under_way(self) -> bool:
        """Whether the other machine did not confirm all; what it has, nobody may have read.

        What the front took may still be on its way.
        """
        if self._out_size or self._fd_closed or self._sock.family == socket.AF_UNIX:
            return True
        try:
            waiting = fcntl.ioctl(self._sock.fileno(), termios.TIOCOUTQ, bytes(4))
        except OSError:
            return True
        return struct.unpack("i", waiting) != (0,)

    def when_sent(self, callback: Callable[[], None]) -> None:
        """Call back on the hub when nothing waits to be sent any more, or never will be."""
        self._sent.append(callback)
        self._flush_soon()

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
        try:
            while self._leftover or self._out:
                # What is left goes first and by itself: joined anew each time, the 8 MB that a slow
                # reader may leave would be copied for every piece that it takes.
                data = self._leftover or self._joined()
                self._leftover = self._send(data)
                self._out_size -= len(data) - len(self._leftover)
                if self._leftover:
                    self._await_writable()
                    return
        except (OSError, SSL.Error):
            self._gone()
            return
        self._writer_done()

    def _joined(self) -> bytes:
        data = b"".join(self._out)
        self._out.clear()
        if self._tls is not None and self._in_memory:
            encrypted = memory_tls.encrypted(self._tls, data)
            self._out_size += len(encrypted) - len(data)
            return encrypted
        return data

    def _send(self, data: bytes | memoryview) -> bytes | memoryview:
        """What could not be sent yet."""
        tls = self._tls
        send = self._sock.send if tls is None or self._in_memory else tls.send
        try:
            sent = send(data)
            if sent < len(data):
                data = memoryview(data)[sent:]
                while data:
                    data = data[send(data) :]
        except (BlockingIOError, SSL.WantWriteError, SSL.WantReadError):
            return data
        return b""

    def _await_writable(self) -> None:
        if self._writer is None:
            self._writer = self._loop.io(self._sock.fileno(), WRITE)
            self._writer.start(self._writable)

    def _writable(self) -> None:
        self._flush()
        if self._writer is None:
            self._listen()  # which TLS may have stopped until it could write

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
                if self._in_memory:
                    self._sock.send(memory_tls.encrypted(self._tls, b""))
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
