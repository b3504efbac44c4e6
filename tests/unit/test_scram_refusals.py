"""What SCRAM refuses, and that it tells nobody which names exist."""

import base64
import re

import pytest

from hausbote.xmpp.sasl import (
    Reason,
    SaslError,
    ScramServer,
    decode,
    encode,
    fake_keys,
    keys_for,
    mechanisms,
)
from support.scram_client import ScramClient

PASSWORD = "wherefore art thou"
JULIET = keys_for(PASSWORD)
EXPORTER = ("tls-exporter", b"\x01" * 32)
BINDINGS = dict([EXPORTER])


def lookup(local, hash):
    return JULIET[hash] if local == "juliet" else fake_keys(b"secret", local, hash)


def server(mechanism="SCRAM-SHA-256", bindings=BINDINGS):
    return ScramServer(mechanism, lookup, bindings, "example.org", mechanisms(bindings))


def client(mechanism="SCRAM-SHA-256", user="juliet", password=PASSWORD, **details):
    return ScramClient(user, password, mechanism, **details)


def refusal(scram, message):
    with pytest.raises(SaslError) as error:
        scram.respond(message)
    return error.value.condition


@pytest.mark.parametrize(
    ("message", "condition"),
    [
        (b"", "malformed-request"),
        (b"n", "malformed-request"),
        (b"n,,", "malformed-request"),
        (b"n,,n=juliet", "malformed-request"),
        (b"n,,n=juliet,r=", "malformed-request"),
        (b"n,,n=,r=abc", "malformed-request"),
        (b"n,,r=abc,n=juliet", "malformed-request"),
        (b"n,,m=x,n=juliet,r=abc", "malformed-request"),
        (b"n,,n=juliet,r=abc,m=x", "malformed-request"),
        (b"n,,n=juliet,r=abc,x", "malformed-request"),
        (b"n,,n=juliet,r=abc,x=", "malformed-request"),
        (b"n,,n=juliet,r=abc,1=x", "malformed-request"),
        ("n,,n=juliet,r=abc,ä=x".encode(), "malformed-request"),
        (b"n,,n=juliet,r=abc,x=\0", "malformed-request"),
        (b"n,,n=juliet,r=a b", "malformed-request"),
        (b"n,,n=juliet,r=abc\n", "malformed-request"),
        ("n,,n=juliet,r=ä".encode(), "malformed-request"),
        (b"n,,n=juliet,r=" + b"x" * 257, "malformed-request"),
        (b"n,,n=juliet\xff,r=abc", "malformed-request"),
        (b"n,,n=a=b,r=abc", "malformed-request"),
        (b"n,,n=a=2c,r=abc", "malformed-request"),
        (b"n,,n=a=,r=abc", "malformed-request"),
        (b"q,,n=juliet,r=abc", "malformed-request"),
        (b",,n=juliet,r=abc", "malformed-request"),
        (b"N,,n=juliet,r=abc", "malformed-request"),
        (b"p=tls-exporter,,n=juliet,r=abc", "malformed-request"),
        (b"y,,n=juliet,r=abc", "not-authorized"),
        (b"n,,n=ju liet,r=abc", "not-authorized"),
        (b"n,,n=ju\0liet,r=abc", "not-authorized"),
        (b"n,juliet,n=juliet,r=abc", "malformed-request"),
        (b"n,a=,n=juliet,r=abc", "malformed-request"),
        (b"n,a=juliet@example=2corg,n=juliet,r=abc", "malformed-request"),
        (b"n,a=juliet,n=juliet,r=abc", "invalid-authzid"),
        (b"n,a=romeo@example.org,n=juliet,r=abc", "invalid-authzid"),
        (b"n,a=juliet@example.net,n=juliet,r=abc", "invalid-authzid"),
        (b"n,a=juliet@example.org/x,n=juliet,r=abc", "invalid-authzid"),
        (b"n,a=@@,n=juliet,r=abc", "invalid-authzid"),
    ],
)
def test_a_bad_first_message_is_refused_for_good(message, condition):
    scram = server()
    assert refusal(scram, message) == condition
    assert refusal(scram, client().first()) == "malformed-request"


@pytest.mark.parametrize("flag", ["n", "y"])
def test_a_plus_mechanism_without_channel_binding_is_refused(flag):
    scram = server("SCRAM-SHA-256-PLUS")
    assert refusal(scram, client(flag=flag).first()) == "malformed-request"


@pytest.mark.parametrize("type", ["tls-unique", "tls-server-end-point", ""])
def test_a_channel_binding_that_was_not_offered_is_refused(type):
    binding = (type, EXPORTER[1])
    scram = server("SCRAM-SHA-256-PLUS")
    with pytest.raises(SaslError) as error:
        scram.respond(client(binding=binding).first())
    assert error.value.condition == "malformed-request"
    assert error.value.reason is Reason.UNKNOWN_BINDING
    assert "tls-exporter" in error.value.text


def test_who_was_robbed_of_plus_hears_what_is_certain():
    """It may as well be a client that knows none of the bindings."""
    with pytest.raises(SaslError) as error:
        server().respond(client(flag="y").first())
    assert error.value.reason is Reason.DOWNGRADE
    assert "or it can bind to none of tls-exporter" in error.value.text


@pytest.mark.parametrize(
    ("password", "data", "reason"),
    [
        ("wrong", EXPORTER[1], Reason.WRONG_PASSWORD),
        ("wrong", b"\2" * 32, Reason.WRONG_PASSWORD),
        (PASSWORD, b"\2" * 32, Reason.OTHER_CHANNEL),
    ],
)
def test_another_channel_is_told_from_another_password(password, data, reason):
    binding = ("tls-exporter", data)
    scram, one = server("SCRAM-SHA-256-PLUS"), client(password=password, binding=binding)
    challenge = scram.respond(one.first())
    with pytest.raises(SaslError) as error:
        scram.respond(one.final(challenge.data))
    assert (error.value.condition, error.value.reason) == ("not-authorized", reason)


@pytest.mark.parametrize("name", ["SCRAM-SHA-512", "PLAIN", "scram-sha-1", "", "SCRAM-SHA-1-PLUS"])
def test_a_mechanism_that_was_not_offered_is_refused(name):
    with pytest.raises(SaslError) as error:
        server(name, {})
    assert error.value.condition == "invalid-mechanism"


def begun(**details):
    """A server that has sent its challenge, a client, and the client's right answer."""
    person = client(**details)
    scram = server()
    return scram, person, person.final(scram.respond(person.first()).data).decode()


@pytest.mark.parametrize(
    ("change", "condition"),
    [
        (lambda _: "", "malformed-request"),
        (lambda final: final.partition(",p=")[0], "malformed-request"),
        (lambda final: final + ",x=1", "malformed-request"),
        (lambda final: final + "\n", "malformed-request"),
        (lambda final: final.replace("c=biws", "c=biw"), "malformed-request"),
        (lambda final: final.replace("c=biws", "c=b iws"), "malformed-request"),
        (lambda final: final.replace("c=biws", "c=bix="), "malformed-request"),
        (lambda final: final.replace("c=biws", "c=ä"), "malformed-request"),
        (lambda final: final.replace("c=biws,", ""), "malformed-request"),
        (lambda final: final.replace("c=biws", "c=eSws"), "not-authorized"),
        (lambda final: final.replace("c=biws", "c="), "not-authorized"),
        (lambda final: final.replace(",r=", ",r=x"), "not-authorized"),
        (lambda final: final.replace(",r=", ",r=ä"), "not-authorized"),
        (lambda final: final.replace(",p=", ",m=x,p="), "malformed-request"),
        (lambda final: final.replace(",p=", ",x,p="), "malformed-request"),
        (lambda final: final.replace(",p=", ",x=y,p="), "not-authorized"),
        (lambda final: final.partition(",p=")[0] + ",p=", "malformed-request"),
        (lambda final: final.partition(",p=")[0] + ",p=AAAA", "malformed-request"),
        (
            lambda final: final.partition(",p=")[0] + ",p=" + encode(b"\0" * 32),
            "not-authorized",
        ),
        (lambda final: final[:-1], "malformed-request"),
        (lambda final: final + "=", "malformed-request"),
    ],
)
def test_a_bad_final_message_is_refused_for_good(change, condition):
    scram, _, final = begun()
    assert refusal(scram, change(final).encode()) == condition
    assert refusal(scram, final.encode()) == "malformed-request"


def test_a_final_message_that_is_not_utf_8_is_refused():
    scram, _, final = begun()
    assert refusal(scram, b"\xff" + final.encode()) == "malformed-request"


@pytest.mark.parametrize("password", ["wrong", PASSWORD.upper(), PASSWORD + " "])
def test_a_wrong_password_is_refused(password):
    scram, _, final = begun(password=password)
    assert refusal(scram, final.encode()) == "not-authorized"


def test_an_answer_that_was_overheard_is_worthless():
    first, person, overheard = begun()
    first.respond(overheard.encode())
    again = server()
    again.respond(person.first())
    assert refusal(again, overheard.encode()) == "not-authorized"


def test_a_login_that_is_over_takes_no_more_messages():
    scram, _, final = begun()
    scram.respond(final.encode())
    assert refusal(scram, final.encode()) == "malformed-request"


@pytest.mark.parametrize("change", [lambda r: r[:-1], lambda r: r + "x", lambda r: r[:24]])
def test_a_client_that_signs_another_nonce_is_refused(change):
    person = client()
    scram = server()
    challenge = scram.respond(person.first()).data
    nonce = challenge.decode().partition(",")[0].removeprefix("r=")
    assert refusal(scram, person.final(challenge, change(nonce))) == "not-authorized"


def test_the_other_end_of_another_connection_is_refused():
    person = client(binding=("tls-exporter", b"\x09" * 32))
    scram = server("SCRAM-SHA-256-PLUS")
    final = person.final(scram.respond(person.first()).data)
    assert refusal(scram, final) == "not-authorized"


def test_a_client_whose_plus_mechanisms_were_hidden_is_refused():
    """The client saw no -PLUS and says so, honestly; we know that we offered it."""
    assert refusal(server(), client(flag="y").first()) == "not-authorized"


def test_the_end_of_the_header_cannot_move_into_the_channel_binding():
    """c= must be the header and the data, not only bytes that end alike."""
    scram, _, final = begun()
    moved = base64.b64encode(b"n,," + EXPORTER[1]).decode()
    assert refusal(scram, final.replace("biws", moved).encode()) == "not-authorized"


# -- names -------------------------------------------------------------------------------------


def shape(message):
    """A message with its random parts replaced by their length."""
    return re.sub(rb"(?<=[rs]=)[^,]+", lambda found: str(len(found[0])).encode(), message)


@pytest.mark.parametrize("mechanism", mechanisms(BINDINGS))
def test_a_name_without_account_fails_like_a_wrong_password(mechanism):
    binding = EXPORTER if mechanism.endswith("-PLUS") else None
    seen = []
    for user in ("juliet", "nobody"):
        person = client(mechanism, user, "wrong", binding=binding)
        scram = server(mechanism)
        challenge = scram.respond(person.first()).data
        with pytest.raises(SaslError) as error:
            scram.respond(person.final(challenge))
        seen.append((shape(challenge), error.value.condition, error.value.text))
    assert seen[0] == seen[1]


def test_a_name_without_account_has_the_same_salt_every_time():
    salts = set()
    for _ in range(3):
        challenge = server().respond(client(user="nobody").first()).data
        salts.add(challenge.split(b",")[1])
    assert len(salts) == 1


# -- base64 ------------------------------------------------------------------------------------


def test_an_equals_sign_is_the_empty_message():
    assert (decode("="), encode(b"")) == (b"", "=")


def test_messages_survive_their_encoding():
    assert decode(encode(b"n,,n=x,r=y")) == b"n,,n=x,r=y"


@pytest.mark.parametrize(
    "text", ["a", "YQ", "YQ=", "YQ===", "YWJj=", "YR==", "Y Q==", "YQ==\n", "Y-_=", "ä", "&#61;"]
)
def test_what_is_not_base64_is_refused(text):
    with pytest.raises(SaslError) as error:
        decode(text)
    assert error.value.condition == "incorrect-encoding"
