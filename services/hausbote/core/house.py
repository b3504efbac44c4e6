"""Which service of the box answers for which domain, and further domains within one process."""

from collections.abc import Callable, Sequence

from hausbote.base.services import service_of
from hausbote.base.settings import Settings
from hausbote.core.bus import Bus
from hausbote.core.bus.frame import Frame
from hausbote.core.directory import Directory
from hausbote.core.feature import Feature
from hausbote.core.host import Host
from hausbote.core.registry import Registry

BusOpener = Callable[[Callable[[str, Frame], None]], Bus]


def hosted(settings: Settings) -> dict[str, str]:
    """The service for each domain of the box, by its name on the bus."""
    names = {"domain": settings.domain, **vars(settings.names)}
    return {
        **{domain: service_of(settings, name) for name, domain in names.items()},
        **dict.fromkeys(settings.components.by_domain, "c2s"),
    }


def others(settings: Settings, service: str) -> dict[str, str]:
    """What `service` sends to the others."""
    return {domain: name for domain, name in hosted(settings).items() if name != service}


def neighbour(
    host: Host, domain: str, features: Sequence[Feature], identity: tuple[str, str, str]
) -> Host:
    """The host of a further domain in this process, which the two know of each other."""
    made = Host(
        domain=domain,
        settings=host.settings,
        store=host.store,
        bus=host.bus,
        registry=Registry(features),
        directory=Directory(),
        pump=host.pump,
        services=host.services,
        identity=identity,
        elsewhere=host.elsewhere,
        outlets=host.outlets,
        beyond=host.beyond,
        neighbours={host.domain: host},
    )
    host.neighbours[domain] = made
    return made
