"""What tests of federation share: a judge, and servers that can do very little."""

import contextlib
import socket
import threading

from OpenSSL import SSL

from hausbote.base.settings import Settings
from hausbote.net.judge import Judge

FEATURES = (
    b"<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'"
    b" version='1.0' id='1'><stream:features/>"
)


def judge_with(directory, authority, **tls):
    """A judge that trusts the authority and, unless `tls` says otherwise, nobody else."""
    authority.write(directory)
    raw = {"domain": "house.example", "tls": {"trust": ["root.pem"], "authorities": ""} | tls}
    return Judge(Settings.from_dict(raw, directory))


def weak_context(method, identity=None, staple=b""):
    """TLS as careless people have it, with this certificate."""
    context = SSL.Context(method)
    context.set_cipher_list(b"ALL:@SECLEVEL=0")
    if identity is not None:
        context.use_certificate(identity.certificate)
        for above in identity.above:
            context.add_extra_chain_cert(above)
        context.use_privatekey(identity.key)
    if staple:
        context.set_ocsp_server_callback(lambda *_: staple)
    return context


class LonelyServer:
    """Shows a certificate, says `features` and hangs up; or says `plain` without any TLS."""

    def __init__(self, address, port, *, identity, features=FEATURES, plain=None):
        self._context = weak_context(SSL.TLS_SERVER_METHOD, identity)
        self.protocols = []  # that were asked for by ALPN
        self._context.set_alpn_select_callback(self._choose)
        self._features, self._plain = features, plain
        self._sock = socket.create_server((address, port))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._sock.close()

    def _choose(self, _, offered):
        self.protocols += offered
        return offered[0]

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._sock.accept()
                with sock, contextlib.suppress(SSL.Error, OSError):
                    self._welcome(sock)

    def _welcome(self, sock):
        if self._plain is not None:
            sock.recv(4096)
            sock.sendall(self._plain)
            return
        tls = SSL.Connection(self._context, sock)
        tls.set_accept_state()
        tls.do_handshake()
        tls.recv(4096)
        if self._features:
            tls.sendall(self._features)
        tls.shutdown()
        sock.recv(4096)
