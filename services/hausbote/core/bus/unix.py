"""The bus between processes: Unix sockets, one connection per pair and direction.

Frames go one way over a connection, acknowledgements come back over it.  A few greenlets per
service of the box are all it costs.
"""

import json
import os
import time
from collections.abc import Callable
from typing import Any, Final

import gevent
from gevent import socket
from gevent.event import Event as Signal

from hausbote.base.log import bug
from hausbote.base.short_path import short_path
from hausbote.core.bus import BusError, Handler, Undeliverable
from hausbote.core.bus.control import NOTIFY, RESULT, STATUS
from hausbote.core.bus.easing import BulkRoom
from hausbote.core.bus.frame import Frame, FrameError, FrameReader, encode
from hausbote.core.bus.incoming import Incoming
from hausbote.core.bus.outbox import CAPACITY, PATIENCE, Outbox
from hausbote.core.bus.sending import Sending, Way
from hausbote.core.bus.sockets import is_ours, send_all

_HELLO: Final = "bus.hello"
_ACK: Final = "bus.ack"
_RETRY: Final = (0.02, 1.0)  # seconds between attempts to connect: first, last
_FAREWELL: Final = 5.0  # seconds that a graceful close may take


class UnixBus(Sending):
    """One service's end of `unix:DIRECTORY`."""

    def __init__(
        self,
        directory: str,
        service: str,
        undeliverable: Undeliverable,
        patience: float = PATIENCE,
        capacity: int = CAPACITY,
    ) -> None:
        super().__init__()
        self._directory = directory
        self._service = service
        self._undeliverable = undeliverable
        self._patience = patience
        self._capacity = capacity
        self._peers: dict[str, _Peer] = {}
        self._incoming = Incoming()
        self._connections = _Connections(self._incoming)
        self._acceptor: Any = None
        self._listener: Any = None
        self._closed = False

    def serve(self, handler: Handler) -> None:
        """BusError if the socket cannot be made, or another process serves the same name."""
        self._incoming.handler = handler
        self._listener = listen(self._directory, self._service)
        self._acceptor = gevent.spawn(self._accept)

    def on_status(self, describe: Callable[[], dict[str, object]]) -> None:
        self._connections.describe = describe

    def on_notify(self, handle: Callable[[dict[str, str]], None]) -> None:
        self._connections.notified = handle

    def finish(self) -> None:
        self._connections.stop()
        self._incoming.finish()

    def close(self, *, graceful: bool = True) -> None:
        self._closed = True
        if self._listener is not None:
            self._acceptor.kill()
            self._listener.close()
        self._connections.stop()
        self._incoming.stop()
        deadline = time.monotonic() + _FAREWELL
        while graceful and time.monotonic() < deadline and self._busy():
            gevent.sleep(0.01)
        self._incoming.handle_no_more()
        self._connections.close()
        for peer in self._peers.values():
            peer.close()

    def _busy(self) -> bool:
        return self._incoming.is_at_work or any(
            p.connected and p.waiting for p in self._peers.values()
        )

    def _way(self, service: str) -> "_Peer":
        peer = self._peers.get(service)
        if peer is None:

            def refuse(frame: Frame) -> None:
                self._undeliverable(service, frame)

            outbox = Outbox(refuse, self._patience, self._capacity)
            bulk = BulkRoom(outbox, self._patience)
            peer = _Peer(self._directory, self._service, service, outbox, bulk)
            self._peers[service] = peer
        return peer

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                gevent.sleep(_RETRY[1])  # out of files: someone will close one
                continue
            self._connections.take(sock)


class _Peer(Way):
    """The way to one other service."""

    def __init__(
        self, directory: str, ours: str, theirs: str, outbox: Outbox, bulk: BulkRoom
    ) -> None:
        super().__init__(outbox, bulk, Signal())
        self._directory = directory
        self._ours = ours
        self._theirs = theirs
        self.connected = False
        self._runner: Any = gevent.spawn(self._run)
        self._clock: Any = gevent.spawn(self._expire)

    @property
    def waiting(self) -> int:
        return len(self.outbox)

    def close(self) -> None:
        gevent.killall([self._runner, self._clock])

    def _expire(self) -> None:
        while True:
            gevent.sleep(0.5)
            if not self.connected:
                try:
                    self.outbox.expire()
                except Exception as error:  # noqa: BLE001 - the clock must go on
                    bug(error)

    def _run(self) -> None:
        pause = _RETRY[0]
        while True:
            self.work.wait()
            try:
                sock = self._connect()
            except OSError:
                gevent.sleep(pause)
                pause = min(pause * 2, _RETRY[1])
                continue
            pause = _RETRY[0]
            self._talk(sock)

    def _connect(self) -> Any:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with short_path(self._directory, self._theirs) as path:
                sock.connect(path)
        except OSError:
            sock.close()
            raise
        return sock

    def _talk(self, sock: Any) -> None:
        listening = gevent.spawn(self._hear, sock)
        self.connected = True
        self.outbox.rewind()
        try:
            sock.sendall(encode(Frame("", _HELLO, self._ours, (), b"")))
            while not listening.ready():
                self.work.clear()
                data = self.outbox.take()
                if data:
                    send_all(sock, data)
                else:
                    self.work.wait()
        except OSError:
            pass
        finally:
            self.connected = False
            listening.kill()
            sock.close()
            if self.outbox:
                self.work.set()

    def _hear(self, sock: Any) -> None:
        reader = FrameReader()
        try:
            while data := sock.recv(65_536):
                for frame in reader.feed(data):
                    if frame.kind == _ACK:
                        self.outbox.acknowledge(frame.recipients)
        except (OSError, FrameError):
            pass
        finally:
            self.work.set()  # so that _talk sees the end


class _Connections:
    """From the other services, and from the `hausbote` command."""

    def __init__(self, incoming: Incoming) -> None:
        self.describe: Callable[[], dict[str, object]] = dict
        self.notified: Callable[[dict[str, str]], None] = lambda _: None
        self._incoming = incoming
        self._readers: set[Any] = set()
        self._stopped = False

    def take(self, sock: Any) -> None:
        if not is_ours(sock):
            sock.close()
            return
        reader = gevent.spawn(self._read, sock)
        self._readers.add(reader)
        reader.link(self._readers.discard)

    def stop(self) -> None:
        """What is asked from here on is not answered."""
        self._stopped = True

    def close(self) -> None:
        gevent.killall(list(self._readers))

    def _read(self, sock: Any) -> None:
        reader = FrameReader()
        answers = _Answers(sock)
        sender = ""
        try:
            while data := sock.recv(65_536):
                for frame in reader.feed(data):
                    if frame.kind == _HELLO:
                        sender = frame.sender
                    elif not self._stopped:
                        self._handle(sender, frame, answers)
        except (OSError, FrameError):
            pass
        finally:
            answers.close()

    def _handle(self, sender: str, frame: Frame, answers: "_Answers") -> None:
        if frame.kind == STATUS:
            answers.result(json.dumps(self.describe()).encode())
        elif frame.kind == NOTIFY:
            gevent.spawn(self._notify, frame, answers)
        elif sender:
            self._incoming.take(sender, frame, answers.acknowledge)

    def _notify(self, frame: Frame, answers: "_Answers") -> None:
        try:
            self.notified(dict(json.loads(frame.payload)))
        except Exception as error:  # noqa: BLE001 - the asker hears nothing, which is a no
            bug(error)
        else:
            answers.result(b"{}")


class _Answers:
    """What goes back over an incoming connection; acknowledgements of one turn go together."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._acks: list[str] = []
        self._other: list[bytes] = []
        self._due = Signal()
        self._closed = False
        self._writer: Any = gevent.spawn(self._run)

    def acknowledge(self, id: str) -> None:
        self._acks.append(id)
        self._due.set()

    def result(self, payload: bytes) -> None:
        self._other.append(encode(Frame("", RESULT, "", (), payload)))
        self._due.set()

    def close(self) -> None:
        self._closed = True
        self._due.set()

    def _run(self) -> None:
        try:
            while True:
                self._due.wait()
                self._due.clear()
                data = b"".join(self._other)
                self._other.clear()
                if self._acks:
                    acks, self._acks = self._acks, []
                    data += encode(Frame("", _ACK, "", tuple(acks), b""))
                if data:
                    send_all(self._sock, data)
                elif self._closed:
                    return
        except OSError:
            pass
        finally:
            self._sock.close()


def listen(directory: str, service: str) -> Any:
    """A socket of that name, for this user only; BusError if somebody else listens there."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        with short_path(directory, service) as path:
            if _is_served(path):
                raise BusError(f"another {service} of this box is running")
            if os.path.lexists(path):
                os.unlink(path)
            listener.bind(path)
        listener.listen(64)
    except OSError as error:
        raise BusError(f"{directory} cannot hold the socket of {service}: {error}") from None
    finally:
        os.umask(before)
    return listener


def _is_served(path: str) -> bool:
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        probe.connect(path)
    except OSError:
        return False
    finally:
        probe.close()
    return True
