"""What a stream sees of the way to its client, whatever that way is."""

from collections.abc import Callable
from typing import Protocol

from OpenSSL import SSL

from hausbote.base.ways import Way
from hausbote.net.address_book import Entry


class TlsMaker(Protocol):
    """Makes one side of TLS, over buffers; `initiates` as the side that connected."""

    @property
    def initiates(self) -> bool: ...

    def connection(self) -> SSL.Connection: ...


class Receiver(Protocol):
    """What a transport reports to; both are called on the hub and must not block."""

    def on_data(self, data: bytes) -> None: ...

    def on_closed(self) -> None:
        """Nothing more will be read, and nothing more can be written."""


class Transport(Protocol):
    """Bytes of a document, or frames.  Where there are frames, `write` takes one element."""

    address: str
    entry: Entry | None
    way: Way

    @property
    def silence(self) -> float:
        """Seconds for which a client may say nothing although it is there."""

    receiver: Receiver

    @property
    def closed(self) -> bool: ...

    @property
    def encrypted(self) -> bool: ...

    @property
    def tls_version(self) -> int:
        """As it is on the wire; 0 if it is not known."""

    def start_tls(self, shelf: TlsMaker) -> None: ...

    def channel_bindings(self) -> dict[str, bytes]: ...

    def write(self, data: bytes) -> None: ...

    @property
    def unwritten(self) -> int:
        """Bytes that wait to be sent."""

    def when_sent(self, callback: Callable[[], None]) -> None:
        """Call back on the hub when nothing waits to be sent any more, or never will be."""

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def close(self) -> None: ...

    def abort(self) -> None: ...
