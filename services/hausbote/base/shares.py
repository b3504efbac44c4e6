"""A bounded number of things, of which each party has a share.

A bound that all have in common is no bound for who can fill it, and the end for everybody else.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from typing import Generic, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Thing(NamedTuple, Generic[K, V]):
    """What somebody holds."""

    key: K
    party: Hashable
    value: V


class Shares(Generic[K, V]):
    """At most `total` things by key (0 = no limit).

    As long as there is room a party may hold as many as it likes.  When there is none, the oldest
    thing of the party that holds most goes, so that who takes much loses it, and nobody else
    loses anything.  If all hold the same, it is the party that has held so many for the longest
    time.  Every step takes the same time, however many there are.
    """

    __slots__ = ("_by_count", "_held", "_most", "_things", "total")

    def __init__(self, total: int) -> None:
        self.total = total
        self._things: OrderedDict[K, Thing[K, V]] = OrderedDict()
        self._held: dict[Hashable, OrderedDict[K, None]] = {}
        self._by_count: dict[int, OrderedDict[Hashable, None]] = {}  # parties that hold so many
        self._most = 0

    def __len__(self) -> int:
        return len(self._things)

    def __contains__(self, key: K) -> bool:
        return key in self._things

    def __iter__(self) -> Iterator[K]:
        """The oldest first."""
        return iter(self._things)

    def values(self) -> Iterator[V]:
        """The oldest first."""
        return (thing.value for thing in self._things.values())

    def get(self, key: K) -> V | None:
        thing = self._things.get(key)
        return None if thing is None else thing.value

    def put(self, key: K, party: Hashable, value: V) -> Thing[K, V] | None:
        """Hold a thing, the newest of its party, in the place of what had the key.

        Returns what had to go for it.
        """
        self.pop(key)
        self._things[key] = Thing(key, party, value)
        held = self._held.setdefault(party, OrderedDict())
        held[key] = None
        self._move(party, len(held) - 1, len(held))
        if not 0 < self.total < len(self._things):
            return None
        return self.pop_of_greediest()

    def renew(self, key: K, value: V) -> bool:
        """Give a thing another value, and make it the newest; False if there is no such thing."""
        known = self._things.get(key)
        if known is None:
            return False
        self._things[key] = Thing(key, known.party, value)
        self._things.move_to_end(key)
        self._held[known.party].move_to_end(key)
        return True

    def pop(self, key: K) -> V | None:
        """Hold it no longer; None if there is no such thing."""
        thing = self._things.pop(key, None)
        if thing is None:
            return None
        held = self._held[thing.party]
        del held[key]
        self._move(thing.party, len(held) + 1, len(held))
        if not held:
            del self._held[thing.party]
        return thing.value

    def greediest(self) -> Hashable:
        """The party that holds most; None if there is nothing."""
        return next(iter(self._by_count[self._most])) if self._most else None

    def oldest(self) -> Thing[K, V] | None:
        """Of all things."""
        return next(iter(self._things.values())) if self._things else None

    def pop_of_greediest(self) -> Thing[K, V] | None:
        """The oldest thing of the party that holds most, which is held no longer."""
        if not self._most:
            return None
        thing = self._things[next(iter(self._held[self.greediest()]))]
        self.pop(thing.key)
        return thing

    def held_by(self, party: Hashable) -> int:
        """How many things a party holds."""
        return len(self._held.get(party, ()))

    def keys_of(self, party: Hashable) -> list[K]:
        """Of what a party holds, the oldest first."""
        return list(self._held.get(party, ()))

    def _move(self, party: Hashable, before: int, after: int) -> None:
        """A party holds one more or one less."""
        if before:
            those = self._by_count[before]
            del those[party]
            if not those:
                del self._by_count[before]
        if after:
            self._by_count.setdefault(after, OrderedDict())[party] = None
        if after > self._most or (before == self._most and before not in self._by_count):
            self._most = after
