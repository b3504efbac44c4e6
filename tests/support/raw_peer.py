"""A server that says exactly what a test wants, to a box in this process."""

import base64
import ssl

import gevent
import gevent.socket

from support.client import SASL, STREAM, Client

SERVER = "jabber:server"
TLS = "urn:ietf:params:xml:ns:xmpp-tls"


class GreenWire:
    """TCP and TLS that make only this greenlet wait; `identity` is a client certificate."""

    def __init__(self, address, port, directory=None, identity=None, alpn=None, source=""):
        """From the address `source`, if it is to be a certain one."""
        self.sock = gevent.socket.create_connection((address, port), 10, (source, 0))
        self._incoming, self._outgoing, self._tls = ssl.MemoryBIO(), ssl.MemoryBIO(), None
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.check_hostname = False
        self._context.verify_mode = ssl.CERT_NONE
        self._context.set_ciphers("ALL:@SECLEVEL=0")
        if alpn:
            self._context.set_alpn_protocols(alpn)
        if identity is not None:
            self._context.load_cert_chain(*identity.write(directory, "raw"))

    @property
    def needs_tls(self):
        return self._tls is None

    def secure(self):
        self._tls = self._context.wrap_bio(self._incoming, self._outgoing, server_hostname="x")
        while True:
            try:
                self._tls.do_handshake()
                self._flush()
                return
            except ssl.SSLWantReadError:
                self._flush()
                data = self.sock.recv(65_536)
                if not data:
                    raise ConnectionResetError from None
                self._incoming.write(data)

    def _flush(self):
        if data := self._outgoing.read():
            self.sock.sendall(data)

    def send(self, data):
        if self._tls is None:
            self.sock.sendall(data)
        else:
            self._tls.write(data)
            self._flush()

    def recv(self, seconds):
        try:
            if self._tls is None:
                self.sock.settimeout(max(seconds, 0.001))
                return self.sock.recv(65_536)
            return self._decrypted(seconds)
        except TimeoutError:
            return None
        except (OSError, ssl.SSLError):
            return b""

    def _decrypted(self, seconds):
        while True:
            try:
                return self._tls.read(65_536)
            except ssl.SSLWantReadError:
                self.sock.settimeout(max(seconds, 0.001))
                data = self.sock.recv(65_536)
                if not data:
                    return b""
                self._incoming.write(data)

    def cut(self):
        self.sock.close()


class RawPeer(Client):
    """Stanzas are compared without their content namespace, as a client's are."""

    def open(self, sender="montague.example", to=None, **attributes):
        """Send a header; returns what comes first, if anything does."""
        self._restart()
        attributes = {"from": sender, "to": to or self.domain, "version": "1.0"} | attributes
        written = "".join(f" {k}='{v}'" for k, v in attributes.items() if v is not None)
        self.send(
            f"<?xml version='1.0'?><stream:stream{written} xmlns='{SERVER}'"
            f" xmlns:db='jabber:server:dialback' xmlns:stream='{STREAM}'>"
        )
        return self.next()

    def start_tls(self, **header):
        """Up to the features behind TLS."""
        self.open(**header)
        self.send(f"<starttls xmlns='{TLS}'/>")
        assert self.next().tag == f"{{{TLS}}}proceed"
        self.wire.secure()
        return self.open(**header)

    def prove(self, sender="montague.example"):
        """The whole way; returns the features of a proven stream."""
        self.start_tls(sender=sender)
        self.authenticate_as(sender)
        return self.open(sender)

    def authenticate_as(self, name):
        identity = base64.b64encode(name.encode()).decode()
        self.send(f"<auth xmlns='{SASL}' mechanism='EXTERNAL'>{identity}</auth>")
        answer = self.next()
        assert answer.tag == f"{{{SASL}}}success", answer.tag
        return answer

    def next(self, seconds=5.0):
        element = super().next(seconds)
        for one in element.iter() if element is not None else ():
            if one.tag.startswith(f"{{{SERVER}}}"):
                one.tag = one.tag.replace(SERVER, "jabber:client")
        return element

    def settle(self):
        raise NotImplementedError("other servers have no account to ask")
