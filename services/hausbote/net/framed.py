"""What transports that carry frames have in common: frames wait while the stream is paused."""

from collections import deque
from collections.abc import Callable

from hausbote.base.ways import Way
from hausbote.net.address_book import Entry
from hausbote.net.transport import Receiver, TlsMaker


class Frames:
    """Frames on their way to the receiver, in order; `size` is what waits, in bytes."""

    __slots__ = ("_delivering", "_receive", "_waiting", "paused", "size")

    def __init__(self, receive: Callable[[bytes], None]) -> None:
        self._receive = receive
        self._waiting: deque[bytes] = deque()
        self.paused = self._delivering = False
        self.size = 0

    def put(self, frame: bytes) -> None:
        self._waiting.append(frame)
        self.size += len(frame)
        self._deliver()

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False
        self._deliver()

    def close(self) -> None:
        """Drop what waits, and the way to the receiver: circles would wait for the collector."""
        self._waiting.clear()
        self.size = 0
        self._receive = _nowhere

    def _deliver(self) -> None:
        if self._delivering:
            return
        self._delivering = True
        try:
            while self._waiting and not self.paused:
                frame = self._waiting.popleft()
                self.size -= len(frame)
                self._receive(frame)
        finally:
            self._delivering = False


def _nowhere(_frame: bytes) -> None:
    """Where frames go after the end."""


class Framed:
    """A transport whose frames arrive over TLS of somebody else's making.

    Its clients are pages in browsers, and these show no page what binds a login to its connection.
    Some take every -PLUS mechanism that they see and then have nothing to bind to (StanzaJS).
    """

    address: str
    entry: Entry | None
    way: Way
    receiver: Receiver
    encrypted = True
    silence = 0.0

    def channel_bindings(self) -> dict[str, bytes]:
        """None; over BOSH no connection is its own, either."""
        return {}

    def start_tls(self, shelf: TlsMaker) -> None:
        raise AssertionError("TLS is there already")
