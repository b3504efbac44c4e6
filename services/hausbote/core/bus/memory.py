"""The bus inside one process: the same promises, without sockets."""

from collections.abc import Callable
from typing import Any, Final
from weakref import WeakValueDictionary

import gevent
from gevent.event import Event as Signal

from hausbote.core.bus import BusError, Handler, Undeliverable
from hausbote.core.bus.easing import BulkRoom
from hausbote.core.bus.frame import Frame, FrameReader
from hausbote.core.bus.incoming import Incoming
from hausbote.core.bus.outbox import CAPACITY, PATIENCE, Outbox
from hausbote.core.bus.sending import Sending, Way

_POLL: Final = 0.05  # seconds until a service that came or went is noticed


class _Exchange:
    """All services that share a name."""

    def __init__(self) -> None:
        self.buses: dict[str, MemoryBus] = {}


_exchanges: Final[WeakValueDictionary[str, _Exchange]] = WeakValueDictionary()


class MemoryBus(Sending):
    """One service's end of `memory:NAME`."""

    def __init__(
        self,
        name: str,
        service: str,
        undeliverable: Undeliverable,
        patience: float = PATIENCE,
        capacity: int = CAPACITY,
    ) -> None:
        super().__init__()
        exchange = _exchanges.get(name)
        if exchange is None:
            exchange = _exchanges[name] = _Exchange()
        self._exchange = exchange
        self._service = service
        self._undeliverable = undeliverable
        self._patience = patience
        self._capacity = capacity
        self._ways: dict[str, _Carrier] = {}
        self._incoming = Incoming()
        self.describe: Callable[[], dict[str, object]] = dict
        self.notified: Callable[[dict[str, str]], None] = lambda _: None

    def serve(self, handler: Handler) -> None:
        if self._service in self._exchange.buses:
            raise BusError(f"another {self._service} of this box is running")
        self._incoming.handler = handler
        self._exchange.buses[self._service] = self

    def on_status(self, describe: Callable[[], dict[str, object]]) -> None:
        self.describe = describe

    def on_notify(self, handle: Callable[[dict[str, str]], None]) -> None:
        self.notified = handle

    def finish(self) -> None:
        self._incoming.finish()

    def close(self, *, graceful: bool = True) -> None:
        if graceful:
            self._incoming.finish()
        if self._exchange.buses.get(self._service) is self:
            del self._exchange.buses[self._service]
        self._incoming.handle_no_more()
        gevent.killall([way.carrier for way in self._ways.values()])

    def take(self, sender: str, frame: Frame, outbox: Outbox) -> None:
        """A frame of another service, as if it had come over a wire."""
        self._incoming.take(sender, frame, lambda id: outbox.acknowledge((id,)))

    def _way(self, service: str) -> "_Carrier":
        way = self._ways.get(service)
        if way is None:

            def refuse(frame: Frame) -> None:
                self._undeliverable(service, frame)

            outbox = Outbox(refuse, self._patience, self._capacity)
            bulk = BulkRoom(outbox, self._patience)
            way = _Carrier(self._exchange, self._service, service, outbox, bulk)
            self._ways[service] = way
        return way


class _Carrier(Way):
    """Carries the frames of one service to another."""

    def __init__(
        self, exchange: _Exchange, ours: str, theirs: str, outbox: Outbox, bulk: BulkRoom
    ) -> None:
        super().__init__(outbox, bulk, Signal())
        self._exchange = exchange
        self._ours = ours
        self._theirs = theirs
        self.carrier: Any = gevent.spawn(self._carry)

    def _carry(self) -> None:
        connected: MemoryBus | None = None
        while True:
            peer = self._exchange.buses.get(self._theirs)
            if peer is None:
                self.outbox.expire()
                gevent.sleep(_POLL)
                continue
            if peer is not connected:
                self.outbox.rewind()
                connected = peer
            self.work.clear()
            for frame in FrameReader().feed(self.outbox.take()):
                peer.take(self._ours, frame, self.outbox)
            self.work.wait(_POLL)
