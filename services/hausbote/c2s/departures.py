"""Accounts whose owners wanted them to go, and did not change their mind in time."""

from hausbote.core.host import Host
from hausbote.features.closing import erase


def erase_departed(host: Host) -> None:
    """Delete those whose time is over; to be called every hour.

    Nobody is logged in to them.  One whose deletion is cut off is among them the next time.
    """
    for local in host.store.accounts.take_departed(int(host.surely())):
        erase(host, host.directory.account(local))
