"""WebSockets of a running box (RFC 7395): what a frame may be, and how one ends."""

import pytest
from wsproto.events import CloseConnection, Ping, TextMessage

from support.client import PATIENCE, STREAM
from support.web import FRAMING, FramedClient, WebSocketWire, asked
from support.worlds import PASSWORD

OPEN = f"<open xmlns='{FRAMING}' to='h' version='1.0'/>"


@pytest.fixture
def socket(box):
    wire = WebSocketWire(box)
    yield wire
    wire.cut()


@pytest.fixture
def romeo(box):
    box.add_account("romeo")
    client = FramedClient(WebSocketWire(box), "h").log_in("romeo", PASSWORD)
    yield client
    client.wire.cut()


def is_closed(wire, code):
    while wire.recv(PATIENCE):
        pass
    assert wire.closed_with == code


def test_the_subprotocol_is_xmpp(box, socket):
    assert socket.accepted == "xmpp"
    assert WebSocketWire(box, ["chat", "xmpp"]).accepted == "xmpp"


@pytest.mark.parametrize("offered", [(), ("chat",), ("XMPP2",)])
def test_without_the_subprotocol_there_is_no_socket(box, offered):
    assert WebSocketWire(box, offered).rejected == 400


def test_a_plain_request_is_told_to_upgrade(box):
    status, headers, _ = asked(box, "GET", "/xmpp-websocket")
    assert (status, headers["Upgrade"]) == (426, "websocket")


def test_a_stream_is_opened_and_closed_by_elements(box, socket):
    client = FramedClient(socket, "h")
    client.open()
    socket.send(f"<close xmlns='{FRAMING}'/>".encode())
    assert client.next() is None
    assert client.ended
    is_closed(socket, 1000)


@pytest.mark.parametrize(
    ("frame", "condition"),
    [
        ("<iq xmlns='jabber:client'/><iq xmlns='jabber:client'/>", "bad-format"),
        ("<message xmlns='jabber:client'>", "bad-format"),
        ("hello", "bad-format"),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]><iq xmlns='jabber:client'/>", "restricted-xml"),
        ("<message xmlns='jabber:client'><body>&lol;</body></message>", "restricted-xml"),
        ("<message xmlns='jabber:client' to='a' to='b'/>", "not-well-formed"),
        (
            "<message xmlns='jabber:client'><body>" + "x" * 300_000 + "</body></message>",
            "policy-violation",
        ),
        (OPEN, "bad-format"),
    ],
)
def test_a_frame_is_one_plain_element(romeo, frame, condition):
    romeo.wire.send(frame.encode())
    romeo.is_ended_with(condition)
    assert romeo.wire.closed_with == 1000


@pytest.mark.parametrize(
    ("frame", "condition"),
    [
        ("<iq xmlns='jabber:client'/>", "bad-format"),
        ("<open xmlns='jabber:client' to='h' version='1.0'/>", "invalid-namespace"),
        (f"<stream:stream xmlns:stream='{STREAM}' to='h' version='1.0'/>", "bad-format"),
        (f"<open xmlns='{FRAMING}' to='elsewhere' version='1.0'/>", "host-unknown"),
        (f"<open xmlns='{FRAMING}' version='1.0'/>", "improper-addressing"),
        (f"<open xmlns='{FRAMING}' to='h' version='0.9'/>", "unsupported-version"),
        ("<!DOCTYPE open [<!ENTITY a 'aaaa'>]>" + OPEN, "restricted-xml"),
        ("<a>" + "x" * 20_000 + "</a>", "policy-violation"),
    ],
)
def test_what_does_not_open_a_stream_ends_it_with_a_header_of_ours(socket, frame, condition):
    client = FramedClient(socket, "h")
    socket.send(frame.encode())
    client.is_ended_with(condition)
    assert client.header.get("from") == "h"


def test_frames_may_have_a_declaration(romeo):
    ping = "<iq xmlns='jabber:client' type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>"
    romeo.wire.send(f"<?xml version='1.0' encoding='UTF-8'?>{ping}".encode())
    romeo.receives("<iq type='result' id='p'/>")


def test_binary_messages_are_refused(socket):
    socket.send_bytes(OPEN.encode())
    is_closed(socket, 1003)


def test_what_is_not_utf_8_is_refused(socket):
    socket.raw(b"\x81\x82\0\0\0\0\xff\xfe")
    is_closed(socket, 1007)


def test_unmasked_frames_are_refused(socket):
    socket.raw(b"\x81\x02hi")
    is_closed(socket, 1002)


def test_a_message_may_come_in_pieces_with_a_ping_between(romeo):
    text = "<iq xmlns='jabber:client' type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>"
    ws = romeo.wire.ws
    romeo.wire.raw(ws.send(TextMessage(data=text[:20], message_finished=False)))
    romeo.wire.raw(ws.send(Ping(payload=b"there?")))
    romeo.wire.raw(ws.send(TextMessage(data=text[20:])))
    romeo.receives("<iq type='result' id='1'/>")


def test_a_message_without_end_is_not_waited_for(romeo):
    ws = romeo.wire.ws
    romeo.wire.raw(ws.send(TextMessage(data="<message><body>", message_finished=False)))
    for _ in range(5):
        piece = TextMessage(data="x" * 60_000, message_finished=False)
        romeo.wire.raw(ws.send(piece))
    romeo.is_ended_with("policy-violation")


def test_white_space_keeps_a_stream_alive(romeo):
    romeo.wire.send(b" ")
    romeo.receives_nothing()


def test_a_client_may_close_the_socket_alone(romeo):
    romeo.wire.raw(romeo.wire.ws.send(CloseConnection(code=1001)))
    is_closed(romeo.wire, 1001)


def test_what_came_with_the_request_is_not_lost(box):
    """Some clients do not wait for the answer to their handshake."""
    wire = WebSocketWire(box)
    first = wire.ws.send(TextMessage(data=OPEN))
    wire.raw(first)
    client = FramedClient(wire, "h")
    assert client.next().tag == f"{{{STREAM}}}features"
