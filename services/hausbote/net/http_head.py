"""What the head of an HTTP request must be like, before anybody acts upon it (RFC 9112).

pywsgi takes much that is not quite HTTP.  A front before us may take it otherwise, and then one of
us sees a request where the other sees a body: so whatever could be read in two ways is refused.
"""

import re
from collections.abc import Iterable
from typing import BinaryIO, Final, NamedTuple
from urllib.parse import unquote_to_bytes

_REQUEST_LINE: Final = re.compile(
    r"([A-Za-z0-9!#$%&'*+.^_`|~-]+) ([\x21-\x7e\x80-\xff]+) (HTTP/1\.[01])\r?\n"
)
# The blanks around a value are taken off afterwards: an expression that looked for them would try
# all ways to share them out before it refuses a line.
_FIELD: Final = re.compile(rb"([A-Za-z0-9!#$%&'*+.^_`|~-]+):([^\x00-\x08\x0a-\x1f\x7f]*)\r?\n")
_LENGTH: Final = re.compile(r"[0-9]{1,15}")
_ABSOLUTE: Final = re.compile(r"https?://([^/?#]*)((?:[/?][^#]*)?)", re.IGNORECASE)
_END: Final = (b"\r\n", b"\n")
_BYTES: Final = 16_384
_LINES: Final = 100
_ONCE: Final = ("host", "content-length", "transfer-encoding", "authorization", "range")


class TooLarge(ValueError):
    """More than a head may have."""


class RequestLine(NamedTuple):
    """As it is written."""

    method: str
    target: str
    version: str


class Target(NamedTuple):
    """What a request is for; `authority` is None unless the target itself names a host."""

    path: str
    query: str
    authority: str | None


class Fields:
    """The fields of one head, in order; names are found however they are written."""

    def __init__(self, lines: Iterable[tuple[str, str]]) -> None:
        self._lines = list(lines)
        self._first: dict[str, str] = {}
        self.repeated: set[str] = set()
        """The names of fields that are there more than once, in small letters."""
        for name, value in self._lines:
            small = name.lower()
            if small in self._first:
                self.repeated.add(small)
            else:
                self._first[small] = value

    def items(self) -> list[tuple[str, str]]:
        return self._lines

    def get(self, name: str) -> str | None:
        """The first one's value; the name in small letters."""
        return self._first.get(name)


def read_request_line(line: str) -> RequestLine:
    """ValueError if it is not METHOD TARGET VERSION."""
    found = _REQUEST_LINE.fullmatch(line)
    if found is None:
        raise ValueError("not a request line")
    return RequestLine(*found.groups())


def read_target(target: str) -> Target:
    """A path with its %XX as the characters of these bytes, as WSGI wants it."""
    absolute = None if target.startswith("/") else _ABSOLUTE.fullmatch(target)
    authority = None if absolute is None else absolute[1]
    rest = target if absolute is None else absolute[2]
    path, _, query = rest.partition("?")
    if "%" in path:
        path = unquote_to_bytes(path.encode("latin-1")).decode("latin-1")
    return Target(path or "/", query, authority)


def read_fields(source: BinaryIO) -> Fields:
    """The lines up to the empty one; ValueError if one is broken or folded, TooLarge.

    They are looked at as bytes, because Python's parser sees a line's end where others see none.
    """
    lines: list[tuple[str, str]] = []
    left = _BYTES
    while True:
        line = source.readline(left + 1)
        if line in _END:
            return Fields(lines)
        left -= len(line)
        if left < 0 or len(lines) >= _LINES:
            raise TooLarge("too many fields, or too long a field")
        found = _FIELD.fullmatch(line)
        if found is None:
            raise ValueError("not a field")
        lines.append((found[1].decode("ascii"), found[2].strip(b" \t").decode("latin-1")))


def check_fields(fields: Fields, version: str) -> None:
    """ValueError if what may be said once is said twice, or the size of the body is unclear."""
    for name in fields.repeated:
        if name in _ONCE:
            raise ValueError(f"two fields {name}")
    if version == "HTTP/1.1" and fields.get("host") is None:
        raise ValueError("no field host")
    length, coding = fields.get("content-length"), fields.get("transfer-encoding")
    if length is not None and not _LENGTH.fullmatch(length):
        raise ValueError("not a size")
    if coding is None:
        return
    if length is not None or coding.lower() != "chunked" or version == "HTTP/1.0":
        raise ValueError("a body of unclear size")
