"""What a WebSocket does without being asked."""

import socket

import gevent
import pytest

from hausbote.base.ways import WEB
from hausbote.net.connection import Connection
from hausbote.net.traffic import Traffic
from hausbote.net.websocket import HandshakeError, WebSocket, handshake

REQUEST = {
    "Host": "h",
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": "xmpp",
}


class Receiver:
    closed = False

    def on_closed(self):
        self.closed = True


def headers(**changes):
    named = {name.replace("_", "-"): value for name, value in changes.items()}
    return [(k.encode(), v.encode()) for k, v in (REQUEST | named).items() if v is not None]


def test_silent_clients_are_asked_and_then_dropped():
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    ws, _ = handshake(headers(), "/", "xmpp")
    web_socket = WebSocket(Connection(ours, "192.0.2.1", Traffic()), ws, 0, WEB)
    web_socket.receiver = receiver = Receiver()
    web_socket.start(b"", b"")
    web_socket.check(web_socket.heard + 200)
    web_socket.check(web_socket.heard + 250)
    gevent.sleep(0.01)
    assert theirs.recv(100) == b"\x89\x00"
    assert not receiver.closed
    web_socket.check(web_socket.heard + 400)
    assert receiver.closed
    theirs.close()


def test_the_answer_to_a_handshake_is_the_one_of_the_rfc():
    _, answer = handshake(headers(), "/", "xmpp")
    assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in answer


@pytest.mark.parametrize(
    "changes",
    [
        {"Upgrade": None},
        {"Connection": "close"},
        {"Sec_WebSocket_Version": "8"},
        {"Sec_WebSocket_Key": None},
        {"Sec_WebSocket_Protocol": None},
        {"Sec_WebSocket_Protocol": "soap"},
    ],
)
def test_other_handshakes_are_refused(changes):
    with pytest.raises(HandshakeError):
        handshake(headers(**changes), "/", "xmpp")
