"""From a connection to a resource: RFC 6120 §4 to §7, SCRAM, limits on guessing."""

import base64

import pytest

from hausbote.xmpp.sasl import derive_keys
from support.client import SASL
from support.patterns import shown
from support.scram_client import ScramClient
from support.worlds import PASSWORD

NS = {"sasl": SASL, "stream": "http://etherx.jabber.org/streams"}
BIND = "urn:ietf:params:xml:ns:xmpp-bind"


def failure_of(answer):
    assert answer.tag == f"{{{SASL}}}failure", shown(answer)
    return answer[0].tag.partition("}")[2]


def b64(data):
    return base64.b64encode(data).decode()


@pytest.fixture
def client(cast):
    """Somebody who has not logged in, with an account for romeo."""
    cast.account("romeo")
    stranger = cast.world.client()
    cast.clients.append(stranger)
    return stranger


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-1", "SCRAM-SHA-256"])
def test_logging_in(client, mechanism):
    features = client.secure()
    assert mechanism in [one.text for one in features.iter(f"{{{SASL}}}mechanism")]
    answer = client.authenticate(ScramClient("romeo", PASSWORD, mechanism), mechanism)
    assert answer.tag == f"{{{SASL}}}success"
    features = client.open()
    assert features.find(f"{{{BIND}}}bind") is not None
    assert features.find("{urn:xmpp:features:rosterver}ver") is not None
    assert features.find("{urn:xmpp:features:pre-approval}sub") is not None
    assert client.bind("orchard").get("type") == "result"
    assert client.jid == "romeo@h/orchard"


def test_no_mechanism_sends_a_password(client):
    offered = {one.text for one in client.secure().iter(f"{{{SASL}}}mechanism")}
    assert offered <= {
        "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS"
    }  # fmt: skip
    client.send(f"<auth xmlns='{SASL}' mechanism='PLAIN'>{b64(b'x')}</auth>")
    assert failure_of(client.next()) == "invalid-mechanism"


def test_the_header_says_who_we_are(client):
    client.open()
    header = client.header
    assert header.get("from") == "h"
    assert header.get("version") == "1.0"
    assert header.get("id")
    assert header.get("{http://www.w3.org/XML/1998/namespace}lang") == "en"
    first = header.get("id")
    client.open()
    assert client.header is None or client.header.get("id") != first


def test_a_wrong_password_and_an_unknown_name_look_the_same(client):
    client.secure()
    answers, challenges = [], []
    for name, password in (("romeo", "wrong"), ("nobody", PASSWORD)):
        scram = ScramClient(name, password, "SCRAM-SHA-256")
        client.send(f"<auth xmlns='{SASL}' mechanism='SCRAM-SHA-256'>{b64(scram.first())}</auth>")
        challenge = base64.b64decode(client.next().text)
        fields = dict(one.split("=", 1) for one in challenge.decode().split(","))
        challenges.append((len(challenge), len(fields["r"]), len(fields["s"]), fields["i"]))
        client.send(f"<response xmlns='{SASL}'>{b64(scram.final(challenge))}</response>")
        answers.append(shown(client.next()))
    assert answers[0] == answers[1]
    assert "not-authorized" in answers[0]
    assert challenges[0][1:] == challenges[1][1:]


def test_an_unknown_name_has_the_same_salt_every_time(client):
    client.secure()
    salts = set()
    for _ in range(2):
        scram = ScramClient("nobody", "x", "SCRAM-SHA-1")
        client.send(f"<auth xmlns='{SASL}' mechanism='SCRAM-SHA-1'>{b64(scram.first())}</auth>")
        salts.add(base64.b64decode(client.next().text).split(b",s=")[1])
        client.send(f"<abort xmlns='{SASL}'/>")
        assert failure_of(client.next()) == "aborted"
    assert len(salts) == 1


def test_after_a_failure_the_right_password_still_works(client):
    client.secure()
    assert failure_of(client.authenticate(ScramClient("romeo", "x", "SCRAM-SHA-1"), "SCRAM-SHA-1"))
    answer = client.authenticate(ScramClient("romeo", PASSWORD, "SCRAM-SHA-1"), "SCRAM-SHA-1")
    assert answer.tag == f"{{{SASL}}}success"


def test_a_replayed_login_fails(client, cast):
    client.secure()
    scram = ScramClient("romeo", PASSWORD, "SCRAM-SHA-256")
    first = b64(scram.first())
    client.send(f"<auth xmlns='{SASL}' mechanism='SCRAM-SHA-256'>{first}</auth>")
    final = b64(scram.final(base64.b64decode(client.next().text)))
    client.send(f"<response xmlns='{SASL}'>{final}</response>")
    assert client.next().tag == f"{{{SASL}}}success"
    thief = cast.world.client()
    thief.secure()
    thief.send(f"<auth xmlns='{SASL}' mechanism='SCRAM-SHA-256'>{first}</auth>")
    thief.next()
    thief.send(f"<response xmlns='{SASL}'>{final}</response>")
    assert failure_of(thief.next(12)) == "not-authorized"


def test_many_failures_end_the_stream(client):
    client.secure()
    for _ in range(4):
        failure_of(client.authenticate(ScramClient("mercutio", "x", "SCRAM-SHA-1"), "SCRAM-SHA-1"))
    client.is_ended_with("policy-violation")


@pytest.mark.parametrize("first", ["!!!", "AAA", "=", b64(b"n,,n=a"), b64(b"\xff"), b64(b"n,,")])
def test_broken_sasl_is_refused(client, first):
    client.secure()
    client.send(f"<auth xmlns='{SASL}' mechanism='SCRAM-SHA-1'>{first}</auth>")
    assert failure_of(client.next()) in ("malformed-request", "incorrect-encoding")


def test_a_response_to_nothing_is_refused(client):
    client.secure()
    client.send(f"<response xmlns='{SASL}'>{b64(b'x')}</response>")
    assert failure_of(client.next()) == "malformed-request"


def test_the_first_message_may_come_after_an_empty_challenge(client):
    client.secure()
    scram = ScramClient("romeo", PASSWORD, "SCRAM-SHA-1")
    client.send(f"<auth xmlns='{SASL}' mechanism='SCRAM-SHA-1'/>")
    assert client.next().tag == f"{{{SASL}}}challenge"
    for build in (lambda _: scram.first(), scram.final):
        text = b64(build(base64.b64decode(getattr(client, "last", ""))))
        client.send(f"<response xmlns='{SASL}'>{text}</response>")
        answer = client.next()
        client.last = answer.text
    assert answer.tag == f"{{{SASL}}}success"


@pytest.mark.parametrize("authzid", ["a=juliet@h", "a=romeo@elsewhere.example", "a=romeo@h/x"])
def test_logging_in_as_somebody_else_is_refused(client, authzid):
    client.secure()
    scram = ScramClient("romeo", PASSWORD, "SCRAM-SHA-1", authzid=authzid)
    assert failure_of(client.authenticate(scram, "SCRAM-SHA-1")) == "invalid-authzid"


def test_ones_own_address_as_authzid_is_fine(client):
    client.secure()
    scram = ScramClient("romeo", PASSWORD, "SCRAM-SHA-1", authzid="a=romeo@h")
    assert client.authenticate(scram, "SCRAM-SHA-1").tag == f"{{{SASL}}}success"


# -- the stream --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attributes", "condition"),
    [
        ({"to": "elsewhere.example"}, "host-unknown"),
        ({"to": "a b"}, "host-unknown"),
        ({"to": None}, "improper-addressing"),
        ({"version": None}, "unsupported-version"),
        ({"version": "0.9"}, "unsupported-version"),
    ],
)
def test_a_wrong_header_is_named(client, attributes, condition):
    client.unread([client.open(**attributes)])
    client.is_ended_with(condition)


@pytest.mark.parametrize(
    ("header", "condition"),
    [
        (
            "<stream:stream to='h' version='1.0' xmlns='jabber:client' xmlns:stream='x'>",
            "invalid-namespace",
        ),
        ("<stream to='h' version='1.0' xmlns='jabber:client'>", "invalid-namespace"),
        (
            "<stream:stream to='h' version='1.0' xmlns='jabber:server' "
            "xmlns:stream='http://etherx.jabber.org/streams'>",
            "invalid-namespace",
        ),
        (
            "<x:y to='h' xmlns='jabber:client' xmlns:x='http://etherx.jabber.org/streams'>",
            "bad-format",
        ),
        ("GET / HTTP/1.1\r\n\r\n", "not-well-formed"),
        ("<?xml version='1.0' encoding='ISO-8859-1'?><x>", "unsupported-encoding"),
    ],
)
def test_what_is_no_stream_is_refused_with_a_header_of_ours(client, header, condition):
    client.send(header)
    client.is_ended_with(condition)
    assert client.header is not None


@pytest.mark.parametrize(
    "stanza",
    [
        "<message to='juliet@h'><body>x</body></message>",
        "<presence/>",
        "<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>",
        f"<iq type='set' id='1'><bind xmlns='{BIND}'/></iq>",
    ],
)
def test_nothing_goes_before_the_login(client, stanza):
    client.secure()
    client.send(stanza)
    client.is_ended_with("not-authorized")


def test_an_unknown_element_before_the_login_is_named(client):
    client.secure()
    client.send("<active xmlns='urn:xmpp:csi:0'/>")
    client.is_ended_with("unsupported-stanza-type")


def test_nothing_goes_before_a_resource_is_bound(client):
    client.secure()
    client.authenticate(ScramClient("romeo", PASSWORD, "SCRAM-SHA-1"), "SCRAM-SHA-1")
    client.open()
    client.send("<message to='juliet@h'><body>x</body></message>")
    client.is_ended_with("not-authorized")


def test_the_server_chooses_a_resource_if_asked_to(client):
    client.log_in("romeo", PASSWORD)
    assert client.jid.startswith("romeo@h/")
    assert len(client.jid) > 15


def test_a_bad_resource_is_refused_and_another_may_be_tried(client):
    client.secure()
    client.authenticate(ScramClient("romeo", PASSWORD, "SCRAM-SHA-1"), "SCRAM-SHA-1")
    client.open()
    assert client.bind("x" * 1024).get("type") == "error"
    assert client.bind("orchard").get("type") == "result"


def test_a_second_resource_on_one_stream_is_refused(cast):
    romeo = cast("romeo")
    assert romeo.bind("other").get("type") == "error"
    romeo.sends("<presence/>")
    romeo.receives("<presence/>")


def test_the_newer_client_gets_the_resource(cast):
    old = cast("romeo/orchard")
    new = cast.log_in("romeo/orchard")
    old.is_ended_with("conflict")
    new.sends("<presence/>")
    new.receives("<presence from='romeo@h/orchard'/>")
    new.receives_nothing()


def test_an_account_has_only_so_many_clients(cast):
    for number in range(10):
        cast.log_in(f"romeo/{number}")
    late = cast.world.client()
    late.secure()
    late.authenticate(ScramClient("romeo", PASSWORD, "SCRAM-SHA-1"), "SCRAM-SHA-1")
    late.open()
    answer = late.bind("late")
    assert answer.find(".//{urn:ietf:params:xml:ns:xmpp-stanzas}resource-constraint") is not None


def test_an_unknown_stanza_ends_the_stream(cast):
    romeo = cast("romeo")
    romeo.sends("<letter to='juliet@h'/>")
    romeo.is_ended_with("unsupported-stanza-type")


def test_white_space_keeps_a_stream_alive(cast):
    romeo = cast("romeo")
    romeo.sends(" ", "\n", " ")
    romeo.receives_nothing()


def test_a_higher_version_is_answered_with_ours(world):
    client = world.client()
    client.open(version="2.0")
    assert client.header.get("version") == "1.0"


def test_a_header_from_somebody_else_than_who_logged_in_is_refused(cast):
    cast.account("romeo")
    client = cast.world.client()
    client.secure()
    client.authenticate(ScramClient("romeo", PASSWORD, "SCRAM-SHA-1"), "SCRAM-SHA-1")
    client.unread([client.open(**{"from": "juliet@h"})])
    client.is_ended_with("invalid-from")


@pytest.mark.parametrize("sender", ["desk.example.net", "h", "a b", "@", "juliet@example.net"])
def test_a_header_from_nobody_of_the_box_says_nothing(cast, sender):
    """Perl's XML::Stream puts the name of its machine there."""
    cast.account("romeo")
    client = cast.world.client()
    client.secure(**{"from": sender})
    assert client.header.get("to") is None
    client.authenticate(ScramClient("romeo", PASSWORD, "SCRAM-SHA-1"), "SCRAM-SHA-1")
    client.open(**{"from": "desk.example.net"})
    client.bind("orchard")
    assert client.jid == "romeo@h/orchard"


@pytest.mark.parametrize("sender", ["juliet@example.net", "@", "romeo@"])
def test_after_the_login_a_header_names_who_logged_in_or_nobody(cast, sender):
    cast.account("romeo")
    client = cast.world.client()
    client.secure()
    client.authenticate(ScramClient("romeo", PASSWORD, "SCRAM-SHA-1"), "SCRAM-SHA-1")
    client._inbox.append(client.open(**{"from": sender}))
    client.is_ended_with("invalid-from")


def test_what_comes_behind_the_last_step_of_a_login_is_dropped(cast):
    cast.account("romeo")
    client = cast.world.client()
    client.secure()
    scram = ScramClient("romeo", PASSWORD, "SCRAM-SHA-1")
    first = base64.b64encode(scram.first()).decode()
    client.send(f"<auth xmlns='{SASL}' mechanism='SCRAM-SHA-1'>{first}</auth>")
    final = base64.b64encode(scram.final(base64.b64decode(client.next().text))).decode()
    bind = "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"
    client.send(f"<response xmlns='{SASL}'>{final}</response>{bind}")
    assert client.next().tag == f"{{{SASL}}}success"
    assert client.next(0.5) is None
    assert client.open().tag.endswith("}features")
    client.send(bind)
    assert client.next().get("type") == "result"


def test_an_account_that_is_deleted_during_the_login_gets_no_session(cast):
    cast.account("tybalt")
    client = cast.world.client()
    client.secure()
    client.authenticate(ScramClient("tybalt", PASSWORD, "SCRAM-SHA-1"), "SCRAM-SHA-1")
    cast.world.store.accounts.delete("tybalt", "tybalt@h")
    client.open()
    client.send("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
    client.is_ended_with("not-authorized")


def test_the_answer_to_a_bind_has_no_forged_addresses(cast):
    cast.account("romeo")
    client = cast.world.client()
    client.secure()
    client.authenticate(ScramClient("romeo", PASSWORD, "SCRAM-SHA-1"), "SCRAM-SHA-1")
    client.open()
    client.send(
        "<iq type='get' id='b' to='juliet@h' from='evil@x'>"
        "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"
    )
    answer = client.next()
    assert answer.get("type") == "error"
    assert answer.get("from") is None
    assert answer.get("to") is None


def test_a_clients_stream_error_ends_the_stream_without_another(cast):
    romeo = cast("romeo")
    romeo.sends("<stream:error><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>")
    assert romeo.next() is None
    assert romeo.ended


def test_a_stream_inside_a_stream_is_refused(cast):
    romeo = cast("romeo")
    romeo.sends("<stream:stream to='h' version='1.0'>")
    romeo.is_ended_with("bad-format")


def test_a_login_brings_no_tickets_that_nobody_takes(running):
    romeo = running("romeo")
    romeo.settle()
    assert romeo.wire.sock.version() == "TLSv1.3"
    assert not romeo.wire.sock.session.has_ticket


def test_what_somebody_has_no_keys_for_is_offered_to_nobody(world, cast):
    """Accounts that have moved here may have keys for one hash alone, and clients take the best
    that they are offered; what is offered must not tell who has an account."""
    cast.account("romeo", "nurse")
    assert "SCRAM-SHA-256" in offered(world)
    world.store.accounts.delete("nurse", "nurse@h")
    world.store.accounts.create("nurse", {"SHA-1": derive_keys(PASSWORD, "SHA-1")})
    world.tell({"account": "nurse", "change": "imported"})
    assert {name.removesuffix("-PLUS") for name in offered(world)} == {"SCRAM-SHA-1"}
    for name in ("nurse", "romeo"):
        assert world.client().log_in(name, PASSWORD, mechanism="SCRAM-SHA-1")
    world.add_account("nurse")
    assert "SCRAM-SHA-256" in offered(world)


def offered(world):
    """The mechanisms, which are the same in both forms."""
    features = world.client().secure()
    plain, sasl2 = (
        {one.text for one in features.iter(f"{{{uri}}}mechanism")}
        for uri in ("urn:ietf:params:xml:ns:xmpp-sasl", "urn:xmpp:sasl:2")
    )
    assert plain == sasl2
    return plain
