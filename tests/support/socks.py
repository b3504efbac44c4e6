"""A bytestreams client of the file proxy."""

import contextlib
import hashlib
import socket

BYTESTREAMS = "http://jabber.org/protocol/bytestreams"


def address(sid, requester, target):
    return hashlib.sha1(f"{sid}{requester}{target}".encode()).hexdigest()


def come(world, name, timeout=20):
    """A connection that has asked for the stream of that name, and the reply's code."""
    sock = socket.create_connection((world.address, world.proxy_port), timeout=timeout)
    sock.sendall(b"\x05\x01\x00")
    assert exactly(sock, 2) == b"\x05\x00"
    request = b"\x00\x03%c%s\x00\x00" % (len(name), name.encode())
    sock.sendall(b"\x05\x01" + request)
    reply = exactly(sock, 2 + len(request))
    assert reply[2:] == request
    return sock, reply[1]


def exactly(sock, size):
    data = b""
    while len(data) < size and (piece := sock.recv(size - len(data))):
        data += piece
    return data


def rest(sock):
    """Everything until the end, which must come."""
    data = b""
    with contextlib.suppress(ConnectionError):
        while piece := sock.recv(65536):
            data += piece
    return data


def activate(client, sid, target):
    client.sends(
        f"<iq type='set' id='go' to='proxy.h'><query xmlns='{BYTESTREAMS}' sid='{sid}'>"
        f"<activate>{target}</activate></query></iq>"
    )
