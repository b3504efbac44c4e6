"""The services of a box, each one row of a table.

Who starts, watches, checks, packs or tests services goes by this table, so that a new one is a row
here and its own package.  Every health check of a container loads it: it imports next to nothing.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from hausbote.base.front import leads_to

if TYPE_CHECKING:
    from hausbote.base.settings import Settings


class Port(NamedTuple):
    """A port that a service listens on.

    `setting` is its name in the settings' section `ports`, where 0 turns it off; `address` is the
    setting that says on which address.
    """

    setting: str
    use: str
    udp: bool = False  # with UDP besides TCP
    address: str = "address"


class Service(NamedTuple):
    """A process of the box that the supervisor runs.

    `domains` are those that it answers for, by their names in the settings: "domain" is the box's
    own, the rest is the section `names`.  Services of ours are on the bus; `program` is another
    maker's, from the Debian package of the name `package`.
    """

    name: str
    domains: tuple[str, ...] = ()
    ports: tuple[Port, ...] = ()
    network: bool = False  # it speaks with the network beyond the box by itself
    store: bool = False  # it opens the database
    certificates: bool = False  # it reads the box's certificate and key, anew at SIGHUP
    low_ports: bool = False  # it listens below 1024
    backups: bool = False  # its container makes backups, and restores them
    memory: int = 256  # MB that its container may have at most
    secrets: tuple[str, ...] = ()  # files with secrets that it reads, in the state directory
    stop_order: int = 999  # the highest is told to stop first
    program: str = ""
    package: str = ""
    is_wanted: Callable[["Settings"], bool] = lambda _: True

    @property
    def is_ours(self) -> bool:
        """Whether it is written here, and on the bus."""
        return not self.program


# Stopped last is by whom everybody comes, and before that who reaches other servers: what the
# others say when they go still leaves.  First goes who speaks with clients: what these sent is
# finished while those who must take it are there.
SERVICES: Final = (
    Service(
        "c2s",
        domains=("domain", "pubsub"),
        ports=(
            Port("c2s", "clients, with STARTTLS"),
            Port("c2s_tls", "clients, with TLS"),
            Port("web", "web clients"),
            Port("component", "components", address="components.address"),
        ),
        network=True,
        store=True,
        certificates=True,
        backups=True,
        memory=1_024,  # of which restic may need a good part
        stop_order=1_000,
    ),
    Service("rooms", domains=("rooms",), store=True, memory=512),
    Service(
        "upload",
        domains=("upload", "proxy"),
        ports=(Port("upload", "files"), Port("proxy", "files from client to client")),
        network=True,
        store=True,
        certificates=True,
    ),
    Service("turn", secrets=("relay/secrets.db",), memory=96),
    Service(
        "portal",
        ports=(
            Port("portal", "the portal, for browsers"),
            Port("portal_http", "the portal's redirect to TLS"),
        ),
        network=True,
        store=True,
        certificates=True,
        is_wanted=lambda settings: settings.has_portal,
    ),
    Service(
        "s2s",
        ports=(
            Port("s2s", "other servers"),
            Port("s2s_tls", "other servers, with TLS"),
        ),
        network=True,
        store=True,
        certificates=True,
        memory=512,
        stop_order=100,
        is_wanted=lambda settings: settings.beyond != "",
    ),
    # Its port, `ports.http`, is open only while there is a challenge: it may be another program's
    # at other times, and keeps no box from starting.
    Service(
        "certs",
        network=True,
        secrets=("certs/acme",),
        is_wanted=lambda settings: settings.certificates.acme == "yes",
    ),
    Service(
        "relay",
        ports=(
            Port("relay", "the relay for calls", udp=True, address="relay.address"),
            Port("relay_tls", "the relay for calls, with TLS", address="relay.address"),
        ),
        network=True,
        certificates=True,
        secrets=("relay/secrets.db",),
        program="turnserver",
        package="coturn",
        is_wanted=lambda settings: settings.relay.run == "here",
    ),
    Service(
        "front",
        ports=(
            Port("https", "everything, with TLS"),
            Port("http", "the redirect to TLS, and certificate challenges"),
        ),
        network=True,
        low_ports=True,
        stop_order=50,
        program="haproxy",
        package="haproxy",
        is_wanted=lambda settings: settings.front.run == "here",
    ),
)
BY_NAME: Final = {service.name: service for service in SERVICES}


def ours(settings: "Settings") -> list[str]:
    """The names of those services of ours that a box with these settings has."""
    return [one.name for one in SERVICES if one.is_ours and one.is_wanted(settings)]


def open_ports(settings: "Settings", service: Service) -> Iterator[tuple[Port, int]]:
    """The ports of a service that are not turned off, with their numbers."""
    for port in service.ports:
        number = getattr(settings.ports, port.setting)
        if number and service.is_wanted(settings):
            yield port, number


def service_of(settings: "Settings", name: str) -> str:
    """The service that answers for a name of the settings; "c2s" says of those that are turned off
    that they are."""
    for service in SERVICES:
        if name in service.domains:
            has_port = name not in vars(settings.ports) or getattr(settings.ports, name)
            off = not has_port and not leads_to(settings, name)
            return "c2s" if off else service.name
    raise KeyError(name)
