"""Where the portal takes requests: at ports.portal with TLS, and from c2s, to which browsers come
that know only the domain.  ports.portal_http has the way from http to https."""

from collections.abc import Callable, Iterable
from functools import partial
from io import BytesIO
from typing import Any, Final

import gevent
from gevent.pool import Pool
from gevent.pywsgi import WSGIHandler, WSGIServer

from hausbote.base.claim import portal_at
from hausbote.base.log import Event, bug, log
from hausbote.base.portal_socket import (
    ADDRESS,
    LARGEST,
    SOCKET,
    TOO_LARGE,
    quoted_path,
    quoted_query,
)
from hausbote.base.settings import Settings
from hausbote.core.bus.sockets import is_ours
from hausbote.core.bus.unix import listen as listen_at_socket
from hausbote.net.address_book import AddressBook, most_connections
from hausbote.net.certificates import certificates, use_new_certificates, watch_certificates
from hausbote.net.http import Application, Environ, Exchange, HttpServer
from hausbote.net.listener import listen
from hausbote.net.stored import Stored
from hausbote.net.tls import TlsShelf
from hausbote.net.traffic import Traffic
from hausbote.portal.hosts import Hosts
from hausbote.portal.metrics import SOCKET as METRICS

_ALPN: Final = b"http/1.1"
_PASSED_ON: Final = 64  # requests at the same time that come by c2s
_FIGURES: Final = 4  # that ask for figures
_REDIRECTED: Final = 32  # connections at the same time without TLS,
_REDIRECT_SECONDS: Final = 10.0  # and how long one may take
_KEY: Final = "HTTP_" + ADDRESS.upper().replace("-", "_")
_WHOLE: Final = (
    ("Connection", "close"),
    ("Content-Length", str(len(TOO_LARGE))),
    ("Content-Type", "text/html; charset=utf-8"),
)
_NO_MORE: Final = (("Connection", "close"), ("Content-Length", "0"))


class Web:
    """Listens; `application` answers."""

    def __init__(self, settings: Settings, application: Application) -> None:
        self._settings = settings
        self._application = application
        self._servers: list[Any] = []
        self._shelf: TlsShelf | None = None

    def start(self) -> None:
        """OSError, CertificateError or BusError if a place cannot be had."""
        settings = self._settings
        passed_on = listen_at_socket(str(settings.bus_dir), SOCKET)
        self._serve(
            WSGIServer(
                passed_on,
                partial(_bounded, self._application),
                spawn=Pool(_PASSED_ON),
                log=None,
                error_log=None,
                handler_class=_PassedOn,
            )
        )
        if settings.has_front:
            return
        if settings.ports.portal:
            self._serve(self._with_tls())
        if settings.ports.portal_http:
            redirects = WSGIServer(
                listen(settings.address, settings.ports.portal_http),
                partial(_redirect, settings, Hosts(settings)),
                spawn=Pool(_REDIRECTED),
                log=None,
                error_log=None,
                handler_class=_Brief,
            )
            self._serve(redirects)

    def serve_figures(self, metrics: Callable[..., Iterable[bytes]]) -> None:
        """At a Unix socket of the run directory; BusError if it cannot be had."""
        figures = listen_at_socket(str(self._settings.run_dir), METRICS)
        self._serve(
            WSGIServer(
                figures,
                metrics,
                spawn=Pool(_FIGURES),
                log=None,
                error_log=None,
                handler_class=_PassedOn,
            )
        )

    def _serve(self, server: Any) -> None:
        server.start()
        self._servers.append(server)

    def _with_tls(self) -> HttpServer:
        settings, limits = self._settings, self._settings.limits
        shelf = self._shelf = TlsShelf(*certificates(settings), alpn=_ALPN)
        gevent.spawn(watch_certificates, shelf)
        sock = listen(settings.address, settings.ports.portal)
        log(Event.LISTENING, port=settings.ports.portal)
        book = AddressBook(
            limits.connections_per_address, most_connections(limits.connections, share=3)
        )
        traffic = Traffic(limits.bytes_per_second, limits.burst_bytes, idle=limits.idle_seconds)
        application = partial(_read, self._application)
        return HttpServer(sock, application, shelf, book, traffic)

    def stop(self) -> None:
        for server in self._servers:
            server.close()

    def reload_certificates(self) -> None:
        if self._shelf is not None:
            use_new_certificates(self._shelf)


def _read(
    application: Application, environ: Environ, start: Callable[..., Any]
) -> Iterable[bytes] | Stored:
    """The body is read first, within the time that the socket gives a request."""
    environ.pop(_KEY, None)  # an address is that of the connection
    body = environ[Exchange.KEY].read(LARGEST)
    return _answer(application, environ, start, body)


def _bounded(
    application: Application, environ: Environ, start: Callable[..., Any]
) -> Iterable[bytes] | Stored:
    """What c2s passes on has a body of known size, which c2s has read already."""
    size = environ.get("CONTENT_LENGTH") or "0"
    environ["REMOTE_ADDR"] = environ.pop(_KEY, "")
    fits = size.isdecimal() and len(size) < 9 and int(size) <= LARGEST
    body = environ["wsgi.input"].read(int(size)) if fits else None
    return _answer(application, environ, start, body)


def _answer(
    application: Application, environ: Environ, start: Callable[..., Any], body: bytes | None
) -> Iterable[bytes] | Stored:
    if body is None:
        start("413 Content Too Large", [*_WHOLE])
        return [TOO_LARGE]
    environ["QUERY_STRING"] = quoted_query(environ["QUERY_STRING"])
    environ["wsgi.input"] = BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    environ["wsgi.url_scheme"] = "https"
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    return application(environ, start)


def _redirect(
    settings: Settings, hosts: Hosts, environ: Environ, start: Callable[..., Any]
) -> list[bytes]:
    """To the same page with TLS, at the name that the browser came for if that is ours."""
    path = quoted_path(environ["PATH_INFO"])
    host = hosts.ours(environ.get("HTTP_HOST", ""))
    where = portal_at(settings, host) + (path if not path.startswith("//") else "/")
    start("301 Moved Permanently", [("Location", where), *_NO_MORE])
    return []


class _Quiet(WSGIHandler):  # type: ignore[misc]
    def handle_error(self, t: Any, v: Any, tb: Any) -> None:
        if not issubclass(t, OSError):  # the asker's connection, not ours
            bug(v)
        self.close_connection = True
        self._send_error_response_if_possible(500)


class _PassedOn(_Quiet):
    def handle(self) -> None:
        if is_ours(self.socket):
            super().handle()


class _Brief(_Quiet):
    """One request, and soon."""

    def handle(self) -> None:
        with gevent.Timeout(_REDIRECT_SECONDS, False):
            super().handle()
