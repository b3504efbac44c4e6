"""Failed logins of accounts, for their owners; and that events of accounts are forgotten.

Failures are counted in memory and written once a minute, one row of an account a day: whoever fails
as often as they can costs the disk nothing more.  What a killed service has not written is lost.
"""

from datetime import datetime
from typing import Final

from hausbote.core.host import Host

_DAY: Final = 86_400  # seconds


class _Failures:
    """By account; names that have none are not counted, so nobody fills this."""

    __slots__ = ("counts",)

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}


def count_failure(host: Host, local: str) -> None:
    """Somebody did not know the password of that account, if there is one."""
    counts = host.state(_Failures).counts
    if local in counts or host.store.accounts.exists(local):
        counts[local] = counts.get(local, 0) + 1


def write_failures(host: Host) -> None:
    """Give what was counted to the writer; to be called every minute and at the end."""
    failures = host.state(_Failures)
    counts, failures.counts = failures.counts, {}
    if counts:
        noon = datetime.fromtimestamp(host.clock()).replace(hour=12, minute=0, second=0)
        host.store.account_events.add_failures(counts, int(noon.timestamp()))


def forget_old_events(host: Host) -> None:
    """To be called now and then."""
    days = host.settings.retention.events_days
    if days:
        host.store.account_events.prune(int(host.surely()) - days * _DAY)
