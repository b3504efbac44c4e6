"""What the head of an HTTP request must be like, before anybody acts upon it (RFC 9112).

pywsgi takes much that is not quite HTTP.  A front before us may take it otherwise, and then one of
us sees a request where the other sees a body: so whatever could be read in two ways is refused.
"""

import re
from email.message import Message
from typing import BinaryIO, Final

_REQUEST_LINE: Final = re.compile(
    r"[A-Za-z0-9!#$%&'*+.^_`|~-]+ [\x21-\x7e\x80-\xff]+ HTTP/1\.[01]\r?\n"
)
_FIELD: Final = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~-]+:[^\x00-\x08\x0a-\x1f\x7f]*\r?\n")
_LENGTH: Final = re.compile(r"[0-9]{1,15}")
_END: Final = (b"\r\n", b"\n")
_LINE: Final = 65_536
_LINES: Final = 100
_ONCE: Final = ("host", "content-length", "transfer-encoding", "authorization", "range")


def check_request_line(line: str) -> None:
    """ValueError if it is not METHOD TARGET VERSION."""
    if not _REQUEST_LINE.fullmatch(line):
        raise ValueError("not a request line")


def read_fields(source: BinaryIO) -> bytes:
    """The lines up to the empty one; ValueError if one is broken, folded, too long or one too many.

    They are looked at as bytes, because Python's parser sees a line's end where others see none.
    """
    lines = []
    for _ in range(_LINES + 1):
        line = source.readline(_LINE)
        lines.append(line)
        if line in _END:
            return b"".join(lines)
        if not _FIELD.fullmatch(line):
            raise ValueError("not a field")
    raise ValueError("too many fields")


def check_fields(fields: "Message[str, str]") -> None:
    """ValueError if what may be said once is said twice, or the size of the body is unclear."""
    for name in _ONCE:
        if len(fields.get_all(name, [])) > 1:
            raise ValueError(f"two fields {name}")
    length, coding = fields.get("content-length"), fields.get("transfer-encoding")
    if length is not None and not _LENGTH.fullmatch(length):
        raise ValueError("not a size")
    if coding is not None and (length is not None or coding.lower() != "chunked"):
        raise ValueError("a body of unclear size")
