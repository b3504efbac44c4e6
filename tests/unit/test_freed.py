"""What ended is freed at once: what waits for the garbage collector waits for long, and adds up."""

import gc
import socket
import struct
import time

import gevent
import pytest
from gevent import get_hub
from wsproto import WSConnection

from hausbote.c2s.bosh import BoshTransport
from hausbote.c2s.server import Server
from hausbote.c2s.stream import ClientStream
from hausbote.cli.certificates import make_certificates
from hausbote.net.connection import Connection
from hausbote.net.http import Exchange
from hausbote.net.http_socket import HttpSocket
from hausbote.net.websocket import WebSocket
from hausbote.xmpp.bosh import BoshSession
from hausbote.xmpp.framing import FrameParser
from hausbote.xmpp.sasl import ScramServer
from hausbote.xmpp.stream import StreamParser
from support.web import BoshWire, FramedClient, WebSocketWire, https
from support.worlds import MemoryWorld, free_ports

ADDRESS = "127.0.0.27"
KINDS = (
    BoshSession, BoshTransport, ClientStream, Connection, Exchange, FrameParser, HttpSocket,
    ScramServer, StreamParser, WebSocket, WSConnection,
)  # fmt: skip


@pytest.fixture
def house(tmp_path):
    """c2s with its web port, in this process."""
    (port,) = free_ports(ADDRESS, 1)
    (tmp_path / "certs").mkdir()
    make_certificates(tmp_path / "certs", ["h"], [ADDRESS])
    ports = {"c2s": 0, "c2s_tls": 0, "web": port}
    world = MemoryWorld(tmp_path, address=ADDRESS, ports=ports)
    world.address, world.web_port, world.ca = ADDRESS, port, tmp_path / "certs" / "ca.pem"
    server = Server(world.host)
    server.start()
    world.bosh = server._web._bosh
    gc.collect()
    gc.disable()
    yield world
    gc.enable()
    server.stop()
    world.close()


def elsewhere(function):
    """In a thread: clients of the tests block."""
    return get_hub().threadpool.apply(function)


def left():
    """How many of each kind there are."""
    found = [type(one).__name__ for one in gc.get_objects() if isinstance(one, KINDS)]
    return {name: found.count(name) for name in sorted(set(found))}


def greet(wire):
    client = FramedClient(wire, "h")
    client.open()
    return client


def until_gone():
    for _ in range(100):
        if not left():
            break
        gevent.sleep(0.05)
    return left()


def let_held_requests_expire(bosh):
    """As if they had waited for long."""
    for transport in bosh._transports.values():
        for held in list(transport.session._held):
            transport.session.expire(held, time.monotonic())


def test_a_websocket_that_is_dropped_leaves_nothing(house):
    def visit():
        greet(WebSocketWire(house)).wire.cut()

    for _ in range(3):
        elsewhere(visit)
    assert until_gone() == {}


def test_a_bosh_session_that_ends_leaves_nothing(house):
    def visit():
        client = greet(BoshWire(house))
        client.send("</stream:stream>")

    for _ in range(3):
        elsewhere(visit)
    gevent.sleep(0.5)
    house.bosh._forget(float("inf"))  # as the clock does when nothing is asked for any more
    assert until_gone() == {}


def test_a_bosh_session_that_is_dropped_leaves_nothing(house):
    """With a request that is held, whose connection is reset, in the middle of a login."""

    def visit():
        client = greet(BoshWire(house))
        client.send(
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'>"
            "biwsbj1yb21lbyxyPXg=</auth>"
        )
        client.next()
        wire = client.wire
        connection = https(house)
        body = wire.body("").encode()
        wire.ended = True
        connection.request("POST", "/http-bind", body)
        linger = struct.pack("ii", 1, 0)
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        connection.sock.close()

    for _ in range(3):
        elsewhere(visit)
    gevent.sleep(0.5)
    let_held_requests_expire(house.bosh)
    house.bosh._forget(float("inf"))
    assert until_gone() == {}
