"""BOSH without I/O: bodies, the order of requests, what is remembered, and how a session ends."""

import hashlib

import pytest
from lxml import etree

from hausbote.xmpp.bosh import BoshSession, Held
from hausbote.xmpp.bosh_body import BadBody, read_body, write_body

BIND = "http://jabber.org/protocol/httpbind"
XBOSH = "urn:xmpp:xbosh"
FIRST = 1000


def request(rid, inner="", **attributes):
    said = "".join(f" {k.replace('_', ':')}='{v}'" for k, v in attributes.items())
    xml = f"<body rid='{rid}' xmlns='{BIND}' xmlns:xmpp='{XBOSH}'{said}>{inner}</body>"
    return read_body(xml.encode(), 262_144)


class Talk:
    """A session, what its stream was given, and a clock."""

    def __init__(self, **attributes):
        said = {"to": "h", "wait": 60, "hold": 1, "ver": "1.6", "xmpp_version": "1.0"} | attributes
        creation = request(FIRST, **{k: v for k, v in said.items() if v is not None})
        self.now = 100.0
        self.frames = []
        self.session = BoshSession("sid", creation, "h", self.frames.append, 1000, self.now)
        self.first = Held(creation, self.now)
        self.session.create(self.first)
        self.frames.clear()

    def say(self, *payloads):
        for payload in payloads:
            self.session.push(payload)
        self.session.flush(self.now)

    def begin(self):
        self.say(b"<features/>")
        return self

    def ask(self, number, inner="", after=10.0, **attributes):
        """The request with that number, 0 being the creation."""
        self.now += after
        held = Held(request(FIRST + number, inner, **attributes), self.now)
        self.session.take(held, self.now)
        return held


def body(held):
    assert held.answer is not None, "no answer yet"
    return etree.fromstring(held.answer)


def ended_with(held):
    found = body(held)
    assert found.get("type") == "terminate"
    return found.get("condition")


# -- bodies ------------------------------------------------------------------------------------


def test_a_body_is_taken_apart():
    found = request(
        5,
        "<message xmlns='jabber:client' to='a'><body>x</body></message><auth xmlns='u'>y</auth>",
        sid="s",
        xmpp_restart="true",
    )
    assert (found.rid, found.sid, found.restart) == (5, "s", True)
    assert found.payloads == (
        b"<message xmlns='jabber:client' to='a'><body>x</body></message>",
        b"<auth xmlns='u'>y</auth>",
    )


def test_stanzas_without_a_namespace_are_stanzas():
    (payload,) = request(5, "<message to='a'><body>x</body></message>").payloads
    assert payload == b"<message xmlns='jabber:client' to='a'><body>x</body></message>"


def test_a_declaration_may_stand_before_a_body():
    assert (
        read_body(b"<?xml version='1.0'?>\n<body rid='1' xmlns='%s'/>" % BIND.encode(), 9999).rid
        == 1
    )


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "hello",
        "<body/>",
        f"<body xmlns='{BIND}'/>",
        f"<body xmlns='{BIND}' rid='0'/>",
        f"<body xmlns='{BIND}' rid='-1'/>",
        f"<body xmlns='{BIND}' rid='1.5'/>",
        f"<body xmlns='{BIND}' rid='9007199254740992'/>",
        f"<body xmlns='{BIND}' rid='{'9' * 5000}'/>",
        "<body xmlns='jabber:client' rid='1'/>",
        f"<nobody xmlns='{BIND}' rid='1'/>",
        f"<body xmlns='{BIND}' rid='1'>",
        f"<body xmlns='{BIND}' rid='1'>text</body>",
        f"<body xmlns='{BIND}' rid='1'/><body xmlns='{BIND}' rid='2'/>",
        f"<body xmlns='{BIND}' rid='1'><message/></stream:stream>",
        f"<!DOCTYPE body [<!ENTITY a 'b'>]><body xmlns='{BIND}' rid='1'>&a;</body>",
        f"<body xmlns='{BIND}' rid='1'><!-- x --></body>",
        f"<body xmlns='{BIND}' rid='1'><?php x?></body>",
        f"<body xmlns='{BIND}' rid='1'>{'<a>' * 200}{'</a>' * 200}</body>",
        f"<body xmlns='{BIND}' rid='1'><message>{'x' * 300_000}</message></body>",
    ],
)
def test_what_is_no_body_is_refused(bad):
    with pytest.raises(BadBody):
        read_body(bad.encode(), 262_144)


def test_a_body_cannot_be_broken_by_what_it_says():
    written = write_body(from_="a'><b", xmpp_version="1.0")
    found = etree.fromstring(written)
    assert found.get("from") == "a'><b"
    assert found.get(f"{{{XBOSH}}}version") == "1.0"


# -- the beginning -----------------------------------------------------------------------------


def test_the_answer_to_the_creation_brings_terms_and_features():
    talk = Talk(wait=300, hold=1)
    assert talk.first.answer is None
    talk.begin()
    found = body(talk.first)
    expected = {"sid": "sid", "wait": "60", "hold": "1", "requests": "2", "ver": "1.6", "from": "h"}
    assert {key: found.get(key) for key in expected} == expected
    assert found.get(f"{{{XBOSH}}}restartlogic") == "true"
    assert [child.tag for child in found] == [f"{{{BIND}}}features"]


@pytest.mark.parametrize(
    ("asked", "told"),
    [("1.6", "1.6"), ("1.11", "1.11"), ("1.99", "1.11"), ("2.0", "1.11"), ("x", "1.11")],
)
def test_the_lower_version_is_spoken(asked, told):
    assert body(Talk(ver=asked).begin().first).get("ver") == told


def test_the_client_chooses_the_content_type_within_reason():
    assert Talk(content="text/html; charset=utf-8").session.content == "text/html; charset=utf-8"
    assert Talk(content="text/html\r\nX: y").session.content == "text/xml; charset=utf-8"


def test_a_restart_need_not_say_again_where_it_goes():
    talk = Talk(**{"xml:lang": "de"}).begin()
    talk.ask(1, sid="sid", xmpp_restart="true")
    opened = etree.fromstring(talk.frames[0])
    assert opened.get("to") == "h"
    assert opened.get("{http://www.w3.org/XML/1998/namespace}lang") == "de"


def test_a_restart_opens_the_stream_again_and_takes_nothing_with_it():
    talk = Talk().begin()
    talk.ask(1, "<message/>", sid="sid", xmpp_restart="true", to="h")
    assert talk.frames == [
        b"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='h' version='1.0'/>"
    ]


@pytest.mark.parametrize("hold", [2, 3, 255])
def test_no_more_than_one_request_is_held(hold):
    """A client that keeps one more open would wait with all of them held."""
    talk = Talk(hold=hold).begin()
    found = body(talk.first)
    assert (found.get("hold"), found.get("requests")) == ("1", "2")
    first = talk.ask(1)
    talk.ask(2, "<x/>")
    assert first.answer is not None


@pytest.mark.parametrize("version", ["1.²", "²", "1", "1.", ".1", "1.10000", "1.-1", "a.b", "١.٦"])
def test_a_version_that_is_none_is_answered_with_ours(version):
    assert body(Talk(ver=version).begin().first).get("ver") == "1.11"


# -- holding -----------------------------------------------------------------------------------


def test_a_request_waits_for_something_to_say():
    talk = Talk().begin()
    held = talk.ask(1)
    assert held.answer is None
    talk.say(b"<a/>", b"<b/>")
    assert [child.tag for child in body(held)] == [f"{{{BIND}}}a", f"{{{BIND}}}b"]


def test_the_next_request_relieves_the_one_that_is_held():
    talk = Talk().begin()
    old = talk.ask(1)
    new = talk.ask(2, "<message xmlns='jabber:client'/>")
    assert len(body(old)) == 0
    assert body(old).get("ack") == str(FIRST + 2)
    assert new.answer is None


def test_what_came_meanwhile_is_in_the_next_answer():
    talk = Talk().begin()
    talk.say(b"<a/>")
    assert len(body(talk.ask(1))) == 1


def test_a_request_is_held_no_longer_than_agreed():
    talk = Talk(wait=5).begin()
    assert talk.session.wait == 5
    held = talk.ask(1)
    talk.session.expire(held, talk.now)
    assert len(body(held)) == 0


def test_requests_are_taken_in_the_order_of_their_rids():
    talk = Talk().begin()
    late = talk.ask(2, "<second/>")
    assert talk.frames == []
    talk.ask(1, "<first/>")
    assert talk.frames == [b"<first xmlns='jabber:client'/>", b"<second xmlns='jabber:client'/>"]
    assert late.answer is None


# -- lost connections --------------------------------------------------------------------------


def test_the_same_rid_gets_the_same_answer_and_says_nothing_twice():
    talk = Talk().begin()
    first = talk.ask(1, "<message/>")
    talk.say(b"<a/>")
    again = talk.ask(1, "<message/>")
    assert again.answer == first.answer
    assert len(talk.frames) == 1


def test_the_same_rid_takes_the_place_of_a_request_that_still_waits():
    talk = Talk().begin()
    lost = talk.ask(1)
    again = talk.ask(1)
    assert body(lost).get("type") == "error"
    talk.say(b"<a/>")
    assert len(body(again)) == 1


def test_the_creation_is_answered_again_too():
    talk = Talk().begin()
    assert talk.ask(0).answer == talk.first.answer


def test_asking_the_same_again_and_again_ends_the_session():
    talk = Talk().begin()
    talk.ask(1)
    talk.say(b"<a/>")
    answers = [talk.ask(1) for _ in range(20)]
    assert ended_with(answers[10]) == "policy-violation"
    assert talk.session.ended


@pytest.mark.parametrize("number", [-1, 3, 100])
def test_a_rid_outside_the_window_ends_the_session(number):
    talk = Talk().begin()
    held = talk.ask(number)
    assert ended_with(held) == "item-not-found"
    assert ended_with(talk.ask(1)) == "item-not-found"
    assert talk.frames == []


def test_an_answer_that_is_no_longer_known_ends_the_session():
    talk = Talk().begin()
    for number in range(1, 6):
        talk.ask(number, "<message/>")
    assert ended_with(talk.ask(1)) == "item-not-found"


def test_what_the_client_acknowledged_is_forgotten():
    talk = Talk(ack=1).begin()
    talk.ask(1, ack=FIRST)
    assert ended_with(talk.ask(0)) == "item-not-found"


# -- too much ----------------------------------------------------------------------------------


def test_empty_requests_that_come_too_fast_end_the_session():
    talk = Talk().begin()
    held = talk.ask(1)
    talk.ask(2, after=1)
    assert ended_with(held) == "policy-violation"


def test_requests_with_something_to_say_may_come_fast():
    talk = Talk().begin()
    for number in range(1, 30):
        talk.ask(number, "<message/>", after=0.01)
    assert not talk.session.ended


def test_polling_faster_than_agreed_ends_the_session():
    talk = Talk(wait=0, hold=0).begin()
    found = body(talk.first)
    assert (found.get("wait"), found.get("hold"), found.get("requests")) == ("0", "0", "1")
    assert talk.session.wait < 1
    held = talk.ask(1)
    talk.session.expire(held, talk.now)
    held = talk.ask(2, after=6)
    talk.session.expire(held, talk.now)
    assert not talk.session.ended
    assert ended_with(talk.ask(3, after=2)) == "policy-violation"


def test_polling_after_something_came_may_be_faster():
    talk = Talk(wait=0).begin()
    talk.ask(1)
    talk.say(b"<a/>")
    talk.ask(2, after=1)
    assert not talk.session.ended


def test_what_a_client_does_not_fetch_is_bounded():
    talk = Talk().begin()
    talk.say(b"<a>" + b"x" * 2000 + b"</a>")
    assert talk.session.overflowed


# -- keys --------------------------------------------------------------------------------------


def chain(seed, length):
    keys = [seed]
    for _ in range(length):
        keys.append(hashlib.sha1(keys[-1].encode()).hexdigest())
    return keys[::-1]


def test_a_key_sequence_is_followed_and_changed():
    keys, others = chain("seed", 3), chain("other", 3)
    talk = Talk(newkey=keys[0]).begin()
    talk.ask(1, key=keys[1].upper())
    talk.ask(2, key=keys[2], newkey=others[0])
    talk.ask(3, key=others[1])
    assert not talk.session.ended


def test_a_key_sequence_in_capitals_is_followed():
    keys = ["seed"]
    for _ in range(4):
        keys.append(hashlib.sha1(keys[-1].encode()).hexdigest().upper())
    talk = Talk(newkey=keys[4]).begin()
    talk.ask(1, key=keys[3])
    talk.ask(2, key=keys[2])
    assert not talk.session.ended


@pytest.mark.parametrize("key", [None, "", "0" * 40])
def test_a_wrong_key_ends_the_session_and_is_not_heard(key):
    talk = Talk(newkey=chain("seed", 3)[0]).begin()
    said = {} if key is None else {"key": key}
    assert ended_with(talk.ask(1, "<message/>", **said)) == "item-not-found"
    assert talk.frames == []


# -- quiet and the end -------------------------------------------------------------------------


def test_a_client_that_stays_away_is_forgotten():
    talk = Talk().begin()
    assert not talk.session.is_forgotten(talk.now + 59)
    assert talk.session.is_forgotten(talk.now + 61)


def test_a_client_that_is_held_is_there():
    talk = Talk().begin()
    talk.ask(1)
    assert not talk.session.is_forgotten(talk.now + 1000)


def test_a_pause_answers_everybody_and_is_over_with_the_next_request():
    talk = Talk().begin()
    held = talk.ask(1)
    pause = talk.ask(2, pause=100)
    assert len(body(held)) == 0
    assert len(body(pause)) == 0
    talk.say(b"<a/>")
    assert not talk.session.is_forgotten(talk.now + 99)
    assert talk.session.is_forgotten(talk.now + 101)
    assert len(body(talk.ask(3))) == 1
    assert talk.session.is_forgotten(talk.now + 61)


def test_a_pause_longer_than_allowed_is_none():
    talk = Talk().begin()
    assert talk.ask(1, pause=1000).answer is None


def test_a_client_says_goodbye():
    talk = Talk().begin()
    held = talk.ask(1)
    last = talk.ask(2, "<presence xmlns='jabber:client' type='unavailable'/>", type="terminate")
    assert talk.frames[0].startswith(b"<presence ")
    assert talk.frames[1].startswith(b"<close ")
    assert len(body(held)) == 0
    talk.session.end(None, talk.now)
    assert ended_with(last) is None
    assert talk.ask(2, type="terminate").answer == last.answer


def test_our_goodbye_has_the_reason_and_the_last_words():
    talk = Talk().begin()
    held = talk.ask(1)
    talk.session.push(b"<error/>")
    talk.session.end("remote-stream-error", talk.now)
    assert ended_with(held) == "remote-stream-error"
    assert len(body(held)) == 1


def test_who_asks_after_the_end_hears_of_it_once():
    talk = Talk().begin()
    talk.session.push(b"<error/>")
    talk.session.end("remote-stream-error", talk.now)
    held = talk.ask(1, after=1)
    assert ended_with(held) == "remote-stream-error"
    assert ended_with(talk.ask(2, after=1)) == "item-not-found"
    assert talk.session.is_forgotten(talk.now + 11)
