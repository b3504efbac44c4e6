"""-PLUS with both channel bindings, by a client on pyOpenSSL; direct TLS with ALPN; SNI; TLS limits."""

import ssl

import pytest
from OpenSSL import SSL

from support.client import SASL, Client
from support.openssl_wire import OpenSslWire
from support.scram_client import ScramClient
from support.worlds import PASSWORD, RunningWorld, hausbote


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


def test_with_tls_1_2_only_the_end_point_is_bound(verona):
    wire = OpenSslWire(verona, SSL.TLS1_2_VERSION)
    client = Client(wire, "h")
    _, types = offered(client.secure())
    assert types == {"tls-server-end-point"}
    binding = ("tls-server-end-point", wire.end_point())
    scram = ScramClient("romeo", PASSWORD, "SCRAM-SHA-256-PLUS", binding=binding)
    assert client.authenticate(scram, "SCRAM-SHA-256-PLUS").tag == f"{{{SASL}}}success"


@pytest.mark.parametrize("type", ["tls-exporter", "tls-server-end-point"])
def test_a_login_bound_to_another_connection_fails(verona, type):
    elsewhere = OpenSslWire(verona)
    other = elsewhere.exporter() if type == "tls-exporter" else b"\0" * 32
    client = Client(OpenSslWire(verona), "h")
    client.secure()
    scram = ScramClient("romeo", PASSWORD, "SCRAM-SHA-256-PLUS", binding=(type, other))
    assert "not-authorized" in client.authenticate(scram, "SCRAM-SHA-256-PLUS")[0].tag


def test_an_unknown_binding_fails(verona):
    client = Client(OpenSslWire(verona), "h")
    client.secure()
    scram = ScramClient("romeo", PASSWORD, "SCRAM-SHA-1-PLUS", binding=("tls-unique", b"x" * 12))
    assert client.authenticate(scram, "SCRAM-SHA-1-PLUS").tag == f"{{{SASL}}}failure"


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
