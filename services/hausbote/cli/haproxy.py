"""haproxy.cfg: the front as this box wants it, made of the settings (HAProxy 2.6 and later).

TLS is not opened here: what a client says in the clear at its beginning, the protocol that it wants
(ALPN) and the name that it came for (SNI), tells whom it is for.
"""

import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from hausbote.base.front import CHALLENGES, backends, relay_port
from hausbote.base.jid import a_label
from hausbote.base.settings import HTTPS, Settings
from hausbote.core.health import BUS

_HEAD: Final = """\
# The front, made from hausbote.toml: changes belong there.
# docs/front.md says what it does.
"""
# A hello with keys of tomorrow's cryptography takes 2 KB; 7 of these 8 are for it.
_BUFFER: Final = 8_192
_OWN_FILES: Final = 100
_FILES: Final = 2  # descriptors of one connection: the client's side and the service's
_SITE: Final = 4  # times as many connections as a network may have, as in the services
_NETWORKS: Final = 20_000  # that are remembered while they are connected
# The services say how long who may be silent.  This is the longest that HAProxy can wait.
_FOR_EVER: Final = "24d"


def configuration(settings: Settings, sockets: Path | None = None) -> str:
    """The file.  Sockets are looked for in `sockets`, or relative to the directory in which HAProxy
    is started: that is run/, or a container's own, which has a link to it."""
    name = settings.front_dir.name
    here = f"{BUS}/{name}" if settings.is_split else name
    lines = [
        *_global(settings),
        *_defaults(settings),
        *_https(settings),
        *_http(settings),
        *_ports(settings),
        *_services(settings, str(sockets) if sockets else here),
    ]
    return _HEAD + "\n".join(lines) + "\n"


def _global(settings: Settings) -> Iterator[str]:
    """It writes no log, which would name everybody's address, and has no other way in."""
    yield "global"
    yield f"    maxconn {_most(settings)}"
    yield "    nbthread 1"
    yield f"    tune.bufsize {_BUFFER}"
    yield "    tune.maxrewrite 1024"


def _most(settings: Settings) -> int:
    """Connections that the system's limit of open files allows, too."""
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    possible = max(10, (files - _OWN_FILES) // _FILES)
    return min(settings.front.connections or possible, possible)


def _defaults(settings: Settings) -> Iterator[str]:
    """Who is gone without a word is noticed here: services see HAProxy, which is always there."""
    yield from ("", "defaults", "    mode tcp")
    yield "    timeout connect 5s"
    yield f"    timeout client {_FOR_EVER}"
    yield f"    timeout server {_FOR_EVER}"
    yield "    timeout client-fin 30s"
    yield "    timeout server-fin 30s"
    idle = settings.limits.idle_seconds
    if idle:
        yield "    option clitcpka"
        yield f"    clitcpka-idle {idle}s"
        yield "    clitcpka-intvl 30s"
        yield "    clitcpka-cnt 4"


def _https(settings: Settings) -> Iterator[str]:
    yield from ("", "frontend https", *_binds(settings, settings.ports.https), *_fairness(settings))
    yield "    tcp-request inspect-delay 5s"
    yield "    tcp-request content accept if { req.ssl_hello_type 1 }"
    yield "    tcp-request content reject"
    yield from _by_protocol("c2s_tls", "xmpp-client")
    if settings.beyond:
        yield from _by_protocol("s2s_tls", "xmpp-server")
    relay = relay_port(settings)
    if relay:
        yield from _by_protocol("relay", "stun.turn", "stun.nat-discovery")
    # Browsers that ask for the relay say no protocol; nor do some servers.
    if relay and settings.relay_host != settings.ascii_domain:
        yield from _by_name("relay", settings.relay_host)
    yield from _by_name("upload", a_label(settings.names.upload))
    if settings.beyond:
        for name in (settings.names.rooms, settings.names.pubsub):
            yield from _by_name("s2s_tls", a_label(name))
    yield "    default_backend web"


def _by_protocol(backend: str, *protocols: str) -> Iterator[str]:
    """For whoever wants one of these, perhaps among others: the list comes with commas between."""
    wanted = "|".join(protocol.replace(".", "\\.") for protocol in protocols)
    yield f"    use_backend {backend} if {{ req.ssl_alpn -m reg (^|,)({wanted})(,|$) }}"


def _by_name(backend: str, name: str) -> Iterator[str]:
    yield f"    use_backend {backend} if {{ req.ssl_sni -i {name} }}"


def _http(settings: Settings) -> Iterator[str]:
    """Certificate challenges, and the way to TLS for everything else."""
    ports = settings.ports
    if not ports.http:
        return
    yield from ("", "frontend http", *_binds(settings, ports.http), *_fairness(settings))
    yield from ("    mode http", "    timeout client 30s", "    timeout http-request 10s")
    yield "    timeout http-keep-alive 5s"
    yield "    http-request deny if !{ req.hdr(host) -m found }"
    yield "    acl is_challenge path_beg /.well-known/acme-challenge/"
    where = "scheme https"
    if ports.https != HTTPS:
        where = f"prefix https://{settings.ascii_domain}:{ports.https}"
    yield f"    http-request redirect {where} code 301 unless is_challenge"
    yield "    default_backend challenges"
    yield from ("", "backend challenges", "    mode http", "    timeout server 30s")
    yield f"    server it 127.0.0.1:{CHALLENGES}"


def _ports(settings: Settings) -> Iterator[str]:
    """The ports that belong to one service alone."""
    for backend in backends(settings):
        if backend.port:
            yield from ("", f"frontend {backend.name}", *_binds(settings, backend.port))
            yield from (*_fairness(settings), f"    default_backend {backend.name}")


def _binds(settings: Settings, port: int) -> Iterator[str]:
    """What is sent and not confirmed for so long is for a client that is gone."""
    rules = "tcp-ut 90s backlog 1024"
    if settings.address == "::":
        yield f"    bind 0.0.0.0:{port} {rules}"
        yield f"    bind [::]:{port} v6only {rules}"
    else:
        where = f"[{settings.address}]" if ":" in settings.address else settings.address
        yield f"    bind {where}:{port} {rules}"


def _fairness(settings: Settings) -> Iterator[str]:
    """No network takes all places: each has as many as it may have with all services together."""
    most = settings.limits.connections_per_address * len(backends(settings))
    if most:
        yield "    tcp-request connection track-sc0 src,ipmask(32,64) table networks"
        yield "    tcp-request connection track-sc1 src,ipmask(32,48) table sites"
        yield f"    tcp-request connection reject if {{ sc0_conn_cur gt {most} }}"
        yield f"    tcp-request connection reject if {{ sc1_conn_cur gt {most * _SITE} }}"


def _services(settings: Settings, sockets: str) -> Iterator[str]:
    for backend in backends(settings):
        yield from ("", f"backend {backend.name}")
        yield f"    server it unix@{sockets}/{backend.name}.sock send-proxy-v2"
    port = relay_port(settings)
    if port:
        yield from ("", "backend relay", f"    server it 127.0.0.1:{port}")
    if settings.limits.connections_per_address:
        for table in ("networks", "sites"):
            yield from ("", f"backend {table}")
            yield f"    stick-table type ipv6 size {_NETWORKS} expire 1m store conn_cur"
