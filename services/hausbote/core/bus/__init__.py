"""How the services of a box reach each other.

A service that is restarting costs a wait, not a message: what was not acknowledged is sent again,
what was already seen is dropped, and only when patience or room run out does the sender hear no.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from hausbote.core.bus.control import notify, query_status
from hausbote.core.bus.frame import Frame, FrameError

if TYPE_CHECKING:
    from hausbote.core.bus.cause import Pending

__all__ = ["Bus", "BusError", "Frame", "FrameError", "notify", "open_bus", "query_status"]

Handler = Callable[[Frame], "Sequence[Pending]"]
Undeliverable = Callable[[str, Frame], None]


class BusError(Exception):
    """The bus cannot be used; the message is a sentence for the owner."""


class Bus(Protocol):
    """One service's end of the bus."""

    def serve(self, handler: Handler) -> None:
        """Take frames from now on, in order per sender; a sender whose frames take long comes
        after others of the same service.

        A frame is acknowledged when what the handler returns is on disk and every frame that it
        sent meanwhile was acknowledged itself.
        """

    def send(
        self,
        service: str,
        kind: str,
        sender: str,
        recipients: Sequence[str],
        payload: bytes,
        *,
        account: str | None = None,
    ) -> None:
        """Queue a frame; never blocks, and never fails because the other side is away.

        It counts for `account`, which is the bare form of `sender` if it is None: when much waits,
        those are given up first who brought most of it.
        """

    def send_bulky(
        self, service: str, kind: str, sender: str, recipients: Sequence[str], payload: bytes
    ) -> bool:
        """Queue a frame of a long answer when there is room among those, which is apart from that
        for everything else.  False if no room came: nothing was sent, and `undeliverable` is not
        told.  May wait for long."""

    def send_vital(
        self, service: str, kind: str, sender: str, recipients: Sequence[str], payload: bytes
    ) -> bool:
        """Queue a frame that is never given up.  False if too much of that kind waits: nothing was
        sent, and `undeliverable` is not told."""

    def ease(self, service: str, account: str) -> bool:
        """Wait a moment while much waits for that service on that account; whether more may be
        brought now."""

    def on_status(self, describe: Callable[[], dict[str, object]]) -> None:
        """Answer `query_status` with this."""

    def on_notify(self, handle: Callable[[dict[str, str]], None]) -> None:
        """Hand what `notify` sends to this."""

    def finish(self) -> None:
        """Take no more frames, and return when those at work are done, or after some seconds."""

    def close(self, *, graceful: bool = True) -> None:
        """Take no more frames; gracefully: finish those at work and send what is queued."""


def open_bus(url: str, service: str, undeliverable: Undeliverable) -> Bus:
    """The bus of `unix:DIRECTORY` or `memory:NAME`; BusError for other URLs."""
    scheme, _, rest = url.partition(":")
    if scheme == "unix" and rest:
        from hausbote.core.bus.unix import UnixBus

        return UnixBus(rest, service, undeliverable)
    if scheme == "memory":
        from hausbote.core.bus.memory import MemoryBus

        return MemoryBus(rest, service, undeliverable)
    raise BusError(f"bus must be unix:DIRECTORY or memory:NAME, which {url} is not")
