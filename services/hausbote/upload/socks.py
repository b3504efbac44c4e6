"""The part of SOCKS5 that bytestreams use (RFC 1928, XEP-0065), without I/O."""

import re
from enum import Enum
from typing import Final

_VERSION: Final = 5
_CONNECT: Final = 1
_DOMAIN: Final = 3
_NO_METHOD: Final = b"\x05\xff"
_ADDRESS: Final = re.compile(rb"[0-9A-Fa-f]{40}")


class Reply(Enum):
    """What a request is answered with."""

    GRANTED = 0
    FORBIDDEN = 2
    COMMAND = 7
    ADDRESS = 8


class SocksError(Exception):
    """The peer cannot be helped; `answer` is what it is told."""

    def __init__(self, answer: bytes) -> None:
        super().__init__("not what bytestreams use")
        self.answer = answer


class Handshake:
    """The server's side, up to the request; then `address` is the stream's, and `reply` answers."""

    def __init__(self) -> None:
        self.address = ""
        self._greeted = False
        self._data = b""
        self._target = b""

    def feed(self, data: bytes) -> bytes:
        """What to send; SocksError when it is over.  Nothing behind the request may be fed."""
        self._data += data
        answer = b""
        if not self._greeted:
            answer = self._greet()
        if self._greeted and not self.address:
            self._read_request()
        return answer

    @property
    def missing(self) -> int:
        """How many bytes may be read without touching what comes behind the request."""
        data = self._data
        if not self._greeted:
            return 2 - len(data) if len(data) < 2 else 2 + data[1] - len(data)
        return 5 - len(data) if len(data) < 5 else 7 + data[4] - len(data)

    def reply(self, reply: Reply) -> bytes:
        """The answer, which names the address and port that were asked for (§5.3.2)."""
        return b"\x05%c\x00%s" % (reply.value, self._target or b"\x01\0\0\0\0\0\0")

    def _greet(self) -> bytes:
        if self._data[:1] not in (b"", b"\x05"):
            raise SocksError(b"")
        if self.missing:
            return b""
        methods, self._data = self._data[2:], b""
        if 0 not in methods:
            raise SocksError(_NO_METHOD)
        self._greeted = True
        return b"\x05\x00"

    def _read_request(self) -> None:
        data = self._data
        if len(data) < 5:
            return
        version, command, _, kind, length = data[:5]
        if version != _VERSION:
            raise SocksError(b"")
        if command != _CONNECT:
            raise SocksError(self.reply(Reply.COMMAND))
        if kind != _DOMAIN:
            raise SocksError(self.reply(Reply.ADDRESS))
        if self.missing:
            return
        address = data[5 : 5 + length]
        if not _ADDRESS.fullmatch(address):
            raise SocksError(self.reply(Reply.ADDRESS))
        self._target = data[3:]
        self.address = address.decode().lower()
