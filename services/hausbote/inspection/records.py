"""The DNS records of a box, as lines of a zone file, by what its settings open."""

from collections.abc import Iterator

from hausbote.base.front import relay_port
from hausbote.base.jid import a_label
from hausbote.base.settings import HTTPS, Settings
from hausbote.base.settings_checks import is_ip_address
from hausbote.turn.place import Place, place

_SECONDS = 3_600  # that others remember them
_SERVICES = ("client", "server")


def open_ports(settings: Settings, service: str, *, direct: bool) -> list[int]:
    """Where clients ("client") or other servers ("server") get in, the best first; `direct` is TLS
    from the first byte."""
    ports, front = settings.ports, settings.ports.https
    if service == "server" and not settings.beyond:
        return []
    of_its_own = {
        ("client", False): ports.c2s,
        ("client", True): ports.c2s_tls,
        ("server", False): ports.s2s,
        ("server", True): ports.s2s_tls,
    }[service, direct]
    return [port for port in (front if direct else 0, of_its_own) if port]


def service_records(settings: Settings, service: str, name: str, *, direct: bool) -> list[str]:
    """The SRV records of `name`, a domain of the box as DNS writes it."""
    kind = f"_xmpp{'s' if direct else ''}-{service}._tcp.{name}"
    base = 0 if direct else 10  # who can do both tries TLS first
    return [
        srv(kind, base + 5 * number, port, settings.ascii_domain)
        for number, port in enumerate(open_ports(settings, service, direct=direct))
    ]


def srv(kind: str, priority: int, port: int, host: str) -> str:
    return f"{kind}. {_SECONDS} IN SRV {priority} 0 {port} {host}."


def records(settings: Settings) -> Iterator[str]:
    """All of them; may wait for DNS, which knows the address that the internet sees."""
    here = place(settings)
    for name in _hosts(settings):
        yield from _addresses(here, name)
    for direct in (True, False):
        for service in _SERVICES:
            yield from service_records(settings, service, settings.ascii_domain, direct=direct)
    for name in (settings.names.rooms, settings.names.pubsub):
        for direct in (True, False):
            yield from service_records(settings, "server", a_label(name), direct=direct)
    yield from relay_records(settings)
    yield from _https(settings)


def _hosts(settings: Settings) -> list[str]:
    """Names that have addresses of their own."""
    names = [settings.ascii_domain]
    if settings.has_upload:
        names.append(a_label(settings.names.upload))
    if settings.ports.proxy:
        names.append(settings.proxy.host or a_label(settings.names.proxy))
    if settings.relay.run == "here":
        names.append(settings.relay_host)
    return [name for name in dict.fromkeys(names) if not is_ip_address(name)]


def _addresses(here: Place, name: str) -> Iterator[str]:
    for address in here.addresses:
        seen = here.external if address.version == 4 and here.external else address
        yield f"{name}. {_SECONDS} IN {'A' if seen.version == 4 else 'AAAA'} {seen}"


def relay_records(settings: Settings) -> Iterator[str]:
    """Of the relay (RFC 8489 §8.1, RFC 8656 §8.1); XMPP clients ask the server instead."""
    ports, name, host = settings.ports, settings.ascii_domain, settings.relay_host
    if settings.relay.run != "here" or is_ip_address(host):
        return
    if ports.relay:
        for kind in ("_stun._udp", "_turn._udp", "_turn._tcp"):
            yield srv(f"{kind}.{name}", 0, ports.relay, host)
    at_front = ports.https if relay_port(settings) else 0
    found = [port for port in (at_front, ports.relay_tls) if port]
    for kind in ("_stuns._tcp", "_turns._tcp"):
        for number, port in enumerate(found):
            yield srv(f"{kind}.{name}", 5 * number, port, host)


def _https(settings: Settings) -> Iterator[str]:
    """What sends browsers to TLS at once (RFC 9460 §9)."""
    if settings.ports.https == HTTPS:
        for name in (settings.ascii_domain, a_label(settings.names.upload)):
            yield f"{name}. {_SECONDS} IN HTTPS 1 . alpn=http/1.1"
