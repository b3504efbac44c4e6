"""The networks that limits count by: addresses cost nothing to who has a whole network of them."""

import ipaddress
from functools import lru_cache


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
