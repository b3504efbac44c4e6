"""OAUTHBEARER (RFC 7628): what a token's message may look like, and what is told of a wrong one."""

import json

import pytest

from hausbote.xmpp.sasl import BearerServer, Challenge, SaslError, Success

TOKENS = {"abc-DEF_123": ("juliet", "portal:1")}


def server():
    left = dict(TOKENS)
    return BearerServer(lambda token: left.pop(token, None), "capulet.example")


def message(header="n,a=juliet@capulet.example,", *pairs):
    pairs = pairs or ("auth=Bearer abc-DEF_123",)
    return "\x01".join([header, *pairs, "", ""]).encode()


def condition(data):
    with pytest.raises(SaslError) as refused:
        server().respond(data)
    return refused.value.condition


@pytest.mark.parametrize(
    "data",
    [
        message(),
        message("n,,"),
        message("y,,"),
        message("n,a=juliet@capulet.example,", "host=h", "port=443", "auth=Bearer abc-DEF_123"),
        message("n,,", "auth=bearer abc-DEF_123"),
    ],
)
def test_who_shows_a_token_is_in(data):
    assert server().respond(data) == Success(None, "juliet", "portal:1")


@pytest.mark.parametrize(
    "token", ["", "abc", "abc-DEF_124", "abc-DEF_123 ", "é", "x" * 100_000, "abc DEF"]
)
def test_another_token_is_refused_once_the_client_has_heard_why(token):
    exchange = server()
    answer = exchange.respond(message("n,,", f"auth=Bearer {token}"))
    assert isinstance(answer, Challenge)
    assert json.loads(answer.data) == {"status": "invalid_token"}
    for again in (b"\x01", message()):
        with pytest.raises(SaslError) as refused:
            exchange.respond(again)
        assert refused.value.condition == "not-authorized"


@pytest.mark.parametrize("pair", ["auth=Basic abc-DEF_123", "auth=abc-DEF_123", "host=h"])
def test_what_is_no_bearer_token_is_an_invalid_one(pair):
    assert isinstance(server().respond(message("n,,", pair)), Challenge)


def test_a_token_is_for_one_login():
    exchange = server()
    assert isinstance(exchange.respond(message()), Success)
    assert isinstance(exchange.respond(message()), Challenge)


@pytest.mark.parametrize("name", ["romeo@capulet.example", "juliet@elsewhere.example", "@", "juliet",
    "juliet@capulet.example/balcony"])  # fmt: skip
def test_a_token_is_nobody_elses(name):
    assert condition(message(f"n,a={name},")) == "invalid-authzid"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01",
        b"n,,",
        b"n,,\x01",
        b"n,,\x01auth=Bearer abc-DEF_123\x01",
        b"n,,\x01auth\x01\x01",
        b"n,,\x01=x\x01\x01",
        b"n,,\x01auth=Bearer a\x01auth=Bearer b\x01\x01",
        b"\xff,,\x01auth=Bearer abc-DEF_123\x01\x01",
        message("p=tls-exporter,,"),
        message("n,juliet,"),
        message("n,,x"),
        message("n"),
        message("n,,,"),
    ],
)
def test_nonsense_is_called_so(data):
    assert condition(data) == "malformed-request"
