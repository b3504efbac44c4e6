"""One service of the box: its domain, its handlers, and where everything else is."""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from hausbote.base.settings import Settings
from hausbote.core.directory import Directory
from hausbote.core.pump import Pump
from hausbote.core.pump import breathe as breathe  # handlers find it beside `compute`
from hausbote.core.queries import Queries
from hausbote.core.registry import Registry
from hausbote.core.threads import compute
from hausbote.xmpp.stanza import Stanza

if TYPE_CHECKING:
    from hausbote.core.bus import Bus
    from hausbote.storage import Store

T = TypeVar("T")


class Outlet(Protocol):
    """A program outside the box that answers for a domain of it."""

    @property
    def attached(self) -> bool: ...

    def send(self, stanza: Stanza) -> None:
        """Hand it over; StanzaError if nobody is there to take it."""


@dataclass
class Host:
    """What handlers need, and nothing that is one feature's own.

    `identity` is (category, type, name) for disco.
    `services` maps the domains of the box's other services to their names on the bus; `elsewhere`
    are names of the box that no service answers for, and `outlets` are programs attached to this
    service, by domain.  `neighbours` are the hosts of further domains in this process: what is sent
    to them never leaves it.
    `beyond` is the service that reaches all other servers, "" if the box talks with none.
    `clock` is the time of day; `certain` is the part of it that has surely passed, None if nobody
    doubts the clock.
    `has_accounts` says whether the accounts of the store are people at this domain.
    """

    domain: str
    settings: Settings
    store: "Store"
    bus: "Bus"
    registry: Registry
    directory: Directory
    pump: Pump
    services: Mapping[str, str]
    identity: tuple[str, str, str]
    elsewhere: frozenset[str] = frozenset()
    outlets: dict[str, "Outlet"] = field(default_factory=dict)
    beyond: str = ""
    has_accounts: bool = False
    clock: Callable[[], float] = time.time
    certain: Callable[[], float] | None = None
    compute: Callable[..., Any] = compute
    started: float = 0.0  # on time.monotonic()'s clock
    handled: int = 0  # stanzas taken from clients and from the bus
    neighbours: "dict[str, Host]" = field(default_factory=dict)
    queries: Queries = field(init=False)
    _states: dict[type, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.queries = Queries(self.settings.domain)

    def state(self, kind: type[T]) -> T:
        """A feature's own state of this service, made on first use by calling `kind`."""
        found = self._states.get(kind)
        if found is None:
            found = self._states[kind] = kind()
        return found

    def surely(self) -> float:
        """Seconds since 1970 by which things are too old: a clock that jumps deletes nothing."""
        return self.clock() if self.certain is None else self.certain()

    @property
    def parts(self) -> Collection[str]:
        """The domains of services that clients find through this one."""
        if self.identity[0] != "server":
            return ()
        attached = [domain for domain, outlet in self.outlets.items() if outlet.attached]
        return [*self.services, *self.neighbours, *attached]

    def is_account(self, local: str) -> bool:
        """Whether there is such an account at this domain, for others than who has it."""
        if not self.has_accounts:
            return False
        return self.directory.online(local) is not None or self.store.accounts.is_here(local)

    def uptime(self) -> int:
        """Whole seconds since start, whatever becomes of the clock."""
        return int(time.monotonic() - self.started)
