"""Servers that do not prove who they are, claim what they are not, or want too much."""

import contextlib
import time

import gevent
import pytest

from hausbote.s2s import gate
from support.authority import Authority, Shelf
from support.federation import Unsafe, log_in, make_houses, wait_until
from support.peers import LonelyServer
from support.raw_peer import GreenWire, RawPeer

PEER = "montague.example"
STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
AUTHORITY = Authority()
SHELF = Shelf(AUTHORITY, PEER)
BAD = SHELF.bad()


@pytest.fixture
def house(tmp_path):
    (made,) = make_houses(tmp_path / "houses", "capulet.example", authority=AUTHORITY)
    yield made
    made.close()


@pytest.fixture
def peer(house, tmp_path):
    """Makes raw peers with a good certificate, or another one, or none."""
    made = []

    def make(identity="good", direct=False):
        if identity == "good":
            identity = AUTHORITY.issue(PEER)
        port = house.direct_port if direct else house.port
        alpn = ["xmpp-server"] if direct else None
        wire = GreenWire(house.address, port, tmp_path, identity, alpn)
        made.append(RawPeer(wire, "capulet.example"))
        return made[-1]

    yield make
    for one in made:
        one.wire.cut()


def message(to="juliet@capulet.example", sender=f"romeo@{PEER}", body="O"):
    return f"<message from='{sender}' to='{to}' type='chat'><body>{body}</body></message>"


def known_of(house):
    """What the owner can read of the peer."""
    house.store.settle()
    return house.store.peers.get(PEER)


def send_all(one, pieces):
    """As far as the box lets it."""
    with contextlib.suppress(OSError):
        for piece in pieces:
            one.send(piece)
            gevent.sleep(0)


# -- certificates ------------------------------------------------------------------------------


@pytest.mark.parametrize("cause", BAD)
def test_a_bad_certificate_is_refused_when_it_comes(house, peer, cause, capfd):
    one = peer(BAD[cause])
    answer = one.start_tls()
    assert answer.tag.endswith("}error"), "no features for such a peer"
    one.unread([answer])
    one.is_ended_with("not-authorized")
    known = known_of(house)
    assert known.cause == cause
    assert PEER in known.sentence
    assert known.sentence in capfd.readouterr().err, "the log says why"


@pytest.mark.parametrize("cause", BAD)
def test_a_bad_certificate_is_refused_when_we_come(house, cause, capfd):
    juliet = log_in(house, "juliet")
    port = house.names.free_port("127.0.1.90")
    house.names.put(PEER, "127.0.1.90", port, direct_tls=True)
    with LonelyServer("127.0.1.90", port, identity=BAD[cause]) as server:
        juliet.sends(message(f"romeo@{PEER}", juliet.jid))
        juliet.receives(
            f"<message type='error' from='romeo@{PEER}'><error type='wait'>"
            f"<remote-server-timeout xmlns='{STANZAS}'/></error></message>"
        )
    known = known_of(house)
    assert known.cause == cause
    assert known.sentence in capfd.readouterr().err, "the log says why"
    assert not house.store.outgoing.waiting()
    assert set(server.protocols) == {b"xmpp-server"}


def test_without_a_certificate_nobody_comes_in(house, peer):
    one = peer(None)
    one.unread([one.start_tls()])
    one.is_ended_with("not-authorized")
    assert known_of(house).cause == "absent"


def test_a_certificate_for_servers_only_is_enough(house, peer):
    juliet = log_in(house, "juliet")
    one = peer(AUTHORITY.issue(PEER))
    one.prove()
    one.send(message())
    juliet.receives(f"<message from='romeo@{PEER}'><body>O</body></message>")


def test_direct_tls(house, peer):
    juliet = log_in(house, "juliet")
    one = peer(direct=True)
    one.wire.secure()
    one.open()
    one.authenticate_as(PEER)
    one.open()
    one.send(message())
    juliet.receives("<message><body>O</body></message>")


# -- TLS ---------------------------------------------------------------------------------------


def test_nothing_is_said_before_tls(house, peer):
    for said in (
        message(),
        f"<auth xmlns='{SASL}' mechanism='EXTERNAL'>=</auth>",
        f"<db:result from='{PEER}' to='capulet.example'>key</db:result>",
    ):
        one = peer()
        features = one.open()
        assert [f.tag for f in features] == ["{urn:ietf:params:xml:ns:xmpp-tls}starttls"]
        one.send(said)
        one.is_ended_with("not-authorized")


@pytest.mark.parametrize(
    "features",
    [
        "<stream:features/>",
        f"<stream:features><mechanisms xmlns='{SASL}'><mechanism>EXTERNAL</mechanism></mechanisms></stream:features>",
        "<stream:features><dialback xmlns='urn:xmpp:features:dialback'/></stream:features>",
    ],
)
def test_a_server_whose_tls_was_taken_away_gets_nothing(house, features):
    juliet = log_in(house, "juliet")
    port = house.names.free_port("127.0.1.91")
    house.names.put(PEER, "127.0.1.91", port)
    plain = (
        "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'"
        f" version='1.0' id='1'>{features}"
    ).encode()
    with LonelyServer("127.0.1.91", port, identity=None, plain=plain):
        juliet.sends(message(f"romeo@{PEER}", juliet.jid))
        juliet.receives("<message type='error'/>")
    known = known_of(house)
    assert known.cause == "no-tls"
    assert known.sentence == f"{PEER} offers no encryption, or somebody on the way took it away."


# -- claims ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sender", "to", "condition"),
    [
        ("romeo@elsewhere.example", "juliet@capulet.example", "invalid-from"),
        ("tybalt@capulet.example", "juliet@capulet.example", "invalid-from"),
        (f"romeo@{PEER}.evil.example", "juliet@capulet.example", "invalid-from"),
        (f"romeo@sub.{PEER}", "juliet@capulet.example", "invalid-from"),
        (f"romeo@{PEER}", "x@rooms.capulet.example", "host-unknown"),
        (f"romeo@{PEER}", "x@third.example", "host-unknown"),
        (f"romeo@@{PEER}", "juliet@capulet.example", "invalid-from"),
        (f"romeo@{PEER}", "a@b@c", "improper-addressing"),
    ],
)
def test_a_stanza_between_others_than_those_proven_ends_the_stream(
    house, peer, sender, to, condition
):
    juliet = log_in(house, "juliet")
    one = peer()
    one.prove()
    one.send(message(to, sender))
    one.is_ended_with(condition)
    juliet.receives_nothing()


def test_a_stanza_without_addresses_ends_the_stream(house, peer):
    for stanza in ("<message to='juliet@capulet.example'/>", f"<message from='romeo@{PEER}'/>"):
        one = peer()
        one.prove()
        one.send(stanza)
        one.is_ended_with("improper-addressing")


def test_a_domain_that_the_certificate_does_not_have_cannot_be_claimed(house, peer):
    one = peer()
    one.start_tls()
    one.send(f"<auth xmlns='{SASL}' mechanism='EXTERNAL'>ZWxzZXdoZXJlLmV4YW1wbGU=</auth>")
    failure = one.next()
    assert failure.tag == f"{{{SASL}}}failure"
    assert failure[0].tag == f"{{{SASL}}}invalid-authzid"
    one.is_closed()


def test_the_name_cannot_be_changed_after_the_proof(house, peer):
    one = peer()
    one.start_tls()
    one.authenticate_as(PEER)
    one.unread([one.open("elsewhere.example")])
    one.is_ended_with("invalid-from")


def test_our_own_domain_cannot_be_claimed(house, peer):
    one = peer(AUTHORITY.issue("capulet.example"))
    one.unread([one.start_tls(sender="capulet.example")])
    one.is_ended_with("invalid-from")


def test_stanzas_before_the_proof_end_the_stream(house, peer):
    juliet = log_in(house, "juliet")
    one = peer()
    one.start_tls()
    one.send(message())
    one.is_ended_with("not-authorized")
    juliet.receives_nothing()


def test_other_mechanisms_are_no_way_in(house, peer):
    one = peer()
    features = one.start_tls()
    assert [m.text for m in features.iter(f"{{{SASL}}}mechanism")] == ["EXTERNAL"]
    one.send(f"<auth xmlns='{SASL}' mechanism='PLAIN'>AGEAYg==</auth>")
    assert one.next()[0].tag == f"{{{SASL}}}invalid-mechanism"
    one.is_closed()


# -- several domains on one stream -------------------------------------------------------------


def test_further_domains_of_the_certificate_may_share_the_stream(house, peer):
    juliet = log_in(house, "juliet")
    one = peer(AUTHORITY.issue(PEER, f"rooms.{PEER}"))
    one.prove()
    one.send(f"<db:result from='rooms.{PEER}' to='capulet.example'>whatever</db:result>")
    answer = one.next()
    assert (answer.get("type"), answer.get("from")) == ("valid", "capulet.example")
    one.send(message(sender=f"cell@rooms.{PEER}/romeo"))
    juliet.receives("<message><body>O</body></message>")


def test_further_domains_that_it_does_not_have_may_not(house, peer):
    one = peer()
    one.prove()
    one.send("<db:result from='elsewhere.example' to='capulet.example'>whatever</db:result>")
    answer = one.next()
    assert answer.get("type") == "error"
    assert answer[0][0].tag == f"{{{STANZAS}}}policy-violation"
    one.send(message(sender="tybalt@elsewhere.example"))
    one.is_ended_with("invalid-from")


def test_dialback_is_no_way_in_unless_the_settings_say_so(house, peer):
    one = peer(BAD["self-signed"])
    one.unread([one.start_tls()])
    one.is_ended_with("not-authorized")


@pytest.mark.parametrize("type", ["valid", "invalid", "error"])
def test_answers_that_nobody_asked_for_end_the_stream(house, peer, type):
    for name in ("result", "verify"):
        one = peer()
        one.prove()
        one.send(f"<db:{name} from='{PEER}' to='capulet.example' id='1' type='{type}'/>")
        one.is_ended_with("not-authorized")


# -- rules -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "federation",
    [{"deny": [PEER]}, {"only_allowed": "yes"}, {"only_allowed": "yes", "allow": ["x.example"]}],
)
def test_the_owner_decides_who_is_spoken_with(tmp_path, federation):
    (house,) = make_houses(
        tmp_path / "h", "capulet.example", authority=AUTHORITY, federation=federation
    )
    juliet = log_in(house, "juliet")
    wire = GreenWire(house.address, house.port, tmp_path, AUTHORITY.issue(PEER))
    one = RawPeer(wire, "capulet.example")
    one.unread([one.start_tls()])
    one.is_ended_with("policy-violation")
    juliet.sends(message(f"romeo@{PEER}", juliet.jid))
    juliet.receives(
        f"<message type='error'><error><not-allowed xmlns='{STANZAS}'/></error></message>"
    )
    assert known_of(house).cause == "denied"
    house.close()


def test_a_pinned_certificate_is_enough(tmp_path):
    friend = BAD["self-signed"]
    pin = f"{PEER}={friend.fingerprint} 2199-12-31"
    (house,) = make_houses(
        tmp_path / "h", "capulet.example", authority=AUTHORITY, federation={"pins": [pin]}
    )
    juliet = log_in(house, "juliet")
    one = RawPeer(GreenWire(house.address, house.port, tmp_path, friend), "capulet.example")
    one.prove()
    one.send(message())
    juliet.receives("<message><body>O</body></message>")
    house.close()


def test_a_pin_is_good_for_its_time(tmp_path):
    friend = BAD["self-signed"]
    pin = f"{PEER}={friend.fingerprint} 2026-01-31"
    (house,) = make_houses(
        tmp_path / "h", "capulet.example", authority=AUTHORITY, federation={"pins": [pin]}
    )
    one = RawPeer(GreenWire(house.address, house.port, tmp_path, friend), "capulet.example")
    one.unread([one.start_tls()])
    one.is_ended_with("not-authorized")
    known = known_of(house)
    assert known.cause == "pin-ended"
    assert "pinned until 2026-01-31" in known.sentence
    house.close()


# -- too much ----------------------------------------------------------------------------------


def test_garbage_ends_the_stream(house, peer):
    for garbage, condition in (
        ("<message></iq>", "not-well-formed"),
        ("<!DOCTYPE x>", "restricted-xml"),
        ("<!-- x -->", "restricted-xml"),
        ("<stream:stream>", "bad-format"),
        ("<x xmlns='urn:x'/>", "unsupported-stanza-type"),
        (f"<x xmlns='jabber:client' from='a@{PEER}' to='b@h'/>", "unsupported-stanza-type"),
        (f"<x from='a@{PEER}' to='b@h'/>", "unsupported-stanza-type"),
        ("hello", "bad-format"),
    ):
        one = peer()
        one.prove()
        one.send(garbage)
        one.is_ended_with(condition)


def test_a_stanza_that_never_ends_ends_the_stream(house, peer):
    one = peer()
    one.prove()
    one.send(f"<message from='romeo@{PEER}' to='juliet@capulet.example'>")
    send_all(one, ["<body>" + "x" * 16_000 + "</body>" for _ in range(100)])
    one.is_ended_with("policy-violation")


def test_names_that_a_server_makes_up_take_nothing_from_anybody(house, peer):
    juliet = log_in(house, "juliet")
    other = peer()
    other.prove()
    one = peer()
    one.prove()
    for number in range(300):
        names = "".join(f"<n{number}-{i}/>" for i in range(50))
        send_all(one, [message(body=names)])
    for number in range(300):
        juliet.receives(f"<message><body><n{number}-0/></body></message>")
    for server in (other, one):
        server.send(message())
        juliet.receives("<message><body>O</body></message>")


def test_an_address_may_have_so_many_connections(tmp_path):
    (house,) = make_houses(tmp_path / "h", "capulet.example", limits={"connections_per_address": 5})
    wires = [GreenWire(house.address, house.port) for _ in range(8)]
    wait_until(lambda: len(house.gate.streams) == 5)
    closed = [wire for wire in wires if wire.recv(0.1) == b""]
    assert len(closed) == 3
    for wire in wires:
        wire.cut()
    house.close()


def test_a_server_may_have_so_many_streams(house, peer, monkeypatch):
    monkeypatch.setattr(gate, "_MAX_OF_ONE", 2)
    for _ in range(3):
        peer().prove()
    one = peer()
    one.start_tls()
    one.send(f"<auth xmlns='{SASL}' mechanism='EXTERNAL'>=</auth>")
    one.is_ended_with("resource-constraint")


def test_whoever_looks_for_thousands_of_servers_keeps_nobody_from_theirs(house, monkeypatch):
    monkeypatch.setattr(gate, "_MAX_LINKS", 20)
    juliet = log_in(house, "juliet")
    for number in range(50):
        juliet.sends(message(f"x@{number}.invalid", juliet.jid))
        juliet.receives(
            f"<message type='error'><error><remote-server-not-found xmlns='{STANZAS}'/></error></message>"
        )
    assert len(house.gate.links) <= 20


def test_whoever_trickles_has_half_a_minute(house, peer):
    one = peer()
    one.send("<?xml version='1.0'?><stream:str")
    wait_until(lambda: house.gate.streams)
    house.door.look(time.monotonic() + 31)
    one.is_closed()


def test_a_peer_may_not_acknowledge_what_it_was_not_sent(house, peer):
    one = peer()
    one.prove()
    one.send("<enable xmlns='urn:xmpp:sm:3'/>")
    assert one.next().tag.endswith("}enabled")
    one.send("<a xmlns='urn:xmpp:sm:3' h='5'/>")
    one.is_ended_with("undefined-condition")


def test_what_came_is_acknowledged(house, peer):
    log_in(house, "juliet")
    one = peer()
    one.prove()
    one.send(
        "<enable xmlns='urn:xmpp:sm:3'/>" + message() + message() + "<r xmlns='urn:xmpp:sm:3'/>"
    )
    assert one.next().tag.endswith("}enabled")
    answer = one.next()
    while answer.get("h") != "2":
        answer = one.next()
        assert answer is not None, "nothing is acknowledged"


# -- hops, and what is not safe yet ------------------------------------------------------------


def with_hop(id, body, sender=f"u@{PEER}"):
    hop = f"<hop xmlns='https://hausbote.example/hop' id='{id}'/>"
    return f"<message from='{sender}' to='juliet@capulet.example' type='chat'><body>{body}</body>{hop}</message>"


def test_hops_of_a_peer_that_does_not_know_them_are_its_users_words(house, peer):
    juliet = log_in(house, "juliet")
    one = peer()
    one.prove()
    one.send(with_hop("same", "first") + with_hop("same", "second", f"v@{PEER}"))
    for body in ("first", "second"):
        message = juliet.receives(f"<message><body>{body}</body></message>")
        assert not message.findall("{https://hausbote.example/hop}hop")


def test_the_same_stanza_twice_at_once_is_settled_twice(house, peer):
    juliet = log_in(house, "juliet")
    one = peer()
    one.prove()
    one.send("<hop xmlns='https://hausbote.example/hop'/>")
    one.send(with_hop("same", "O") + with_hop("same", "O"))
    juliet.receives("<message><body>O</body></message>")
    juliet.receives_nothing()
    (stream,) = house.gate.streams
    wait_until(lambda: len(stream.received) == 0)


def test_a_stream_goes_on_when_the_oldest_stanza_is_safe_last(house, peer):
    juliet = log_in(house, "juliet")
    one = peer()
    one.prove()
    late = Unsafe(house, lambda stanza: stanza.id == "first")
    one.send(f"<message id='first' from='romeo@{PEER}' to='juliet@capulet.example'/>")
    nobody = f"<presence from='romeo@{PEER}' to='nobody@capulet.example' type='unavailable'/>"
    send_all(one, [nobody * 10] * 51)
    (stream,) = house.gate.streams
    wait_until(lambda: len(stream.received) > 500)
    assert len(late) == 1
    late.end()
    juliet.forget()
    one.send(message())
    juliet.receives("<message><body>O</body></message>")
