"""Who is connected: so many of each network, and so many in all."""

import resource
from collections import Counter
from collections.abc import Callable
from typing import Final

from hausbote.base.networks import network_of, site_of
from hausbote.base.shares import Shares

_SITE: Final = 4  # times as many connections as a network may have
_OTHER_FILES: Final = 200  # that a service has open: database, bus, log, calls of its own


class Entry:
    """A connection in the book; `end`, to be set by who has it, closes it at once."""

    __slots__ = ("_book", "address", "end")

    def __init__(self, book: "AddressBook", address: str) -> None:
        self._book = book
        self.address = address
        self.end: Callable[[], None] = _nothing

    @property
    def is_stranger(self) -> bool:
        """Whether who is there has not shown who they are."""
        return self in self._book.strangers

    def known(self) -> None:
        """Who is there has shown who they are: the connection makes room for nobody."""
        self._book.strangers.pop(self)

    def leave(self) -> None:
        """It is closed."""
        self.end = _nothing  # it leads to who has us: neither is to wait for the garbage collector
        self._book.leave(self)


def _nothing() -> None:
    """What closes a connection that is closed, or not there yet."""


class AddressBook:
    """The connections of a service, on all its listeners together.

    `limit` is how many one network may have (0 = no limit); a site, which may be thousands of
    networks, may have some times as many.  `most` is how many all may have, `strangers` how many of
    these may be of people who have not shown who they are.  When one of the two is reached, the
    oldest stranger of the site that has most of them goes; if all are known, nobody may enter.
    """

    def __init__(self, limit: int, most: int = 0, strangers: int = 0) -> None:
        self._limit = limit
        self._most = most
        self._entries: set[Entry] = set()
        self._networks: Counter[str] = Counter()
        self._sites: Counter[str] = Counter()
        self.strangers: Shares[Entry, None] = Shares(strangers)

    def enter(self, address: str) -> Entry | None:
        """Count one more connection; None if it is one too many."""
        network, site = network_of(address), site_of(address)
        if 0 < self._limit <= self._networks[network]:
            return None
        if 0 < self._limit * _SITE <= self._sites[site]:
            return None
        if 0 < self._most <= len(self._entries):
            displaced = self.strangers.pop_of_greediest()
            if displaced is None:
                return None
            displaced.key.end()
        entry = Entry(self, address)
        self._entries.add(entry)
        self._networks[network] += 1
        self._sites[site] += 1
        displaced = self.strangers.put(entry, site, None)
        if displaced is not None:
            displaced.key.end()
        return entry

    def leave(self, entry: Entry) -> None:
        """Once or more often."""
        if entry not in self._entries:
            return
        self._entries.remove(entry)
        self.strangers.pop(entry)
        for counts, key in (
            (self._networks, network_of(entry.address)),
            (self._sites, site_of(entry.address)),
        ):
            counts[key] -= 1
            if not counts[key]:
                del counts[key]


def most_connections(limit: int, share: int = 1) -> int:
    """How many a service may take: what the settings say (0 = no limit), and never more than one
    part in `share` of the files that the system lets it open."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    possible = max(1, (files - _OTHER_FILES) // share)
    return min(limit or possible, possible)
