"""Tokens bound to a TLS connection, by a client on pyOpenSSL; what the hausbote command ends."""

import base64
import json

import pytest
from OpenSSL import SSL

from support.client import Client
from support.openssl_wire import OpenSslWire
from support.sasl2_client import (
    FAST,
    PHONE,
    authenticate,
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
from support.worlds import PASSWORD, hausbote

BINDINGS = {"HT-SHA-256-EXPR": "exporter", "HT-SHA-256-ENDP": "end_point"}


@pytest.fixture
def verona(box):
    box.add_account("romeo")
    return box


def connect(box, version=SSL.TLS1_3_VERSION):
    client = Client(OpenSslWire(box, version), "h")
    client.features = client.secure()
    return client


def new_token(box, mechanism):
    return token_of(log_in(connect(box), user_agent(), request_token(mechanism)))


@pytest.mark.parametrize(("mechanism", "binding"), BINDINGS.items())
def test_a_bound_token(verona, mechanism, binding):
    token = new_token(verona, mechanism)
    for _ in range(2):
        client = connect(verona)
        data = getattr(client.wire, binding)()
        assert succeeded(token_login(client, token, bind2(), mechanism=mechanism, binding=data))
        assert client.jid.startswith("romeo@h/")


@pytest.mark.parametrize(("mechanism", "binding"), BINDINGS.items())
def test_a_token_bound_to_another_connection_fails(verona, mechanism, binding):
    token = new_token(verona, mechanism)
    elsewhere = connect(verona)
    data = elsewhere.wire.exporter() if binding == "exporter" else b"\0" * 32
    for wrong in (data, b""):
        answer = token_login(connect(verona), token, mechanism=mechanism, binding=wrong)
        assert failure_of(answer) == "not-authorized"


@pytest.mark.parametrize("given", BINDINGS)
def test_a_bound_token_is_not_taken_unbound_and_not_otherwise_bound(verona, given):
    token = new_token(verona, given)
    client = connect(verona)
    for mechanism in {*BINDINGS, "HT-SHA-256-NONE"} - {given}:
        data = getattr(client.wire, BINDINGS[mechanism])() if mechanism in BINDINGS else b""
        answer = token_login(client, token, mechanism=mechanism, binding=data)
        assert failure_of(answer) == "not-authorized"


def test_with_tls_1_2_there_is_no_exporter_to_bind_to(verona):
    client = connect(verona, SSL.TLS1_2_VERSION)
    offered = {one.text for one in client.features.iter(f"{{{FAST}}}mechanism")}
    assert offered == {"HT-SHA-256-ENDP", "HT-SHA-256-NONE"}
    answer = token_login(client, "x", mechanism="HT-SHA-256-EXPR")
    assert failure_of(answer) == "invalid-mechanism"


@pytest.mark.parametrize(
    ("version", "told"), [(SSL.TLS1_2_VERSION, "0303"), (SSL.TLS1_3_VERSION, "0304")]
)
def test_the_version_of_tls_is_signed(verona, version, told):
    client = connect(verona, version)
    binding = ("tls-server-end-point", client.wire.end_point())
    scram = ScramClient("romeo", PASSWORD, "SCRAM-SHA-256-PLUS", binding=binding)
    challenge = authenticate(client, "SCRAM-SHA-256-PLUS", scram.first())
    fields = dict(one.split("=", 1) for one in base64.b64decode(challenge.text).decode().split(","))
    assert fields["t"] == told
    answer = log_in(connect(verona), mechanism="SCRAM-SHA-1")
    assert succeeded(answer)


def test_the_owner_of_the_box_lists_and_revokes(verona):
    client = connect(verona)
    answer = log_in(client, user_agent(software="Gajim"), request_token(), bind2())
    token = token_of(answer)
    asked = ["user", "clients", "romeo@h"]
    (line,) = hausbote(*asked, "--json", state=verona.state).stdout.splitlines()
    told = json.loads(line)
    assert (told["software"], told["access"]) == ("Gajim", ["password", "token"])
    assert PHONE not in line
    assert "Gajim on Kiva's phone" in hausbote(*asked, state=verona.state).stdout
    done = hausbote(*asked, "--revoke", told["ref"], state=verona.state)
    assert "passwd" in done.stdout
    client.is_ended_with("not-authorized")
    assert failure_of(token_login(connect(verona), token)) == "credentials-expired"
    for arguments, problem in (
        ([*asked, "--revoke", "x"], "no client"),
        (["user", "clients", "nobody@h"], "no account"),
    ):
        refused = hausbote(*arguments, state=verona.state, check=False)
        assert refused.returncode == 1
        assert problem in refused.stderr


@pytest.mark.parametrize("change", ["lock", "passwd"])
def test_locking_and_a_new_password_end_tokens(verona, change):
    client = connect(verona)
    token = token_of(log_in(client, user_agent(), request_token(), bind2()))
    options = ["--password-stdin"] if change == "passwd" else []
    hausbote("user", change, "romeo@h", *options, state=verona.state, input="new\n")
    client.is_ended_with("reset")
    if change == "lock":
        assert failure_of(token_login(connect(verona), token)) == "not-authorized"
        hausbote("user", "unlock", "romeo@h", state=verona.state)
    assert failure_of(token_login(connect(verona), token)) == "credentials-expired"


def test_a_token_survives_a_restart(verona):
    token = new_token(verona, "HT-SHA-256-NONE")
    assert succeeded(token_login(connect(verona), token, count=1))
    verona.kill("c2s")
    verona.pid("c2s")
    assert failure_of(token_login(connect(verona), token, count=1)) == "not-authorized"
    assert succeeded(token_login(connect(verona), token, count=2))
