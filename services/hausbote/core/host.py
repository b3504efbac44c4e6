"""One service of the box: its domain, its handlers, and where everything else is."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from hausbote.base.settings import Settings
from hausbote.core.directory import Directory
from hausbote.core.pump import Pump
from hausbote.core.registry import Registry

if TYPE_CHECKING:
    from hausbote.core.bus import Bus
    from hausbote.storage import Store


class Blocking(Protocol):
    """Runs a long computation away from the hub; blocks only the calling greenlet."""

    def __call__(self, function: Callable[..., object], *args: object) -> object: ...


@dataclass
class Host:
    """What handlers need, and nothing that is one feature's own.

    `services` maps the domains of the box's other services to their names on the bus; `elsewhere`
    are names of the box that no service answers for.
    """

    domain: str
    settings: Settings
    store: "Store"
    bus: "Bus"
    registry: Registry
    directory: Directory
    pump: Pump
    services: Mapping[str, str]
    elsewhere: frozenset[str] = frozenset()
    clock: Callable[[], float] = time.time
    started: float = 0.0
    handled: int = 0  # stanzas taken from clients and from the bus

    def uptime(self) -> int:
        """Whole seconds since start."""
        return int(self.clock() - self.started)
