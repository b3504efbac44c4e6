"""Where the front, HAProxy, leads: its backends, which are services' sockets, and its ports.

Health checks load this with the table of services, and do without the settings.
"""

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from hausbote.base.settings import Settings

CHALLENGES: Final = 8_402  # of this machine: where http-01 is answered behind the front
_RELAY_TLS: Final = 5_349


class Backend(NamedTuple):
    """A Unix socket at which a service waits, `front_dir`/NAME.sock.

    `port` is one of its own, on which everything is for it (0 = there is none).  Where `on_https`,
    ports.https leads there, too: what speaks TLS from its first byte says for whom it is.
    """

    name: str
    port: int
    on_https: bool


def backends(settings: "Settings") -> list[Backend]:
    """Those that are open."""
    ports = settings.ports
    found = [
        Backend("c2s", ports.c2s, False),
        Backend("c2s_tls", ports.c2s_tls, True),
        Backend("web", ports.web, True),
        Backend("upload", ports.upload, True),
        Backend("proxy", ports.proxy, False),
    ]
    if settings.beyond:
        found += [Backend("s2s", ports.s2s, False), Backend("s2s_tls", ports.s2s_tls, True)]
    return [backend for backend in found if backend.port or backend.on_https]


def challenge_place(settings: "Settings") -> tuple[str, int]:
    """Address ("" = all) and port where http-01 is answered (RFC 8555 §8.3)."""
    if settings.has_front:
        return "127.0.0.1", CHALLENGES
    return settings.certificates.address, settings.ports.http


def leads_to(settings: "Settings", name: str) -> bool:
    """Whether the front leads to the backend of that name."""
    return settings.has_front and any(backend.name == name for backend in backends(settings))


def relay_port(settings: "Settings") -> int:
    """The port of this machine at which the relay takes TLS from the front; 0 if it takes none."""
    if settings.relay.run != "here" or not settings.has_front:
        return 0
    return settings.ports.relay_tls or settings.ports.relay or _RELAY_TLS
