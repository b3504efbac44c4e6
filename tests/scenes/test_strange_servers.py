"""Servers that want to be taken for more than they are, or that cost more than they are worth."""

import time

import gevent
import gevent.socket
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from hausbote.net.dns import Endpoint
from hausbote.s2s import gate, server
from hausbote.s2s.trust import Trust
from hausbote.storage import Certificate
from support.authority import Authority
from support.federation import log_in, make_houses, wait_until
from support.raw_peer import GreenWire, RawPeer

STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"
PEER = "montague.example"
AUTHORITY = Authority()


@pytest.fixture
def build(tmp_path):
    """Makes a box, with settings of its own."""
    made = []

    def make(**overrides):
        made.extend(
            make_houses(tmp_path / "houses", "capulet.example", authority=AUTHORITY, **overrides)
        )
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def house(build):
    return build()


@pytest.fixture
def peer(tmp_path):
    """Makes raw peers of a box; the certificate is good for any name that is asked for."""
    made = []

    def make(house, *names, identity=None):
        identity = identity or AUTHORITY.issue(*(names or (PEER,)))
        made.append(RawPeer(GreenWire(house.address, house.port, tmp_path, identity), house.domain))
        return made[-1]

    yield make
    for one in made:
        one.wire.cut()


class Tarpit:
    """Takes connections and never says anything."""

    def __init__(self, address="127.0.0.1"):
        self._listener = gevent.socket.socket()
        self._listener.bind((address, 0))
        self._listener.listen(500)
        self.port = self._listener.getsockname()[1]
        self.taken = []
        self._taker = gevent.spawn(self._take)

    def _take(self):
        while True:
            self.taken.append(self._listener.accept()[0])

    def close(self):
        self._taker.kill()
        for one in (self._listener, *self.taken):
            one.close()


@pytest.fixture
def tarpit():
    made = Tarpit()
    yield made
    made.close()


def message(to="juliet@capulet.example", sender=f"romeo@{PEER}", body="O"):
    return f"<message from='{sender}' to='{to}' type='chat'><body>{body}</body></message>"


# -- whether a server is there -----------------------------------------------------------------


def test_no_server_says_itself_that_it_is_away_or_back(house, peer):
    juliet = log_in(house, "juliet")
    one = peer(house)
    one.prove()
    handled = house.host.handled
    for type in ("", " type='error'", " type='unavailable'", " type='probe'"):
        one.send(f"<presence from='{PEER}' to='capulet.example'{type}/>" * 5)
        one.send(f"<presence from='{PEER}/x' to='capulet.example/y'{type}/>")
    one.send(message())
    juliet.receives("<message><body>O</body></message>")
    assert house.host.handled == handled + 1, "the box had work with it"


def test_a_server_that_was_away_is_called_when_it_comes(house, peer, tarpit):
    juliet = log_in(house, "juliet")
    link = house.gate.link("capulet.example", PEER)
    house.names.put(PEER, "127.0.0.1", 1)
    for _ in range(3):
        link.next_attempt = 0.0
        juliet.sends(f"<iq type='get' id='1' to='{PEER}'><ping xmlns='urn:xmpp:ping'/></iq>")
        juliet.receives("<iq type='error' id='1'/>")
    house.names.put(PEER, "127.0.0.1", tarpit.port)
    house.door.look(link.next_attempt + 3_600)
    assert house.gate.links, "that it is away was forgotten"
    peer(house).prove()
    wait_until(lambda: tarpit.taken)


# -- many servers ------------------------------------------------------------------------------


def test_trying_all_servers_again_is_not_ended_by_one_too_many(house, monkeypatch):
    juliet = log_in(house, "juliet")
    for number in range(3):
        house.names.put(f"s{number}.example", "127.0.0.1", 1)
        juliet.sends(message(f"x@s{number}.example", juliet.jid))
    wait_until(lambda: len(house.store.outgoing.waiting()) == 3)
    monkeypatch.setattr(gate, "_MAX_LINKS", 2)
    del house.gate.links["capulet.example", "s0.example"]
    house.gate.notified({"change": "flush", "domain": ""})
    assert len(house.gate.links) == 2


def test_a_peer_is_not_sent_away_for_want_of_a_way_back(house, peer, monkeypatch):
    juliet = log_in(house, "juliet")
    monkeypatch.setattr(gate, "_MAX_LINKS", 0)
    one = peer(house)
    one.start_tls()
    one.send("<bidi xmlns='urn:xmpp:bidi'/>")
    one.authenticate_as(PEER)
    one.open()
    one.send("<enable xmlns='urn:xmpp:sm:3'/>")
    assert one.next().tag.endswith("}enabled")
    one.send(message())
    juliet.receives("<message><body>O</body></message>")


def test_servers_that_say_nothing_keep_nobody_from_others(house, tarpit):
    juliet = log_in(house, "juliet")
    house.names.put("evil.example", "127.0.0.1", tarpit.port)
    for number in range(60):
        juliet.sends(message(f"x@x{number}.evil.example", juliet.jid))
    wait_until(lambda: len(tarpit.taken) == 10)
    friend = Tarpit("127.0.0.2")
    house.names.put(PEER, "127.0.0.2", friend.port)
    juliet.sends(message(f"romeo@{PEER}", juliet.jid))
    wait_until(lambda: friend.taken, 3)
    friend.close()
    gevent.sleep(0.1)
    assert len(tarpit.taken) == 10


def test_strangers_questions_do_not_take_all_workers(build, peer, tarpit):
    house = build(
        federation={"dialback": ["friend.example"]}, limits={"connections_per_address": 0}
    )
    juliet = log_in(house, "juliet")
    house.names.put("friend.example", "127.0.0.1", tarpit.port)
    answers = []
    for _ in range(12):
        one = peer(house, identity=AUTHORITY.issue("evil.example"))
        one.start_tls(sender="friend.example")
        one.send("<db:result from='friend.example' to='capulet.example'>0</db:result>")
        answers.append(one)
    refused = [one.next(0.3) for one in answers]
    assert len([one for one in refused if one is not None]) == 7
    assert len(tarpit.taken) == 5
    good = peer(house)
    good.prove()
    good.send(message())
    juliet.receives("<message><body>O</body></message>")


def test_our_own_calls_keep_no_stranger_out(house, peer, tarpit, monkeypatch):
    monkeypatch.setattr(server, "_MAX_STRANGERS", 3)
    juliet = log_in(house, "juliet")
    house.names.put("evil.example", "127.0.0.1", tarpit.port)
    for number in range(5):
        juliet.sends(message(f"x@x{number}.evil.example", juliet.jid))
    wait_until(lambda: len(tarpit.taken) == 5)
    peer(house).prove()


# -- where they are ----------------------------------------------------------------------------


def test_a_mistyped_domain_is_told_at_once(house):
    juliet = log_in(house, "juliet")
    house.names.places["mistyped.example"] = [Endpoint("mistyped.example", 5269, False)]
    juliet.sends(message("romeo@mistyped.example", juliet.jid))
    juliet.receives(
        "<message type='error'><error type='cancel'>"
        f"<remote-server-not-found xmlns='{STANZAS}'/></error></message>"
    )
    assert not house.store.outgoing.waiting()


def test_a_server_whose_host_is_missing_is_waited_for(house):
    juliet = log_in(house, "juliet")
    house.names.places[PEER] = [Endpoint("host.example", 5269, False)]
    juliet.sends(message(f"romeo@{PEER}", juliet.jid))
    wait_until(house.store.outgoing.waiting)
    juliet.receives_nothing()


@pytest.mark.parametrize(
    ("overrides", "called"),
    [
        ({"dns": {}}, False),
        ({"dns": {}, "federation": {"allow": [PEER]}}, True),
        ({}, True),
    ],
)
def test_strangers_dns_does_not_lead_into_the_own_network(build, tarpit, overrides, called):
    house = build(**overrides)
    juliet = log_in(house, "juliet")
    house.names.put(PEER, "127.0.0.1", tarpit.port)
    juliet.sends(message(f"romeo@{PEER}", juliet.jid))
    wait_until(lambda: tarpit.taken or house.store.peers.get(PEER))
    assert bool(tarpit.taken) is called


# -- who they are ------------------------------------------------------------------------------


def claim(domain, to="capulet.example"):
    return f"<db:result from='{domain}' to='{to}'>0</db:result>"


def test_strangers_change_nothing_that_is_known_of_a_good_server(house, peer):
    house.store.peers.reached(PEER, 1.0, Certificate("ab" * 32, 2.0, "An authority")).wait()
    before = house.store.peers.get(PEER)
    one = peer(house, identity=Authority().issue(PEER))
    one.unread([one.start_tls()])
    one.is_ended_with("not-authorized")
    two = peer(house, "evil.example")
    two.start_tls(sender="evil.example")
    two.send(claim(PEER))
    assert two.next().get("type") == "error"
    house.store.settle()
    assert house.store.peers.get(PEER) == before


def test_no_strangers_certificate_is_told_as_that_of_the_server(house, peer):
    one = peer(house, identity=Authority().issue(PEER))
    one.unread([one.start_tls()])
    one.is_ended_with("not-authorized")
    house.store.settle()
    known = house.store.peers.get(PEER)
    assert known.cause
    assert not known.fingerprint


def test_who_claims_to_be_others_is_heard_three_times(house, peer):
    one = peer(house, "evil.example")
    one.start_tls(sender="evil.example")
    for number in range(3):
        one.send(claim(f"x{number}.example"))
        assert one.next().get("type") == "error"
    one.is_ended_with("policy-violation")


def test_claims_of_one_address_do_not_fill_the_log(house, peer, capfd):
    for domain in ("a.example", "b.example"):
        house.store.peers.heard(domain, 1.0, Certificate()).wait()
    for _ in range(12):
        one = peer(house, "evil.example")
        one.start_tls(sender="evil.example")
        for domain in ("a.example", "b.example"):
            one.send(claim(domain))
            one.next()
    assert capfd.readouterr().err.count("peer-refused") == 20


def one_of(house):
    (stream,) = house.gate.streams
    return stream


@pytest.fixture
def revoking(build, tmp_path):
    """A box with a list of revoked certificates, and its file."""
    state = tmp_path / "houses" / "capulet.example"
    state.mkdir(parents=True)
    file = state / "list.crl"
    file.write_bytes(AUTHORITY.revocation_list().public_bytes(Encoding.PEM))
    tls = {"authorities": "", "trust": ["certs/root.pem"], "revoked": ["list.crl"]}
    return build(tls=tls), file


def test_a_certificate_that_is_taken_back_ends_its_streams(revoking, peer):
    house, file = revoking
    bad, good = AUTHORITY.issue(PEER), peer(house, "other.example")
    one = peer(house, identity=bad)
    one.prove()
    good.prove("other.example")
    file.write_bytes(AUTHORITY.revocation_list(bad).public_bytes(Encoding.PEM))
    house.door.look(time.monotonic() + 61)
    one.is_ended_with("not-authorized")
    juliet = log_in(house, "juliet")
    good.send(message(sender="nurse@other.example"))
    juliet.receives("<message><body>O</body></message>")


def test_a_broken_certificate_of_ours_hides_no_revocation(revoking, peer):
    house, file = revoking
    bad = AUTHORITY.issue(PEER)
    one = peer(house, identity=bad)
    one.prove()
    (house.state / "certs" / "box.pem").write_bytes(b"rubbish")
    file.write_bytes(AUTHORITY.revocation_list(bad).public_bytes(Encoding.PEM))
    house.door.look(time.monotonic() + 61)
    one.is_ended_with("not-authorized")
    two = peer(house)
    assert two.prove().tag.endswith("}features"), "with the certificate that was in use"


def test_a_list_that_cannot_be_used_is_told_once(revoking, capfd):
    house, file = revoking
    file.write_bytes(b"rubbish")
    for minute in range(1, 4):
        house.door.look(time.monotonic() + 61 * minute)
    told = capfd.readouterr().err
    assert told.count("authorities-unusable") == 1
    assert "list.crl" in told


def test_a_certificate_that_ends_ends_its_streams(house, peer, monkeypatch):
    one = peer(house)
    one.prove()
    house.gate.judge_again()
    gevent.sleep(0.1)
    assert not one_of(house).closed
    clock = house.gate.host.clock
    in_20_years = Trust(house.settings, house.store, lambda: clock() + 20 * 365 * 86_400)
    monkeypatch.setattr(house.gate, "trust", in_20_years)
    house.gate.judge_again()
    one.is_ended_with("not-authorized")


def test_dialback_does_not_replace_a_pin(build, peer):
    pin = f"{PEER}={AUTHORITY.issue(PEER).fingerprint} 2199-12-31"
    house = build(federation={"dialback": [PEER], "pins": [pin]})
    one = peer(house)
    one.unread([one.start_tls()])
    one.is_ended_with("not-authorized")
    two = peer(house, "evil.example")
    two.start_tls(sender="evil.example")
    two.send(claim(PEER))
    answer = two.next()
    assert answer[0][0].tag == f"{{{STANZAS}}}policy-violation"


# -- what they say and answer ------------------------------------------------------------------


def test_a_language_is_short(house, peer):
    juliet = log_in(house, "juliet")
    for language, told in (("it", "it"), ("x" * 8_000, None)):
        one = peer(house)
        one.start_tls()
        one.authenticate_as(PEER)
        one.open(**{"xml:lang": language})
        one.send(message())
        heard = juliet.receives("<message><body>O</body></message>")
        assert heard.get("{http://www.w3.org/XML/1998/namespace}lang") == told
