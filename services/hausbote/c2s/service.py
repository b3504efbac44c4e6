"""What the c2s service is made of."""

from collections.abc import Callable

from hausbote.base.settings import Settings
from hausbote.core import dispatch
from hausbote.core.bus import Bus
from hausbote.core.bus.frame import Frame
from hausbote.core.directory import Directory
from hausbote.core.exchange import undeliverable
from hausbote.core.feature import Feature
from hausbote.core.host import Host
from hausbote.core.pump import Pump
from hausbote.core.registry import Registry
from hausbote.features import (
    caps,
    disco,
    last_activity,
    offline,
    ping,
    presence,
    register,
    roster,
    session,
    subscriptions,
    time,
    version,
)
from hausbote.features.pubsub import arrivals, requests
from hausbote.storage import Store
from hausbote.xmpp.errors import StreamError

FEATURES: tuple[Feature, ...] = (
    disco.feature,
    caps.feature,
    session.feature,
    register.feature,
    roster.feature,
    subscriptions.feature,
    presence.feature,
    offline.feature,
    ping.feature,
    version.feature,
    time.feature,
    last_activity.feature,
    requests.pep,
    arrivals.feature,
)
PUBSUB_FEATURES: tuple[Feature, ...] = (
    disco.feature,
    caps.feature,
    ping.feature,
    version.feature,
    time.feature,
    requests.pubsub,
)

BusOpener = Callable[[Callable[[str, Frame], None]], Bus]


def build_host(settings: Settings, store: Store, open_bus: BusOpener) -> Host:
    """The service's host, wired but not started."""
    names = settings.names
    host = Host(
        domain=settings.domain,
        settings=settings,
        store=store,
        bus=open_bus(undeliverable(lambda: host)),
        registry=Registry(FEATURES),
        directory=Directory(),
        pump=Pump(),
        services={names.rooms: "rooms"},
        identity=("server", "im", "Hausbote"),
        elsewhere=frozenset({names.upload, names.proxy}),
    )
    host.neighbours[names.pubsub] = _pubsub_host(host)
    return host


def _pubsub_host(host: Host) -> Host:
    """The publish-subscribe service: a domain of its own, in this process."""
    return Host(
        domain=host.settings.names.pubsub,
        settings=host.settings,
        store=host.store,
        bus=host.bus,
        registry=Registry(PUBSUB_FEATURES),
        directory=Directory(),
        pump=host.pump,
        services=host.services,
        identity=("pubsub", "service", "Publish-subscribe"),
        neighbours={host.domain: host},
    )


def account_changed(host: Host, message: dict[str, str]) -> None:
    """An account was deleted or locked, or got another password: its sessions end."""
    local, change = message.get("account", ""), message.get("change", "")
    account = host.directory.online(local)
    reason = "not-authorized" if change == "deleted" else "reset"
    for one in list(account.sessions.values()) if account is not None else ():
        one.transport.end(StreamError(reason, f"the account was changed: {change}"))
        dispatch.gone(host, one)
    if change == "deleted":
        host.directory.forget(local)
        host.store.activity.forget(local)
