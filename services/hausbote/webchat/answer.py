"""What is answered to a request, for whoever mounts the chat to send."""

from typing import NamedTuple

Header = tuple[str, str]


class Answer(NamedTuple):
    """`status` is a number with its phrase; the headers lack the length of the body."""

    status: str
    headers: tuple[Header, ...]
    body: bytes


NOT_FOUND = Answer(
    "404 Not Found",
    (("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")),
    b"There is nothing here.\n",
)
