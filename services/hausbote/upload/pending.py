"""Slots that wait for their files, and whether there may be another.

They are in memory only.  A service that ends takes along the connections on which they would be
filled, and what was promised with a slot is soon over: a client asks for another.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from hausbote.storage.uploads import Uploads

_TOLD: Final = 600  # seconds that a slot which is over is remembered, to be called that


@dataclass(slots=True)
class Slot:
    """A place for a file of that size and type; times are in seconds since 1970.

    `account` is its owner's number in the store, and `key` the hash of what he must show until
    `until`; the file must go at `expires`.  It is `busy` while it is being filled.
    """

    id: str
    account: int
    name: str
    type: str
    size: int
    key: bytes
    until: int
    expires: int | None = None
    busy: bool = False


class Bounds(NamedTuple):
    """What one account and the box may have; 0 = no limit."""

    slots: int
    account_bytes: int
    day_bytes: int
    total_bytes: int
    oldest_go: bool


class Refusal(Enum):
    """Why there is no slot."""

    SLOTS = "too many uploads are under way"
    DAY = "the day's share is used up"
    ACCOUNT = "the account's share is used up"
    TOTAL = "the box's share is used up"


class Pending:
    """All slots of a service, the first to end first."""

    def __init__(self) -> None:
        self._slots: dict[str, Slot] = {}
        self._by_account: dict[int, dict[str, Slot]] = {}

    def add(self, slot: Slot, now: float) -> None:
        """A new one; those that are long over are forgotten."""
        over = [one for one in self._ended(now - _TOLD) if not one.busy]
        for one in over:
            self.remove(one)
        self._slots[slot.id] = slot
        self._by_account.setdefault(slot.account, {})[slot.id] = slot

    def get(self, id: str) -> Slot | None:
        """It may be over."""
        return self._slots.get(id)

    def remove(self, slot: Slot) -> None:
        """Its file has a row, or it is not wanted any more."""
        self._slots.pop(slot.id, None)
        of_account = self._by_account.get(slot.account, {})
        of_account.pop(slot.id, None)
        if not of_account:
            self._by_account.pop(slot.account, None)

    def sizes(self, now: float, account: int | None = None) -> list[int]:
        """Of the files that may still come, from that account or from anybody."""
        among = self._slots if account is None else self._by_account.get(account, {})
        return [slot.size for slot in among.values() if slot.busy or slot.until > now]

    def _ended(self, before: float) -> Iterator[Slot]:
        for slot in self._slots.values():
            if slot.until > before:
                return
            yield slot


def refusal(
    uploads: Uploads, pending: Pending, account: int, size: int, bounds: Bounds, now: float
) -> Refusal | None:
    """Why that account gets no slot for so many bytes; None if it does."""
    waiting = pending.sizes(now, account)
    if len(waiting) >= bounds.slots:
        return Refusal.SLOTS
    stored = uploads.stored(account) if bounds.account_bytes and not bounds.oldest_go else 0
    for limit, used, reason in (
        (bounds.day_bytes, uploads.on_day(account, now), Refusal.DAY),
        (bounds.account_bytes, stored, Refusal.ACCOUNT),
    ):
        if 0 < limit < used + size:
            return reason
        if 0 < limit < used + sum(waiting) + size:
            return Refusal.SLOTS
    if bounds.total_bytes:
        total = uploads.total() + sum(pending.sizes(now))
        if total + size > bounds.total_bytes:
            return Refusal.TOTAL
    return None
