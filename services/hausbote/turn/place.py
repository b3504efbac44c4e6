"""Where the relay stands: on which addresses, in which networks, and what the internet sees of it.

The supervisor of the relay's container has this loaded for ever, so it imports next to nothing.
"""

import ipaddress
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from hausbote.base.networks import Address, Network, is_public
from hausbote.turn.networks import outward_addresses, own_networks, public_address

if TYPE_CHECKING:
    from hausbote.base.settings import Settings


class Place(NamedTuple):
    """Its addresses, what the internet sees instead of the IPv4 one, and the networks that it is
    in.  It is not `certain` if DNS was to be asked and did not answer."""

    addresses: tuple[Address, ...]
    external: Address | None
    networks: tuple[Network, ...]
    certain: bool = True


class Configured(NamedTuple):
    """What the settings say of it: `relay.address`, `relay.external` and `relay.host`, or what
    stands for them."""

    address: str
    external: str
    host: str

    @classmethod
    def of(cls, settings: "Settings") -> "Configured":
        relay = settings.relay
        return cls(relay.address or settings.address, relay.external, settings.relay_host)

    def addresses(self) -> tuple[Address, ...]:
        """Where it listens now."""
        given = ipaddress.ip_address(self.address)
        found = outward_addresses() if given.is_unspecified else [given]
        return tuple(found) or (ipaddress.IPv4Address("127.0.0.1"),)

    def place(self) -> Place:
        """Where it stands now; may wait for DNS."""
        listening, networks = self.addresses(), tuple(own_networks())
        try:
            return Place(listening, self._seen_as(listening), networks)
        except OSError:
            return Place(listening, None, networks, certain=False)

    def _seen_as(self, addresses: Sequence[Address]) -> Address | None:
        """None if the box has a public IPv4 address, or nobody knows another."""
        own = [one for one in addresses if one.version == 4]
        if not own or not self.external or is_public(own[0]):
            return None
        if self.external == "dns":
            return public_address(self.host)
        return ipaddress.ip_address(self.external)


def addresses(settings: "Settings") -> tuple[Address, ...]:
    """Where the relay listens now."""
    return Configured.of(settings).addresses()


def place(settings: "Settings") -> Place:
    """Where the relay stands now; may wait for DNS."""
    return Configured.of(settings).place()
