"""Hashed tokens (draft-schmaus-kitten-sasl-ht-09), and what protects SCRAM from downgrades."""

import hashlib
import hmac
from typing import NamedTuple

import pytest

from hausbote.xmpp.errors import BadRequest
from hausbote.xmpp.sasl import SaslError, check_token, token_mechanisms
from hausbote.xmpp.sasl.downgrade import offer_hash, protection
from hausbote.xmpp.stanza import Child
from hausbote.xmpp.unfold import text_of, unfold

BINDINGS = {"tls-exporter": b"\x01" * 32, "tls-server-end-point": b"\x02" * 32}
DATA = {
    "HT-SHA-256-EXPR": BINDINGS["tls-exporter"],
    "HT-SHA-256-ENDP": BINDINGS["tls-server-end-point"],
    "HT-SHA-256-NONE": b"",
}


class Token(NamedTuple):
    secret: str
    mechanism: str


def proof(secret, binding, name="juliet"):
    return f"{name}\0".encode() + hmac.digest(secret.encode(), b"Initiator" + binding, "sha256")


def check(mechanism, message, *tokens, bindings=BINDINGS):
    return check_token(mechanism, message, lambda _: tokens, bindings)


def refusal(*arguments, **options):
    with pytest.raises(SaslError) as refused:
        check(*arguments, **options)
    return refused.value.condition


@pytest.mark.parametrize("mechanism", DATA)
def test_who_knows_the_token_is_in_and_is_shown_that_we_know_it(mechanism):
    token = Token("tökén", mechanism)
    known = check(mechanism, proof(token.secret, DATA[mechanism], "JULIET"), token)
    assert known.local == "juliet"
    assert known.token is token
    expected = hmac.new(token.secret.encode(), b"Responder" + DATA[mechanism], hashlib.sha256)
    assert known.data == expected.digest()


def test_the_second_token_is_as_good_as_the_first():
    tokens = [Token("new", "HT-SHA-256-NONE"), Token("old", "HT-SHA-256-NONE")]
    for token in tokens:
        assert check("HT-SHA-256-NONE", proof(token.secret, b""), *tokens).token is token


@pytest.mark.parametrize("mechanism", DATA)
@pytest.mark.parametrize("meant", DATA)
def test_a_token_fits_its_own_mechanism_and_binding_only(mechanism, meant):
    token = Token("secret", meant)
    for binding in DATA.values():
        if mechanism != meant or binding != DATA[meant]:
            assert refusal(mechanism, proof("secret", binding), token) == "not-authorized"


def test_an_empty_secret_is_nobodys_token():
    """It stands in for tokens that there are not, so that looking takes as long."""
    assert refusal("HT-SHA-256-NONE", proof("", b"")) == "not-authorized"


def test_what_proves_us_does_not_prove_the_client():
    answer = b"juliet\0" + hmac.digest(b"secret", b"Responder", "sha256")
    assert (
        refusal("HT-SHA-256-NONE", answer, Token("secret", "HT-SHA-256-NONE")) == "not-authorized"
    )


@pytest.mark.parametrize(
    "message", [b"", b"juliet", b"juliet\0", b"\0x", b"\xff\0x", b"x" * 1024 + b"\0x"]
)
def test_what_is_no_message(message):
    assert refusal("HT-SHA-256-NONE", message) == "malformed-request"


def test_a_name_that_cannot_be_is_just_not_in():
    assert refusal("HT-SHA-256-NONE", proof("x", b"", "a b")) == "not-authorized"


@pytest.mark.parametrize(
    ("bindings", "offered"),
    [
        (BINDINGS, ["HT-SHA-256-EXPR", "HT-SHA-256-ENDP", "HT-SHA-256-NONE"]),
        ({"tls-server-end-point": b""}, ["HT-SHA-256-ENDP", "HT-SHA-256-NONE"]),
        ({}, ["HT-SHA-256-NONE"]),
    ],
)
def test_only_what_can_be_bound_is_offered_and_taken(bindings, offered):
    assert token_mechanisms(bindings) == offered
    for mechanism in {*DATA, "HT-SHA-256-UNIQ", "SCRAM-SHA-1"} - set(offered):
        token = Token("secret", mechanism)
        condition = refusal(mechanism, proof("secret", b""), token, bindings=bindings)
        assert condition == "invalid-mechanism"


# -- downgrades --------------------------------------------------------------------------------


def test_the_hash_that_the_xep_prints():
    """XEP-0474 §5.3, and with the version of TLS XEP-0515 §5.3; sorting is by octets."""
    mechanisms, bindings = (
        ["SCRAM-SHA-1-PLUS", "SCRAM-SHA-1"],
        ["tls-server-end-point", "tls-exporter"],
    )
    assert offer_hash(mechanisms, bindings, "SHA-1") == "G6k/rBLDqgOhRRaCuuatSDFkJ08="
    assert (
        protection(mechanisms, bindings, "SHA-1", 0x0304)
        == ",h=G6k/rBLDqgOhRRaCuuatSDFkJ08=,t=0304"
    )
    assert protection(mechanisms, bindings, "SHA-1", 0) == ",h=G6k/rBLDqgOhRRaCuuatSDFkJ08="


def test_a_shorter_list_is_another_hash():
    lists = [(["A", "B"], ["c"]), (["A"], ["c"]), (["A", "B"], []), (["A"], ["B", "c"])]
    hashes = {offer_hash(*both, hash) for both in lists for hash in ("SHA-1", "SHA-256")}
    assert len(hashes) == 8


# -- looking inside ----------------------------------------------------------------------------


def test_a_child_unfolds_into_its_parts():
    child = Child(
        "urn:x", "a", "<a xmlns='urn:x' id='1&apos;'><b>x &amp; y</b><c xmlns='urn:y'/></a>"
    )
    whole = unfold(child)
    assert (whole.ns, whole.name, whole.attrs) == ("urn:x", "a", {"id": "1'"})
    assert [(one.ns, one.name) for one in whole.children] == [("urn:x", "b"), ("urn:y", "c")]
    assert text_of(whole.children[0]) == "x & y"
    assert text_of(whole.children[1]) == ""
    assert text_of(child) == ""


def test_what_does_not_unfold_is_refused():
    deep = "<a xmlns='urn:x'>" + "<b>" * 200 + "</b>" * 200 + "</a>"
    with pytest.raises(BadRequest):
        unfold(Child("urn:x", "a", deep))
