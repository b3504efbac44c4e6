"""The body of a request in chunks (RFC 9112 §7.1), where it can be read in one way only."""

import re
from typing import BinaryIO, Final

from gevent.pywsgi import Input, _InvalidClientInput

_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;[^\x00-\x08\x0a-\x1f\x7f]*)?\r\n")
_TRAILER: Final = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~-]+:[^\x00-\x08\x0a-\x1f\x7f]*\r\n")
_LINE: Final = 8_192  # bytes of a chunk's size with its extensions, and of a trailer
_TRAILERS: Final = 100


class ChunkedInput(Input):  # type: ignore[misc]
    """As pywsgi's, which takes a line's end for a part of a chunk's extension.

    What it raises is answered with 400 by the handler.
    """

    rfile: BinaryIO
    chunk_length: int  # -1 before the first
    position: int  # within the chunk

    def _chunked_read(self, length: int | None = None, use_readline: bool = False) -> bytes:
        """`length` bytes, or what is there until the end; lines are of no interest to anybody."""
        self._send_100_continue()
        parts: list[bytes] = []
        while self.chunk_length and length != 0:
            left = self.chunk_length - self.position
            if left <= 0:
                self.position, self.chunk_length = 0, self._next_size()
                continue
            data = self.rfile.read(left if length is None else min(left, length))
            if not data:
                self._chunked_input_error = True
                raise OSError("the peer is gone")
            parts.append(data)
            self.position += len(data)
            if length is not None:
                length -= len(data)
            if self.position == self.chunk_length and self.rfile.read(2) != b"\r\n":
                raise self._broken("a chunk is longer than it says")
        return b"".join(parts)

    def _next_size(self) -> int:
        found = _SIZE.fullmatch(self.rfile.readline(_LINE))
        if found is None:
            raise self._broken("not a chunk's size")
        size = int(found[1], 16)
        if not size:
            self._drop_trailers()
        return size

    def _drop_trailers(self) -> None:
        for _ in range(_TRAILERS):
            line = self.rfile.readline(_LINE)
            if line == b"\r\n":
                return
            if not _TRAILER.fullmatch(line):
                raise self._broken("not a field")
        raise self._broken("too many fields")

    def _broken(self, why: str) -> Exception:
        self._chunked_input_error = True
        return _InvalidClientInput(why)  # type: ignore[no-any-return]
