"""Streams between servers on which nothing happens, and servers that cannot be reached."""

import itertools
import time

import pytest

from hausbote.s2s.problem import Kind
from support.authority import Authority
from support.federation import log_in, make_houses, wait_until
from support.raw_peer import GreenWire, RawPeer

PEER = "montague.example"
SM = "urn:xmpp:sm:3"
AUTHORITY = Authority()


@pytest.fixture
def house(tmp_path):
    (made,) = make_houses(tmp_path / "houses", "capulet.example", authority=AUTHORITY)
    yield made
    made.close()


@pytest.fixture
def peer(house, tmp_path):
    """A stream that has proven whose it is."""
    wire = GreenWire(house.address, house.port, tmp_path, AUTHORITY.issue(PEER))
    made = RawPeer(wire, "capulet.example")
    made.prove()
    yield made
    wire.cut()


def later(house, seconds):
    house.door.look(time.monotonic() + seconds)


def test_a_stream_that_nobody_uses_is_closed_with_a_word(house, peer):
    later(house, 3_500)
    assert peer.wire.recv(0.3) in (None, b" "), "it was closed too early"
    later(house, 3_700)
    rest = b""
    while data := peer.wire.recv(2):
        rest += data
    assert data == b"", "the connection stays open"
    assert rest.strip() == b"</stream:stream>"


def test_a_silent_stream_gets_white_space_so_that_no_router_forgets_it(house, peer):
    later(house, 200)
    assert peer.wire.recv(0.3) is None
    later(house, 250)
    assert peer.wire.recv(2) == b" "


def test_a_silent_server_is_asked_and_cut_if_it_does_not_answer(house, peer):
    peer.send(f"<enable xmlns='{SM}'/>")
    assert peer.next().tag == f"{{{SM}}}enabled"
    later(house, 310)
    assert peer.next().tag == f"{{{SM}}}r"
    peer.send(f"<a xmlns='{SM}' h='0'/>")
    peer.send(f"<r xmlns='{SM}'/>")
    assert peer.next().tag == f"{{{SM}}}a", "it did answer, and stays"
    later(house, 400)
    assert peer.next().tag == f"{{{SM}}}r"
    later(house, 470)
    assert peer.next() is None
    assert peer.ended


def test_a_server_that_cannot_be_reached_is_tried_more_and_more_rarely(house):
    juliet = log_in(house, "juliet")
    house.names.put(PEER, "127.0.0.1", 1)
    juliet.sends(f"<message to='romeo@{PEER}' type='chat'><body>O</body></message>")
    wait_until(lambda: house.store.outgoing.waiting())
    link = house.gate.link("capulet.example", PEER)
    assert link.problem.kind is Kind.AWAY
    link.stop()
    pauses = []
    for _ in range(20):
        before = link.next_attempt
        link.connect(now=True)
        wait_until(lambda before=before: link.next_attempt != before)
        pauses.append(link.next_attempt - time.monotonic())
    assert all(later > 1.05 * sooner for sooner, later in itertools.pairwise(pauses[:7]))
    assert max(pauses) < 900 * 1.31
    assert len({round(pause) for pause in pauses[-8:]}) > 1, "all servers would come at once"
