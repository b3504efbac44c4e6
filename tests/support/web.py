"""The same client over WebSocket and over BOSH: frames instead of one document."""

import http.client
import queue
import random
import socket
import ssl
import threading
import time

from lxml import etree
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Ping,
    RejectConnection,
    Request,
    TextMessage,
)

from support.client import PATIENCE, Client
from support.patterns import CLIENT

FRAMING = "urn:ietf:params:xml:ns:xmpp-framing"
BIND = "http://jabber.org/protocol/httpbind"
XBOSH = "urn:xmpp:xbosh"


class FramedClient(Client):
    """Elements as frames; `wire` is a WebSocketWire or a BoshWire."""

    def _restart(self):
        self.header = None

    def open(self, **attributes):
        attributes = {"to": self.domain, "version": "1.0", "xml:lang": "en"} | attributes
        written = "".join(f" {k}='{v}'" for k, v in attributes.items() if v is not None)
        self.send(f"<open xmlns='{FRAMING}'{written}/>")
        return self.next()

    def send(self, text: str) -> None:
        if text == "</stream:stream>":
            text = f"<close xmlns='{FRAMING}'/>"
        for prefix in ("<message", "<iq", "<presence"):
            if text.startswith(prefix):
                text = f"{prefix} xmlns='{CLIENT}'{text[len(prefix) :]}"
        self.wire.send(text.encode())

    def _feed(self, data: bytes) -> None:
        element = etree.fromstring(data)
        if element.tag == f"{{{FRAMING}}}open":
            self.header = element
        elif element.tag == f"{{{FRAMING}}}close":
            self.ended = True
        else:
            self._inbox.append(element)


class WebSocketWire:
    """Text messages over TLS."""

    needs_tls = False

    def __init__(self, world, subprotocols=("xmpp",), path="/xmpp-websocket", origin=None):
        self.sock = tls_socket(world)
        self.ws = WSConnection(ConnectionType.CLIENT)
        self.messages = []
        self._text = ""
        self.closed_with = None
        self.rejected = None
        request = Request(
            host=world.domain, target=path, subprotocols=list(subprotocols),
            extra_headers=[(b"Origin", origin.encode())] if origin else [],
        )  # fmt: skip
        self.raw(self.ws.send(request))
        self.accepted = None
        while self.accepted is None and self.rejected is None:
            assert self._read(PATIENCE) is not None, "no answer to the handshake"

    def raw(self, data: bytes) -> None:
        self.sock.sendall(data)

    def send(self, data: bytes) -> None:
        self.raw(self.ws.send(TextMessage(data=data.decode())))

    def send_bytes(self, data: bytes) -> None:
        self.raw(self.ws.send(BytesMessage(data=data)))

    def recv(self, seconds: float) -> bytes | None:
        deadline = time.monotonic() + seconds
        while not self.messages:
            left = deadline - time.monotonic()
            got = self._read(left) if left > 0 else None
            if not got:
                return got
        return self.messages.pop(0)

    def _read(self, seconds):
        self.sock.settimeout(max(seconds, 0.001))
        try:
            data = self.sock.recv(65536)
        except TimeoutError:
            return None
        except (OSError, ssl.SSLError):
            data = b""
        if not data:
            return b""
        self.ws.receive_data(data)
        for event in self.ws.events():
            self._take(event)
        return data

    def _take(self, event):
        match event:
            case AcceptConnection():
                self.accepted = event.subprotocol
            case RejectConnection():
                self.rejected = event.status_code
            case TextMessage():
                self._text += event.data
                if event.message_finished:
                    self.messages.append(self._text.encode())
                    self._text = ""
            case Ping():
                self.raw(self.ws.send(event.response()))
            case CloseConnection():
                self.closed_with = event.code

    def cut(self) -> None:
        self.sock.close()


class BoshWire:
    """Frames taken to bodies and back; one thread asks, another sends, as browsers do."""

    needs_tls = False

    def __init__(self, world, origin=None):
        self.world = world
        self.headers = {"Origin": origin} if origin else {}
        self.sid = None
        self.rid = random.getrandbits(40)
        self.frames = queue.Queue()
        self.ended = False
        self._lock = threading.Lock()
        self._outstanding = 0
        self._last = None

    def send(self, data: bytes) -> None:
        if self.ended:
            raise BrokenPipeError
        if data.startswith(b"<open"):
            opened = etree.fromstring(data)
            said = "".join(
                f" {'xml:lang' if k.startswith('{') else k}='{v}'" for k, v in opened.items()
            ).replace(" version=", " xmpp:version=")
            if self.sid is None:
                self._create(said)
            else:
                self.post(f" xmpp:restart='true' xmlns:xmpp='{XBOSH}'{said}")
        elif data.startswith(b"<close"):
            self.post(" type='terminate'")
        else:
            self.post("", data.decode())

    def _create(self, said):
        asked = f" hold='1' wait='20' ver='1.6' xmlns:xmpp='{XBOSH}'{said}"
        self.take(self.ask(self.body(asked)))

    def body(self, attributes, inner="", rid=None):
        if rid is None:
            rid = self.rid = self.rid + 1
        sid = f" sid='{self.sid}'" if self.sid else ""
        return f"<body rid='{rid}'{sid}{attributes} xmlns='{BIND}'>{inner}</body>"

    def ask(self, body, timeout=30):
        """One HTTP request on a connection of its own; the answer's <body/>."""
        connection = https(self.world, timeout)
        connection.request("POST", "/http-bind", body.encode(), self.headers)
        response = connection.getresponse()
        answer = response.read()
        connection.close()
        assert response.status == 200, response.status
        return etree.fromstring(answer)

    def post(self, attributes, inner=""):
        """Send in the order of the rids, without waiting for the answer."""
        with self._lock:
            body = self.body(attributes, inner)
            self._outstanding += 1
            before, mine = self._last, threading.Event()
            self._last = mine
            threading.Thread(target=self._ask, args=(body, before, mine), daemon=True).start()
        while self._outstanding > 1 and not self.ended:
            time.sleep(0.002)  # no more than one beside the one that is held

    def _ask(self, body, before, mine):
        try:
            answer = self.ask(body)
        except (OSError, AssertionError, http.client.HTTPException):
            answer = None
        if before is not None:
            before.wait(30)  # answers are taken in order
        if answer is None:
            self._end()
        else:
            self.take(answer)
        mine.set()
        with self._lock:
            self._outstanding -= 1
            idle = self._outstanding == 0
        if idle and not self.ended and self.sid:
            self.post("")

    def take(self, body):
        if self.sid is None:
            self.sid = body.get("sid")
        for element in body:
            self.frames.put(etree.tostring(element, with_tail=False))
        if body.get("type") == "terminate":
            self.condition = body.get("condition")
            self._end()

    def _end(self):
        self.ended = True
        self.frames.put(b"")

    def recv(self, seconds: float) -> bytes | None:
        try:
            data = self.frames.get(timeout=max(seconds, 0.001))
        except queue.Empty:
            return b"" if self.ended else None
        if data == b"":
            self.frames.put(b"")
        return data

    def cut(self) -> None:
        self.ended = True


class WebWorld:
    """A running box, entered by the web."""

    def __init__(self, box, transport):
        self.box = box
        self.name = transport

    def __getattr__(self, name):
        return getattr(self.box, name)

    def client(self):
        wire = WebSocketWire if self.name == "websocket" else BoshWire
        return FramedClient(wire(self.box), self.box.domain)


def tls_socket(world, timeout=10):
    context = ssl.create_default_context(cafile=str(world.ca))
    context.set_alpn_protocols(["http/1.1"])
    sock = socket.create_connection((world.address, world.web_port), timeout=timeout)
    return context.wrap_socket(sock, server_hostname=world.domain)


def https(world, timeout=30):
    """An HTTP client's connection to the box."""
    connection = http.client.HTTPConnection(world.domain, timeout=timeout)
    connection.sock = tls_socket(world, timeout)
    return connection


def asked(world, method, path, body=None, **headers):
    """The status, headers and body of one answer."""
    connection = https(world)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, named)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response.status, response.headers, content
