"""What ended is freed at once: what waits for the garbage collector waits for long, and adds up."""

import gc
import socket
import struct
from contextlib import suppress

import gevent
import pytest
from gevent import get_hub
from wsproto import WSConnection

from hausbote.c2s.bosh import BoshTransport
from hausbote.c2s.server import Server
from hausbote.c2s.stream import ClientStream
from hausbote.certs.authority import make_certificates
from hausbote.net.connection import Connection
from hausbote.net.http import Exchange
from hausbote.net.http_socket import HttpSocket
from hausbote.net.websocket import WebSocket
from hausbote.xmpp.bosh import BoshSession
from hausbote.xmpp.framing import FrameParser
from hausbote.xmpp.sasl import ScramServer
from hausbote.xmpp.stream import StreamParser
from support.web import BoshWire, FramedClient, WebSocketWire, https
from support.worlds import PASSWORD, MemoryWorld, free_ports

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
    for transport in list(world.bosh._transports.values()):
        world.bosh._drop(transport)  # or the next test would count them
    server.stop()
    world.close()
    gevent.sleep(0.01)


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


def hold(world, wire, inner=""):
    """A request that the box holds, and its connection."""
    connection = elsewhere(lambda: https(world))
    body = wire.body("", inner).encode()
    elsewhere(lambda: connection.request("POST", "/http-bind", body))
    until(lambda: requests_held(world)[-1:] == [wire.rid])
    return connection


def reset(connection):
    linger = struct.pack("ii", 1, 0)
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    connection.sock.close()


def close(connection):
    """As programs do that close TLS before the connection."""
    connection.sock.settimeout(0.1)
    with suppress(OSError):  # the box does not answer with its own goodbye at once
        connection.sock.unwrap()
    connection.sock.close()


def close_without_a_word(connection):
    connection.sock.close()


def until(condition):
    for _ in range(100):
        if condition():
            return
        gevent.sleep(0.05)
    raise AssertionError("it does not happen")


def requests_held(world):
    """The rid of each session's, 0 if there is none."""
    sessions = [one.session for one in world.bosh._transports.values()]
    return [one._held[-1].request.rid if one._held else 0 for one in sessions]


@pytest.mark.parametrize("hang_up", [reset, close, close_without_a_word])
def test_a_connection_that_hangs_up_is_not_kept_for_its_answer(house, hang_up):
    """The session stays for who comes back, and tells them what the connection did not."""
    wire = BoshWire(house)
    elsewhere(lambda: greet(wire))
    connection = hold(house, wire)
    assert left()["HttpSocket"] == 1
    elsewhere(lambda: hang_up(connection))
    until(lambda: requests_held(house) == [0])  # which an answer that is due takes far longer for
    until(lambda: "HttpSocket" not in left())
    again = elsewhere(lambda: wire.ask(wire.body("", rid=wire.rid)))
    assert (len(again), again.get("type")) == (0, None)


def test_a_client_that_asks_again_at_once_has_not_hung_up(house):
    """Its next request waits in the same connection."""
    wire = BoshWire(house)
    elsewhere(lambda: greet(wire))
    connection = hold(house, wire)
    elsewhere(lambda: connection.sock.send(b"POST /http-bind HTTP/1.1\r\n"))
    gevent.sleep(0.2)
    assert requests_held(house) == [wire.rid]
    elsewhere(lambda: reset(connection))


def drop(world, wire, inner=""):
    """Reset the connection of a request that is held, of the newest session."""
    connection = hold(world, wire, inner)
    elsewhere(lambda: reset(connection))
    until(lambda: requests_held(world)[-1] == 0)


def dropped(world):
    """The client of a session that has begun, and not more."""
    wire = BoshWire(world)
    elsewhere(lambda: greet(wire))
    drop(world, wire)
    return wire


def test_of_sessions_that_nobody_logged_in_to_and_nobody_asks_for_so_many_are_kept(house):
    house.bosh._lost.total = 3
    wires = [dropped(house) for _ in range(3)]
    elsewhere(lambda: wires[0].ask(wires[0].body(" pause='60'")))  # it is back
    wires += [dropped(house) for _ in range(3)]
    assert list(house.bosh._transports) == [wires[n].sid for n in (0, 3, 4, 5)]
    gone = elsewhere(lambda: wires[1].ask(wires[1].body("")))
    assert gone.get("condition") == "item-not-found"
    until(lambda: left().get("ClientStream") == 4)


def test_a_session_that_somebody_logged_in_to_is_kept_for_them(house):
    house.bosh._lost.total = 1
    house.add_account("romeo")
    wire = BoshWire(house)
    elsewhere(lambda: FramedClient(wire, "h").log_in("romeo", PASSWORD))
    wire.ended = True  # no request but ours
    drop(house, wire, "<iq xmlns='jabber:client' type='result' id='of-nothing'/>")
    wires = [dropped(house) for _ in range(3)]
    assert list(house.bosh._transports) == [wire.sid, wires[-1].sid]


def test_a_bosh_session_that_is_dropped_leaves_nothing(house):
    """With a request that is held, whose connection is reset, in the middle of a login."""

    begin = (
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'>"
        "biwsbj1yb21lbyxyPXg=</auth>"
    )

    def begin_login(wire):
        greet(wire)
        assert wire.ask(wire.body("", begin))[0].tag.endswith("challenge")

    for _ in range(3):
        wire = BoshWire(house)
        elsewhere(lambda wire=wire: begin_login(wire))
        drop(house, wire)
    house.bosh._forget(float("inf"))
    assert until_gone() == {}
