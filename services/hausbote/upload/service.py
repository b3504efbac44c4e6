"""What the upload service is made of."""

from collections.abc import Callable

from hausbote.base.settings import Settings
from hausbote.core.bus import Bus
from hausbote.core.bus.frame import Frame
from hausbote.core.directory import Directory
from hausbote.core.exchange import undeliverable
from hausbote.core.feature import Feature
from hausbote.core.host import Host
from hausbote.core.pump import Pump
from hausbote.core.registry import Registry
from hausbote.features import disco, ping, time, version
from hausbote.storage import Store
from hausbote.upload import proxy, slots

FEATURES: tuple[Feature, ...] = (
    disco.feature,
    ping.feature,
    version.feature,
    time.feature,
    slots.feature,
)
PROXY_FEATURES: tuple[Feature, ...] = (
    disco.feature,
    ping.feature,
    version.feature,
    time.feature,
    proxy.feature,
)

BusOpener = Callable[[Callable[[str, Frame], None]], Bus]


def build_host(settings: Settings, store: Store, open_bus: BusOpener) -> Host:
    """The service's host, wired but not started."""
    host = Host(
        domain=settings.names.upload,
        settings=settings,
        store=store,
        bus=open_bus(undeliverable(lambda: host)),
        registry=Registry(FEATURES),
        directory=Directory(),
        pump=Pump(),
        services={
            settings.domain: "c2s",
            settings.names.rooms: "rooms",
            settings.names.pubsub: "c2s",
            **dict.fromkeys(settings.components.by_domain, "c2s"),
        },
        identity=("store", "file", "Files"),
        beyond=settings.beyond,
    )
    host.neighbours[settings.names.proxy] = _proxy_host(host)
    return host


def _proxy_host(host: Host) -> Host:
    """The file proxy: a domain of its own, in this process."""
    return Host(
        domain=host.settings.names.proxy,
        settings=host.settings,
        store=host.store,
        bus=host.bus,
        registry=Registry(PROXY_FEATURES),
        directory=Directory(),
        pump=host.pump,
        services=host.services,
        identity=("proxy", "bytestreams", "File proxy"),
        beyond=host.beyond,
        neighbours={host.domain: host},
    )
