"""The certificate of the box's own authority, for as long as there is no other.

It is renewed as any other would be: when a third of its life is left or a name is missing.  Whoever
trusts `certs/ca.pem` notices nothing.
"""

import time
from pathlib import Path

from cryptography import x509

from hausbote.base.believed_clock import clock_is_doubted
from hausbote.base.file_locks import Held, locked
from hausbote.base.jid import a_label
from hausbote.base.settings import Settings
from hausbote.base.settings_checks import is_ip_address
from hausbote.certs.authority import issue
from hausbote.certs.deployment import deploy, deployed
from hausbote.certs.pair import Pair, Unusable, is_due, read_pair
from hausbote.certs.places import Places
from hausbote.net.in_use import is_own


def own_names(settings: Settings) -> list[str]:
    """Every name of the box; also the relay's behind a front, which there may be one day."""
    names = [settings.domain, *vars(settings.names).values(), f"relay.{settings.domain}"]
    given = settings.relay.host
    names += [given] if given and not is_ip_address(given) else []
    return list(dict.fromkeys(names))


def own_addresses(settings: Settings) -> list[str]:
    """IP addresses that the certificate names: those of a box that is used by them."""
    own = [] if settings.address in ("::", "0.0.0.0") else [settings.address]  # noqa: S104
    own += [settings.relay.host] if is_ip_address(settings.relay.host) else []
    local = ["127.0.0.1", "::1"] if settings.domain == "localhost" else []
    return list(dict.fromkeys(own + local))


def renew_own(settings: Settings, *, anew: bool = False) -> bool:
    """Renew it if it is time, or if `anew`; returns whether there is a new one.

    False as well where the box shows another authority's certificate, or has files of its own by
    `tls.certificate`.  OSError or ValueError if the disk or the authority's key refuses.
    """
    places = Places(settings)
    files = settings.path(settings.tls.certificate), settings.path(settings.tls.key)
    default = (places.certs / "box.pem", places.certs / "box.key")
    if files != default or clock_is_doubted(settings.clock_mark):
        return False
    pair = _shown(settings, places.certs)
    names, addresses = own_names(settings), own_addresses(settings)
    if pair is None or not (
        anew or is_due(pair, time.time()) or _lacks(pair, [*map(a_label, names), *addresses])
    ):
        return False
    chain, key = issue(places.certs, names, addresses)
    places.lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with locked(places.lock):
            if deployed(places.certs) != (pair.chain, pair.key):
                return False  # an authority's has come meanwhile
            deploy(places.certs, chain, key)
    except Held:
        return False  # an authority is being asked
    return True


def _shown(settings: Settings, certs: Path) -> Pair | None:
    """The pair in use if the box's own authority made it and could make another."""
    try:
        pair = read_pair(*(certs / name for name in ("box.pem", "box.key")))
    except Unusable:
        return None  # its owner is told by the checks before a start
    own = pair is not None and is_own(settings, pair.certificates[0])
    return pair if own and (certs / "ca.key").exists() else None


def _lacks(pair: Pair, wanted: list[str]) -> bool:
    names = pair.certificates[0].extensions.get_extension_for_class(x509.SubjectAlternativeName)
    there = names.value.get_values_for_type(x509.DNSName)
    there += map(str, names.value.get_values_for_type(x509.IPAddress))
    return not set(wanted) <= set(there)
