"""-PLUS with both channel bindings, by a client on pyOpenSSL; direct TLS with ALPN; SNI; TLS limits."""

import ssl

import pytest
from OpenSSL import SSL

from support.client import SASL, Client
from support.openssl_wire import OpenSslWire
from support.scram_client import ScramClient
from support.worlds import PASSWORD, RunningWorld, hausbote

_NO_EXTENDED_MASTER_SECRET = 1  # SSL_OP_NO_EXTENDED_MASTER_SECRET, which pyOpenSSL does not name


@pytest.fixture
def verona(box):
    box.add_account("romeo")
    return box


def offered(features):
    types = features.iter("{urn:xmpp:sasl-cb:0}channel-binding")
    mechanisms = [one.text for one in features.iter(f"{{{SASL}}}mechanism")]
    return mechanisms, {one.get("type") for one in types}


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS"])
@pytest.mark.parametrize("type", ["tls-exporter", "tls-server-end-point"])
def test_a_bound_login(verona, mechanism, type):
    wire = OpenSslWire(verona)
    client = Client(wire, "h")
    mechanisms, types = offered(client.secure())
    assert mechanism in mechanisms
    assert types == {"tls-exporter", "tls-server-end-point"}
    data = wire.exporter() if type == "tls-exporter" else wire.end_point()
    scram = ScramClient("romeo", PASSWORD, mechanism, binding=(type, data))
    assert client.authenticate(scram, mechanism).tag == f"{{{SASL}}}success"


@pytest.mark.parametrize("type", ["tls-unique", "tls-server-end-point"])
def test_a_login_bound_with_tls_1_2(verona, type):
    wire = OpenSslWire(verona, SSL.TLS1_2_VERSION)
    client = Client(wire, "h")
    _, types = offered(client.secure())
    assert types == {"tls-unique", "tls-server-end-point"}
    data = wire.tls.get_finished() if type == "tls-unique" else wire.end_point()
    scram = ScramClient("romeo", PASSWORD, "SCRAM-SHA-256-PLUS", binding=(type, data))
    assert client.authenticate(scram, "SCRAM-SHA-256-PLUS").tag == f"{{{SASL}}}success"


def test_without_the_extended_master_secret_tls_unique_says_nothing(verona):
    """Two connections can have the same then (RFC 7627 §1)."""
    wire = OpenSslWire(verona, SSL.TLS1_2_VERSION, options=_NO_EXTENDED_MASTER_SECRET)
    client = Client(wire, "h")
    _, types = offered(client.secure())
    assert types == {"tls-server-end-point"}
    binding = ("tls-unique", wire.tls.get_finished())
    scram = ScramClient("romeo", PASSWORD, "SCRAM-SHA-256-PLUS", binding=binding)
    assert "malformed-request" in client.authenticate(scram, "SCRAM-SHA-256-PLUS")[0].tag


@pytest.mark.parametrize("type", ["tls-exporter", "tls-server-end-point"])
def test_a_login_bound_to_another_connection_fails(verona, type):
    elsewhere = OpenSslWire(verona)
    other = elsewhere.exporter() if type == "tls-exporter" else b"\0" * 32
    client = Client(OpenSslWire(verona), "h")
    client.secure()
    scram = ScramClient("romeo", PASSWORD, "SCRAM-SHA-256-PLUS", binding=(type, other))
    assert "not-authorized" in client.authenticate(scram, "SCRAM-SHA-256-PLUS")[0].tag


def test_a_binding_that_is_not_offered_is_no_wrong_password(tmp_path):
    """Clients that know tls-unique alone try it with TLS 1.3, too, one mechanism after the other."""
    box = RunningWorld(tmp_path / "state", "limits.login_attempts=1", address="127.0.0.17")
    box.add_account("romeo")
    wire = OpenSslWire(box)
    client = Client(wire, "h")
    client.secure()
    for mechanism in ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS"):
        scram = ScramClient("romeo", PASSWORD, mechanism, ("tls-unique", wire.tls.get_finished()))
        failure = client.authenticate(scram, mechanism)
        assert "malformed-request" in failure[0].tag
        assert "tls-exporter, tls-server-end-point" in failure[1].text
    scram = ScramClient("romeo", PASSWORD, "SCRAM-SHA-1")
    assert client.authenticate(scram, "SCRAM-SHA-1").tag == f"{{{SASL}}}success"
    box.close()


def test_a_client_that_was_robbed_of_plus_is_told(verona):
    client = Client(OpenSslWire(verona), "h")
    client.secure()
    scram = ScramClient("romeo", PASSWORD, "SCRAM-SHA-256", flag="y")
    assert "not-authorized" in client.authenticate(scram, "SCRAM-SHA-256")[0].tag


def test_direct_tls_chooses_xmpp_and_begins_with_a_declaration(verona):
    wire = OpenSslWire(verona)
    assert wire.tls.get_alpn_proto_negotiated() == b"xmpp-client"
    wire.send(
        b"<?xml version='1.0'?><stream:stream to='h' version='1.0' xmlns='jabber:client' "
        b"xmlns:stream='http://etherx.jabber.org/streams'>"
    )
    assert wire.recv(5).startswith(b"<?xml version='1.0'?><stream:stream ")


def test_another_protocol_is_refused_in_the_handshake(verona):
    with pytest.raises(SSL.Error):
        OpenSslWire(verona, alpn=b"http/1.1")


def test_no_alpn_is_fine(verona):
    assert OpenSslWire(verona, alpn=None).tls.get_alpn_proto_negotiated() == b""


def test_the_certificate_holds_for_every_name_of_the_box(verona):
    certificate = OpenSslWire(verona, name="rooms.h").tls.get_peer_certificate().to_cryptography()
    names = str(certificate.extensions)
    assert all(
        name in names for name in ("'h'", "'rooms.h'", "'upload.h'", "'proxy.h'", "'pubsub.h'")
    )


def test_old_tls_is_refused(verona):
    wire = verona.direct_wire()
    with pytest.raises(ssl.SSLError):
        wire.secure(minimum=ssl.TLSVersion.TLSv1_1, maximum=ssl.TLSVersion.TLSv1_1)


def test_a_name_with_a_certificate_of_its_own_shows_that_one(tmp_path):
    """certs/NAME.pem and NAME.key, as certbot brings them for each name."""
    hausbote("init", "--domain", "h", state=tmp_path / "other")
    state = tmp_path / "state"
    box = RunningWorld(state, address="127.0.0.16")
    common = OpenSslWire(box).end_point()
    box.stop()
    for kind in ("pem", "key"):
        own = (tmp_path / "other" / "certs" / f"box.{kind}").read_bytes()
        (state / "certs" / f"rooms.h.{kind}").write_bytes(own)
    both = box.ca.read_bytes() + (tmp_path / "other" / "certs" / "ca.pem").read_bytes()
    box.ca.write_bytes(both)
    box.start()
    box.add_account("romeo")
    assert OpenSslWire(box).end_point() == common
    wire = OpenSslWire(box, name="rooms.h")
    assert wire.end_point() != common
    client = Client(wire, "h")
    client.secure()
    binding = ("tls-server-end-point", wire.end_point())
    scram = ScramClient("romeo", PASSWORD, "SCRAM-SHA-256-PLUS", binding=binding)
    assert client.authenticate(scram, "SCRAM-SHA-256-PLUS").tag == f"{{{SASL}}}success"
    box.close()
