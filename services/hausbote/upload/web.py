"""The HTTP side: PUT into a slot, GET and HEAD of what is there.

Any page may read what it knows the address of, for the address is the permission (XEP-0363); what
it gets can do nothing, because nothing that a browser would run is ever shown in one.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final
from urllib.parse import urlsplit

import gevent

from hausbote.base.jid import a_label
from hausbote.base.log import Event, log
from hausbote.core.host import Host
from hausbote.net.address_book import AddressBook, most_connections
from hausbote.net.certificates import certificates, use_new_certificates, watch_certificates
from hausbote.net.http import Environ, HttpServer
from hausbote.net.listener import listening
from hausbote.net.stored import Stored, StoredBytes, StoredFile
from hausbote.net.tls import TlsShelf
from hausbote.net.traffic import Traffic
from hausbote.storage import StorageError, Upload
from hausbote.upload.content import display
from hausbote.upload.depot import Depot
from hausbote.upload.http_request import FileRequest, Header, Refused
from hausbote.upload.ranges import Unsatisfiable, chosen
from hausbote.upload.receiving import receive

_ALPN: Final = b"http/1.1"
_MAX_AGE: Final = 86_400  # seconds that a copy elsewhere may outlive a deleted file
_METHODS: Final = "OPTIONS, HEAD, GET, PUT"
_PREFLIGHT: Final = (
    ("Access-Control-Allow-Methods", _METHODS),
    (
        "Access-Control-Allow-Headers",
        "Authorization, Content-Type, Range, If-Range, If-Match, If-None-Match",
    ),
    ("Access-Control-Max-Age", "7200"),
)
_TELLS_NOTHING: Final = "Nothing is here.\n"


class Web:
    """Listens for ports.upload."""

    def __init__(self, host: Host, depot: Depot) -> None:
        settings = host.settings
        self._host = host
        self._depot = depot
        self._shelf = TlsShelf(*certificates(settings), alpn=_ALPN)
        self._names = {
            a_label(settings.names.upload),
            (urlsplit(settings.upload_url).hostname or "").strip("[]"),
        }
        self._http: HttpServer | None = None

    def start(self) -> None:
        """OSError if the port is taken."""
        settings = self._host.settings
        sock = listening(settings, "upload", settings.ports.upload)
        if sock is None:
            return
        limits = settings.limits
        most = most_connections(limits.connections, share=3)
        book = AddressBook(limits.connections_per_address, most)
        traffic = Traffic(bytes_per_second=0, idle=settings.limits.idle_seconds)
        self._http = HttpServer(sock, self._answer, self._shelf, book, traffic)
        self._http.start()
        gevent.spawn(watch_certificates, self._shelf)

    def stop(self) -> None:
        if self._http is not None:
            self._http.close()

    def reload_certificates(self) -> None:
        use_new_certificates(self._shelf)

    # -- requests ------------------------------------------------------------------------------

    def _answer(self, environ: Environ, start: Callable[..., Any]) -> Iterable[bytes] | Stored:
        request = FileRequest(environ, start)
        try:
            return self._handle(request)
        except Refused as no:
            return request.refuse(no)
        except StorageError:
            sorry = Refused("503 Service Unavailable", "This does not work at the moment.")
            return request.refuse(sorry)

    def _handle(self, request: FileRequest) -> Iterable[bytes] | Stored:
        if request.host not in self._names:
            raise Refused("421 Misdirected Request", "This is another server.")
        if request.method == "OPTIONS":
            return request.say("204 No Content", *_PREFLIGHT, ("Allow", _METHODS))
        if request.method not in ("PUT", "GET", "HEAD"):
            allowed = ("Allow", _METHODS)
            raise Refused("405 Method Not Allowed", "This is not how to ask here.", allowed)
        if not request.id:
            raise Refused("404 Not Found", _TELLS_NOTHING)
        if request.method == "PUT":
            receive(self._host, self._depot, request)
            return request.say("201 Created", ("Content-Length", "0"))
        return self._get(request)

    # -- GET -----------------------------------------------------------------------------------

    def _get(self, request: FileRequest) -> Iterable[bytes] | Stored:
        upload, content = self._host.store.uploads.fetch(request.id) or (None, None)
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
        first, end = span or (0, upload.size)
        headers += [*display(upload.type, upload.name), ("Content-Length", str(end - first))]
        if span is not None:
            headers.append(("Content-Range", f"bytes {first}-{end - 1}/{upload.size}"))
        if content is None:
            stored: Stored = StoredFile(self._open(upload.id), first, end, self._host.compute)
        else:
            stored = StoredBytes(content[first:end])
        request.say("200 OK" if span is None else "206 Partial Content", *headers)
        if request.method == "HEAD":
            stored.close()
            return []
        return stored

    def _open(self, id: str) -> int:
        """A descriptor; Refused if the file has gone meanwhile, or its disk has lost it."""
        try:
            return self._depot.open(id)
        except FileNotFoundError:
            log(Event.FILE_MISSING)
            raise Refused("404 Not Found", _TELLS_NOTHING) from None

    def _is_over(self, upload: Upload) -> bool:
        return upload.expires is not None and upload.expires <= self._host.surely()

    def _headers(self, upload: Upload, tag: str) -> list[Header]:
        age = _MAX_AGE
        if upload.expires is not None:
            age = min(age, max(0, int(upload.expires - self._host.clock())))
        return [
            ("ETag", tag),
            ("Cache-Control", f"private, max-age={age}, immutable"),
            ("Accept-Ranges", "bytes"),
        ]
