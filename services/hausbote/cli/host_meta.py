"""Whether browsers find where to connect to, by a domain's host-meta (XEP-0156)."""

import http.client
import json
import socket
import ssl
from pathlib import Path
from typing import Final

from hausbote.base.settings import Settings
from hausbote.cli.finding import Finding, Mark
from hausbote.net.dial import Unreachable, dial
from hausbote.net.dns import Endpoint, Resolver

_PATH: Final = "/.well-known/host-meta.json"
_SECONDS: Final = 10.0
_BYTES: Final = 65_536
_PORT: Final = 443
_RELATIONS: Final = ("urn:xmpp:alt-connections:websocket", "urn:xmpp:alt-connections:xbosh")


def web_links(settings: Settings, resolver: Resolver, domain: str, name: str) -> Finding:
    """What https://DOMAIN tells of WebSocket and BOSH.  Nothing else depends on it: a hint."""
    subject = f"host-meta of {domain}"
    port = settings.ports.web if domain == settings.domain and not settings.has_front else 0
    change = f"have https://{name}{_PATH} answered" + (f" by the box's port {port}" if port else "")
    try:
        links = _links(settings, resolver, domain, name)
    except Unreachable as error:
        return Finding(Mark.HINT, subject, str(error), change)
    except ssl.SSLCertVerificationError as error:
        told = f"the web server's certificate is refused: {error.verify_message}"
        return Finding(Mark.HINT, subject, told, change)
    except (OSError, http.client.HTTPException):
        return Finding(Mark.HINT, subject, "the web server does not answer properly", change)
    except ValueError:
        return Finding(Mark.HINT, subject, f"there is no {_PATH}", change)
    if not links:
        return Finding(Mark.HINT, subject, "names neither WebSocket nor BOSH", change)
    return Finding(Mark.GOOD, subject, ", ".join(links))


def _links(settings: Settings, resolver: Resolver, domain: str, name: str) -> list[str]:
    """The addresses in the document; ValueError if there is none."""
    reached = dial(resolver, domain, [Endpoint(name, _PORT, True)])
    with reached.sock as sock:
        sock.settimeout(_SECONDS)
        with trusting(settings).wrap_socket(sock, server_hostname=name) as tls:
            document = _fetched(tls, name)
    try:
        links = json.loads(document)["links"]
        found = {link["rel"]: str(link["href"]) for link in links}
    except (KeyError, TypeError):
        raise ValueError("not a JRD") from None
    return [found[relation] for relation in _RELATIONS if found.get(relation, "").isprintable()
            and relation in found]  # fmt: skip


def _fetched(tls: socket.socket, name: str) -> bytes:
    connection = http.client.HTTPConnection(name, timeout=_SECONDS)
    connection.sock = tls
    connection.request("GET", _PATH, headers={"Accept": "application/json"})
    answer = connection.getresponse()
    if answer.status != http.client.OK:
        raise ValueError("not there")
    return answer.read(_BYTES)


def trusting(settings: Settings) -> ssl.SSLContext:
    """Trusts the authorities of the settings, as browsers do those of their system."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    files: list[Path] = [settings.path(one) for one in settings.tls.trust]
    if settings.tls.authorities:
        files.append(settings.path(settings.tls.authorities))
    for path in files:
        context.load_verify_locations(path)
    return context
