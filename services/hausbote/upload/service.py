"""What the upload service is made of."""

from hausbote.base.settings import Settings
from hausbote.core.directory import Directory
from hausbote.core.exchange import undeliverable
from hausbote.core.feature import Feature
from hausbote.core.host import Host
from hausbote.core.house import BusOpener, neighbour, others
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
        services=others(settings, "upload"),
        identity=("store", "file", "Files"),
        beyond=settings.beyond,
    )
    neighbour(host, settings.names.proxy, PROXY_FEATURES, ("proxy", "bytestreams", "File proxy"))
    return host
