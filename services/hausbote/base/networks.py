"""The networks that limits count by, and those that are not the internet."""

import ipaddress
from functools import lru_cache
from typing import Final

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# The special-purpose registries of IANA (RFC 6890 and after) and multicast: what a peer on the
# internet has never, and what would lead a packet inside: private, loopback, link-local, shared
# (CGNAT), documentation, benchmarks; IPv4 in IPv6's clothes; tunnels and translators.  Networks for
# protocols are here as a whole: no peer is in the parts of them that can be reached.  Of IPv6 only
# 2000::/3 is the internet at all, so what else becomes special one day is on the list already.
NOT_THE_INTERNET: Final[tuple[Network, ...]] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "::/3", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "4000::/2", "8000::/1",
    )
)  # fmt: skip
# An IPv4 address is at the end of these, and it is what is reached (RFC 4291 2.5.5.2, RFC 6052).
_TRANSLATED: Final = (
    ipaddress.IPv6Network("::ffff:0:0/96"),
    ipaddress.IPv6Network("64:ff9b::/96"),
)
_ISATAP: Final = (0x00005EFE, 0x02005EFE)  # before an IPv4 address in any network (RFC 5214 6.1)


def is_public(address: str | Address) -> bool:
    """Whether it is of the internet, and not of this machine or of a network around it."""
    ip = ipaddress.ip_address(address.partition("%")[0]) if isinstance(address, str) else address
    if isinstance(ip, ipaddress.IPv6Address):
        end = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if any(ip in network for network in _TRANSLATED):
            return is_public(end)
        if int(ip) >> 32 & 0xFFFFFFFF in _ISATAP and not is_public(end):
            return False
    return not any(ip in network for network in NOT_THE_INTERNET if network.version == ip.version)


def network_of(address: str) -> str:
    """What one customer of a provider has: the IPv4 address, or the IPv6 /64 (RFC 6177)."""
    return _prefix(address, 64)


def site_of(address: str) -> str:
    """What one customer may have at most: the IPv4 address, or the IPv6 /48 (RFC 6177).

    Takes a network, too.
    """
    return _prefix(address.partition("/")[0], 48)


@lru_cache(4_096)  # 50 us each for IPv6, and a login asks several times
def _prefix(address: str, bits: int) -> str:
    if ":" not in address:
        return address
    ip = ipaddress.IPv6Address(address.partition("%")[0])
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.IPv6Network((ip, bits), strict=False))
