"""What strangers who make accounts may do, whichever way they make them.

Everything is noted before it is done: what is noted afterwards does not count what is under way.
"""

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Final

from hausbote.base.lookalikes import skeleton
from hausbote.base.networks import network_of, site_of
from hausbote.base.ways import Way
from hausbote.core.host import Host
from hausbote.core.throttle import Throttle
from hausbote.features.account_names import reserved, taken_for
from hausbote.xmpp.errors import Conflict, NotAcceptable, ResourceConstraint

_HOUR: Final = 3_600.0  # seconds
_DAY: Final = 86_400  # seconds
_TOLD_DAYS: Final = 30  # that an invitation has expired, or was used or withdrawn
_TRIES: Final = 4  # attempts for each account that an address may make
_SITE_FACTOR: Final = 4  # a site is one customer, who has 65,536 networks


class Newcomers:
    """Attempts and accounts of the last hour, by network and site, and names being registered.

    Accounts that are made through somebody else's web page are counted apart: who looks at the
    page does not know of them.
    """

    def __init__(self) -> None:
        self._throttles: tuple[Throttle, Throttle, Throttle, Throttle] | None = None
        self._claims: set[str] = set()  # skeletons

    def admit(self, host: Host, address: str, way: Way) -> None:
        """Note an attempt, whatever becomes of it; ResourceConstraint if there were too many."""
        by_network, by_site, _, _ = self._limits(host)
        _note(by_network, by_site, address, way)

    def count(self, host: Host, address: str, way: Way) -> None:
        """Note an account that is going to be made; ResourceConstraint if there are too many."""
        _, _, by_network, by_site = self._limits(host)
        _note(by_network, by_site, address, way)

    @contextmanager
    def claim(self, host: Host, local: str, *, invited: bool = False) -> Iterator[None]:
        """Hold a name, and all that look like it, while its account is made.

        NotAcceptable or Conflict if a stranger may not have it.  For who is `invited` by that name
        it was looked at when the invitation was made.
        """
        # In a thread, for the first one that is not plain ASCII needs tables that take their time.
        wanted: str = skeleton(local) if local.isascii() else host.compute(skeleton, local)
        if wanted in self._claims:
            raise Conflict("this name is taken")
        self._claims.add(wanted)
        try:
            if not invited:
                check_name(host, local)
            yield
        finally:
            self._claims.discard(wanted)

    def _limits(self, host: Host) -> tuple[Throttle, Throttle, Throttle, Throttle]:
        if self._throttles is None:
            limit = host.settings.limits.registrations_per_hour
            self._throttles = (
                Throttle(limit * _TRIES, _HOUR),
                Throttle(limit * _TRIES * _SITE_FACTOR, _HOUR),
                Throttle(limit, _HOUR),
                Throttle(limit * _SITE_FACTOR, _HOUR),
            )
        return self._throttles


def _note(by_network: Throttle, by_site: Throttle, address: str, way: Way) -> None:
    network: Hashable = (network_of(address), way)
    site: Hashable = (site_of(address), way.kind)
    if by_network.exceeded(network) or by_site.exceeded(site):
        raise ResourceConstraint("too many accounts were made from your address: try later")
    by_network.note(network)
    by_site.note(site)


def check_name(host: Host, local: str) -> None:
    """NotAcceptable or Conflict if a stranger may not have that name."""
    accounts, invited = host.store.accounts, host.store.invitations.reserved(host.surely())
    if local in invited or accounts.exists(local):
        raise Conflict("this name is taken")
    if accounts.is_departed(local, held_since(host)):
        raise Conflict("this name is taken")
    words = reserved(host.settings)
    others = (*words, *accounts.names(), *invited)
    if local in words or host.compute(taken_for, local, others) is not None:
        raise NotAcceptable("this name could be taken for somebody else's: choose another")


def held_since(host: Host) -> int:
    """Names of accounts that were deleted later than that, in seconds since 1970, are not free."""
    return int(host.surely()) - host.settings.retention.names_days * _DAY


def free_old_names(host: Host) -> None:
    """What is held no more need not be known any more."""
    host.store.accounts.forget_departed(held_since(host))


def forget_old_invitations(host: Host) -> None:
    """For a while whoever comes too late is told so."""
    host.store.invitations.purge(host.surely() - _TOLD_DAYS * _DAY)
