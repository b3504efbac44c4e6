"""Peers of the file proxy that mean harm, and streams beyond their limits."""

import contextlib
import os
import socket
import time

import pytest

from support.socks import activate, address, come, exactly, rest
from support.worlds import PASSWORD, RunningWorld

JULIET = "juliet@h/balcony"


@pytest.fixture(scope="module")
def fort(tmp_path_factory):
    settings = ("proxy.stream_bytes=100000", "proxy.idle_seconds=2", "proxy.stream_seconds=6",
                "limits.connections_per_address=40")  # fmt: skip
    world = RunningWorld(
        tmp_path_factory.mktemp("proxyfort") / "state", *settings, address="127.0.0.35"
    )
    world.add_account("romeo")
    yield world
    world.close()


@pytest.fixture(scope="module")
def romeo(fort):
    client = fort.client().log_in("romeo", PASSWORD, "orchard")
    yield client
    client.wire.cut()


@pytest.fixture
def pair(fort, romeo, request):
    """Both ends of a stream that was activated."""
    sid = request.node.name
    socks = [come(fort, address(sid, romeo.jid, JULIET))[0] for _ in range(2)]
    activate(romeo, sid, JULIET)
    romeo.receives("<iq type='result' id='go'/>")
    yield socks
    for sock in socks:
        sock.close()


def still_serves(fort, romeo):
    sid = os.urandom(8).hex()
    (target, _), (requester, _) = (come(fort, address(sid, romeo.jid, JULIET)) for _ in range(2))
    activate(romeo, sid, JULIET)
    romeo.receives("<iq type='result' id='go'/>")
    requester.sendall(b"x")
    assert exactly(target, 1) == b"x"
    requester.close()
    target.close()


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x04\x01\x00\x50\x7f\x00\x00\x01\x00",
        b"\x05\x01\x02",
        b"\x05\x01\x00\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x16",
        b"\x05\x01\x00\x05\x01\x00\x03\x09localhost\x00\x16",
        b"\x05\x01\x00\x05\x02\x00\x03\x28" + b"0" * 40 + b"\x00\x00",
        b"\x16\x03\x01\x02\x00",
        os.urandom(100),
    ],
    ids=range(8),
)
def test_it_is_a_proxy_to_nowhere_else(fort, romeo, data):
    with socket.create_connection((fort.address, fort.proxy_port), timeout=20) as sock:
        sock.sendall(data)
        answer = rest(sock)
    assert answer in (b"", b"\x05\xff") or answer[:2] == b"\x05\x00"
    assert answer[2:4] != b"\x05\x00", "it was granted"
    still_serves(fort, romeo)


def test_a_slow_greeting_is_ended(fort, romeo):
    with socket.create_connection((fort.address, fort.proxy_port), timeout=30) as sock:
        sock.sendall(b"\x05\x01")
        assert rest(sock) == b""
    still_serves(fort, romeo)


def test_too_many_bytes_end_a_stream(pair):
    target, requester = pair
    with contextlib.suppress(OSError):
        requester.sendall(b"x" * 1_000_000)
    assert len(rest(target)) <= 100_000


def test_a_stream_that_does_not_get_on_is_ended(pair):
    assert rest(pair[0]) == b""


def test_a_stream_has_its_time_even_if_it_gets_on(pair):
    target, requester = pair
    passed = 0
    with contextlib.suppress(OSError):
        while passed < 200:
            requester.sendall(b"x")
            if not exactly(target, 1):
                break
            passed += 1
            time.sleep(0.2)
    assert 0 < passed < 200


def test_one_address_has_so_many_connections(fort, romeo):
    socks = []
    for _ in range(60):
        sock = socket.create_connection((fort.address, fort.proxy_port), timeout=5)
        socks.append(sock)
    socks[-1].settimeout(5)
    assert rest(socks[-1]) == b""
    for sock in socks:
        sock.close()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with contextlib.suppress(AssertionError, OSError):
            still_serves(fort, romeo)
            return
        time.sleep(0.2)
    raise AssertionError("nobody gets in any more")


def test_no_fault_was_ours(fort):
    assert "bug" not in fort.log("upload")
    assert "romeo" not in fort.log("upload")
