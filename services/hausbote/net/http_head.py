"""What the head of an HTTP request must be like, before anybody acts upon it (RFC 9112).

pywsgi takes much that is not quite HTTP.  A front before us may take it otherwise, and then one of
us sees a request where the other sees a body: so whatever could be read in two ways is refused.
"""

import re
from email.message import Message
from typing import Final

_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_REQUEST_LINE: Final = re.compile(
    r"[A-Za-z0-9!#$%&'*+.^_`|~-]+ [\x21-\x7e\x80-\xff]+ HTTP/1\.[01](\r\n|\n)?"
)
_LENGTH: Final = re.compile(r"[0-9]{1,15}")
_FORBIDDEN: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_ONCE: Final = ("host", "content-length", "transfer-encoding", "authorization", "range")


def check_request_line(line: str) -> None:
    """ValueError if it is not METHOD TARGET VERSION."""
    if not _REQUEST_LINE.fullmatch(line):
        raise ValueError("not a request line")


def check_head(head: Message) -> None:
    """ValueError if names or values are broken, folded or told twice, or the body's size is."""
    if head.defects or head.get_payload():
        raise ValueError("not a head")
    for name, value in head.items():
        if not _TOKEN.fullmatch(name) or _FORBIDDEN.search(value):
            raise ValueError("a broken field")
    for name in _ONCE:
        if len(head.get_all(name, [])) > 1:
            raise ValueError(f"two fields {name}")
    length, coding = head.get("content-length"), head.get("transfer-encoding")
    if length is not None and not _LENGTH.fullmatch(length):
        raise ValueError("not a size")
    if coding is not None and (length is not None or coding.lower() != "chunked"):
        raise ValueError("a body of unclear size")
