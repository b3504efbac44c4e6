"""As much of STUN and TURN as it takes to try a relay (RFC 8489, RFC 8656), without I/O.

A `Trial` writes requests and reads answers: an allocation, and permissions for peers.
"""

import hashlib
import hmac
import ipaddress
import secrets
import struct
from typing import Final, NamedTuple

BINDING: Final = 0x001
ALLOCATE: Final = 0x003
REFRESH: Final = 0x004
CREATE_PERMISSION: Final = 0x008
_COOKIE: Final = 0x2112A442
_HEADER: Final = struct.Struct("!HHI12s")
_ERROR: Final = 0x110  # in the kind of an answer

_USERNAME, _INTEGRITY, _ERROR_CODE, _LIFETIME = 0x0006, 0x0008, 0x0009, 0x000D
_XOR_PEER_ADDRESS, _REALM, _NONCE = 0x0012, 0x0014, 0x0015
_XOR_RELAYED_ADDRESS, _REQUESTED_TRANSPORT, _XOR_MAPPED_ADDRESS = 0x0016, 0x0019, 0x0020
_UDP: Final = b"\x11\0\0\0"
_NO_TIME: Final = b"\0\0\0\0"


class NotStun(ValueError):
    """Bytes that are no answer to what was asked."""


class Answer(NamedTuple):
    """`error` is 0 for a success; `relayed` and `mapped` are addresses that it tells, or None."""

    error: int
    relayed: str | None
    mapped: str | None


class Trial:
    """One client's requests, one after the other: `write` the next one, `read` its answer.

    An answer of 401 or 438 brings what requests are signed with: then the same is written again.
    """

    def __init__(self, username: str = "", password: str = "") -> None:
        self._username = username
        self._password = password
        self._realm = b""
        self._nonce = b""
        self._transaction = b""

    def allocate(self) -> bytes:
        return self._write(ALLOCATE, [(_REQUESTED_TRANSPORT, _UDP)])

    def release(self) -> bytes:
        """The allocation ends."""
        return self._write(REFRESH, [(_LIFETIME, _NO_TIME)])

    def permit(self, peer: str) -> bytes:
        """May this IP address be called?"""
        self._transaction = secrets.token_bytes(12)
        address = _xor(ipaddress.ip_address(peer), self._transaction)
        return self._write(CREATE_PERMISSION, [(_XOR_PEER_ADDRESS, address)], self._transaction)

    def bind(self) -> bytes:
        """How do I look from there?"""
        self._transaction = secrets.token_bytes(12)
        return _HEADER.pack(BINDING, 0, _COOKIE, self._transaction)

    def read(self, data: bytes) -> Answer:
        """NotStun if it is not the answer to what was written last."""
        kind, attributes = self._parse(data)
        if kind & _ERROR == _ERROR:
            code = attributes.get(_ERROR_CODE, b"\0\0\0\0")
            self._realm = attributes.get(_REALM, self._realm)
            self._nonce = attributes.get(_NONCE, self._nonce)
            return Answer((code[2] & 7) * 100 + code[3], None, None)
        relayed = self._address(attributes.get(_XOR_RELAYED_ADDRESS))
        mapped = self._address(attributes.get(_XOR_MAPPED_ADDRESS))
        return Answer(0, relayed, mapped)

    def _write(
        self, method: int, attributes: list[tuple[int, bytes]], transaction: bytes = b""
    ) -> bytes:
        self._transaction = transaction or secrets.token_bytes(12)
        if not self._nonce:
            return self._message(method, b"".join(_attribute(*one) for one in attributes))
        name = self._username.encode()
        signed = [*attributes, (_USERNAME, name), (_REALM, self._realm), (_NONCE, self._nonce)]
        body = b"".join(_attribute(*one) for one in signed)
        # The header that is signed counts the signature, too (RFC 8489 §14.5).
        head = _HEADER.pack(method, len(body) + 24, _COOKIE, self._transaction)
        digest = hmac.digest(self._key(), head + body, hashlib.sha1)
        return self._message(method, body + _attribute(_INTEGRITY, digest))

    def _message(self, method: int, body: bytes) -> bytes:
        return _HEADER.pack(method, len(body), _COOKIE, self._transaction) + body

    def _key(self) -> bytes:
        text = b":".join((self._username.encode(), self._realm, self._password.encode()))
        return hashlib.md5(text, usedforsecurity=False).digest()  # what RFC 8489 §9.2.2 wants

    def _parse(self, data: bytes) -> tuple[int, dict[int, bytes]]:
        try:
            kind, length, cookie, transaction = _HEADER.unpack_from(data)
        except struct.error as error:
            raise NotStun("too short") from error
        if cookie != _COOKIE or transaction != self._transaction or len(data) < 20 + length:
            raise NotStun("not an answer")
        attributes: dict[int, bytes] = {}
        at, end = _HEADER.size, _HEADER.size + length
        while at + 4 <= end:
            type, size = struct.unpack_from("!HH", data, at)
            attributes.setdefault(type, data[at + 4 : min(at + 4 + size, end)])
            at += 4 + size + -size % 4
        return kind, attributes

    def _address(self, value: bytes | None) -> str | None:
        if value is None or len(value) not in (8, 20):
            return None
        mask = struct.pack("!I", _COOKIE) + self._transaction
        raw = bytes(a ^ b for a, b in zip(value[4:], mask, strict=False))
        return str(ipaddress.ip_address(raw))


def size_of(data: bytes) -> int:
    """How long the message is that begins with these 4 bytes or more: TCP knows no messages."""
    return _HEADER.size + int.from_bytes(data[2:4], "big")


def _attribute(type: int, value: bytes) -> bytes:
    return struct.pack("!HH", type, len(value)) + value + bytes(-len(value) % 4)


def _xor(address: ipaddress.IPv4Address | ipaddress.IPv6Address, transaction: bytes) -> bytes:
    mask = struct.pack("!I", _COOKIE) + transaction
    raw = bytes(a ^ b for a, b in zip(address.packed, mask, strict=False))
    port = 9 ^ (_COOKIE >> 16)
    return struct.pack("!BBH", 0, 1 if address.version == 4 else 2, port) + raw
