"""What the pages of the portal know of the box."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from hausbote.base.claim import read_code
from hausbote.base.settings import Settings
from hausbote.core.bus import notify
from hausbote.core.threads import compute
from hausbote.portal.asking import Asking
from hausbote.portal.health import Health
from hausbote.storage import Store
from hausbote.webchat import WebChat


@dataclass
class Box:
    """`clock` is the time of day.  What may take long is done by `compute`, in a thread."""

    settings: Settings
    store: Store
    asking: Asking
    clock: Callable[[], float] = time.time
    compute: Callable[..., Any] = compute
    views: int = field(default=0)

    @cached_property
    def health(self) -> Health:
        """Whether all is well, for programs."""
        return Health(self.settings, self.store, self.compute)

    @cached_property
    def chat(self) -> WebChat:
        """The chat in the browser; its files are read by threads."""
        return WebChat(self.settings, read=partial(self.compute, Path.read_bytes))

    @property
    def is_claimed(self) -> bool:
        """Whether somebody looks after the box already, or nobody can claim it."""
        return not read_code(self.settings.state) or bool(self.store.accounts.admins())

    def tell(self, local: str, change: str, **more: str) -> bool:
        """c2s hears that an account was changed; False if it does not answer."""
        message = {"account": local, "change": change, **more}
        told: bool = self.compute(notify, self.settings.bus_dir, "c2s", message)
        return told
