"""Who is behind a domain: names below one that somebody registered cost nothing."""

import ipaddress
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from hausbote.base.jid import JID
from hausbote.base.networks import site_of

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

_KNOWN: Final = 1_000  # domains


@lru_cache(_KNOWN)
def registrable_domain(domain: str) -> str:
    """What its owner had to register, by the public suffix list: the name right below a suffix
    under which everybody may have names.  Some of these suffixes are companies' (dyndns.org).

    Of an IP address it is the site (see `site_of`); of what is no more than a suffix, itself.
    """
    name = domain.rstrip(".").lower()
    address = name.removeprefix("[").removesuffix("]")
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return _suffixes().privatesuffix(name) or name
    return site_of(address)


def party_of(who: JID, home: str) -> str:
    """Whose share somebody takes: a person of the box at `home` one for themselves, all people of
    another server together that of its registrable domain, for it has as many as it likes.  A
    component below the name of the box is such a server, too."""
    if who.domain == home:
        return who.bare
    if who.domain.endswith(f".{home}"):
        return who.domain
    return registrable_domain(who.domain)


def server_of(address: str) -> str:
    """The registrable domain of a JID, given as text."""
    return registrable_domain(JID.parse(address).domain)


@lru_cache(1)
def _suffixes() -> "PublicSuffixList":
    from publicsuffixlist import PublicSuffixList  # 1.6 MB that a box without strangers never needs

    return PublicSuffixList()
