"""HTTP and WebSocket peers that mean harm, against a running box."""

import json
import time

import pytest
from wsproto.events import TextMessage

from hausbote.certs.authority import make_certificates
from support.web import BoshWire, FramedClient, WebSocketWire, asked, tls_socket
from support.worlds import PASSWORD, RunningWorld, hausbote

OPEN = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='h' version='1.0'/>"


@pytest.fixture(scope="module")
def fort(tmp_path_factory):
    state = tmp_path_factory.mktemp("webfort") / "state"
    world = RunningWorld(state, "limits.connections_per_address=20", address="127.0.0.31")
    world.add_account("romeo")
    yield world
    world.close()


def memory_of(world):
    services = json.loads(hausbote("status", "--json", state=world.state).stdout)
    return next(one["memory"] for one in services if one["service"] == "c2s")


def still_serves(world):
    assert asked(world, "GET", "/")[0] == 200
    romeo = FramedClient(WebSocketWire(world), "h").log_in("romeo", PASSWORD)
    romeo.settle()
    romeo.leaves()


def ended_after(sock, piece):
    """Seconds until the server ends a connection that gets a piece now and then."""
    begun = time.monotonic()
    while time.monotonic() - begun < 60:
        try:
            sock.sendall(piece)
            sock.settimeout(1)
            if sock.recv(1000) == b"":
                break
        except TimeoutError:
            continue
        except OSError:
            break
    return time.monotonic() - begun


def test_slow_requests_are_ended(fort):
    """Slow-loris: a byte now and then keeps nobody's place."""
    head = tls_socket(fort)
    head.sendall(b"POST /http-bind HTTP/1.1\r\nHost: h\r\n")
    body = tls_socket(fort)
    body.sendall(b"POST /http-bind HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n")
    assert ended_after(head, b"X") < 45
    assert ended_after(body, b"X") < 45
    still_serves(fort)


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /" + b"a" * 10_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"X%d: y\r\n" % n for n in range(500)) + b"\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"hello\r\n\r\n",
        b"POST /http-bind HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /http-bind HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST /http-bind HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\x16\x03\x01",
    ],
    ids=range(8),
)
def test_broken_requests_are_refused(fort, request_):
    sock = tls_socket(fort)
    answer = b""
    try:
        sock.sendall(request_ + b"\r\n")
        sock.settimeout(5)
        while data := sock.recv(1000):
            answer += data
    except OSError:
        pass
    assert answer == b"" or answer.split()[1] in (b"400", b"414", b"431")
    still_serves(fort)


def test_an_address_has_only_so_many_connections(fort):
    time.sleep(1)
    held = [tls_socket(fort) for _ in range(20)]
    with pytest.raises(OSError):  # noqa: PT011 - whichever way a handshake ends
        tls_socket(fort, 3)
    for sock in held:
        sock.close()
    time.sleep(0.5)
    still_serves(fort)


def test_an_address_has_only_so_many_sessions_without_connections(fort):
    time.sleep(0.5)
    conditions = []
    for _ in range(25):
        wire = BoshWire(fort)
        answer = wire.ask(wire.body(" to='h' ver='1.6' hold='1' wait='1'"))
        conditions.append(answer.get("condition"))
        if wire.sid is None and answer.get("sid"):
            wire.sid = answer.get("sid")
            conditions[-1] = wire
    assert conditions[-1] == "policy-violation"
    for wire in conditions:
        if isinstance(wire, BoshWire):
            wire.ask(wire.body(" type='terminate'"))
    time.sleep(0.5)
    still_serves(fort)


def test_aborted_sockets_do_not_grow_the_memory(fort):
    def abort_many(count):
        for _ in range(count):
            wire = WebSocketWire(fort)
            wire.raw(wire.ws.send(TextMessage(data=OPEN)))
            wire.cut()

    abort_many(100)
    before = memory_of(fort)
    abort_many(500)
    time.sleep(1)
    assert memory_of(fort) - before < 4_000_000
    still_serves(fort)


def test_certificates_are_reloaded_without_dropping_anybody(fort):
    romeo = FramedClient(WebSocketWire(fort), "h").log_in("romeo", PASSWORD)
    before = tls_socket(fort).getpeercert(binary_form=True)
    certificates = fort.state / "certs"
    certificates.rename(fort.state / "old-certs")
    certificates.mkdir()
    make_certificates(certificates, ["h"], [])
    fort.signal("c2s", "SIGHUP")
    time.sleep(0.5)
    assert tls_socket(fort).getpeercert(binary_form=True) != before
    romeo.settle()
    romeo.leaves()
