"""What guessing passwords costs, and whom it must not keep out.

Failures are counted in buckets, and one party's failures fill none that another needs:

- A device that has logged in to the account before, told by its user-agent id, which nobody else
  knows (XEP-0388 §2.2), has a bucket of its own.
- So has a place from which somebody has logged in to the account since the start: a network and a
  way there.
- All others share those of their network with this account, of their network, of their site, and
  of the account.  When the account's is full, who never was in cannot log in for a while, wherever
  they are; the two above can.

Ways (`base.ways`) are counted apart: what comes directly, by the web, and by the web from pages
that are not the box's, for these have their visitors' browsers try passwords.
"""

from collections.abc import Callable, Hashable, Iterator
from typing import Final

from hausbote.base.networks import network_of, site_of
from hausbote.base.ways import Way
from hausbote.core.throttle import Throttle

_WINDOW: Final = 300.0  # seconds
_ACCOUNT_FACTOR: Final = 2
_NETWORK_FACTOR: Final = 5  # a household shares one address
_SITE_FACTOR: Final = 20
_MAX_PENALTY: Final = 5.0  # seconds
_PLACES: Final = 16  # remembered for one account
_ACCOUNTS: Final = 10_000  # whose places are remembered

Place = tuple[str, Way]
Bucket = tuple[Throttle, Hashable]


class LoginGuard:
    """Failed logins of the last minutes, in this process.

    `knows` says whether a client with that user-agent id has logged in to an account before; it is
    asked when that decides something.
    """

    def __init__(self, limit: int, knows: Callable[[str, str], bool]) -> None:
        self._knows = knows
        self._by_known = Throttle(limit, _WINDOW)
        self._by_both = Throttle(limit, _WINDOW)
        self._by_account = Throttle(limit * _ACCOUNT_FACTOR, _WINDOW)
        self._by_network = Throttle(limit * _NETWORK_FACTOR, _WINDOW)
        self._by_site = Throttle(limit * _SITE_FACTOR, _WINDOW)
        self._places: dict[str, dict[Place, None]] = {}

    def succeeded(self, address: str, way: Way, local: str) -> None:
        """Remember the place; those not seen for longest make room."""
        place = (network_of(address), way)
        places = self._places.get(local, {})
        if places and next(reversed(places)) == place:
            return
        self._places.pop(local, None)
        places.pop(place, None)
        if len(places) >= _PLACES:
            del places[next(iter(places))]
        if len(self._places) >= _ACCOUNTS:
            del self._places[next(iter(self._places))]
        places[place] = None
        self._places[local] = places

    def refuses(self, address: str, way: Way, local: str, agent: str) -> bool:
        """Whether there were too many failures for another try; `agent` is "" without an id."""
        if agent and self._by_known.exceeded((local, agent)):
            return True
        buckets = self._of_place(address, way, local)
        full = any(throttle.exceeded(key) for throttle, key in buckets)
        return full and not self._is_known(local, agent)

    def penalty(self, address: str, way: Way, local: str, agent: str) -> float:
        """Note a failure; returns the seconds to wait before the client hears of it."""
        if self._is_known(local, agent):
            buckets: list[Bucket] = [(self._by_known, (local, agent))]
        else:
            buckets = list(self._of_place(address, way, local))
        for throttle, key in buckets:
            throttle.note(key)
        of_account = (self._by_known, self._by_both, self._by_account)
        failures = max((t.count(key) for t, key in buckets if t in of_account), default=0)
        return min(0.05 * 2**failures, _MAX_PENALTY) if failures else 0.0

    def _of_place(self, address: str, way: Way, local: str) -> Iterator[Bucket]:
        network = network_of(address)
        if (network, way) in self._places.get(local, ()):
            yield self._by_known, (local, network, way)
            return
        yield self._by_both, (local, network, way)
        yield self._by_account, (local, way.kind)
        yield self._by_network, (network, way.kind)
        yield self._by_site, (site_of(address), way.kind)

    def _is_known(self, local: str, agent: str) -> bool:
        return bool(agent) and self._knows(local, agent)
