"""Ways to a server: a TCP connection with TLS, or a pair of queues inside the process."""

import select
import socket
import ssl
import threading
import time

import gevent

from hausbote.base.ways import DIRECT


class TcpWire:
    """A connection to a running server; `secure` verifies its certificate.

    One thread may send while another receives: OpenSSL must not do both at once, hence the lock.
    """

    def __init__(self, address, port, ca, domain):
        self.sock = socket.create_connection((address, port), timeout=10)
        self.ca = ca
        self.domain = domain
        self.strict = True
        self._lock = threading.Lock()

    def secure(self, minimum=ssl.TLSVersion.TLSv1_2, maximum=None, alpn=None):
        context = ssl.create_default_context(cafile=str(self.ca))
        context.minimum_version = minimum
        if self.strict:
            context.verify_flags |= ssl.VERIFY_X509_STRICT
        if maximum:
            context.maximum_version = maximum
        if alpn:
            context.set_alpn_protocols(alpn)
        self.sock.settimeout(10)
        self.sock = context.wrap_socket(self.sock, server_hostname=self.domain)

    @property
    def needs_tls(self):
        return not isinstance(self.sock, ssl.SSLSocket)

    def send(self, data: bytes) -> None:
        with self._lock:
            self.sock.settimeout(30)
            self.sock.sendall(data)

    def recv(self, seconds: float) -> bytes | None:
        """What comes next; b"" at the end, None if nothing comes in time."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                with self._lock:
                    self.sock.setblocking(False)
                    return self.sock.recv(65536)
            except (ssl.SSLWantReadError, BlockingIOError):
                left = deadline - time.monotonic()
                if left <= 0 or not self._comes(left):
                    return None
            except (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
                return b""

    def _comes(self, seconds: float) -> bool:
        waiting = select.poll()
        waiting.register(self.sock, select.POLLIN)
        return bool(waiting.poll(seconds * 1000))

    def cut(self) -> None:
        """Gone without a word."""
        self.sock.close()


KERNEL = 65_536  # bytes that a MemoryWire takes before it says that they wait


class MemoryWire:
    """The server's connection object and the test's wire in one, as if TLS were up."""

    encrypted = True
    needs_tls = False
    tls_version = 0
    silence = 0.0
    entry = None  # in no address book

    def __init__(self, address="192.0.2.1", way=DIRECT):
        self.address = address
        self.way = way
        self.bindings = {}
        self.receiver = None
        self.closed = False
        self._out = bytearray()
        self._held: list[bytes] = []
        self._sent = []
        self._paused = False

    # what the server sees

    def start(self):
        pass

    def write(self, data):
        if not self.closed:
            self._out += data

    @property
    def unwritten(self):
        return max(len(self._out) - KERNEL, 0)

    def when_sent(self, callback):
        if self.unwritten and not self.closed:
            self._sent.append(callback)
        else:
            callback()

    def _tell_sent(self):
        sent, self._sent = self._sent, []
        for callback in sent:
            callback()

    def pause(self):
        self._paused = True

    def resume(self):
        self._paused = False
        while self._held and not self._paused and not self.closed:
            self.receiver.on_data(self._held.pop(0))

    def close(self):
        if not self.closed:
            self.closed = True
            self.receiver.on_closed()
            self._tell_sent()

    abort = close

    def channel_bindings(self):
        return self.bindings

    # what the test sees

    def send(self, data: bytes) -> None:
        if self.closed:
            raise BrokenPipeError
        if self._paused:
            self._held.append(data)
        else:
            self.receiver.on_data(data)

    def recv(self, seconds: float) -> bytes | None:
        deadline = time.monotonic() + seconds
        while not self._out and not self.closed and time.monotonic() < deadline:
            gevent.sleep(0.0005)
        if not self._out:
            return b"" if self.closed else None
        data = bytes(self._out)
        self._out.clear()
        self._tell_sent()
        return data

    cut = close
