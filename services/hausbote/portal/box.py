"""What the pages of the portal know of the box."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Final

from gevent.lock import BoundedSemaphore

from hausbote.base.claim import read_code
from hausbote.base.settings import Settings
from hausbote.base.wishes import Wishes, write_wishes
from hausbote.core.bus import notify
from hausbote.core.threads import compute
from hausbote.net.turns import Turns
from hausbote.portal.asking import Asking
from hausbote.portal.health import Health
from hausbote.portal.lease import Exclusive
from hausbote.storage import StorageError, Store
from hausbote.webchat import Assets

_PATIENCE: Final = 20.0  # seconds that one waits for others' tries of passwords


@dataclass
class Box:
    """`clock` is the time of day.  What may take long is done by `compute`, in a thread."""

    settings: Settings
    store: Store
    asking: Asking
    clock: Callable[[], float] = time.time
    compute: Callable[..., Any] = compute
    views: int = field(default=0)
    tries: Turns = field(default_factory=partial(Turns, _PATIENCE))
    """Of passwords, by who makes them."""
    changing_administrators: BoundedSemaphore = field(default_factory=BoundedSemaphore)
    """Held from looking who administers the box to the change that this decides: one has to stay,
    and there is one first."""

    export: Exclusive = field(default_factory=Exclusive)

    @cached_property
    def chat_assets(self) -> Assets:
        return Assets(self.compute)

    @cached_property
    def health(self) -> Health:
        """Whether all is well, for programs."""
        return Health(self.settings, self.store, self.compute)

    @property
    def is_claimed(self) -> bool:
        """Whether somebody looks after the box already, or nobody can claim it."""
        return not read_code(self.settings.state) or bool(self.store.accounts.admins())

    def wish(self, wishes: Wishes) -> None:
        """Settings are to be changed; StorageError if the disk does not take that."""
        try:
            self.compute(write_wishes, self.settings.state, wishes)
        except OSError as error:
            raise StorageError(f"wishes cannot be written: {error.strerror}") from None

    def tell(self, local: str, change: str, **more: str) -> bool:
        """c2s hears that an account was changed; False if it does not answer."""
        message = {"account": local, "change": change, **more}
        told: bool = self.compute(notify, self.settings.bus_dir, "c2s", message)
        return told
