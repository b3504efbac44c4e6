"""What goes because of its age, or with its row, goes from the disk, too."""

import itertools
import os
import time

import gevent
import pytest

from hausbote.base.file_locks import locked
from hausbote.base.settings import Settings
from hausbote.core.bus import open_bus
from hausbote.net.waiting import GreenletRoom
from hausbote.storage import Upload, migrate, open_store
from hausbote.upload.depot import Depot
from hausbote.upload.service import build_host
from hausbote.upload.sweeper import Sweeper
from hausbote.xmpp.sasl import ScramKeys

KEYS = {"SHA-1": ScramKeys(b"salt", 4096, b"stored", b"server")}
DAY = 86_400
_numbers = itertools.count()


class Place:
    """A service with a clock that one can set, and what it has on the disk."""

    def __init__(self, path, **settings):
        raw = {"domain": "h", "bus": "memory:"} | settings
        self.settings = Settings.from_dict(raw, path)
        migrate(self.settings.database_url)
        self.store = open_store(self.settings.database_url, GreenletRoom())
        self.store.accounts.create("romeo", KEYS)
        name = f"memory:sweeper-{next(_numbers)}"
        self.host = build_host(self.settings, self.store, lambda no: open_bus(name, "upload", no))
        self.now = time.time()
        self.host.clock = lambda: self.now
        self.depot = Depot(self.settings.uploads_dir)
        self.depot.prepare(lambda _id: False)
        self.sweeper = Sweeper(self.host, self.depot)

    def upload(self, expires=None):
        id = os.urandom(16).hex()
        incoming = self.depot.put(id, b"x")
        file = Upload(id, "x", "a/b", 1, incoming.digest, self.now, expires)
        assert self.store.uploads.add(self.store.uploads.account("romeo"), file, None, 0)
        incoming.settle()
        return id

    def left(self):
        """The files on the disk when the service has looked once more."""
        self.sweeper.sweep()
        gevent.sleep(0.2)
        return set(self.depot.ids())


@pytest.fixture
def place(tmp_path):
    place = Place(tmp_path)
    place.sweeper.start()
    yield place
    place.sweeper.stop()
    place.store.close()


def test_files_end_with_their_time(place):
    old = place.upload()
    place.now += 29 * DAY
    new, brief = place.upload(), place.upload(expires=int(place.now) + 100)
    assert place.left() == {old, new, brief}
    place.now += DAY + 1
    assert place.left() == {new}
    assert [one.id for one in place.store.uploads.of("romeo")] == [new]
    place.now += 30 * DAY
    assert place.left() == set()


def test_without_an_end_they_stay(tmp_path):
    place = Place(tmp_path, retention={"uploads_days": 0})
    place.sweeper.start()
    old = place.upload()
    place.now += 10_000 * DAY
    assert place.left() == {old}
    place.sweeper.stop()
    place.store.close()


def test_files_go_with_their_account(place):
    for _ in range(3):
        place.upload()
    place.store.accounts.delete("romeo", "romeo@h")
    assert place.left() == set()
    assert place.store.uploads.gone(10) == []


def test_no_file_goes_while_a_backup_may_name_it(place):
    id = place.upload()
    place.settings.backup_dir.mkdir()
    with locked(place.settings.files_lock, shared=True):
        place.store.uploads.delete("romeo")
        assert place.left() == {id}
    assert place.left() == set()
    assert place.store.uploads.gone(10) == []
