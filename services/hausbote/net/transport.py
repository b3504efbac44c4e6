"""What a stream sees of the way to its client, whatever that way is."""

from typing import Protocol

from hausbote.net.tls import TlsShelf


class Receiver(Protocol):
    """What a transport reports to; both are called on the hub and must not block."""

    def on_data(self, data: bytes) -> None: ...

    def on_closed(self) -> None:
        """Nothing more will be read, and nothing more can be written."""


class Transport(Protocol):
    """Bytes of a document, or frames.  Where there are frames, `write` takes one element."""

    address: str
    receiver: Receiver

    @property
    def closed(self) -> bool: ...

    @property
    def encrypted(self) -> bool: ...

    def start_tls(self, shelf: TlsShelf) -> None: ...

    def channel_bindings(self) -> dict[str, bytes]: ...

    def write(self, data: bytes) -> None: ...

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def close(self) -> None: ...

    def abort(self) -> None: ...
