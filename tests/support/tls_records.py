"""A client's side of TLS 1.3 after the handshake, one record at a time (RFC 8446 §5, §7.3).

OpenSSL writes no empty records and no key updates; here every record is made by hand with the keys
that OpenSSL agreed upon.
"""

import socket
import struct

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from OpenSSL import SSL

ALERT, HANDSHAKE, DATA = 21, 22, 23
KEY_UPDATE = b"\x18\x00\x00\x01\x01"  # and the other side is asked for one, too
_SECRET = b"CLIENT_TRAFFIC_SECRET_0"


class Records:
    """What is sent from here on over a connected socket: any record, as often as one likes."""

    def __init__(self, sock: socket.socket, alpn: bytes) -> None:
        self.sock = sock
        secrets = {}

        def keep(_tls, line):
            label, _, secret = line.split()
            secrets[label] = bytes.fromhex(secret.decode())

        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.set_min_proto_version(SSL.TLS1_3_VERSION)
        context.set_tls13_ciphersuites(b"TLS_AES_128_GCM_SHA256")
        context.set_alpn_protos([alpn])
        context.set_keylog_callback(keep)
        self.tls = SSL.Connection(context, sock)
        self.tls.set_connect_state()
        self.tls.do_handshake()
        self._take_keys(secrets[_SECRET])

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

    def key_update(self) -> bytes:
        """The next record says that all after it have new keys, and it is so."""
        made = self.record(KEY_UPDATE, HANDSHAKE)
        self._take_keys(_expanded(self._secret, b"traffic upd", 32))
        return made


def _expanded(secret: bytes, label: bytes, size: int) -> bytes:
    info = struct.pack(">HB", size, 6 + len(label)) + b"tls13 " + label + b"\0"
    return HKDFExpand(SHA256(), size, info).derive(secret)
