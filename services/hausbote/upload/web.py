"""The HTTP side: PUT into a slot, GET and HEAD of what is there.

Any page may read what it knows the address of, for the address is the permission (XEP-0363); what
it gets can do nothing, because nothing that a browser would run is ever shown in one.
"""

import hmac
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final
from urllib.parse import urlsplit

import gevent

from hausbote.base.jid import a_label
from hausbote.base.log import Event, bug, log
from hausbote.core.host import Host
from hausbote.net.certificates import certificates
from hausbote.net.connection import Traffic
from hausbote.net.http import Environ, Exchange, HttpServer, Stored
from hausbote.net.listener import AddressBook
from hausbote.net.tls import CertificateError, TlsShelf
from hausbote.storage import Slot, StorageError, Upload
from hausbote.upload.content import display
from hausbote.upload.depot import Depot, DiskFull, Incoming, is_id
from hausbote.upload.ranges import Unsatisfiable, chosen
from hausbote.upload.reading import Reading
from hausbote.upload.slots import key_hash, plain_type

_ALPN: Final = b"http/1.1"
_CHECK: Final = 60.0  # seconds between two looks at the certificates
_MAX_AGE: Final = 86_400  # seconds that a copy elsewhere may outlive a deleted file
_METHODS: Final = "OPTIONS, HEAD, GET, PUT"
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
_PREFLIGHT: Final = (
    ("Access-Control-Allow-Methods", _METHODS),
    (
        "Access-Control-Allow-Headers",
        "Authorization, Content-Type, Range, If-Range, If-Match, If-None-Match",
    ),
    ("Access-Control-Max-Age", "7200"),
)
_TELLS_NOTHING: Final = "Nothing is here.\n"

Header = tuple[str, str]


class Refused(Exception):
    """Answers a request: the status line's end, and a sentence."""

    def __init__(self, status: str, sentence: str, *headers: Header) -> None:
        super().__init__(status)
        self.status = status
        self.sentence = sentence
        self.headers = headers


class Web:
    """Listens on ports.upload."""

    def __init__(self, host: Host, depot: Depot) -> None:
        settings = host.settings
        self._host = host
        self._depot = depot
        self._shelf = TlsShelf(*certificates(settings), alpn=_ALPN)
        self._names = {
            a_label(settings.names.upload),
            (urlsplit(settings.upload_url).hostname or "").strip("[]"),
        }
        self._at_work: set[str] = set()  # ids that are being uploaded
        self._http: HttpServer | None = None

    def start(self) -> None:
        """OSError if the port is taken."""
        settings = self._host.settings
        if not settings.ports.upload:
            return
        book = AddressBook(settings.limits.connections_per_address)
        traffic = Traffic(bytes_per_second=0, idle=settings.limits.idle_seconds)
        self._http = HttpServer(
            settings.address, settings.ports.upload, self._answer, self._shelf, book, traffic
        )
        self._http.start()
        log(Event.LISTENING, port=settings.ports.upload)
        gevent.spawn(self._watch)

    def stop(self) -> None:
        if self._http is not None:
            self._http.close()

    def reload_certificates(self) -> None:
        """What is on the disk now; what cannot be used leaves the old ones in use."""
        try:
            self._shelf.reload()
            log(Event.CERTIFICATE_RELOADED)
        except CertificateError:
            log(Event.CERTIFICATE_UNUSABLE)

    def _watch(self) -> None:
        while True:
            gevent.sleep(_CHECK)
            if self._shelf.changed():
                self.reload_certificates()

    # -- requests ------------------------------------------------------------------------------

    def _answer(self, environ: Environ, start: Callable[..., Any]) -> Iterable[bytes] | Stored:
        request = _Request(environ, start)
        try:
            return self._handle(request)
        except Refused as no:
            return request.refuse(no)
        except StorageError:
            sorry = Refused("503 Service Unavailable", "This does not work at the moment.")
            return request.refuse(sorry)

    def _handle(self, request: "_Request") -> Iterable[bytes] | Stored:
        if request.host not in self._names:
            raise Refused("421 Misdirected Request", "This is another server.")
        if request.method == "OPTIONS":
            return request.say("204 No Content", *_PREFLIGHT, ("Allow", _METHODS))
        if request.method not in ("PUT", "GET", "HEAD"):
            allowed = ("Allow", _METHODS)
            raise Refused("405 Method Not Allowed", "This is not how to ask here.", allowed)
        if not request.id:
            raise Refused("404 Not Found", _TELLS_NOTHING)
        return self._put(request) if request.method == "PUT" else self._get(request)

    # -- PUT -----------------------------------------------------------------------------------

    def _put(self, request: "_Request") -> Iterable[bytes] | Stored:
        slot = self._slot(request)
        if slot.id in self._at_work:
            raise Refused("409 Conflict", "This file is being uploaded already.")
        self._at_work.add(slot.id)
        try:
            self._take(slot, request.exchange)
        finally:
            self._at_work.discard(slot.id)
        return request.say("201 Created", ("Content-Length", "0"))

    def _slot(self, request: "_Request") -> Slot:
        """The slot that this request may fill."""
        slot = self._host.store.uploads.slot(request.id)
        if slot is None:
            raise Refused("404 Not Found", "There is no place for this file: ask for another.")
        if not hmac.compare_digest(slot.key, key_hash(request.key)):
            raise Refused("403 Forbidden", "This place is for somebody else's file.")
        if slot.used:
            raise Refused("409 Conflict", "This file is here already.")
        if slot.until < self._host.clock():
            raise Refused("410 Gone", "This came too late: ask for another place.")
        size = request.exchange.announced
        if size is None:
            raise Refused("411 Length Required", "The size of the file must be told.")
        if size != slot.size:
            status = "413 Content Too Large" if size > slot.size else "400 Bad Request"
            raise Refused(status, "This is not the size that was announced.")
        if request.type is not None and plain_type(request.type) != slot.type:
            raise Refused("415 Unsupported Media Type", "This is not the type that was announced.")
        if request.is_part:
            raise Refused("400 Bad Request", "A file comes as a whole.")
        if request.is_encoded:
            raise Refused("415 Unsupported Media Type", "A file comes as it is, without a coding.")
        if request.means_another(None):
            raise Refused("412 Precondition Failed", "There is no file yet that could be meant.")
        return slot

    def _take(self, slot: Slot, exchange: Exchange) -> None:
        """Read the file to the disk, and return when it and its row are there."""
        host, limits = self._host, self._host.settings.upload
        if not self._depot.has_room(slot.size, limits.free_bytes):
            raise Refused("507 Insufficient Storage", "The disk is full.")
        try:
            digest = self._store(slot, exchange)
        except DiskFull:
            raise Refused("507 Insufficient Storage", "The disk is full.") from None
        evict = limits.account_bytes if limits.when_full == "oldest-go" else 0
        if not host.store.uploads.fill(slot.id, digest, host.clock(), evict):
            self._depot.remove(slot.id)
            raise Refused("404 Not Found", "There is no place for this file any more.")

    def _store(self, slot: Slot, exchange: Exchange) -> bytes:
        """The digest of the file, which is in its place then.  DiskFull; nothing is left of it."""
        compute, body = self._host.compute, exchange.receive(slot.size)
        piece = _next(body)
        if len(piece) == slot.size:  # one way to the thread is enough
            whole: bytes = _to_disk(compute, self._depot.put, slot.id, piece)
            return whole
        incoming: Incoming = _to_disk(compute, self._depot.begin, slot.id, slot.size)
        try:
            while piece:
                _to_disk(compute, incoming.write, piece)
                piece = _next(body)
            digest: bytes = _to_disk(compute, incoming.finish)
        except BaseException:
            compute(incoming.discard)
            raise
        return digest

    # -- GET -----------------------------------------------------------------------------------

    def _get(self, request: "_Request") -> Iterable[bytes] | Stored:
        upload = self._host.store.uploads.get(request.id)
        if upload is None or self._is_over(upload):
            raise Refused("404 Not Found", _TELLS_NOTHING)
        tag = f'"{upload.digest.hex()[:32]}"'
        headers = self._headers(upload, tag)
        if request.means_another(tag):
            raise Refused("412 Precondition Failed", "This is not the file that is meant.")
        if request.has_already(tag):
            return request.say("304 Not Modified", *headers)
        try:
            span = chosen(request.range(tag), upload.size)
        except Unsatisfiable:
            size = ("Content-Range", f"bytes */{upload.size}")
            raise Refused("416 Range Not Satisfiable", "That far it does not go.", size) from None
        try:
            descriptor = self._depot.open(upload.id)
        except FileNotFoundError:
            log(Event.FILE_MISSING)
            raise Refused("404 Not Found", _TELLS_NOTHING) from None
        first, end = span or (0, upload.size)
        content = display(upload.type, upload.name)
        headers += [*content, ("Content-Length", str(end - first))]
        if span is not None:
            headers.append(("Content-Range", f"bytes {first}-{end - 1}/{upload.size}"))
        reading = Reading(descriptor, first, end, self._host.compute)
        request.say("200 OK" if span is None else "206 Partial Content", *headers)
        if request.method == "HEAD":
            reading.close()
            return []
        return reading

    def _is_over(self, upload: Upload) -> bool:
        return upload.expires is not None and upload.expires <= self._host.clock()

    def _headers(self, upload: Upload, tag: str) -> list[Header]:
        age = _MAX_AGE
        if upload.expires is not None:
            age = min(age, int(upload.expires - self._host.clock()))
        return [
            ("ETag", tag),
            ("Cache-Control", f"private, max-age={age}, immutable"),
            ("Accept-Ranges", "bytes"),
        ]


def _next(body: Iterator[memoryview]) -> memoryview:
    """The next piece of a body; an empty one at its end."""
    try:
        return next(body, memoryview(b""))
    except TimeoutError:
        raise Refused("408 Request Timeout", "This came too slowly.") from None


def _to_disk(compute: Callable[..., Any], step: Callable[..., Any], *arguments: object) -> Any:
    """Do it in a thread; trouble with the disk that is not of its being full is ours."""
    try:
        return compute(step, *arguments)
    except OSError as error:
        bug(error)
        log(Event.FILE_FAILED)
        raise Refused("503 Service Unavailable", "The file cannot be kept.") from None


class _Request:
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
