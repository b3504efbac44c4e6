"""Removes files whose time is over or whose row is gone."""

from typing import Any, Final

import gevent
from gevent.event import Event as Signal

from hausbote.base.log import bug
from hausbote.core.host import Host
from hausbote.storage import StorageError
from hausbote.upload.depot import Depot, remove_files

_LOOK: Final = 5.0  # seconds between two looks for files that are to go
_EXPIRE: Final = 600.0  # seconds between two looks at the clock
_DAY: Final = 86_400  # seconds
_BATCH: Final = 100


class Sweeper:
    """Looks now and then; `sweep` makes it look at once."""

    def __init__(self, host: Host, depot: Depot) -> None:
        self._host = host
        self._depot = depot
        self._wake = Signal()
        self._expire_at = 0.0
        self._greenlet: Any = None

    def start(self) -> None:
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        self._greenlet.kill()

    def sweep(self) -> None:
        self._wake.set()

    def _run(self) -> None:
        while True:
            try:
                self._expire()
                self.remove_gone()
            except StorageError:
                pass  # the store has said so itself; another look will come
            except Exception as error:  # noqa: BLE001 - the next look may be luckier
                bug(error)
            self._wake.clear()
            self._wake.wait(_LOOK)

    def _expire(self) -> None:
        now = self._host.surely()
        if now < self._expire_at <= now + _EXPIRE:  # or the clock was ahead
            return
        self._expire_at = now + _EXPIRE
        days = self._host.settings.retention.uploads_days
        before = int(now) - days * _DAY if days else -1
        self._host.store.uploads.expire(int(now), before)

    def remove_gone(self) -> None:
        """Remove the files whose rows are gone."""
        store, compute = self._host.store.uploads, self._host.compute
        while (ids := store.gone(_BATCH)) and compute(self._remove, ids):
            store.forget(ids)

    def _remove(self, ids: list[str]) -> bool:
        """False if a backup is just being made that may name them: then they go after it."""
        lock = self._host.settings.files_lock
        return remove_files(self._depot, ids, lock)
