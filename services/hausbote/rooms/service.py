"""What the rooms service is made of."""

from dataclasses import replace

from hausbote.base.settings import Settings
from hausbote.core.directory import Directory
from hausbote.core.exchange import undeliverable
from hausbote.core.feature import Feature, Target
from hausbote.core.host import Host
from hausbote.core.house import BusOpener, others
from hausbote.core.pump import Pump
from hausbote.core.registry import Registry
from hausbote.features import adhoc, ping, time, version
from hausbote.rooms import (
    absent,
    admin,
    archive,
    avatar,
    discovery,
    entering,
    for_owner,
    forwarding,
    hats,
    messages,
    names,
    news,
    occupant_queries,
    owner,
    registration,
    retraction,
    search,
)
from hausbote.rooms.house import open_house
from hausbote.storage import Store

FEATURES: tuple[Feature, ...] = (
    discovery.service,
    discovery.feature,
    replace(ping.feature, iqs={k: v for k, v in ping.feature.iqs.items() if k[0] is Target.HOST}),
    version.feature,
    time.feature,
    entering.feature,
    messages.feature,
    forwarding.feature,
    admin.feature,
    owner.feature,
    registration.feature,
    occupant_queries.feature,
    retraction.feature,
    archive.feature,
    avatar.feature,
    search.feature,
    names.feature,
    adhoc.feature,
    hats.feature,
    news.feature,
    absent.feature,
    for_owner.feature,
)


def build_host(settings: Settings, store: Store, open_bus: BusOpener) -> Host:
    """The service's host, wired but not started; its rooms are there."""
    host = Host(
        domain=settings.names.rooms,
        settings=settings,
        store=store,
        bus=open_bus(undeliverable(lambda: host)),
        registry=Registry(FEATURES),
        directory=Directory(),
        pump=Pump(),
        services=others(settings, "rooms"),
        identity=("conference", "text", "Rooms"),
        beyond=settings.beyond,
    )
    open_house(host)
    return host
