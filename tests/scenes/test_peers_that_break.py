"""Servers that hang, vanish or acknowledge nothing while messages are under way to them."""

import time

import gevent
import pytest

from hausbote.s2s.stream import _Step
from support.authority import Authority
from support.federation import log_in, make_houses, wait_until
from support.raw_peer import GreenWire, RawPeer

PEER = "montague.example"
SM = "urn:xmpp:sm:3"
AUTHORITY = Authority()


@pytest.fixture
def house(tmp_path):
    (made,) = make_houses(tmp_path / "houses", "capulet.example", authority=AUTHORITY)
    made.names.put(PEER, "127.0.0.1", 1)  # it comes to us or not at all
    yield made
    made.close()


@pytest.fixture
def peer(house, tmp_path):
    """Makes peers whose streams the box uses for its own stanzas, too."""
    made = []

    def make(domain=PEER, *, managed=True):
        identity = AUTHORITY.issue(domain, f"*.{domain}")
        one = RawPeer(GreenWire(house.address, house.port, tmp_path, identity), "capulet.example")
        made.append(one)
        one.start_tls(sender=domain)
        one.send("<bidi xmlns='urn:xmpp:bidi'/>")
        one.authenticate_as(domain)
        one.open(domain)
        if managed:
            one.send(f"<enable xmlns='{SM}'/>")
            assert one.next().tag == f"{{{SM}}}enabled"
        wait_until(lambda: any(s.link for s in house.gate.streams if s.remote == domain))
        return one

    yield make
    for one in made:
        one.wire.cut()


def chat(id, body="O", to=f"romeo@{PEER}"):
    return f"<message to='{to}' type='chat' id='{id}'><body>{body}</body></message>"


def stream_of(house, domain=PEER):
    return next(one for one in house.gate.streams if one.remote == domain and not one.closed)


def ids_that_come(peer, count):
    """Of messages, in the order in which they come."""
    found = []
    while len(found) < count:
        element = peer.next()
        assert element is not None, f"after {found} nothing comes"
        if element.tag.endswith("}message"):
            found.append(element.get("id"))
    return found


def later(house, seconds):
    house.door._keepalive.sweep(time.monotonic() + seconds)


# -- peers without stream management -----------------------------------------------------------


def answer_ping(peer):
    ping = peer.next()
    peer.send(
        f"<iq type='result' id='{ping.get('id')}' from='{PEER}' to='capulet.example'><x xmlns='urn:x'/></iq>"
    )


def test_a_peer_that_answered_once_and_hangs_gets_it_again(house, peer):
    juliet = log_in(house, "juliet")
    one = peer(managed=False)
    juliet.sends(chat("before"))
    assert ids_that_come(one, 1) == ["before"]
    answer_ping(one)
    stream = stream_of(house)
    wait_until(lambda: not len(stream.sent))
    juliet.sends(chat("1"), chat("2"))
    wait_until(lambda: len(stream.sent) == 2)
    later(house, 61)
    assert stream.closed
    other = peer()
    assert ids_that_come(other, 2) == ["1", "2"]


def test_a_peer_that_never_answers_has_what_its_machine_has(house, peer):
    juliet = log_in(house, "juliet")
    one = peer(managed=False)
    juliet.sends(chat("1"))
    assert ids_that_come(one, 1) == ["1"]
    stream = stream_of(house)
    later(house, 61)
    assert not len(stream.sent)
    juliet.sends(chat("2"))
    assert ids_that_come(one, 1) == ["2"]
    wait_until(lambda: not len(stream.sent))
    assert not stream.closed
    assert not house.store.outgoing.waiting()


def test_what_a_machine_did_not_take_has_not_arrived(house, peer):
    juliet = log_in(house, "juliet")
    peer(managed=False)
    stream = stream_of(house)
    stream.connection._flush_due = True  # nothing leaves any more
    juliet.sends(chat("1"))
    wait_until(lambda: len(stream.sent) == 1)
    later(house, 61)
    assert stream.closed
    assert ids_that_come(peer(), 1) == ["1"]


# -- streams that follow each other ------------------------------------------------------------


def test_a_stream_that_comes_before_the_end_of_the_last_is_handled(house, peer):
    juliet = log_in(house, "juliet")
    one = peer()
    juliet.sends(chat("1"), chat("2"))
    old = stream_of(house)
    wait_until(lambda: len(old.sent) == 2)
    old._lane.busy = True  # its worker has other things to do
    one.wire.cut()
    wait_until(lambda: old.closed)
    assert ids_that_come(peer(), 2) == ["1", "2"]
    old._lane.busy = False
    house.gate.pump.post(old._lane, _Step.GONE)
    gevent.sleep(0.1)
    juliet.receives_nothing()
