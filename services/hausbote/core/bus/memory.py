"""The bus inside one process: the same promises, without sockets."""

from collections.abc import Callable
from typing import Any, Final
from weakref import WeakValueDictionary

import gevent
from gevent.event import Event as Signal

from hausbote.base.log import bug
from hausbote.core.bus import BusError, Handler, Undeliverable
from hausbote.core.bus.cause import Cause
from hausbote.core.bus.easing import BulkRoom
from hausbote.core.bus.frame import Frame, FrameReader
from hausbote.core.bus.inbox import Inbox
from hausbote.core.bus.line import Line
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
        self._handler: Handler | None = None
        self._inbox = Inbox()
        self.describe: Callable[[], dict[str, object]] = dict
        self.notified: Callable[[dict[str, str]], None] = lambda _: None

    def serve(self, handler: Handler) -> None:
        if self._service in self._exchange.buses:
            raise BusError(f"another {self._service} of this box is running")
        self._handler = handler
        self._exchange.buses[self._service] = self

    def on_status(self, describe: Callable[[], dict[str, object]]) -> None:
        self.describe = describe

    def on_notify(self, handle: Callable[[dict[str, str]], None]) -> None:
        self.notified = handle

    def finish(self) -> None:
        if self._exchange.buses.get(self._service) is self:
            del self._exchange.buses[self._service]
        for _ in range(100):
            if not self._inbox.busy:
                break
            gevent.sleep(0.01)

    def close(self, *, graceful: bool = True) -> None:
        if graceful:
            self.finish()
        elif self._exchange.buses.get(self._service) is self:
            del self._exchange.buses[self._service]
        gevent.killall([way.carrier for way in self._ways.values()])

    def take(self, frame: Frame, outbox: Outbox) -> None:
        """Handle a frame of another service, as if it had come over a wire."""

        def acknowledge(id: str) -> None:
            outbox.acknowledge((id,))

        handler = self._handler
        if handler is None or not self._inbox.enter(frame.id, acknowledge):
            return
        cause = Cause(frame.id, lambda: self._inbox.leave(frame.id))
        try:
            cause.run(lambda: handler(frame))
        except Exception as error:  # noqa: BLE001 - one frame's fault must not stop the bus
            bug(error)

    def _way(self, service: str) -> "_Carrier":
        way = self._ways.get(service)
        if way is None:

            def refuse(frame: Frame) -> None:
                self._undeliverable(service, frame)

            outbox = Outbox(refuse, self._patience, self._capacity)
            bulk = BulkRoom(outbox, self._patience)
            line = Line(self._service)
            way = self._ways[service] = _Carrier(self._exchange, service, outbox, bulk, line)
        return way


class _Carrier(Way):
    """Carries the frames of one service to another."""

    def __init__(
        self, exchange: _Exchange, service: str, outbox: Outbox, bulk: BulkRoom, line: Line
    ) -> None:
        super().__init__(outbox, bulk, Signal())
        self._exchange = exchange
        self._service = service
        self._line = line
        self.carrier: Any = gevent.spawn(self._carry)

    def _carry(self) -> None:
        connected: MemoryBus | None = None
        while True:
            peer = self._exchange.buses.get(self._service)
            if peer is None:
                self.outbox.expire()
                gevent.sleep(_POLL)
                continue
            if peer is not connected:
                self.outbox.rewind()
                connected = peer
            self.work.clear()
            self._read()
            while (first := self._line.next()) is not None:
                peer.take(first, self.outbox)
                self._read()
            self.work.wait(_POLL)

    def _read(self) -> None:
        for frame in FrameReader().feed(self.outbox.take()):
            self._line.put(frame)
