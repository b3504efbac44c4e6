"""Strangers who read the chat's largest file slowly: it is in memory for none of them."""

import socket
import ssl

import pytest

from hausbote.webchat.assets import FETCHED
from support.web import asked
from support.webchat import fetch_chat
from support.worlds import KEYS, RunningWorld

COUNT = 50
FILE = "converse.min.js"


@pytest.fixture(scope="module")
def fort(tmp_path_factory):
    fetch_chat()
    state = tmp_path_factory.mktemp("slowpages") / "state"
    world = RunningWorld(state, address="127.0.0.37", portal=True)
    world.store.accounts.create("prince", KEYS, admin=True)
    yield world
    world.close()


def memory(world, service):
    """Bytes of a service (PSS)."""
    with open(f"/proc/{world.pid(service)}/smaps_rollup") as file:
        line = next(line for line in file if line.startswith("Pss:"))
    return int(line.split()[1]) * 1024


def begin(world, port):
    """A download, not compressed, of which only the first bytes are taken."""
    context = ssl.create_default_context(cafile=str(world.ca))
    context.set_alpn_protocols(["http/1.1"])
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    # As over the internet: in large segments, this machine's kernel would take all of the file.
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
    plain.settimeout(20)
    plain.connect((world.address, port))
    sock = context.wrap_socket(plain, server_hostname=world.domain)
    sock.sendall(b"GET /chat/assets/0/%s HTTP/1.1\r\nHost: h\r\n\r\n" % FILE.encode())
    assert sock.recv(100).startswith(b"HTTP/1.1 200 ")
    return sock


@pytest.mark.parametrize("way", ["web", "portal"])
def test_who_reads_a_large_file_slowly_takes_no_room_for_it(fort, way):
    port = getattr(fort.settings.ports, way)
    begin(fort, port).close()  # what the first one costs is kept for all
    before = [memory(fort, service) for service in ("c2s", "portal")]
    slow = [begin(fort, port) for _ in range(COUNT)]
    grown = sum(memory(fort, service) for service in ("c2s", "portal")) - sum(before)
    assert grown < COUNT * 131_072, "a slow reader takes more than a connection does"
    last, received = slow[-1], bytearray()
    size = (FETCHED / FILE).stat().st_size
    while len(received) < size // 2:  # who goes on gets on
        piece = last.recv(1 << 20)
        assert piece
        received += piece
    for sock in slow:
        sock.close()
    assert asked(fort, "GET", "/login")[0] == 200
