"""BOSH of a running box (XEP-0124, 0206): what a request may say, and whose session it is."""

import base64
import threading
import time

import pytest
from lxml import etree

from support.client import SASL, STREAM
from support.scram_client import ScramClient
from support.web import BIND, XBOSH, BoshWire, FramedClient, asked, https
from support.worlds import PASSWORD, RunningWorld


@pytest.fixture
def wire(box):
    return BoshWire(box)


@pytest.fixture
def romeo(box):
    box.add_account("romeo")
    client = FramedClient(BoshWire(box), "h").log_in("romeo", PASSWORD)
    yield client
    client.wire.cut()


def create(wire, attributes=" to='h' hold='1' wait='5' ver='1.6'"):
    answer = wire.ask(wire.body(f"{attributes} xmpp:version='1.0' xmlns:xmpp='{XBOSH}'"))
    wire.sid = answer.get("sid")
    return answer


def test_strange_versions_take_no_place_of_their_address(small_box):
    """What broke between the count and the session was counted for ever."""
    wire = BoshWire(small_box)
    for _ in range(8):
        answer = create(wire, " to='h' hold='1' wait='5' ver='1.²'")
        assert answer.get("ver") == "1.11"
        wire.ask(wire.body(" type='terminate'"))
        wire.sid = None
    assert create(wire).get("sid")


@pytest.fixture
def small_box(tmp_path):
    """Where an address has few connections."""
    more = "limits.connections_per_address=6"
    box = RunningWorld(tmp_path / "state", more, address="127.0.0.18")
    yield box
    box.close()


def ended_with(answer):
    assert answer.get("type") == "terminate"
    return answer.get("condition")


def test_a_session_begins_with_its_terms_and_the_features(wire):
    answer = create(wire)
    assert answer.tag == f"{{{BIND}}}body"
    assert len(wire.sid) >= 22
    assert (answer.get("requests"), answer.get("hold"), answer.get("wait")) == ("2", "1", "5")
    assert answer[0].tag == "{http://etherx.jabber.org/streams}features"


@pytest.mark.parametrize(
    ("attributes", "condition"),
    [
        (" hold='1'", "improper-addressing"),
        (" to=''", "improper-addressing"),
        (" to='elsewhere.example'", "host-unknown"),
        (" to='h' sid='0123456789'", "item-not-found"),
    ],
)
def test_a_session_that_cannot_be_is_refused(wire, attributes, condition):
    assert ended_with(create(wire, attributes)) == condition


@pytest.mark.parametrize(
    "body",
    [
        "",
        "hello",
        f"<body xmlns='{BIND}' to='h'/>",
        f"<body xmlns='{BIND}' to='h' rid='1'/><body/>",
        f"<!DOCTYPE body [<!ENTITY a 'b'>]><body xmlns='{BIND}' to='h' rid='1'/>",
    ],
)
def test_a_request_that_is_none_is_a_bad_one(wire, body):
    assert ended_with(wire.ask(body)) == "bad-request"


def test_a_request_that_is_too_large_is_not_read(box, wire):
    body = f"<body xmlns='{BIND}' to='h' rid='1'>{'x' * 400_000}</body>"
    status, headers, _ = asked(box, "POST", "/http-bind", body)
    assert (status, headers["Connection"]) == (413, "close")


def test_a_session_survives_a_lost_connection(box, romeo):
    """The request is sent, its connection is cut, and its answer fetched by another."""
    wire = romeo.wire
    wire.cut()
    lost = wire.body(
        "", "<iq xmlns='jabber:client' type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>"
    )
    connection = https(box)
    connection.request("POST", "/http-bind", lost)
    connection.sock.close()
    answer = wire.ask(lost)
    if answer.get("type") == "error":
        answer = wire.ask(lost)
    again = wire.ask(lost)
    assert [child.get("id") for child in answer] == ["1"]
    assert etree.tostring(again) == etree.tostring(answer)


def test_what_comes_while_the_client_is_gone_waits_for_its_next_request(box, romeo):
    """It is no answer to the request that was held for a connection that is gone."""
    romeo.sends("<presence/>")
    romeo.receives("<presence/>")
    wire = romeo.wire
    wire.cut()
    connection = https(box)
    nothing = "<iq xmlns='jabber:client' type='result' id='of-nothing'/>"
    connection.request("POST", "/http-bind", wire.body("", nothing))
    while wire._outstanding:  # the request before is answered when this one is there
        time.sleep(0.01)
    connection.sock.close()
    box.add_account("juliet")
    juliet = box.client().log_in("juliet", PASSWORD)
    juliet.sends("<message to='romeo@h' type='chat'><body>Romeo!</body></message>")
    juliet.leaves()
    answer = wire.ask(wire.body(""))
    assert "".join(answer.itertext()) == "Romeo!", etree.tostring(answer)


def test_requests_out_of_order_are_put_in_order(box, wire):
    create(wire)
    first, second = wire.body(""), wire.body("", "<nothing xmlns='u'/>")
    answers = {}
    threads = [
        threading.Thread(target=lambda n=n, b=b: answers.update({n: wire.ask(b)}))
        for n, b in ((2, second), (1, first))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(answers) == 2
    errors = [answer for answer in answers.values() if answer.get("type") == "terminate"]
    assert [answer.get("condition") for answer in errors] == ["remote-stream-error"]


@pytest.mark.parametrize("ahead", [4, 1000, -500])
def test_a_rid_out_of_the_window_ends_the_session(wire, ahead):
    create(wire)
    assert ended_with(wire.ask(wire.body("", rid=wire.rid + ahead))) == "item-not-found"
    assert ended_with(wire.ask(wire.body(""))) == "item-not-found"


def test_somebody_elses_session_is_nobodys(box, romeo, wire):
    """Without the sid there is nothing to hold on to, with an ended one neither."""
    wire.sid = romeo.wire.sid[:-1] + ("A" if romeo.wire.sid[-1] != "A" else "B")
    wire.rid = romeo.wire.rid
    assert ended_with(wire.ask(wire.body(""))) == "item-not-found"
    romeo.receives_nothing()


def test_stanzas_in_the_namespace_of_the_wrapper_are_stanzas(romeo):
    romeo.wire.post("", "<message to='romeo@h' type='headline'><body>x</body></message>")
    romeo.sends("<presence/>")
    romeo.receives("<presence/>")
    romeo.wire.post("", "<message to='romeo@h' type='headline'><body>x</body></message>")
    romeo.receives("<message type='headline'><body>x</body></message>")


def test_a_stanza_with_bad_xml_is_refused_before_the_session_hears_of_it(romeo):
    bad = romeo.wire.body("", "<message xmlns='jabber:client'><un:bound/></message>", rid=1)
    assert ended_with(romeo.wire.ask(bad)) == "bad-request"
    romeo.receives_nothing()


def test_a_restart_without_an_address_goes_where_the_session_does(box, wire):
    """The address is no more than recommended there (XEP-0206 §5)."""
    box.add_account("romeo")
    create(wire)
    scram = ScramClient("romeo", PASSWORD, "SCRAM-SHA-256")
    first = base64.b64encode(scram.first()).decode()
    auth = f"<auth xmlns='{SASL}' mechanism='SCRAM-SHA-256'>{first}</auth>"
    challenge = wire.ask(wire.body("", auth))[0]
    final = base64.b64encode(scram.final(base64.b64decode(challenge.text))).decode()
    wire.ask(wire.body("", f"<response xmlns='{SASL}'>{final}</response>"))
    answer = wire.ask(wire.body(f" xmpp:restart='true' xmlns:xmpp='{XBOSH}'"))
    assert answer.get("type") is None
    assert answer[0].tag == f"{{{STREAM}}}features"


def test_a_pause_answers_at_once(romeo):
    romeo.wire.cut()
    answer = romeo.wire.ask(romeo.wire.body(" pause='30'"))
    assert len(answer) == 0
    assert answer.get("type") is None


def test_a_client_says_goodbye(box, romeo):
    romeo.leaves()
    assert romeo.wire.condition is None


def test_polling_clients_get_answers_in_the_response(wire):
    answer = create(wire, " to='h' hold='0' wait='0' ver='1.6'")
    assert answer[0].tag == "{http://etherx.jabber.org/streams}features"
    said = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AA==</auth>"
    answer = wire.ask(wire.body("", said))
    assert [child.tag.partition("}")[2] for child in answer] == ["failure"]
