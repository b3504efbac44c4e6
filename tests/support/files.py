"""Uploading and downloading as clients do: a slot over XMPP, the file over HTTP."""

import contextlib
import http.client
import socket
import ssl
from typing import NamedTuple
from urllib.parse import urlsplit

UPLOAD = "urn:xmpp:http:upload:0"


class Place(NamedTuple):
    """A slot as a client gets it."""

    put: str
    get: str
    headers: dict

    @property
    def path(self):
        return urlsplit(self.put).path

    @property
    def id(self):
        return self.path.split("/")[1]


def ask(client, size, name="picture.jpg", type=None, inside=""):
    """Send the request for a slot."""
    kind = f" content-type='{type}'" if type else ""
    client.sends(
        f"<iq type='get' id='slot' to='upload.{client.domain}'><request xmlns='{UPLOAD}'"
        f" filename='{name}' size='{size}'{kind}>{inside}</request></iq>"
    )


def slot(client, size, name="picture.jpg", type=None, inside=""):
    """Ask for a slot and get it."""
    ask(client, size, name, type, inside)
    answer = client.receives(
        f"<iq type='result' id='slot' from='upload.{client.domain}'><slot xmlns='{UPLOAD}'><put/><get/></slot></iq>"
    )
    put, get = answer[0].find(f"{{{UPLOAD}}}put"), answer[0].find(f"{{{UPLOAD}}}get")
    headers = {one.get("name"): one.text for one in put}
    return Place(put.get("url"), get.get("url"), headers)


def tls(world, timeout=20, receive_buffer=0):
    """A connection to the upload port."""
    context = ssl.create_default_context(cafile=str(world.ca))
    context.set_alpn_protocols(["http/1.1"])
    sock = socket.socket()
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.settimeout(timeout)
    sock.connect((world.address, world.upload_port))
    return context.wrap_socket(sock, server_hostname=f"upload.{world.domain}")


def http_(world, method, path, body=None, **headers):
    """The status, headers and body of the answer to one request."""
    connection = http.client.HTTPConnection(f"upload.{world.domain}", timeout=20)
    connection.sock = tls(world)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # an early no
        connection.request(method, path, body, named)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response.status, response.headers, content


def put(world, place, body, **headers):
    return http_(world, "PUT", place.path, body, **(place.headers | headers))


def raw(world, data):
    """Everything that comes back for these bytes."""
    sock = tls(world, 10)
    answer = b""
    with contextlib.suppress(OSError), sock:
        sock.sendall(data)
        while piece := sock.recv(65536):
            answer += piece
    return answer
