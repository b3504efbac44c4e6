"""Servers that hang, vanish or acknowledge nothing while messages are under way to them."""

import contextlib
import time

import gevent
import gevent.server
import pytest
from gevent.event import Event as Signal

from hausbote.s2s import gate, links
from hausbote.s2s import stream as stream_module
from support.authority import Authority
from support.federation import Unsafe, log_in, make_houses, wait_until
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


def messages_waiting(house):
    return sum(one.messages for one in house.store.outgoing.waiting())


def stream_count(house):
    return len(house.gate.streams)


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
    house.door.look(time.monotonic() + seconds)


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


def test_a_peer_that_answers_late_is_asked_again_and_believed_for_what_it_was_asked(house, peer):
    """Its first answer says nothing of what came after the question, and it is not deaf."""
    juliet = log_in(house, "juliet")
    one = peer(managed=False)
    juliet.sends(chat("old"))
    assert ids_that_come(one, 1) == ["old"]
    question = one.next()
    stream = stream_of(house)
    wait_until(lambda: not stream.connection.under_way)
    later(house, 61)
    assert not stream.sent, "what its machine has counts as arrived"
    juliet.sends(chat("new"))
    assert ids_that_come(one, 1) == ["new"]
    one.send(f"<iq type='result' id='{question.get('id')}' from='{PEER}' to='capulet.example'/>")
    wait_until(lambda: stream.answers)
    assert len(stream.sent) == 1, "nobody was asked for the new one"
    later(house, 1)
    answer_ping(one)
    wait_until(lambda: not stream.sent)
    assert not stream.closed


def test_what_a_machine_did_not_take_has_not_arrived(house, peer):
    juliet = log_in(house, "juliet")
    peer(managed=False)
    stream = stream_of(house)
    juliet.sends(chat("1", "x" * 200_000))  # more than a machine takes that nobody reads at
    wait_until(lambda: len(stream.sent) == 1)
    assert stream.connection.under_way
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
    arrived, free = house.gate.arrived, Signal()
    house.gate.arrived = lambda *_: free.wait()
    one.send(f"<message from='x@{PEER}' to='nobody@capulet.example'/>")
    wait_until(lambda: len(old.received) == 1)  # its worker has other things to do
    house.gate.arrived = arrived
    one.wire.cut()
    wait_until(lambda: old.closed)
    assert ids_that_come(peer(), 2) == ["1", "2"]
    free.set()
    gevent.sleep(0.1)
    juliet.receives_nothing()


# -- order, and much at once -------------------------------------------------------------------


def test_what_was_under_way_stays_before_what_waited(house, peer, monkeypatch):
    monkeypatch.setattr(links, "_MAX_UNSAFE", 5)
    juliet = log_in(house, "juliet")
    one = peer()
    for number in range(12):
        juliet.sends(chat(number))
    assert ids_that_come(one, 5) == list("01234")
    one.wire.cut()
    wait_until(lambda: messages_waiting(house) == 12)
    for number in range(12, 15):
        juliet.sends(chat(number))
    monkeypatch.undo()
    assert ids_that_come(peer(), 15) == [str(number) for number in range(15)]


def test_order_outlives_streams_that_break_again_and_again(house, peer, monkeypatch):
    monkeypatch.setattr(links, "_MAX_UNSAFE", 4)
    juliet = log_in(house, "juliet")
    sent = arrived = 0
    for acknowledged in (1, 2, 0, 3):
        one = peer()
        for _ in range(6):
            juliet.sends(chat(sent))
            sent += 1
        come = ids_that_come(one, 4)
        one.send(f"<a xmlns='{SM}' h='{acknowledged}'/>")
        come += ids_that_come(one, acknowledged)
        assert come == [str(arrived + number) for number in range(4 + acknowledged)]
        arrived += acknowledged
        one.wire.cut()
        wait_until(lambda: stream_count(house) == 0)
    monkeypatch.undo()
    assert ids_that_come(peer(), sent - arrived) == [str(number) for number in range(arrived, sent)]


def test_a_queue_of_other_scripts_arrives(house, peer):
    """What one sees in it is a quarter of its bytes."""
    juliet = log_in(house, "juliet")
    for number in range(38):
        juliet.sends(chat(number, "\U0001f600" * 60_000))
        gevent.sleep(0.02)
    wait_until(lambda: messages_waiting(house) == 38)
    one = peer()
    for number in range(38):
        assert ids_that_come(one, 1) == [str(number)]
        one.send(f"<a xmlns='{SM}' h='{number + 1}'/>")
    wait_until(lambda: not house.store.outgoing.waiting())


def test_whoever_acknowledges_nothing_is_cut(house, peer):
    """An answer that says nothing new is none."""
    juliet = log_in(house, "juliet")
    one = peer()
    juliet.sends(chat("1"))
    stream = stream_of(house)
    wait_until(lambda: stream.asked)
    for seconds in (20, 40):
        one.send(f"<a xmlns='{SM}' h='0'/>")
        wait_until(lambda: not stream.asking)
        later(house, seconds)
        assert stream.asking, "it is asked again"
        assert not stream.closed
    one.send(f"<a xmlns='{SM}' h='0'/>")
    wait_until(lambda: not stream.asking)
    later(house, 61)
    assert stream.closed
    assert ids_that_come(peer(), 1) == ["1"]


def test_one_server_does_not_fill_the_memory_that_all_share(house, peer):
    mallory, juliet = log_in(house, "mallory"), log_in(house, "juliet")
    for number in range(6):
        peer(f"{number}.evil.example")
    for number in range(90):
        to = f"x@{number % 6}.evil.example"
        mallory.sends(chat(number, "\U0001f600" * 50_000, to))
        gevent.sleep(0.02)
    wait_until(lambda: messages_waiting(house) >= 75)
    wait_until(lambda: house.host.bus.ease("s2s", juliet.bare))
    one = peer()
    juliet.sends(chat("late"))
    assert ids_that_come(one, 1) == ["late"]


def test_much_that_is_held_goes_to_the_disk(house):
    """The server is slow to be reached; nobody has looked at the clock yet."""
    house.door.close()
    juliet = log_in(house, "juliet")
    slow = gevent.server.StreamServer(("127.0.1.93", 0), lambda *_: gevent.sleep(60))
    slow.start()
    house.names.put("slow.example", "127.0.1.93", slow.server_port)
    for number in range(10):
        juliet.sends(chat(number, "x" * 100_000, "romeo@slow.example"))
    wait_until(lambda: messages_waiting(house) == 10)
    juliet.receives_nothing()
    slow.stop(0)


def test_a_peer_that_acknowledges_nothing_may_not_ask_for_ever(house, peer, monkeypatch):
    monkeypatch.setattr(stream_module, "_MAX_SENT", 1_000)
    one = peer()
    question = (
        f"<iq type='get' id='1' from='x@{PEER}' to='capulet.example'>"
        "<query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
    )
    stream = stream_of(house)
    with contextlib.suppress(OSError):
        for _ in range(10):
            one.send(question * 500)
            while one.wire.recv(0.05):
                pass
            if stream.closed:
                break
    assert stream.closed
    assert len(stream.sent) == 0


# -- what is given up --------------------------------------------------------------------------


def days_later(house):
    house.gate.host.clock = lambda: time.time() + 4 * 86_400
    house.gate.queue.expire()


def test_a_server_that_nothing_waits_for_any_more_is_not_looked_for(house):
    juliet = log_in(house, "juliet")
    juliet.sends(chat("1"))
    wait_until(lambda: messages_waiting(house) == 1)
    (link,) = house.gate.links.values()
    days_later(house)
    juliet.receives("<message type='error' id='1'/>")
    wait_until(lambda: link.idle)
    later(house, 1_000)
    assert not house.gate.links


def test_what_is_under_way_at_last_is_not_given_up(house, peer):
    juliet = log_in(house, "juliet")
    juliet.sends(chat("1"))
    wait_until(lambda: messages_waiting(house) == 1)
    one = peer()
    assert ids_that_come(one, 1) == ["1"]
    days_later(house)
    juliet.receives_nothing()
    one.send(f"<a xmlns='{SM}' h='1'/>")
    wait_until(lambda: not messages_waiting(house))


def test_what_is_too_old_is_not_sent_again_to_one_that_acknowledges_nothing(house, peer):
    """It comes back at once whenever its stream ends, so that something is always under way."""
    juliet = log_in(house, "juliet")
    juliet.sends(chat("1"))
    wait_until(lambda: messages_waiting(house) == 1)
    for _ in range(3):
        one = peer()
        assert ids_that_come(one, 1) == ["1"]
        one.wire.cut()
        wait_until(lambda: not any(link.stream for link in house.gate.links.values()))
    juliet.receives_nothing()
    house.gate.host.clock = lambda: time.time() + 4 * 86_400
    one = peer()
    told = juliet.receives("<message type='error' id='1'/>")
    assert told.findtext(".//{*}text") == f"{PEER} took nothing in time."
    juliet.sends(chat("2"))
    assert ids_that_come(one, 1) == ["2"]
    wait_until(lambda: not messages_waiting(house))


def test_what_is_given_up_does_not_arrive_as_well(house, peer):
    """Its sender was not told yet when the server came."""
    juliet = log_in(house, "juliet")
    juliet.sends(chat("1"))
    wait_until(lambda: messages_waiting(house) == 1)
    told = Unsafe(house, lambda stanza: stanza.type == "error")
    days_later(house)
    juliet.receives("<message type='error' id='1'/>")
    one = peer()
    juliet.sends(chat("2"))
    assert ids_that_come(one, 1) == ["2"]
    one.send(f"<a xmlns='{SM}' h='1'/>")
    house.gate.queue.expire()
    assert len(told) == 1
    told.end()
    wait_until(lambda: not messages_waiting(house))
    juliet.receives_nothing()


def test_nobody_lets_messages_wait_for_thousands_of_servers(house, monkeypatch):
    monkeypatch.setattr(gate, "_MANY_LINKS", 5)
    monkeypatch.setattr(gate, "_MAX_IN_VAIN", 3)
    mallory, juliet = log_in(house, "mallory"), log_in(house, "juliet")
    for number in range(8):
        house.names.put(f"{number}.example", "127.0.0.1", 1)
    for number in range(5):
        mallory.sends(chat(number, to=f"x@{number}.example"))
    wait_until(lambda: messages_waiting(house) == 5)
    for number in range(5, 8):
        mallory.sends(chat(number, to=f"x@{number}.example"))
        mallory.receives(
            f"<message type='error' id='{number}'><error><resource-constraint"
            " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
        )
    juliet.sends(chat("1"))
    wait_until(lambda: messages_waiting(house) == 6)


def test_without_a_queue_what_is_held_comes_back_when_the_service_stops(tmp_path):
    (house,) = make_houses(
        tmp_path, "capulet.example", authority=AUTHORITY, federation={"queue_days": 0}
    )
    juliet = log_in(house, "juliet")
    house.names.endpoints = lambda *_: gevent.sleep(60)  # DNS is slow
    juliet.sends(chat("1", to="romeo@slow.example"))
    wait_until(lambda: any(not link.idle for link in house.gate.links.values()))
    house.close_gate()
    juliet.receives(
        "<message type='error' id='1'><error><remote-server-timeout"
        " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    )
    house.open_gate()
    house.close()
