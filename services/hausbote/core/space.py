"""What people send is kept on a disk that others need, too: a reserve, and a pace for everybody."""

import time
from collections.abc import Callable, Hashable, Iterable
from typing import Final

from hausbote.base.domains import party_of
from hausbote.base.jid import JID
from hausbote.core.host import Host
from hausbote.xmpp.errors import ResourceConstraint

_HOUR: Final = 3_600.0  # seconds
_SHARE: Final = 4  # of what all people of another server may have kept, one has a quarter
_MAX_KEYS: Final = 10_000


def need_space(host: Host) -> None:
    """ResourceConstraint if the disk is so full that nothing more may be kept."""
    if host.store.reserve.is_low:
        raise ResourceConstraint("the disk of this server is full: try later")


def keep_for(host: Host, sender: JID, size: int) -> None:
    """`size` bytes of that sender's are going to be kept; ResourceConstraint if they may not."""
    need_space(host)
    limit = host.settings.limits.kept_bytes_per_hour
    if not limit:
        return
    party = party_of(sender, host.settings.domain)
    shares: tuple[tuple[Hashable, int], ...] = ((party, limit),)
    if party != sender.bare:
        shares = (*shares, (sender.bare, limit // _SHARE or 1))
    if not host.state(Paces).take(size, shares):
        raise ResourceConstraint("you had as much kept as you may within an hour: try later")


class Paces:
    """What everybody had kept lately, as the time until which their pace is taken up with it.

    If there are too many, those whose time is over are forgotten, or else the oldest half.
    """

    __slots__ = ("_clock", "_until")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[Hashable, float] = {}

    def take(self, size: int, shares: Iterable[tuple[Hashable, int]]) -> bool:
        """Note `size` bytes for each of the keys, which are named with their bytes per hour; False,
        and nothing is noted, if they are too many for one of them."""
        now = self._clock()
        until = []
        for key, limit in shares:
            end = max(now, self._until.get(key, now)) + size * _HOUR / limit
            if end > now + _HOUR:
                return False
            until.append((key, end))
        if len(self._until) >= _MAX_KEYS:
            self._forget(now)
        self._until.update(until)
        return True

    def _forget(self, now: float) -> None:
        alive = {key: end for key, end in self._until.items() if end > now}
        if len(alive) >= _MAX_KEYS:
            alive = dict(list(alive.items())[_MAX_KEYS // 2 :])
        self._until = alive
