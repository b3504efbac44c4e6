"""A request for a file, and the ways to answer it."""

from collections.abc import Callable
from typing import Any, Final

from hausbote.net.http import Environ, Exchange
from hausbote.upload.depot import is_id

_SAFE: Final = (
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
    ("Cross-Origin-Resource-Policy", "cross-origin"),
    ("Referrer-Policy", "no-referrer"),
)
_CROSS_ORIGIN: Final = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "Accept-Ranges, Content-Range, ETag"),
)

Header = tuple[str, str]


class Refused(Exception):
    """Answers a request: the status line's end, and a sentence."""

    def __init__(self, status: str, sentence: str, *headers: Header) -> None:
        super().__init__(status)
        self.status = status
        self.sentence = sentence
        self.headers = headers


class FileRequest:
    """One HTTP request and the way to answer it."""

    def __init__(self, environ: Environ, start: Callable[..., Any]) -> None:
        self._environ = environ
        self._start = start
        self.exchange: Exchange = environ[Exchange.KEY]
        self.method: str = environ["REQUEST_METHOD"]
        self.type: str | None = environ.get("CONTENT_TYPE") or None
        self.id = _id(environ["PATH_INFO"])

    @property
    def host(self) -> str:
        """The name that was asked for, without its port."""
        given: str = self._environ.get("HTTP_HOST", "")
        name = given.lower()
        if name.startswith("["):
            return name[1:].partition("]")[0]
        return name.partition(":")[0].removesuffix(".")

    @property
    def key(self) -> str:
        scheme, _, key = self._environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        return key.strip() if scheme.lower() == "bearer" else ""

    @property
    def is_part(self) -> bool:
        return "HTTP_CONTENT_RANGE" in self._environ

    @property
    def is_encoded(self) -> bool:
        coding: str = self._environ.get("HTTP_CONTENT_ENCODING", "identity")
        return coding.lower() != "identity"

    def means_another(self, tag: str | None) -> bool:
        """Whether it is about another file than the one with that tag; None = there is none."""
        if "HTTP_IF_MATCH" not in self._environ:
            return False
        tags = self._tags("HTTP_IF_MATCH")
        return tag is None or not (tag in tags or "*" in tags)

    def has_already(self, tag: str) -> bool:
        tags = [one.removeprefix("W/") for one in self._tags("HTTP_IF_NONE_MATCH")]
        return tag in tags or "*" in tags

    def _tags(self, field: str) -> list[str]:
        return [one.strip() for one in self._environ.get(field, "").split(",")]

    def range(self, tag: str) -> str:
        """What part is wanted; "" for all, also if what part was told of another file."""
        only = self._environ.get("HTTP_IF_RANGE")
        if self.method != "GET" or (only is not None and only.strip() != tag):
            return ""
        wanted: str = self._environ.get("HTTP_RANGE", "")
        return wanted

    def say(self, status: str, *headers: Header) -> list[bytes]:
        """The head of the answer."""
        self._start(status, [*_SAFE, *_CROSS_ORIGIN, *headers])
        return []

    def refuse(self, no: Refused) -> list[bytes]:
        """One sentence, and the end of a connection on which a body is still to come."""
        body = (no.sentence.strip() + "\n").encode()
        headers = [
            *no.headers,
            ("Cache-Control", "no-store"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(body))),
        ]
        if self.method not in ("GET", "HEAD", "OPTIONS") or self.exchange.announced:
            self.exchange.drop()
            headers.append(("Connection", "close"))
        self.say(no.status, *headers)
        return [] if self.method == "HEAD" else [body]


def _id(path: str) -> str:
    """/ID or /ID/NAME; the name is for people and means nothing.  "" for other paths."""
    id, _, name = path.removeprefix("/").partition("/")
    return id if is_id(id) and "/" not in name else ""
