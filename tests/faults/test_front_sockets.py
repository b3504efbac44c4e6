"""The Unix sockets at which services take what the front brings: who may come, and as whom.

The front here is the test: bytes as HAProxy sends them, and as it never would.
"""

import contextlib
import socket
import ssl
import stat

import pytest

from hausbote.net.front_socket import open_front_socket
from support.client import Client
from support.front import (
    LOCAL,
    PROXY,
    TCP4,
    TCP6,
    FrontWire,
    addresses,
    client_by_front,
    header,
    introduction,
)
from support.ports import free_ports
from support.scram_client import ScramClient
from support.worlds import PASSWORD, RunningWorld

ADDRESS = "127.0.0.72"
ROMEO, JULIET = "192.0.2.7", "192.0.2.8"
BACKENDS = ("c2s", "c2s_tls", "s2s", "s2s_tls", "web", "upload", "proxy")
V4, V6 = addresses(ROMEO, "192.0.2.1"), addresses("2001:db8::7", "2001:db8::1")
NONSENSE = {
    "no header": b"<?xml version='1.0'?><stream:stream xmlns='jabber:client'>",
    "version 1": b"PROXY TCP4 192.0.2.7 192.0.2.1 50000 443\r\n",
    "a hello of TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
    "another version": header(0x31, TCP4, V4),
    "another command": header(0x22, TCP4, V4),
    "UDP": header(PROXY, 0x12, V4),
    "a Unix socket": header(PROXY, 0x31, b"/" * 216),
    "nobody": header(PROXY, 0x00),
    "too long": header(PROXY, TCP4, V4 + bytes(2_000)),
    "far too long": header(PROXY, TCP4, V4, size=65_535),
    "too short for its family": header(PROXY, TCP6, V4),
}


class Fronted(RunningWorld):
    federates = "yes"

    def refused(self, *services):
        return sum(self.status(one)["front_refused"] for one in services)


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    s2s, s2s_tls = free_ports(ADDRESS, 2)
    world = Fronted(
        tmp_path_factory.mktemp("backends") / "state",
        "front.run=elsewhere",
        f"ports.s2s={s2s}",
        f"ports.s2s_tls={s2s_tls}",
        "limits.login_attempts=2",
        "limits.connections_per_address=4",
        address=ADDRESS,
    )
    for name in ("romeo", "juliet"):
        world.add_account(name)
    yield world
    world.close()


def service_of(backend):
    return {"web": "c2s", "proxy": "upload"}.get(backend, backend.removesuffix("_tls"))


def what_comes(sock):
    """Everything until the other side ends it."""
    said = b""
    with contextlib.suppress(ConnectionResetError, BrokenPipeError):
        while got := sock.recv(65_536):
            said += got
    return said


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", NONSENSE)
def test_whoever_does_not_begin_as_the_front_does_is_let_go_without_a_word(house, backend, kind):
    before = house.refused(service_of(backend))
    with FrontWire(house, backend, NONSENSE[kind]).sock as sock:
        assert what_comes(sock) == b""
    assert house.refused(service_of(backend)) == before + 1


@pytest.mark.parametrize("backend", BACKENDS)
def test_who_stops_in_the_middle_of_the_header_is_let_go(house, backend):
    before = house.refused(service_of(backend))
    with FrontWire(house, backend, introduction(ROMEO)[:20]).sock as sock:
        sock.shutdown(socket.SHUT_WR)
        assert what_comes(sock) == b""
    assert house.refused(service_of(backend)) == before + 1


@pytest.mark.parametrize("backend", ["c2s", "web", "proxy"])
def test_a_header_that_does_not_come_is_not_waited_for(house, backend):
    before = house.refused(service_of(backend))
    with FrontWire(house, backend, introduction(ROMEO)[:20]).sock as sock:
        assert what_comes(sock) == b""
    assert house.refused(service_of(backend)) == before + 1


def test_a_header_may_come_in_pieces_and_its_notes_are_skipped(house):
    notes = b"\x01\0\x0bxmpp-client\x04\0\x20" + bytes(32)
    wire = FrontWire(house, "c2s", b"")
    for byte in header(PROXY, TCP4, V4 + notes):
        wire.sock.sendall(bytes([byte]))
    wire.send(
        b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
    )
    wire.send(b" to='h' version='1.0'>")
    assert b"starttls" in wire.recv(10)
    wire.cut()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("rest", [b"", V4])
def test_the_front_may_look_whether_somebody_is_there(house, backend, rest):
    before = house.refused(service_of(backend))
    with FrontWire(house, backend, header(LOCAL, 0x00, rest)).sock as sock:
        assert what_comes(sock) == b""
    assert house.refused(service_of(backend)) == before


def tries(client, password):
    client.secure()
    answer = client.authenticate(ScramClient("romeo", password, "SCRAM-SHA-1"), "SCRAM-SHA-1")
    client.wire.cut()
    name = answer.tag.partition("}")[2]
    return name if name == "success" else answer[0].tag.partition("}")[2]


@pytest.mark.parametrize(
    ("thief", "neighbour", "owner"),
    [
        ("198.51.100.1", "198.51.100.1", "198.51.100.2"),
        ("2001:db8:1::1", "2001:db8:1::2", "2001:db8:1:1::1"),
    ],
)
def test_guessing_is_held_against_the_clients_address_and_not_the_fronts(
    house, thief, neighbour, owner
):
    house.add_account("romeo")
    assert tries(client_by_front(house, owner), PASSWORD) == "success"
    for _ in range(2):
        assert tries(client_by_front(house, thief), "wrong") == "not-authorized"
    assert tries(client_by_front(house, neighbour), "wrong") == "temporary-auth-failure"
    assert tries(client_by_front(house, owner), PASSWORD) == "success"


def test_connections_are_counted_by_the_clients_address(house):
    within = [client_by_front(house, "198.51.100.9") for _ in range(4)]
    for client in within:
        client.open()
    beyond = client_by_front(house, "198.51.100.9")
    assert beyond.wire.recv(10) == b""
    other = client_by_front(house, "198.51.100.10")
    other.open()
    for client in (*within, other):
        client.wire.cut()


def secured(house, backend, name, address=ROMEO):
    context = ssl.create_default_context(cafile=str(house.ca))
    context.set_alpn_protocols(["http/1.1"])
    wire = FrontWire(house, backend, introduction(address))
    return context.wrap_socket(wire.sock, server_hostname=name)


@pytest.mark.parametrize(
    ("backend", "name", "path", "expected"),
    [
        ("web", "h", "/.well-known/host-meta.json", b"200 OK"),
        ("upload", "upload.h", "/nothing", b"404 Not Found"),
    ],
)
def test_http_is_spoken_behind_the_header(house, backend, name, path, expected):
    with secured(house, backend, name) as sock:
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
        assert what_comes(sock).splitlines()[0].endswith(expected)


def test_the_proxy_answers_behind_the_header(house):
    with FrontWire(house, "proxy", introduction(ROMEO)).sock as sock:
        sock.sendall(b"\x05\x01\x00")
        assert sock.recv(2) == b"\x05\x00"


def test_other_servers_are_heard_behind_the_header(house):
    wire = FrontWire(house, "s2s", introduction(ROMEO))
    wire.send(
        b"<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'"
    )
    wire.send(b" from='capulet.example' to='h' version='1.0'>")
    assert b"starttls" in wire.recv(10)
    wire.cut()


def test_only_the_boxs_user_may_come(house):
    backends = house.state / "run" / "front"
    assert stat.S_IMODE(backends.stat().st_mode) == 0o700
    found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in backends.iterdir()}
    assert found == {f"{backend}.sock": 0o600 for backend in BACKENDS}


def test_with_a_front_no_service_has_a_port(house):
    for port in (house.port, house.tls_port, house.web_port, house.upload_port, house.proxy_port):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((ADDRESS, port), timeout=10)


def test_a_service_that_was_killed_has_its_doors_again(house):
    house.kill("c2s")
    house.pid("c2s")
    romeo = client_by_front(house, ROMEO).log_in("romeo", PASSWORD)
    romeo.settle()
    romeo.leaves()


def test_a_door_is_not_taken_from_somebody_who_stands_there(house):
    with pytest.raises(OSError, match="another process listens"):
        open_front_socket(house.settings, "c2s")
    client_by_front(house, JULIET).log_in("juliet", PASSWORD).leaves()


@pytest.mark.parametrize("port", ["port", "tls_port", "web_port", "upload_port", "proxy_port"])
def test_no_port_understands_a_header(box, port):
    """Whoever claims to be a proxy there has said nonsense."""
    with socket.create_connection((box.address, getattr(box, port)), timeout=10) as sock:
        sock.sendall(introduction(ROMEO))
        said = what_comes(sock)
    assert b"features" not in said
    assert b"\x05\x00" not in said


def test_no_port_of_components_understands_one(box):
    with socket.create_connection((box.address, box.component_port), timeout=10) as sock:
        sock.sendall(introduction(ROMEO) + b"<stream:stream/>")
        assert b"stream:error" in what_comes(sock)


def test_a_client_that_names_no_protocol_is_known_by_what_it_says(house):
    context = ssl.create_default_context(cafile=str(house.ca))
    wire = FrontWire(house, "web", introduction("198.51.100.20"))
    wire.sock = context.wrap_socket(wire.sock, server_hostname="h")
    romeo = Client(wire, "h").log_in("romeo", PASSWORD, mechanism="SCRAM-SHA-256")
    romeo.settle()
    romeo.leaves()


def test_http_that_names_no_protocol_is_http(house):
    context = ssl.create_default_context(cafile=str(house.ca))
    wire = FrontWire(house, "web", introduction("198.51.100.20"))
    with context.wrap_socket(wire.sock, server_hostname="h") as sock:
        path = b"/.well-known/host-meta"
        for byte in b"GET " + path + b" HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n":
            sock.sendall(bytes([byte]))
        assert what_comes(sock).startswith(b"HTTP/1.1 200 OK")


def test_a_stream_that_named_http_is_none(house):
    with secured(house, "web", "h") as sock:
        sock.sendall(b"<?xml version='1.0'?><stream:stream xmlns='jabber:client'>\r\n\r\n")
        assert what_comes(sock).startswith(b"HTTP/1.1 400 Bad Request")
