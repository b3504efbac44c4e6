"""Peers that cut what they send into single bytes: everybody else is served meanwhile, and they pay.

All that such a peer sends waits in its socket before the first turn of the loop.  A bystander sends
a byte, and another one whenever it was served: after some rounds of that, most of what the peer sent
is to be unread.
"""

import fcntl
import select
import socket
import struct
import termios
import threading
import tracemalloc
from contextlib import contextmanager

import gevent
import pytest

from hausbote.base.ways import WEB
from hausbote.certs.authority import make_certificates
from hausbote.net.address_book import AddressBook
from hausbote.net.connection import Connection
from hausbote.net.http import Exchange, HttpServer
from hausbote.net.listener import listen
from hausbote.net.outgoing_tls import OutgoingTls
from hausbote.net.tls import CertificateFiles, TlsShelf
from hausbote.net.traffic import Traffic
from hausbote.net.websocket import WebSocket, handshake
from support.tls_records import HANDSHAKE, Records, hello, ticket
from unit.test_websocket import headers

ROUNDS = 6
NO_LIMIT = Traffic(bytes_per_second=0)
STINGY = Traffic(bytes_per_second=1, burst=6400)  # what is spent does not come back


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    directory = tmp_path_factory.mktemp("certs")
    make_certificates(directory, ["h"], [])
    return CertificateFiles(directory / "box.pem", directory / "box.key")


class Heard:
    """What a connection brings."""

    def __init__(self, told=lambda: None):
        self.data = b""
        self.closed = False
        self._told = told

    def on_data(self, data):
        self.data += data
        self._told()

    def on_closed(self):
        self.closed = True


@contextmanager
def two_ends():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        theirs = socket.create_connection(listener.getsockname())
        ours, _ = listener.accept()
    ours.setblocking(False)
    with ours, theirs:
        yield ours, theirs


def bystander_sees(connection, theirs, data, done):
    """The peer sends all of `data`: what `done()` is after each of some turns of a bystander."""
    seen = []
    ours, bystander = socket.socketpair()
    ours.setblocking(False)

    def served():
        seen.append(done())
        if len(seen) < ROUNDS:
            bystander.sendall(b"x")

    other = Connection(ours, "192.0.2.2", NO_LIMIT)
    other.receiver = Heard(served)
    bystander.sendall(b"x")
    theirs.sendall(data)
    connection.start()
    other.start()
    wait_for(lambda: len(seen) == ROUNDS)
    other.abort()
    bystander.close()
    return seen


def wait_for(condition):
    with gevent.Timeout(60):
        while not condition():
            gevent.sleep(0.001)


def unread(sock):
    return struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.FIONREAD, bytes(4)))[0]


def answered(sock):
    return bool(select.select([sock], [], [], 0)[0])


@contextmanager
def encrypted(files, traffic=NO_LIMIT, initiates=False):
    """A connection that has its TLS, paused, and the other side's records."""
    with two_ends() as (ours, theirs):
        connection = Connection(ours, "192.0.2.1", traffic)
        connection.receiver = Heard()
        ready = []

        def shake():
            ready.append(Records(theirs, files=files if initiates else None))

        thread = threading.Thread(target=shake)
        thread.start()
        outgoing = OutgoingTls(files, {}).to("h", "h", direct=False)
        connection.start_tls(outgoing if initiates else TlsShelf(files, {}))
        connection.start()
        wait_for(lambda: ready)
        thread.join()
        wait_for(lambda: not unread(ours))
        gevent.sleep(0.01)
        connection.pause()
        yield connection, ready[0]
        connection.abort()


class Resumed:
    """Starts a connection that was paused."""

    def __init__(self, connection):
        self.start = connection.resume


def test_records_of_one_byte_keep_nobody_waiting(files):
    with encrypted(files) as (connection, records):
        heard = connection.receiver
        crumbs = records.crumbs(b" " * 5000)
        seen = bystander_sees(Resumed(connection), records.sock, crumbs, lambda: len(heard.data))
        assert max(seen) <= ROUNDS * 33
        wait_for(lambda: len(heard.data) == 5000)


def test_key_updates_keep_nobody_waiting(files):
    with encrypted(files) as (connection, records):
        heard = connection.receiver
        updates = b"".join(records.key_update() for _ in range(2000)) + records.record(b"end")
        seen = bystander_sees(Resumed(connection), records.sock, updates, lambda: heard.data)
        assert seen == [b""] * ROUNDS
        wait_for(lambda: heard.data == b"end" or heard.closed)
        assert not heard.closed


def test_a_server_s_ticket_in_single_bytes_keeps_nobody_waiting(files):
    with encrypted(files, initiates=True) as (connection, records):
        heard = connection.receiver
        data = records.crumbs(ticket(20_000), HANDSHAKE) + records.record(b"end")
        seen = bystander_sees(Resumed(connection), records.sock, data, lambda: heard.data)
        assert seen == [b""] * ROUNDS
        wait_for(lambda: heard.data == b"end")
        connection.write(b"x" * 100_000)
        got = 0
        while got < 100_000:
            got += len(gevent.get_hub().threadpool.apply(records.tls.recv, (65_536,)))


def test_a_handshake_in_single_bytes_keeps_nobody_waiting(files):
    with two_ends() as (ours, theirs):
        connection = Connection(ours, "192.0.2.1", NO_LIMIT)
        connection.receiver = Heard()
        connection.start_tls(TlsShelf(files, {}))
        crumbs = b"".join(b"\x16\x03\x01\x00\x01" + bytes([byte]) for byte in hello(20_000))
        seen = bystander_sees(connection, theirs, crumbs, lambda: answered(theirs))
        assert seen == [False] * ROUNDS
        wait_for(lambda: answered(theirs))
        assert theirs.recv(1) == b"\x16"  # it is taken all the same
        connection.abort()


@pytest.mark.parametrize("kind", ["records", "updates"])
def test_each_piece_is_paid_for(files, kind):
    """The budget has room for 6,400 bytes, and a piece costs as much as 64 of them."""
    with encrypted(files, STINGY) as (connection, records):
        if kind == "records":
            data, most = records.crumbs(b" " * 1000), 100 + 32
        else:
            data = b"".join(records.key_update() + records.record(b" ") for _ in range(1000))
            most = 100
        records.sock.sendall(data)
        connection.resume()
        gevent.sleep(0.3)
        assert 0 < len(connection.receiver.data) <= most


def test_what_a_slow_reader_leaves_is_not_copied_for_each_of_its_bites():
    """A MB that leaves in pieces is joined once, and not for each of them."""
    with two_ends() as (ours, theirs):
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        connection = Connection(ours, "192.0.2.1", NO_LIMIT)
        connection.receiver = Heard()
        connection.write(bytes(1_000_000))
        got = copies = 0
        tracemalloc.start()
        while got < 1_000_000:
            connection.write(b"x")
            before = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            gevent.sleep(0.0005)
            copies += tracemalloc.get_traced_memory()[1] - before > 200_000
            got += len(theirs.recv(65_536))
        tracemalloc.stop()
        assert copies <= 2
        connection.abort()


# -- WebSocket --------------------------------------------------------------------------------------


@contextmanager
def web_socket(traffic=NO_LIMIT):
    with two_ends() as (ours, theirs):
        ws, _ = handshake(headers(), "/", "xmpp")
        made = WebSocket(Connection(ours, "192.0.2.1", traffic), ws, 0, WEB)
        made.receiver = Heard()
        yield made, theirs
        made.abort()


class Started:
    def __init__(self, made):
        self.start = lambda: made.start(b"", b"")


PING = b"\x89\x80\0\0\0\0"
EMPTY = b"\x00\x80\0\0\0\0"  # a continuation without a byte


@pytest.mark.parametrize("frame", [PING, EMPTY])
def test_frames_without_content_keep_nobody_waiting(frame):
    with web_socket() as (made, theirs):
        heard = made.receiver
        data = b"\x01\x81\0\0\0\0a" + frame * 650 + b"\x80\x81\0\0\0\0b"  # one reading's worth
        seen = bystander_sees(Started(made), theirs, data, lambda: heard.data)
        assert seen == [b""] * ROUNDS
        wait_for(lambda: heard.data == b"ab")


def test_frames_without_content_are_paid_for():
    with web_socket(STINGY) as (made, theirs):
        theirs.sendall(PING * 2000)
        made.start(b"", b"")
        gevent.sleep(0.3)
        assert 0 < unread(theirs) <= 2 * 700  # the answers; it reads 682 frames at once


def test_frames_without_content_need_no_memory():
    with web_socket() as (made, _theirs):
        made.on_data(b"\x01\x81\0\0\0\0a")
        tracemalloc.start()
        for _ in range(100):
            made.on_data(EMPTY * 32)
            gevent.sleep(0)
        assert tracemalloc.get_traced_memory()[0] < 20_000
        tracemalloc.stop()


def test_a_paused_web_socket_stays_so_until_it_is_resumed():
    with web_socket() as (made, theirs):
        made.start(b"", b"")
        made.pause()
        theirs.sendall(PING * 100 + b"\x81\x81\0\0\0\0a")
        gevent.sleep(0.05)
        assert made.receiver.data == b""
        made.resume()
        wait_for(lambda: made.receiver.data == b"a")


# -- HTTP ------------------------------------------------------------------------------------------


class Requests:
    """What an HTTP server was asked, in order."""

    def __init__(self):
        self.paths = []
        self.bodies = []

    def __call__(self, environ, start_response):
        self.paths.append(environ["PATH_INFO"])
        self.bodies.append(environ[Exchange.KEY].read(1000))
        start_response("200 OK" if self.bodies[-1] is not None else "413 Too Large", [])
        return [b"answer"]


@contextmanager
def http(files):
    requests = Requests()
    shelf = TlsShelf(files, {}, alpn=b"http/1.1")
    server = HttpServer(listen("127.0.0.1", 0), requests, shelf, AddressBook(0), NO_LIMIT)
    server.start()
    sockets = []

    def connected():
        """The blocking side is in a thread, for the server is in this one."""
        sockets.append(socket.create_connection(("127.0.0.1", server.server_port)))
        return in_thread(Records, sockets[-1], b"http/1.1")

    yield requests, connected
    server.stop()
    for sock in sockets:
        sock.close()


def in_thread(function, *arguments):
    return gevent.get_hub().threadpool.apply(function, arguments)


def request(path, *fields):
    return b"".join((b"POST ", path, b" HTTP/1.1\r\nHost: h\r\n", *fields, b"\r\n"))


def test_a_request_in_single_bytes_keeps_nobody_waiting(files):
    with http(files) as (requests, connected):
        slow, quick = connected(), connected()
        gevent.sleep(0.05)
        slow.sock.sendall(slow.crumbs(request(b"/slow", b"X: ", b"y" * 8000, b"\r\n")))
        for _ in range(ROUNDS):
            quick.sock.sendall(quick.record(request(b"/quick", b"Content-Length: 0\r\n")))
            before = len(requests.paths)
            wait_for(lambda: len(requests.paths) > before)  # noqa: B023 - in the same round
        assert requests.paths == [b"/quick".decode()] * ROUNDS
        wait_for(lambda: "/slow" in requests.paths)


def test_a_body_that_has_no_end_is_read_only_so_far(files):
    """What is refused is read and dropped, so that its sender sees the answer; 4 MiB of it."""
    with http(files) as (_, connected):
        records = connected()
        head = request(b"/", b"Transfer-Encoding: chunked\r\n")

        def send():
            chunk = b"3c00\r\n" + bytes(15_360) + b"\r\n"
            records.sock.settimeout(20)
            records.sock.sendall(records.record(head))
            for count in range(4000):  # 60 MB; the kernel takes some more than is read
                try:
                    records.sock.sendall(records.record(chunk))
                except ConnectionError:
                    return count * len(chunk)
            return None

        sent = in_thread(send)
        assert sent is not None
        assert sent < 20_000_000


@pytest.mark.parametrize(
    "body",
    [
        b"zz\r\n",
        b"\r\n",
        b"-1\r\n",
        b"0x1\r\na\r\n",
        b"1 \r\na\r\n0\r\n\r\n",
        b"1\na\r\n0\r\n\r\n",
        b"1;a\nb\r\na\r\n0\r\n\r\n",
        b"1;a\rb\r\na\r\n0\r\n\r\n",
        b"1\r\nab\r\n0\r\n\r\n",
        b"1\r\na\n0\r\n\r\n",
        b"0\r\nX: y\n\r\n",
        b"0\r\n X: y\r\n\r\n",
        b"0\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"1;" + b"a" * 10_000 + b"\r\na\r\n0\r\n\r\n",
    ],
)
def test_a_body_that_could_be_read_in_two_ways_is_refused(files, body, monkeypatch):
    faults = []
    monkeypatch.setattr("hausbote.net.http.bug", faults.append)
    with http(files) as (_, connected):
        records = connected()
        head = request(b"/", b"Transfer-Encoding: chunked\r\n")
        records.sock.sendall(records.record(head + body))
        assert in_thread(records.tls.recv, 12) == b"HTTP/1.1 400"
    assert faults == []


@pytest.mark.parametrize(
    "body", [b"1;a=b;c\r\na\r\n0\r\n\r\n", b'1 ;a="b c"\r\na\r\n00;x\r\nX: y\r\n\r\n']
)
def test_a_body_in_chunks_is_read(files, body):
    with http(files) as (requests, connected):
        records = connected()
        head = request(b"/", b"Transfer-Encoding: chunked\r\n")
        for _ in range(2):  # what follows is the next request
            records.sock.sendall(records.record(head + body))
        wait_for(lambda: len(requests.bodies) == 2)
        assert requests.bodies == [b"a", b"a"]
