"""What the s2s service is made of."""

from hausbote.base.settings import Settings
from hausbote.core.directory import Directory
from hausbote.core.feature import Feature
from hausbote.core.host import Host
from hausbote.core.house import BusOpener, hosted
from hausbote.core.pump import Pump
from hausbote.core.registry import Registry
from hausbote.net.certificates import certificates
from hausbote.net.dns import Resolver
from hausbote.net.outgoing_tls import OutgoingTls
from hausbote.net.peer_tls import ALPN_SERVER, take_any
from hausbote.net.tls import TlsShelf
from hausbote.s2s.gate import Gate
from hausbote.storage import Store

feature = Feature(
    "federation",
    xeps={
        "0178": "1.2",
        "0185": "1.0",
        "0198": "1.6.3",
        "0220": "1.1.1",
        "0288": "1.0.1",
        "0368": "1.1.0",
        "0478": "0.2.0",
    },
    partial={"0198": "acknowledgements between servers, no resumption"},
)
FEATURES: tuple[Feature, ...] = (feature,)


def build_gate(
    settings: Settings, store: Store, open_bus: BusOpener, resolver: Resolver | None = None
) -> Gate:
    """The service, wired but not started; CertificateError, TrustError."""
    host = Host(
        domain=settings.domain,
        settings=settings,
        store=store,
        bus=open_bus(lambda service, frame: gate.undeliverable(service, frame)),
        registry=Registry(FEATURES),
        directory=Directory(),
        pump=Pump(),
        services=hosted(settings),
        identity=("server", "im", "Hausbote"),
    )
    shelf = TlsShelf(*certificates(settings), alpn=ALPN_SERVER, prepare=take_any)
    tls = OutgoingTls(*certificates(settings))
    gate = Gate(host, resolver or Resolver(settings), tls, shelf)
    return gate
