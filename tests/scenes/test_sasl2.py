"""One exchange from a stream to a session: SASL2 (XEP-0388), Bind 2 (XEP-0386), upgrades (XEP-0480)."""

import base64
import hashlib

import pytest

from hausbote.xmpp.sasl import derive_keys
from support.patterns import shown
from support.sasl2_client import (
    BIND2,
    DESK,
    PHONE,
    SASL,
    SASL2,
    authenticate,
    b64,
    bind2,
    failure_of,
    log_in,
    request_token,
    succeeded,
    token_login,
    token_of,
    user_agent,
)
from support.scram_client import ScramClient
from support.worlds import PASSWORD

STREAM = "http://etherx.jabber.org/streams"
RFC_BIND = "{urn:ietf:params:xml:ns:xmpp-bind}bind"
UPGRADE = "urn:xmpp:sasl:upgrade:0"
SCRAM_UPGRADE = "urn:xmpp:scram-upgrade:0"


@pytest.fixture
def stranger(cast):
    """Opens streams that have not logged in; romeo has an account."""
    cast.account("romeo")

    def open(**header):
        client = cast.world.client()
        cast.clients.append(client)
        client.features = client.secure()
        if header:
            client.open(**header)
        return client

    return open


@pytest.fixture
def client(stranger):
    return stranger()


def names(features, path):
    return {one.text for one in features.findall(path)}


def test_what_is_offered(client):
    offer = client.features.find(f"{{{SASL2}}}authentication")
    both = names(offer, f"{{{SASL2}}}mechanism")
    assert both == names(client.features, f".//{{{SASL}}}mechanism")
    assert "SCRAM-SHA-256" in both
    inline = offer.find(f"{{{SASL2}}}inline")
    assert inline.find(f"{{{BIND2}}}bind") is not None
    tokens = names(inline, ".//{urn:xmpp:fast:0}mechanism")
    assert "HT-SHA-256-NONE" in tokens
    assert names(offer, f"{{{UPGRADE}}}upgrade") == {"UPGR-SCRAM-SHA-256"}


def test_sasl2_is_not_offered_before_tls(cast):
    client = cast.world.client()
    features = client.open()
    if client.wire.needs_tls:
        assert features.find(f"{{{SASL2}}}authentication") is None
        client.send(f"<authenticate xmlns='{SASL2}' mechanism='SCRAM-SHA-256'/>")
        client.is_ended_with("unsupported-stanza-type")


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-1", "SCRAM-SHA-256"])
def test_without_bind_2_the_classic_way_goes_on_without_a_restart(client, mechanism):
    answer = log_in(client, mechanism=mechanism)
    assert succeeded(answer)
    assert client.jid == "romeo@h"
    features = client.next()
    assert features.find(RFC_BIND) is not None
    assert features.find(f"{{{SASL2}}}authentication") is None
    assert client.bind("orchard").get("type") == "result"
    assert client.jid == "romeo@h/orchard"
    client.sends("<presence/>")
    client.receives("<presence from='romeo@h/orchard'/>")


def test_with_bind_2_one_exchange_is_all(client):
    answer = log_in(client, user_agent(), bind2())
    assert succeeded(answer)
    assert client.jid.startswith("romeo@h/Awesome/")
    assert answer.find(f"{{{BIND2}}}bound") is not None
    features = client.next()
    assert features.tag == f"{{{STREAM}}}features"
    assert features.find(RFC_BIND) is None
    assert features.find("{urn:xmpp:features:rosterver}ver") is not None
    client.receives_nothing()
    client.sends("<presence/>")
    client.receives(f"<presence from='{client.jid}'/>")


def test_the_server_finishes_its_say_before_anything_else_comes(cast, stranger):
    juliet = cast("juliet")
    client = stranger()
    assert succeeded(log_in(client, user_agent(), bind2()))
    juliet.sends(f"<message to='{client.jid}' type='chat'><body>Who's there?</body></message>")
    juliet.settle()
    assert client.next().tag == f"{{{STREAM}}}features"
    client.receives("<message from='juliet@h/somewhere'><body>*</body></message>")


def test_the_same_installation_gets_the_same_resource_and_nobody_else_does(stranger):
    jids = []
    for agent, tag in ((PHONE, "A"), (PHONE.upper(), "A"), (DESK, "A"), (PHONE, "B")):
        client = stranger()
        assert succeeded(log_in(client, user_agent(agent), bind2(tag)))
        assert agent.lower() not in client.jid.lower()
        jids.append(client.jid)
    assert jids[0] == jids[1]
    assert len(set(jids)) == 3


def test_without_an_id_every_session_has_a_resource_of_its_own(stranger):
    jids = set()
    for _ in range(2):
        client = stranger()
        assert succeeded(log_in(client, bind2(None)))
        jids.add(client.jid)
    assert len(jids) == 2
    assert all(jid.count("/") == 1 for jid in jids)


@pytest.mark.parametrize("tag", ["x" * 2_000, "&#173;", "<b/>", ""])
def test_a_tag_that_cannot_be_is_left_out(client, tag):
    assert succeeded(log_in(client, bind2(tag)))
    assert client.jid.count("/") == 1


def test_a_newer_session_of_a_client_ends_the_older(stranger):
    old, other, new = stranger(), stranger(), stranger()
    log_in(old, user_agent(), bind2("one"))
    log_in(other, user_agent(DESK), bind2("one"))
    log_in(new, user_agent(), bind2("two"))
    old.is_ended_with("conflict")
    for client in (other, new):
        client.next()
        client.receives_nothing()


def test_a_full_account_is_told_so_by_the_stream(cast, client):
    for number in range(10):
        cast.log_in(f"romeo/{number}")
    answer = log_in(client, user_agent(), bind2())
    client.unread([answer])
    client.is_ended_with("resource-constraint")


# -- what does not go --------------------------------------------------------------------------


def test_a_wrong_password_and_an_unknown_name_look_the_same(client):
    answers = [
        log_in(client, user_agent(), bind2(), user=name, password=password)
        for name, password in (("romeo", "wrong"), ("nobody", PASSWORD))
    ]
    assert failure_of(answers[0]) == "not-authorized"
    assert shown(answers[0]) == shown(answers[1])
    assert succeeded(log_in(client))


def test_nothing_is_bound_for_who_fails(cast, client):
    phone = cast("romeo/phone")
    failure_of(log_in(client, user_agent(), bind2(), password="wrong"))
    phone.receives_nothing()
    client.sends("<presence/>")
    client.is_ended_with("not-authorized")


@pytest.mark.parametrize(
    "mechanism", ["PLAIN", "", "HT-SHA-256-NONE", "SCRAM-SHA-512", "UPGR-SCRAM-SHA-256"]
)
def test_a_mechanism_that_was_not_offered(client, mechanism):
    assert failure_of(authenticate(client, mechanism, b"x")) == "invalid-mechanism"


@pytest.mark.parametrize(
    ("inside", "condition"),
    [
        ("<initial-response>!!!</initial-response>", "incorrect-encoding"),
        ("<initial-response>AAA</initial-response>", "incorrect-encoding"),
        ("<initial-response>eHh4</initial-response>", "malformed-request"),
        ("<initial-response/>", "malformed-request"),
        ("<initial-response><x/></initial-response>", "malformed-request"),
        ("<user-agent id='phone'/>", "malformed-request"),
        ("<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770-x'/>", "malformed-request"),
    ],
)
def test_what_cannot_be_understood(client, inside, condition):
    client.send(f"<authenticate xmlns='{SASL2}' mechanism='SCRAM-SHA-1'>{inside}</authenticate>")
    assert failure_of(client.next()) == condition


def test_without_an_initial_response_the_server_asks_for_it(client):
    scram = ScramClient("romeo", PASSWORD, "SCRAM-SHA-1")
    assert authenticate(client, "SCRAM-SHA-1", None).tag == f"{{{SASL2}}}challenge"
    client.send(f"<response xmlns='{SASL2}'>{b64(scram.first())}</response>")
    final = scram.final(base64.b64decode(client.next().text))
    client.send(f"<response xmlns='{SASL2}'>\n  {b64(final)}\n</response>")
    assert succeeded(client.next())


def test_a_client_may_abort_and_try_again(client):
    authenticate(client, "SCRAM-SHA-1", b"n,,n=romeo,r=abc")
    client.send(f"<abort xmlns='{SASL2}'><text>no</text></abort>")
    assert failure_of(client.next()) == "aborted"
    assert succeeded(log_in(client))


@pytest.mark.parametrize("name", ["response", "abort", "next", "task-data", "letter"])
def test_a_step_of_no_login_is_refused(client, name):
    client.send(f"<{name} xmlns='{SASL2}'/>")
    assert failure_of(client.next()) == "malformed-request"


@pytest.mark.parametrize(
    ("element", "condition"),
    [
        ("<presence/>", "not-authorized"),
        ("<iq type='get' id='1'><query xmlns='jabber:iq:register'/></iq>", "not-authorized"),
        (f"<auth xmlns='{SASL}' mechanism='SCRAM-SHA-1'/>", "unsupported-stanza-type"),
        (f"<authenticate xmlns='{SASL2}' mechanism='SCRAM-SHA-1'/>", "policy-violation"),
        (f"<next xmlns='{SASL2}' task='UPGR-SCRAM-SHA-256'/>", "policy-violation"),
        (f"<task-data xmlns='{SASL2}'/>", "policy-violation"),
    ],
)
def test_nothing_else_goes_during_a_login(client, element, condition):
    authenticate(client, "SCRAM-SHA-1", b"n,,n=romeo,r=abc")
    client.send(element)
    client.is_ended_with(condition)


@pytest.mark.parametrize("bound", [False, True])
def test_nobody_logs_in_twice(client, bound):
    log_in(client, *([bind2()] if bound else []))
    client.send(f"<authenticate xmlns='{SASL2}' mechanism='SCRAM-SHA-1'/>")
    client.is_ended_with("unsupported-stanza-type")


def test_guesses_that_do_not_wait_for_their_answers_end_the_stream(client):
    first = b64(ScramClient("romeo", "x", "SCRAM-SHA-1").first())
    guess = (
        f"<authenticate xmlns='{SASL2}' mechanism='SCRAM-SHA-1'><initial-response>{first}"
        f"</initial-response></authenticate><response xmlns='{SASL2}'>{b64(b'c=biws,r=x,p=' + b64(b'x' * 20).encode())}</response>"
    )
    client.send(guess * 3)
    client.is_ended_with("policy-violation")


def open_from(cast, jid):
    """A stream whose header says who sends it."""
    client = cast.world.client()
    cast.clients.append(client)
    if client.wire.needs_tls:
        client.open()
        client.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        client.next()
        client.wire.secure()
    client.open(**{"from": jid})
    return client


def test_an_identity_that_is_not_the_streams(cast):
    cast.account("romeo", "juliet")
    for sender, outcome in (("juliet@h", "invalid-authzid"), ("romeo@h/x", None)):
        client = open_from(cast, sender)
        scram = ScramClient("romeo", PASSWORD, "SCRAM-SHA-1", authzid="a=romeo@h")
        answer = authenticate(client, "SCRAM-SHA-1", scram.first())
        assert (failure_of(answer) if outcome else None) == outcome


def test_a_token_goes_with_the_streams_identity(cast):
    cast.account("romeo")
    token = token_of(log_in(open_from(cast, "romeo@h"), user_agent(), request_token()))
    assert failure_of(token_login(open_from(cast, "juliet@h"), token)) == "not-authorized"
    assert succeeded(token_login(open_from(cast, "romeo@h"), token))


def test_a_header_from_another_domain_says_nothing(cast):
    cast.account("romeo")
    client = cast.world.client()
    client.secure(**{"from": "romeo@elsewhere.example"})
    assert client.header.get("to") is None
    assert succeeded(log_in(client))


def test_unknown_wishes_are_passed_over(client):
    strange = (
        "<resume xmlns='urn:xmpp:sm:3' previd='x' h='1'/><token xmlns='urn:xmpp:fast:0' token='x'/>"
    )
    inside = f"<bound xmlns='{BIND2}'/><enable xmlns='urn:example:unknown'/>"
    answer = log_in(client, strange, bind2(inside=inside))
    assert succeeded(answer)
    bound = answer.find(f"{{{BIND2}}}bound")
    assert [one.tag for one in bound] == ["{urn:xmpp:mam:2}metadata"]
    assert answer.find("{urn:xmpp:fast:0}token") is None


# -- downgrades and upgrades -------------------------------------------------------------------


@pytest.mark.parametrize("profile", ["SASL", "SASL2"])
@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-1", "SCRAM-SHA-256"])
def test_what_was_offered_is_signed(client, profile, mechanism):
    types = [one.get("type") for one in client.features.iter("{urn:xmpp:sasl-cb:0}channel-binding")]
    parent = f"{{{SASL}}}mechanisms" if profile == "SASL" else f"{{{SASL2}}}authentication"
    offered = [one.text for one in client.features.find(parent) if one.tag.endswith("}mechanism")]
    text = "\x1e".join(sorted(offered)) + ("\x1f" + "\x1e".join(sorted(types)) if types else "")
    hash = hashlib.new("sha1" if mechanism == "SCRAM-SHA-1" else "sha256", text.encode())
    first = ScramClient("romeo", PASSWORD, mechanism).first()
    if profile == "SASL":
        client.send(f"<auth xmlns='{SASL}' mechanism='{mechanism}'>{b64(first)}</auth>")
        challenge = client.next()
    else:
        challenge = authenticate(client, mechanism, first)
    fields = dict(one.split("=", 1) for one in base64.b64decode(challenge.text).decode().split(","))
    assert fields["h"] == b64(hash.digest())
    assert fields.get("t") in (("0303", "0304") if types else (None,))


@pytest.fixture
def old_account(cast, world):
    """nurse has keys for SHA-1 alone, as accounts from elsewhere may."""
    world.store.accounts.delete("nurse", "nurse@h")
    world.store.accounts.create("nurse", {"SHA-1": derive_keys(PASSWORD, "SHA-1")})
    yield
    world.add_account("nurse")  # or nobody is offered what she has no keys for


def upgraded(client, *extras):
    wish = f"<upgrade xmlns='{UPGRADE}'>UPGR-SCRAM-SHA-256</upgrade>"
    return log_in(client, wish, *extras, user="nurse", mechanism="SCRAM-SHA-1")


def begin_task(client):
    client.send(f"<next xmlns='{SASL2}' task='UPGR-SCRAM-SHA-256'/>")
    salt = client.next().find(f"{{{SCRAM_UPGRADE}}}salt")
    iterations = int(salt.get("iterations"))
    assert iterations >= 4096
    return hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), base64.b64decode(salt.text), iterations)


def answer_task(client, salted):
    client.send(
        f"<task-data xmlns='{SASL2}'><hash xmlns='{SCRAM_UPGRADE}'>{b64(salted)}</hash></task-data>"
    )
    return client.next()


def test_an_account_gets_keys_for_a_better_hash(old_account, stranger):
    client = stranger()
    answer = upgraded(client, user_agent(), bind2())
    assert answer.tag == f"{{{SASL2}}}continue"
    assert names(answer, f".//{{{SASL2}}}task") == {"UPGR-SCRAM-SHA-256"}
    answer = answer_task(client, begin_task(client))
    assert succeeded(answer)
    assert answer.find(f"{{{SASL2}}}additional-data") is None
    assert answer.find(f"{{{BIND2}}}bound") is not None
    for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-1"):
        assert succeeded(log_in(stranger(), user="nurse", mechanism=mechanism))
    assert succeeded(upgraded(stranger()))  # there is nothing left to do


def test_a_client_that_does_not_ask_is_not_bothered(old_account, client):
    assert succeeded(log_in(client, user="nurse", mechanism="SCRAM-SHA-1"))


@pytest.mark.parametrize(
    ("steps", "condition"),
    [
        (["<next task='UPGR-SCRAM-SHA-512'/>"], "malformed-request"),
        (["<task-data/>"], "malformed-request"),
        ([f"<task-data><hash xmlns='{SCRAM_UPGRADE}'>AAAA</hash></task-data>"], "malformed-request"),
        (["<next task='UPGR-SCRAM-SHA-256'/>", f"<task-data><hash xmlns='{SCRAM_UPGRADE}'>AAAA</hash></task-data>"], "malformed-request"),
        (["<next task='UPGR-SCRAM-SHA-256'/>", f"<task-data><hash xmlns='{SCRAM_UPGRADE}'>?</hash></task-data>"], "incorrect-encoding"),
        (["<next task='UPGR-SCRAM-SHA-256'/>", "<next task='UPGR-SCRAM-SHA-256'/>"], "malformed-request"),
        (["<next task='UPGR-SCRAM-SHA-256'/>", "<abort/>"], "aborted"),
    ],
)  # fmt: skip
def test_a_task_that_is_not_done_leaves_nothing(old_account, world, client, steps, condition):
    upgraded(client)
    for step in steps:
        name = step[1:].split(" ")[0].split("/")[0].split(">")[0]
        client.send(step.replace(f"<{name}", f"<{name} xmlns='{SASL2}'", 1))
        answer = client.next()
    assert failure_of(answer) == condition
    assert world.store.accounts.keys("nurse", "SHA-256") is None
    client.send("<presence/>")
    client.is_ended_with("not-authorized")


def test_a_task_is_not_another_login(old_account, client):
    upgraded(client)
    client.send(f"<authenticate xmlns='{SASL2}' mechanism='SCRAM-SHA-1'/>")
    client.is_ended_with("policy-violation")
