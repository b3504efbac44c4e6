"""One side of TLS 1.3 after the handshake, a record at a time (RFC 8446 §5, §7.3).

OpenSSL writes no empty records, no key updates by itself and no message in records of a byte; here
every record is made by hand, with the keys that OpenSSL agreed upon.
"""

import socket
import struct

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from OpenSSL import SSL

HANDSHAKE, DATA = 22, 23
KEY_UPDATE = b"\x18\x00\x00\x01\x01"  # the other side is asked for one, too


class Records:
    """What is sent from here on over a connected socket: any record, as often as one likes.

    The handshake blocks.  A server needs `files`, a client may offer `alpn`.
    """

    def __init__(self, sock: socket.socket, alpn: bytes = b"", files=None) -> None:
        self.sock = sock
        secrets = {}

        def keep(_tls, line):
            label, _, secret = line.split()
            secrets[label] = bytes.fromhex(secret.decode())

        context = SSL.Context(SSL.TLS_SERVER_METHOD if files else SSL.TLS_CLIENT_METHOD)
        context.set_min_proto_version(SSL.TLS1_3_VERSION)
        context.set_tls13_ciphersuites(b"TLS_AES_128_GCM_SHA256")
        context.set_options(SSL.OP_NO_TICKET)
        context.set_keylog_callback(keep)
        if files:
            context.use_certificate_chain_file(str(files.chain))
            context.use_privatekey_file(str(files.key))
        elif alpn:
            context.set_alpn_protos([alpn])
        self.tls = SSL.Connection(context, sock)
        if files:
            self.tls.set_accept_state()
        else:
            self.tls.set_connect_state()
        self.tls.do_handshake()
        self._take_keys(
            secrets[b"SERVER_TRAFFIC_SECRET_0" if files else b"CLIENT_TRAFFIC_SECRET_0"]
        )
        if files:
            self._number = 2  # OpenSSL has sent two tickets

    def _take_keys(self, secret: bytes) -> None:
        self._secret = secret
        self._cipher = AESGCM(_expanded(secret, b"key", 16))
        self._iv = int.from_bytes(_expanded(secret, b"iv", 12))
        self._number = 0

    def record(self, content: bytes, kind: int = DATA) -> bytes:
        """The next record."""
        inner = content + bytes([kind])
        head = struct.pack(">BHH", DATA, 0x0303, len(inner) + 16)
        nonce = (self._iv ^ self._number).to_bytes(12)
        self._number += 1
        return head + self._cipher.encrypt(nonce, inner, head)

    def crumbs(self, content: bytes, kind: int = DATA) -> bytes:
        """The next records, a byte in each."""
        return b"".join(self.record(bytes([byte]), kind) for byte in content)

    def key_update(self) -> bytes:
        """The next record says that all after it have new keys, and it is so."""
        made = self.record(KEY_UPDATE, HANDSHAKE)
        self._take_keys(_expanded(self._secret, b"traffic upd", 32))
        return made


def ticket(size: int) -> bytes:
    """A message by which a server gives out a ticket (RFC 8446 §4.6.1)."""
    body = struct.pack(">IIBBH", 7200, 0, 1, 0, size) + bytes(size) + bytes(2)
    return b"\x04" + len(body).to_bytes(3) + body


def hello(size: int) -> bytes:
    """A client's first message, padded (RFC 7685) to that size, below 64 KiB."""
    tls = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), None)
    tls.set_connect_state()
    try:
        tls.do_handshake()
    except SSL.WantReadError:
        body = bytearray(tls.bio_read(65_536)[9:])  # behind the record's head and the message's
    at = 34 + 1 + body[34]  # behind version, random and session
    at += 2 + int.from_bytes(body[at : at + 2])  # ciphers
    at += 1 + body[at]  # compression
    padding = size - len(body) - 8
    body += struct.pack(">HH", 21, padding) + bytes(padding)
    body[at : at + 2] = (len(body) - at - 2).to_bytes(2)
    return b"\x01" + len(body).to_bytes(3) + bytes(body)


def _expanded(secret: bytes, label: bytes, size: int) -> bytes:
    info = struct.pack(">HB", size, 6 + len(label)) + b"tls13 " + label + b"\0"
    return HKDFExpand(SHA256(), size, info).derive(secret)
