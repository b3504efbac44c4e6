"""What the c2s service is made of."""

from hausbote.base.settings import Settings
from hausbote.c2s import (
    bind2,
    components,
    fast,
    login,
    management,
    portal_actions,
    portal_joins,
    portal_logins,
    portal_notices,
    sasl2,
    server,
    upgrade,
)
from hausbote.c2s.components import Component
from hausbote.core.directory import Directory
from hausbote.core.exchange import undeliverable
from hausbote.core.feature import Feature
from hausbote.core.host import Host
from hausbote.core.house import BusOpener, neighbour, others
from hausbote.core.pump import Pump
from hausbote.core.registry import Registry
from hausbote.features import (
    account_affiliations,
    adhoc,
    administration,
    avatars,
    blocking,
    bookmarks,
    caps,
    carbons,
    client_state,
    clients,
    contact_addresses,
    data_policy,
    disco,
    displayed,
    elsewhere,
    external_services,
    forgeries,
    full_disk,
    group_push,
    invitations,
    last_activity,
    nobody,
    offline,
    ping,
    preauth,
    presence,
    private,
    push,
    received,
    register,
    reports,
    room_wishes,
    roster,
    session,
    stream_limits,
    subscriptions,
    time,
    vcard,
    version,
)
from hausbote.features.archive import keeping, preferences, queries
from hausbote.features.pubsub import arrivals, requests
from hausbote.storage import Store

_ARCHIVE: tuple[Feature, ...] = (keeping.feature, queries.feature, preferences.feature)
FEATURES: tuple[Feature, ...] = (
    blocking.feature,
    reports.feature,
    disco.feature,
    caps.feature,
    contact_addresses.feature,
    data_policy.feature,
    stream_limits.feature,
    session.feature,
    register.feature,
    preauth.feature,
    roster.feature,
    subscriptions.feature,
    presence.feature,
    elsewhere.feature,
    displayed.feature,
    forgeries.feature,
    *_ARCHIVE,
    carbons.feature,
    client_state.feature,
    management.feature,
    push.feature,
    group_push.feature,
    room_wishes.feature,
    offline.feature,
    received.feature,
    ping.feature,
    version.feature,
    time.feature,
    last_activity.feature,
    nobody.feature,
    account_affiliations.feature,
    external_services.feature,
    adhoc.feature,
    *administration.FEATURES,
    invitations.feature,
    full_disk.feature,
    clients.feature,
    login.feature,
    portal_logins.feature,
    portal_joins.feature,
    portal_actions.feature,
    portal_notices.feature,
    sasl2.feature,
    bind2.feature,
    fast.feature,
    upgrade.feature,
    server.feature,
    server.web_feature,
    components.feature,
    requests.pep,
    arrivals.feature,
    bookmarks.feature,
    private.feature,
    vcard.feature,
    avatars.feature,
)
PUBSUB_FEATURES: tuple[Feature, ...] = (
    disco.feature,
    caps.feature,
    ping.feature,
    version.feature,
    time.feature,
    adhoc.feature,
    requests.pubsub,
)


def build_host(settings: Settings, store: Store, open_bus: BusOpener) -> Host:
    """The service's host, wired but not started."""
    names, services = settings.names, others(settings, "c2s")
    host = Host(
        domain=settings.domain,
        settings=settings,
        store=store,
        bus=open_bus(undeliverable(lambda: host)),
        registry=Registry(_features(settings)),
        directory=Directory(),
        pump=Pump(),
        services=services,
        identity=("server", "im", "Hausbote"),
        has_accounts=True,
        elsewhere=frozenset((names.upload, names.proxy)) - services.keys(),
        beyond=settings.beyond,
        outlets={domain: Component(domain) for domain in settings.components.by_domain},
    )
    neighbour(host, names.pubsub, PUBSUB_FEATURES, ("pubsub", "service", "Publish-subscribe"))
    return host


def _features(settings: Settings) -> tuple[Feature, ...]:
    if settings.archive.enabled == "yes":
        return FEATURES
    return tuple(feature for feature in FEATURES if feature not in _ARCHIVE)
