"""Bytes of accounts and of rooms are counted right, whatever happens to what they are made of."""

import sqlite3

import pytest

from hausbote.storage import (
    Bounds,
    NewItem,
    NewNode,
    Piece,
    Range,
    RoomMessage,
    RosterItem,
    StorageError,
    migrate,
    migrating,
    migrations,
    open_store,
    shrink,
)
from hausbote.storage.pubsub import Limits
from hausbote.storage.reserve import ballast_of
from hausbote.xmpp.sasl import ScramKeys
from support.disks import fill, free, small_disk

KEYS = {"SHA-1": ScramKeys(b"salt", 4096, b"stored", b"server")}
BOTH = [("romeo", "juliet@h"), ("juliet", "romeo@h")]
MB = 1 << 20


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'hausbote.db'}"


@pytest.fixture
def opened(url):
    """opened(**bounds): the store with romeo and juliet in it."""
    stores = []

    def make(**bounds):
        migrate(url)
        stores.append(open_store(url, bounds=Bounds(**bounds)))
        for local in ("romeo", "juliet"):
            stores[-1].accounts.create(local, KEYS)
        return stores[-1]

    yield make
    for store in stores:
        store.close()


def keep(store, stanza, entries=BOTH):
    id = store.archives.next_id()
    store.archives.keep(id, stanza, entries)
    return id


def archive(store, local):
    (usage,) = store.usage.accounts("h", local)
    assert usage.archive == sum(len(m.stanza) for m in store.archives.page(local, Range(), 9_999))
    return usage.archive


def test_messages_that_come_are_rewritten_and_go(opened):
    store = opened()
    for number in range(5):
        keep(store, b"%d" % number * 10)
    assert archive(store, "romeo") == archive(store, "juliet") == 50
    middle = keep(store, b"x" * 100)
    keep(store, b"y" * 3, [("romeo", "nurse@h")])
    assert archive(store, "romeo") == 153
    assert archive(store, "juliet") == 150
    change = lambda stanza: b"gone" if stanza.startswith(b"x") else None  # noqa: E731
    assert store.archives.rewrite(BOTH[:1], change, 9).wait()
    assert archive(store, "romeo") == 57
    assert archive(store, "juliet") == 54
    store.archives.purge(middle / 1e6)
    assert archive(store, "romeo") == 7
    store.accounts.delete("romeo", "romeo@h")
    assert archive(store, "juliet") == 4
    store.archives.purge(middle / 1e6 + 1)
    assert archive(store, "juliet") == 0


def test_the_oldest_go_and_many_small_ones_for_a_large_one(opened):
    store = opened(archive_bytes=10_000)
    for _ in range(2_000):
        keep(store, b"small", [("romeo", "juliet@h")])
    keep(store, b"l" * 9_900, [("romeo", "juliet@h")])
    assert archive(store, "romeo") <= 10_000
    assert store.archives.page("romeo", Range(), 1, backwards=True)[0].stanza[:1] == b"l"
    keep(store, b"too large by itself" * 1_000, [("romeo", "juliet@h")])
    assert archive(store, "romeo") == 0


def test_a_smaller_limit_counts_at_the_next_purge(opened, url):
    store = opened()
    for _ in range(50):
        keep(store, b"x" * 1_000)
    store.settle()
    smaller = open_store(url, bounds=Bounds(archive_bytes=10_000))
    smaller.archives.purge(0.0)
    assert archive(smaller, "romeo") == archive(smaller, "juliet") == 10_000
    assert smaller.archives.total("romeo") == smaller.archives.count("romeo", Range()).number == 10
    smaller.close()


def test_everything_of_an_account_is_told(opened):
    store = opened()
    keep(store, b"12345")
    store.offline.keep("romeo", b"123456", 1.0, 0).wait()
    node = NewNode("romeo", "n", "romeo", "romeo@h", 1.0, {})
    store.pubsub.publish(node, [NewItem("i", "payload")], "romeo@h", 1.0, Limits()).wait()
    store.private.put("romeo", [Piece("ns", "a", "<a/>")], 0, 0).wait()
    store.vcards.put("romeo", "<vCard/>").wait()
    store.rosters.put("romeo", RosterItem("juliet@h"))
    made = store.rooms.create("cave", "romeo@h", 1.0, "{}", public=True, limit=0)
    store.rooms.say(made.id, RoomMessage(1, "o", "romeo@h", b"1234567")).wait()
    romeo, juliet = store.usage.accounts("h", "romeo")[0], store.usage.accounts("h", "juliet")[0]
    assert romeo[:5] == ("romeo", 5, 6, 8, 4 + 8 + len("juliet@h") + len("[]"))
    assert romeo.rooms == 7 + len("{}")
    assert romeo.total == sum(romeo[1:])
    assert juliet == ("juliet", 5, 0, 0, 0, 0, 0)
    store.offline.discard("romeo", 99)
    assert store.usage.accounts("h", "romeo")[0].offline == 0


class TestRooms:
    @pytest.fixture
    def cave(self, opened):
        self.store = opened(room_bytes=100_000)
        return self.store.rooms.create("cave", "romeo@h", 1.0, "{}", public=True, limit=0).id

    def say(self, room, id, size):
        self.store.rooms.say(room, RoomMessage(id, "o", "romeo@h", b"x" * size)).wait()

    def left(self, room):
        found = self.store.rooms.page(room, Range(), 9_999)
        (usage,) = self.store.usage.rooms()
        assert usage.archive == sum(len(one.stanza) for one in found)
        return [one.id for one in found]

    def test_messages_that_come_are_replaced_and_go(self, cave):
        for id in range(1, 6):
            self.say(cave, id, 100)
        assert self.left(cave) == [1, 2, 3, 4, 5]
        self.store.rooms.replace(cave, 2, b"gone").wait()
        self.store.rooms.replace(cave, 77, b"nothing there").wait()
        assert self.left(cave) == [1, 2, 3, 4, 5]
        self.say(cave, 6, 50)
        self.store.rooms.replace(cave, 6, b"gone before it was counted").wait()
        self.store.rooms.expire(4)
        assert self.left(cave) == [4, 5, 6]

    def test_the_oldest_go(self, cave):
        for id in range(1, 41):
            self.say(cave, id, 10_000)
        left = self.left(cave)
        assert left[-1] == 40
        assert 6 <= len(left) <= 17  # it is looked at every 64 KiB

    def test_a_destroyed_room_leaves_nothing(self, cave):
        for id in range(1, 41):
            self.say(cave, id, 30_000)
        self.store.rooms.destroy(cave).wait()
        assert self.store.rooms.find("cave") is None
        assert self.store.rooms.page(cave, Range(), 9) == []


def test_what_was_there_before_is_counted(url, tmp_path, monkeypatch):
    with monkeypatch.context() as before:
        before.setattr(migrating, "STEPS", migrations.STEPS[:9])
        migrate(url)
    connection = sqlite3.connect(tmp_path / "hausbote.db")
    for sql in (
        "INSERT INTO account VALUES (1, 'romeo', 0, 0, 1, 0, 0), (2, 'juliet', 0, 0, 1, 0, 0)",
        "INSERT INTO archived_message VALUES (5, 2, x'0102030405'), (6, 1, x'01'), (7, 1, x'0101')",
        "INSERT INTO archive_peer VALUES (1, 1, 'juliet@h'), (2, 2, 'romeo@h')",
        "INSERT INTO archive VALUES (1, 5, 1), (2, 5, 2), (1, 6, 1)",
        "INSERT INTO archive_fresh VALUES (7, '[[2, \"romeo@h\"]]')",
        "INSERT INTO offline VALUES (1, 1, 1.0, x'000102')",
        "INSERT INTO room VALUES (3, 'cave', 'romeo@h', 1, 1, 0, '{}', NULL, NULL)",
        "INSERT INTO room_message VALUES (3, 9, 'o', 'romeo@h', '', x'0102')",
    ):
        connection.execute(sql)
    connection.commit()
    connection.close()
    migrate(url)
    store = open_store(url)
    assert archive(store, "romeo") == 6
    assert archive(store, "juliet") == 7
    assert (store.archives.total("romeo"), store.archives.total("juliet")) == (2, 2)
    assert store.usage.accounts("h", "romeo")[0].offline == 3
    assert store.usage.rooms()[0].archive == 2
    store.close()


@pytest.fixture
def disk(tmp_path):
    with small_disk(tmp_path / "disk", 60 * MB) as place:
        url = f"sqlite:///{place / 'hausbote.db'}"
        migrate(url)
        store = open_store(url, bounds=Bounds(reserve=16 * MB))
        store.place = place
        store.url = url
        for local in ("romeo", "juliet"):
            store.accounts.create(local, KEYS)
        yield store
        store.close()


def test_a_full_disk_has_its_ballast_for_what_is_written_all_the_same(disk):
    ballast = ballast_of(disk.place / "hausbote.db")
    disk.reserve.restore()
    assert ballast.exists()
    fill(disk.place)
    assert free(disk.place) == 0
    for number in range(20):
        assert disk.offline.keep("romeo", b"x" * 100_000, 1.0, 0).wait(), number
    assert not ballast.exists()
    fill(disk.place)
    tickets = [disk.offline.keep("romeo", b"x" * 100_000, 1.0, 0) for _ in range(99)]
    with pytest.raises(StorageError, match="full"):
        tickets[-1].wait()
    assert disk.offline.count("romeo") >= 20  # nothing that was confirmed is missing


def test_purging_and_deleting_need_little_room(disk):
    made = disk.rooms.create("cave", "romeo@h", 1.0, "{}", public=True, limit=0)
    for id in range(1, 41):
        keep(disk, b"x" * 200_000, BOTH[:1])
        disk.rooms.say(made.id, RoomMessage(id, "o", "romeo@h", b"x" * 200_000)).wait()
        disk.offline.keep("juliet", b"x" * 200_000, 1.0, 0)
    disk.settle()
    fill(disk.place, 3 * MB)
    ballast_of(disk.place / "hausbote.db").unlink(missing_ok=True)
    assert disk.usage.purge_archives(9e9) == 40
    disk.rooms.destroy(made.id).wait()
    assert disk.accounts.delete("juliet", "juliet@h")
    assert disk.usage.spare() > 20 * MB
    assert free(disk.place) > 0
    disk.close()
    assert shrink(disk.url) > 20 * MB
    assert free(disk.place) > 20 * MB
