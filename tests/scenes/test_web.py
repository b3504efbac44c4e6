"""The same sessions over WebSocket (RFC 7395) and BOSH (XEP-0124, 0206), against a running box."""

import pytest

from support.client import SASL
from support.scram_client import ScramClient
from support.web import BoshWire, FramedClient, WebSocketWire, WebWorld
from support.worlds import PASSWORD


@pytest.fixture(params=["websocket", "bosh"])
def world(request, box):
    return WebWorld(box, request.param)


def test_a_client_logs_in_and_talks(cast):
    romeo, juliet = cast("romeo/orchard", "juliet/balcony")
    assert romeo.jid == "romeo@h/orchard"
    romeo.sends("<message to='juliet@h' type='chat'><body>Hark! &amp; é</body></message>")
    juliet.receives(
        "<message from='romeo@h/orchard' type='chat'><body>Hark! &amp; é</body></message>"
    )
    juliet.sends("<message to='romeo@h/orchard' type='chat'><body>Ay me!</body></message>")
    romeo.receives("<message from='juliet@h/balcony'><body>Ay me!</body></message>")


def test_the_header_and_features_are_those_of_a_stream_that_is_encrypted(cast):
    client = cast.world.client()
    features = client.open()
    assert features.tag == "{http://etherx.jabber.org/streams}features"
    assert features.find("{urn:ietf:params:xml:ns:xmpp-tls}starttls") is None
    assert features.find(f"{{{SASL}}}mechanisms") is not None
    if cast.world.name == "websocket":
        assert (client.header.get("from"), client.header.get("version")) == ("h", "1.0")
        assert len(client.header.get("id")) >= 16


def test_friends_see_each_other_over_every_transport(cast):
    romeo, juliet = cast("romeo", "juliet")
    cast.befriend(romeo, juliet)
    romeo.sends("<presence><show>away</show></presence>")
    juliet.receives("<presence from='romeo@h/somewhere'><show>away</show></presence>")
    romeo.leaves()
    juliet.receives("<presence type='unavailable' from='romeo@h/somewhere'/>")


def test_many_stanzas_arrive_in_order(cast):
    romeo, juliet = cast("romeo", "juliet")
    for number in range(40):
        romeo.sends(f"<message to='juliet@h' type='chat' id='{number}'><body>x</body></message>")
    for number in range(40):
        juliet.receives(f"<message id='{number}'/>")
    juliet.receives_nothing()


def test_a_large_stanza_passes_in_both_directions(cast):
    romeo = cast("romeo")
    body = "é" * 100_000
    romeo.sends(f"<message to='romeo@h' type='chat'><body>{body}</body></message>")
    romeo.receives(f"<message><body>{body}</body></message>")


def test_letters_that_wait_are_there_at_login(cast):
    cast.account("juliet")
    romeo = cast("romeo")
    romeo.sends("<message to='juliet@h' type='chat'><body>Hark!</body></message>")
    romeo.settle()
    juliet = cast.log_in("juliet")
    juliet.sends("<presence/>")
    juliet.receives_any_order(
        "<message><body>Hark!</body><delay xmlns='urn:xmpp:delay'/></message>", "<presence/>"
    )


def test_a_wrong_password_is_told_and_may_be_corrected(cast):
    cast.account("romeo")
    client = cast.world.client()
    client.secure()
    refused = client.authenticate(ScramClient("romeo", "x", "SCRAM-SHA-1"), "SCRAM-SHA-1")
    assert refused[0].tag == f"{{{SASL}}}not-authorized"
    answer = client.authenticate(ScramClient("romeo", PASSWORD, "SCRAM-SHA-1"), "SCRAM-SHA-1")
    assert answer.tag == f"{{{SASL}}}success"


def test_nothing_is_said_before_the_login(cast):
    client = cast.world.client()
    client.open()
    client.send("<message to='romeo@h'><body>x</body></message>")
    client.is_ended_with("not-authorized")


def test_what_is_no_stanza_ends_the_stream_and_nobody_else_notices(cast):
    mercutio, romeo, juliet = cast("mercutio", "romeo", "juliet")
    mercutio.sends("<unheard xmlns='of'/>")
    mercutio.is_ended_with("unsupported-stanza-type")
    romeo.sends("<message to='juliet@h' type='chat'><body>Still here</body></message>")
    juliet.receives("<message><body>Still here</body></message>")


def test_the_newer_client_takes_the_resource_over(cast):
    old = cast("romeo/orchard")
    new = cast("romeo/orchard")
    old.is_ended_with("conflict")
    new.receives_nothing()


def test_people_meet_across_transports(box, cast):
    near = cast("romeo/web")
    far = box.client().log_in("romeo", PASSWORD, "tcp")
    cast.clients.append(far)
    far.sends("<message to='romeo@h/web' type='chat'><body>Hark!</body></message>")
    near.receives("<message from='romeo@h/tcp'><body>Hark!</body></message>")
    near.sends("<message to='romeo@h/tcp' type='chat'><body>Ay me!</body></message>")
    far.receives("<message from='romeo@h/web'><body>Ay me!</body></message>")


@pytest.mark.parametrize("wire", [WebSocketWire, BoshWire])
def test_nothing_is_bound_to_a_connection_that_pages_do_not_see(box, wire):
    """Whoever says that they could bind is not told that somebody robbed them."""
    box.add_account("romeo")
    client = FramedClient(wire(box), "h")
    features = client.open()
    offered = {one.text for one in features.iter() if one.tag.endswith("}mechanism")}
    assert "SCRAM-SHA-256" in offered
    assert not any(name.endswith(("-PLUS", "-EXPR", "-ENDP")) for name in offered)
    assert features.find("{urn:xmpp:sasl-cb:0}sasl-channel-binding") is None
    scram = ScramClient("romeo", PASSWORD, "SCRAM-SHA-256", flag="y")
    assert client.authenticate(scram, "SCRAM-SHA-256").tag == f"{{{SASL}}}success"
