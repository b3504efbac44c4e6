"""A hundred people who download and do not get on: nobody else notices."""

import os
import socket
import time
from pathlib import Path

import pytest

from support.files import http_, put, slot, tls
from support.worlds import PASSWORD, RunningWorld

SIZE = 30_000_000  # more than a connection's buffers hold
COUNT = 100


@pytest.fixture(scope="module")
def fort(tmp_path_factory):
    state = tmp_path_factory.mktemp("slow") / "state"
    world = RunningWorld(state, "limits.connections_per_address=200", address="127.0.0.35")
    world.add_account("romeo")
    world.add_account("juliet")
    yield world
    world.close()


@pytest.fixture(scope="module")
def lovers(fort):
    clients = [fort.client().log_in(name, PASSWORD) for name in ("romeo", "juliet")]
    yield clients
    for client in clients:
        client.wire.cut()


def begin(world, path):
    """A download of which only the first bytes are taken."""
    sock = tls(world, receive_buffer=4096)
    sock.sendall(b"GET %s HTTP/1.1\r\nHost: upload.h\r\n\r\n" % path.encode())
    assert sock.recv(100).startswith(b"HTTP/1.1 200 ")
    return sock


def memory(world):
    """Bytes of the upload service (PSS)."""
    with open(f"/proc/{world.pid('upload')}/smaps_rollup") as file:
        line = next(line for line in file if line.startswith("Pss:"))
    return int(line.split()[1]) * 1024


def being_read(world, place):
    """How often the service has that file open."""
    return sum(
        os.path.basename(target(link)) == place.id
        for link in Path(f"/proc/{world.pid('upload')}/fd").iterdir()
    )


def target(link):
    """Of a descriptor; it may have been closed since it was listed."""
    try:
        return os.readlink(link)
    except FileNotFoundError:
        return ""


def test_who_downloads_slowly_keeps_nobody_waiting(fort, lovers):
    romeo, juliet = lovers
    content = os.urandom(SIZE)
    film, other = slot(romeo, SIZE), slot(juliet, SIZE)
    assert put(fort, film, content)[0] == 201
    before = memory(fort)
    slow = [begin(fort, film.path) for _ in range(COUNT)]
    each = (memory(fort) - before) / COUNT

    assert put(fort, other, content[::-1])[0] == 201
    assert http_(fort, "GET", other.path)[2] == content[::-1]
    assert http_(fort, "GET", film.path, Range="bytes=5-9")[2] == content[5:10]
    juliet.sends("<presence/>")
    juliet.receives("<presence/>")
    romeo.sends(f"<message to='juliet@h' type='chat'><body>{film.get}</body></message>")
    juliet.receives(f"<message><body>{film.get}</body></message>")
    assert each <= 65_536, "a slow download takes more than its 64 KiB"

    last = slow[-1]
    received = bytearray()
    while len(received) < SIZE:  # who goes on gets all of it, and nothing of what others got
        piece = last.recv(1 << 20)
        assert piece
        received += piece
    assert received.endswith(content[-SIZE // 2 :])
    for sock in slow:
        sock.close()


def test_who_goes_away_in_the_middle_leaves_nothing_behind(fort, lovers):
    romeo, _ = lovers
    content = os.urandom(SIZE)
    film = slot(romeo, SIZE)
    assert put(fort, film, content)[0] == 201
    slow = [begin(fort, film.path) for _ in range(20)]
    assert being_read(fort, film) == 20
    for sock in slow:
        sock.shutdown(socket.SHUT_RDWR)
        sock.close()
    assert http_(fort, "GET", film.path)[2] == content
    deadline = time.monotonic() + 10
    while being_read(fort, film):
        assert time.monotonic() < deadline, "a download goes on that nobody takes"
        time.sleep(0.05)
    assert "bug" not in fort.log("upload")
