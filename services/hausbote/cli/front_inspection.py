"""What the world sees at the front's ports beside XMPP: uploads, the relay, the redirect."""

import http.client
import socket
import ssl
from collections.abc import Iterator
from typing import Final

from hausbote.base.front import relay_port
from hausbote.base.jid import a_label
from hausbote.base.settings import Settings
from hausbote.cli.finding import Finding, Mark
from hausbote.cli.host_meta import trusting
from hausbote.net.dial import Unreachable, dial
from hausbote.net.dns import Endpoint, Resolver
from hausbote.turn.offers import is_available
from hausbote.turn.stun import NotStun, Trial, size_of

_SECONDS: Final = 10.0
_SERVER: Final = "nosniff"  # what every answer of the box's web servers says
_STUN_HEAD: Final = 20


def at_the_front(settings: Settings, resolver: Resolver) -> Iterator[Finding]:
    """A line for each thing, if there is a front."""
    if not settings.has_front:
        return
    look = _Look(settings, resolver)
    yield look.uploads()
    if relay_port(settings) and is_available(settings):
        yield look.relay()
    if settings.ports.http:
        yield look.redirect()


class _Look:
    def __init__(self, settings: Settings, resolver: Resolver) -> None:
        self._settings = settings
        self._resolver = resolver

    def uploads(self) -> Finding:
        name, port = a_label(self._settings.names.upload), self._settings.ports.https
        subject = f"uploads at {name}:{port}"
        try:
            with self._secure(name, port, "http/1.1") as tls:
                answer = _asked(tls, name)
        except _Bad as bad:
            return Finding(Mark.BAD, subject, str(bad), bad.change or self._lead(port))
        if answer.getheader("X-Content-Type-Options") != _SERVER:
            return Finding(Mark.BAD, subject, "another web server answers", self._lead(port))
        return Finding(Mark.GOOD, subject, "reachable, with TLS")

    def relay(self) -> Finding:
        name, port = self._settings.relay_host, self._settings.ports.https
        subject = f"relay at {name}:{port}"
        trial = Trial()
        try:
            with self._secure(name, port, "stun.turn") as tls:
                tls.sendall(trial.bind())
                head = _exactly(tls, _STUN_HEAD)
                trial.read(head + _exactly(tls, size_of(head) - _STUN_HEAD))
        except _Bad as bad:
            return Finding(Mark.BAD, subject, str(bad), bad.change or self._lead(port))
        except (OSError, NotStun):
            told = "no relay answers"
            return Finding(Mark.BAD, subject, told, "'hausbote status' tells if the relay runs")
        return Finding(Mark.GOOD, subject, "reachable, with TLS")

    def redirect(self) -> Finding:
        name, port = self._settings.ascii_domain, self._settings.ports.http
        subject = f"http at {name}:{port}"
        try:
            with self._plain(name, port) as sock:
                answer = _asked(sock, name)
        except _Bad as bad:
            return Finding(Mark.HINT, subject, str(bad), f"{self._lead(port)}, for certificates")
        where = answer.getheader("Location") or ""
        if not where.startswith("https://"):
            return Finding(Mark.HINT, subject, "another web server answers", self._lead(port))
        return Finding(Mark.GOOD, subject, "leads to TLS")

    def _lead(self, port: int) -> str:
        return f"lead TCP port {port} to the box; 'hausbote status' tells if it runs"

    def _plain(self, name: str, port: int) -> socket.socket:
        try:
            sock = dial(self._resolver, name, [Endpoint(name, port, True)]).sock
        except Unreachable as error:
            raise _Bad(str(error)) from None
        sock.settimeout(_SECONDS)
        return sock

    def _secure(self, name: str, port: int, protocol: str) -> ssl.SSLSocket:
        context = trusting(self._settings)
        context.set_alpn_protocols([protocol])
        try:
            return context.wrap_socket(self._plain(name, port), server_hostname=name)
        except ssl.SSLCertVerificationError as error:
            what = f"its certificate is refused: {error.verify_message}"
            raise _Bad(what, f"a certificate for {name}, too") from None
        except OSError:
            raise _Bad("there is no TLS") from None


class _Bad(Exception):
    def __init__(self, sentence: str, change: str = "") -> None:
        super().__init__(sentence)
        self.change = change


def _asked(sock: socket.socket, name: str) -> http.client.HTTPResponse:
    """The head of the answer for a page that nobody has."""
    connection = http.client.HTTPConnection(name, timeout=_SECONDS)
    connection.sock = sock
    try:
        connection.request("GET", "/hausbote-check", headers={"Connection": "close"})
        return connection.getresponse()
    except (OSError, http.client.HTTPException):
        raise _Bad("no web server answers") from None


def _exactly(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        got = sock.recv(size - len(data))
        if not got:
            raise ConnectionError("closed")
        data += got
    return data
