"""The rows of XEP-0479 (compliance suites 2023) for servers, Advanced Server level, as data.

A row names what must be there, where a client sees it, and the tests that prove it works.  Rows that
have no proof yet say for whom they wait; a row that nothing announces has no place.
"""

from typing import NamedTuple

DISCO = "http://jabber.org/protocol/disco#info"
MUC = "http://jabber.org/protocol/muc"


class Place(NamedTuple):
    """Where it is announced: "server" and "account" are their disco#info, "service" that of any
    service of the box, "before login" and "after login" the features of the stream."""

    where: str
    what: str


class Row(NamedTuple):
    suite: str
    level: str  # Server, or Advanced Server
    feature: str
    standard: str
    places: tuple[Place, ...]
    proof: str  # "scenes/test_x.py" or "scenes/test_x.py::test_y"
    waits_for: str = ""


SERVER, ADVANCED = "Server", "Advanced Server"


def _server(what):
    return (Place("server", what),)


def _account(what):
    return (Place("account", what),)


def _stream(what, when="after login"):
    return (Place(when, what),)


# fmt: off
ROWS = (
    Row("Core", SERVER, "Core features", "RFC 6120", _stream("{urn:ietf:params:xml:ns:xmpp-bind}bind"), "scenes/test_login.py"),
    Row("Core", SERVER, "TLS", "RFC 7590", (), "interop/test_channel_binding.py"),
    Row("Core", ADVANCED, "Direct TLS", "XEP-0368", (), "interop/test_channel_binding.py"),
    Row("Core", SERVER, "Feature discovery", "XEP-0030", _server(DISCO), "scenes/test_queries.py"),
    Row("Core", ADVANCED, "Feature broadcasts", "XEP-0115", _stream("{http://jabber.org/protocol/caps}c", "before login"), "scenes/test_queries.py::test_the_stream_announces_capabilities_that_match_the_servers_disco"),
    Row("Core", SERVER, "Server extensibility", "XEP-0114", (), "scenes/test_components.py"),
    Row("Core", ADVANCED, "Event publishing", "XEP-0163", _account("pubsub/pep"), "scenes/test_pep.py"),
    Row("Web", SERVER, "Web connection", "RFC 7395", (), "scenes/test_websocket.py"),
    Row("Web", SERVER, "Web connection", "XEP-0206, 0124", (), "scenes/test_bosh.py"),
    Row("Web", SERVER, "Connection discovery (not asked of servers)", "XEP-0156", (), "scenes/test_discovery.py"),
    Row("IM", SERVER, "Core features", "RFC 6121", _stream("{urn:xmpp:features:rosterver}ver"), "scenes/test_subscriptions.py"),
    Row("IM", SERVER, "vcard-temp", "XEP-0054", _server("vcard-temp"), "scenes/test_avatars.py"),
    Row("IM", SERVER, "Outbound messages to other clients", "XEP-0280", _server("urn:xmpp:carbons:2"), "scenes/test_carbons.py"),
    Row("IM", SERVER, "Group chat", "XEP-0045", (Place("service", MUC),), "scenes/test_rooms_entering.py"),
    Row("IM", SERVER, "File upload", "XEP-0363", (Place("service", "urn:xmpp:http:upload:0"),), "scenes/test_upload.py"),
    Row("IM", ADVANCED, "Avatar conversion", "XEP-0398, 0153", _account("urn:xmpp:pep-vcard-conversion:0"), "scenes/test_avatars.py"),
    Row("IM", ADVANCED, "User blocking", "XEP-0191", _server("urn:xmpp:blocking"), "scenes/test_blocking.py"),
    Row("IM", ADVANCED, "Advanced group chat: archive", "XEP-0313 in rooms", (), "scenes/test_rooms_archive.py"),
    Row("IM", ADVANCED, "Advanced group chat: bookmarks", "XEP-0402", _account("urn:xmpp:bookmarks:1#compat"), "scenes/test_bookmarks.py"),
    Row("IM", ADVANCED, "Advanced group chat: self-ping", "XEP-0410", (), "scenes/test_rooms_talking.py::test_a_self_ping_tells_whether_one_is_there"),
    Row("IM", ADVANCED, "Private data via pubsub", "XEP-0223", _account("http://jabber.org/protocol/pubsub#publish-options"), "scenes/test_pep.py"),
    Row("IM", ADVANCED, "Private XML storage", "XEP-0049", _server("jabber:iq:private"), "scenes/test_private.py"),
    Row("IM", ADVANCED, "Stream management", "XEP-0198", _stream("{urn:xmpp:sm:3}sm"), "", "lead"),
    Row("IM", ADVANCED, "Message archive", "XEP-0313", _account("urn:xmpp:mam:2"), "scenes/test_archive.py"),
    Row("Mobile", SERVER, "Stream management", "XEP-0198", _stream("{urn:xmpp:sm:3}sm"), "", "lead"),
    Row("Mobile", SERVER, "Client state indication", "XEP-0352", _stream("{urn:xmpp:csi:0}csi"), "scenes/test_client_state.py"),
    Row("Mobile", ADVANCED, "Push notifications", "XEP-0357", _account("urn:xmpp:push:0"), "scenes/test_push.py"),
)
# fmt: on
