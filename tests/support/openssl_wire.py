"""A client's TLS connection by pyOpenSSL, which can export keying material."""

import hashlib
import socket

from OpenSSL import SSL, crypto


class OpenSslWire:
    """Direct TLS, verified against the box's CA."""

    needs_tls = False

    def __init__(self, box, version=SSL.TLS1_3_VERSION, alpn=b"xmpp-client", name=None, options=0):
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.load_verify_locations(str(box.ca))
        context.set_verify(SSL.VERIFY_PEER, lambda *arguments: bool(arguments[-1]))
        context.set_min_proto_version(version)
        context.set_max_proto_version(version)
        context.set_options(options)
        if alpn:
            context.set_alpn_protos([alpn])
        self.sock = socket.create_connection((box.address, box.tls_port), timeout=10)
        self.sock.settimeout(None)
        self.tls = SSL.Connection(context, self.sock)
        self.tls.set_tlsext_host_name((name or box.domain).encode())
        self.tls.set_connect_state()
        self.tls.do_handshake()

    def send(self, data):
        self.tls.sendall(data)

    def recv(self, _seconds):
        try:
            return self.tls.recv(65536)
        except SSL.Error:
            return b""

    def cut(self):
        self.sock.close()

    def exporter(self):
        return self.tls.export_keying_material(b"EXPORTER-Channel-Binding", 32, b"")

    def end_point(self):
        der = crypto.dump_certificate(crypto.FILETYPE_ASN1, self.tls.get_peer_certificate())
        return hashlib.sha256(der).digest()
