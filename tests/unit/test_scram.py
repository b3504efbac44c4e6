"""Logging in with SCRAM: the RFCs' own examples, and whole exchanges (RFC 5802, RFC 7677)."""

import base64
import hashlib
import hmac

import pytest
from slixmpp.util import sasl as slixmpp_sasl

from hausbote.base.jid import InvalidJID
from hausbote.xmpp.sasl import (
    HASHES,
    ScramServer,
    Success,
    derive_keys,
    fake_keys,
    keys_for,
    mechanisms,
)
from support.scram_client import ScramClient

PASSWORD = "wherefore art thou"
ACCOUNTS = {name: keys_for(PASSWORD) for name in ("juliet", "ärger", "a=b,c")}
BINDINGS = {"tls-exporter": b"\x01" * 32, "tls-server-end-point": b"\x02" * 32}
PLAIN = mechanisms({})
PLUS = mechanisms(BINDINGS)


def lookup(local, hash):
    return ACCOUNTS[local][hash]


def server(mechanism, bindings=BINDINGS, offered=PLUS):
    return ScramServer(mechanism, lookup, bindings, "example.org", offered)


def log_in(client, scram):
    """The whole exchange; who logged in."""
    final = client.final(scram.respond(client.first()).data)
    success = scram.respond(final)
    assert isinstance(success, Success)
    client.verify(success.data)
    return success.local


# Mechanism, client nonce, server-first-message, client-final-message, server-final-message: the
# examples of RFC 5802 §5 and RFC 7677 §3.
EXAMPLES = [
    (
        "SCRAM-SHA-1",
        "fyko+d2lbbFgONRv9qkxdawL",
        b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
        b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    ),
    (
        "SCRAM-SHA-256",
        "rOprNGfwEbeRWgbNEkqO",
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    ),
]


@pytest.mark.parametrize(("mechanism", "nonce", "challenge", "final", "success"), EXAMPLES)
def test_the_test_client_sends_what_the_rfc_prints(mechanism, nonce, challenge, final, success):
    client = ScramClient("user", "pencil", mechanism)
    client.nonce = nonce
    assert client.first() == f"n,,n=user,r={nonce}".encode()
    assert client.final(challenge) == final
    client.verify(success)


@pytest.mark.parametrize(("mechanism", "nonce", "challenge", "final", "success"), EXAMPLES)
def test_kept_keys_fit_the_proofs_that_the_rfc_prints(mechanism, nonce, challenge, final, success):
    name = mechanism.removeprefix("SCRAM-")
    salt = base64.b64decode(challenge.split(b",")[1][2:])
    keys = derive_keys("pencil", name, salt=salt, iterations=4096)
    without_proof, _, proof = final.rpartition(b",p=")
    signed = b",".join([f"n=user,r={nonce}".encode(), challenge, without_proof])
    signature = hmac.digest(keys.stored_key, signed, HASHES[name])
    client_key = bytes(a ^ b for a, b in zip(base64.b64decode(proof), signature, strict=True))
    assert hashlib.new(HASHES[name], client_key).digest() == keys.stored_key
    answer = base64.b64encode(hmac.digest(keys.server_key, signed, HASHES[name]))
    assert b"v=" + answer == success


@pytest.mark.parametrize("mechanism", PLAIN)
def test_the_right_password_logs_in_without_channel_binding(mechanism):
    client = ScramClient("juliet", PASSWORD, mechanism)
    assert log_in(client, server(mechanism, {}, PLAIN)) == "juliet"


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS"])
def test_the_right_password_logs_in_with_channel_binding(mechanism, binding):
    client = ScramClient("juliet", PASSWORD, mechanism, (binding, BINDINGS[binding]))
    assert log_in(client, server(mechanism)) == "juliet"


@pytest.mark.parametrize(
    ("typed", "local"), [("JULIET", "juliet"), ("Ärger", "ärger"), ("a=b,c", "a=b,c")]
)
def test_names_are_unescaped_and_prepared(typed, local):
    assert log_in(ScramClient(typed, PASSWORD, "SCRAM-SHA-1"), server("SCRAM-SHA-1")) == local


@pytest.mark.parametrize("authzid", ["a=juliet@example.org", "a=Juliet@EXAMPLE.org"])
def test_a_client_may_ask_to_be_who_it_is(authzid):
    client = ScramClient("juliet", PASSWORD, "SCRAM-SHA-1", authzid=authzid)
    assert log_in(client, server("SCRAM-SHA-1")) == "juliet"


def test_a_client_that_could_bind_may_log_in_where_nothing_was_offered():
    client = ScramClient("juliet", PASSWORD, "SCRAM-SHA-256", flag="y")
    assert log_in(client, server("SCRAM-SHA-256", {}, PLAIN)) == "juliet"


def test_optional_extensions_are_ignored():
    client = ScramClient("juliet", PASSWORD, "SCRAM-SHA-256")
    client.nonce, nonce = f"{client.nonce},x=1,Y=two=2", client.nonce
    scram = server("SCRAM-SHA-256")
    challenge = scram.respond(client.first()).data
    client.nonce = nonce
    assert isinstance(scram.respond(client.final(challenge)), Success)


def test_every_exchange_gets_its_own_nonce():
    client = ScramClient("juliet", PASSWORD, "SCRAM-SHA-1")
    nonces = {server("SCRAM-SHA-1").respond(client.first()).data for _ in range(100)}
    assert len(nonces) == 100


@pytest.mark.parametrize("password", [PASSWORD, "Straße", "m² ﬁ\u00a0\u00adx"], ids=ascii)
@pytest.mark.parametrize("mechanism", PLAIN)
def test_the_scram_of_a_real_client_logs_in(mechanism, password):
    """slixmpp prepares the password in its own way, and checks our signature."""
    keys = keys_for(password)
    client = slixmpp_sasl.choose(
        [mechanism],
        lambda *_: {"username": "juliet", "password": password},
        lambda _: {"encrypted": True, "binding_proposed": True, "tls_version": "TLSv1.3"},
    )
    scram = ScramServer(mechanism, lambda _, hash: keys[hash], {}, "example.org", PLAIN)
    challenge = scram.respond(client.process())
    success = scram.respond(client.process(challenge.data))
    client.process(success.data)
    assert success.local == "juliet"


# -- what is offered and kept ------------------------------------------------------------------


def test_mechanisms_are_offered_best_first_and_plus_only_with_something_to_bind_to():
    assert PLAIN == ["SCRAM-SHA-256", "SCRAM-SHA-1"]
    assert PLUS == ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1"]


def test_a_password_leaves_other_keys_every_time():
    assert keys_for(PASSWORD)["SHA-256"] != keys_for(PASSWORD)["SHA-256"]


@pytest.mark.parametrize("password", ["", "a\0b", "\ud800"], ids=ascii)
def test_keys_are_not_made_of_what_cannot_be_a_password(password):
    with pytest.raises(InvalidJID):
        keys_for(password)


@pytest.mark.parametrize("hash", HASHES)
def test_fake_keys_look_like_real_ones_and_stay_the_same(hash):
    real = keys_for(PASSWORD)[hash]
    fake = fake_keys(b"secret", "nobody", hash)
    assert [len(part) for part in (fake.salt, fake.stored_key, fake.server_key)] == [
        len(part) for part in (real.salt, real.stored_key, real.server_key)
    ]
    assert fake.iterations == real.iterations
    assert fake == fake_keys(b"secret", "nobody", hash)
    for other in (fake_keys(b"secret", "noone", hash), fake_keys(b"other", "nobody", hash)):
        assert not set(fake[2:]) & set(other[2:])
        assert fake.salt != other.salt
