"""Servers that trust each other's DNS instead of certificates, where both owners allow it."""

import pytest

from hausbote.xmpp.dialback import is_right, key
from support.federation import log_in, make_houses
from support.raw_peer import GreenWire, RawPeer

NOBODY = {"authorities": "", "trust": []}
STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"
DOMAINS = ("capulet.example", "montague.example")


@pytest.fixture
def houses(tmp_path):
    made = make_houses(tmp_path, *DOMAINS, tls=NOBODY, federation={"dialback": list(DOMAINS)})
    yield made
    for house in made:
        house.close()


def test_the_key_is_the_one_of_the_standard():
    """XEP-0185 §3 has these names and this result."""
    made = key(b"s3cr3tf0rd14lb4ck", "xmpp.example.com", "example.org", "D60000229F")
    assert made == "37c69b1cf07a3f67c04a5ef5902fa5114f2c76fe4a2686482ba5b89323075643"
    right = ("xmpp.example.com", "example.org", "D60000229F")
    assert is_right(f" {made}\n", b"s3cr3tf0rd14lb4ck", *right)
    assert not is_right(made, b"another", *right)
    assert not is_right("", b"s3cr3tf0rd14lb4ck", *right)


def test_messages_both_ways(houses):
    juliet, romeo = log_in(houses[0], "juliet"), log_in(houses[1], "romeo")
    for number in range(3):
        juliet.sends(f"<message to='{romeo.bare}' type='chat'><body>{number}</body></message>")
        romeo.receives(f"<message from='{juliet.jid}'><body>{number}</body></message>")
        romeo.sends(f"<message to='{juliet.bare}' type='chat'><body>{number}!</body></message>")
        juliet.receives(f"<message from='{romeo.jid}'><body>{number}!</body></message>")


def test_one_owner_alone_cannot_allow_it(tmp_path):
    one, other = make_houses(tmp_path, *DOMAINS, tls=NOBODY)
    juliet = log_in(one, "juliet")
    juliet.sends("<message to='romeo@montague.example' type='chat'><body>O</body></message>")
    juliet.receives(
        f"<message type='error'><error><remote-server-timeout xmlns='{STANZAS}'/></error></message>"
    )
    for house in (one, other):
        house.close()


@pytest.fixture
def liar(houses, tmp_path):
    """Somebody who is not montague.example, as its DNS says."""
    wire = GreenWire(houses[0].address, houses[0].port, tmp_path)
    peer = RawPeer(wire, "capulet.example")
    yield peer
    wire.cut()


def result(type=None, **attributes):
    attributes = {"from": "montague.example", "to": "capulet.example"} | attributes
    written = "".join(f" {name}='{value}'" for name, value in attributes.items())
    return f"<db:result{written}>{'0' * 64}</db:result>"


def test_a_key_that_the_server_of_that_name_did_not_make_is_no_proof(houses, liar):
    juliet = log_in(houses[0], "juliet")
    features = liar.start_tls()
    assert "{urn:xmpp:features:dialback}dialback" in [f.tag for f in features]
    liar.send(result())
    answer = liar.next()
    assert (answer.get("type"), answer.get("to")) == ("invalid", "montague.example")
    liar.is_closed()
    juliet.receives_nothing()


def test_dialback_is_for_the_domains_of_the_settings_only(houses, liar):
    houses[0].names.put("third.example", houses[1].address, houses[1].port)
    liar.start_tls()
    liar.send(result(**{"from": "third.example"}))
    answer = liar.next()
    assert answer.get("type") == "error"
    assert answer[0][0].tag == f"{{{STANZAS}}}policy-violation"


def test_domains_that_are_not_here(houses, liar):
    liar.start_tls()
    liar.send(result(to="elsewhere.example"))
    answer = liar.next()
    assert answer[0][0].tag == f"{{{STANZAS}}}item-not-found"


def test_stanzas_have_to_wait_for_the_answer(houses, liar):
    juliet = log_in(houses[0], "juliet")
    liar.start_tls()
    liar.send("<message from='romeo@montague.example' to='juliet@capulet.example'/>")
    liar.is_ended_with("not-authorized")
    juliet.receives_nothing()


def test_whoever_asks_about_a_key_learns_whether_it_is_ours(houses, liar):
    liar.start_tls()
    secret = houses[0].gate.secret
    right = key(secret, "montague.example", "capulet.example", "abc")
    for given, type in ((right, "valid"), ("0" * 64, "invalid")):
        liar.send(
            f"<db:verify from='montague.example' to='capulet.example' id='abc'>{given}</db:verify>"
        )
        answer = liar.next()
        assert (answer.get("type"), answer.get("id")) == (type, "abc")
