"""What every database behind the store must do with uploads."""

import sqlite3

import pytest

from hausbote.storage import Bounds, Refusal, Slot, Upload, Usage, migrate, open_store
from hausbote.xmpp.sasl import ScramKeys

KEYS = {"SHA-1": ScramKeys(b"salt", 4096, b"stored", b"server")}
FREE = Bounds(slots=1_000, account_bytes=0, day_bytes=0, total_bytes=0, oldest_go=True)
DAY = 86_400
NOW = 20_000 * DAY


@pytest.fixture
def path(tmp_path):
    return tmp_path / "hausbote.db"


@pytest.fixture
def store(path):
    migrate(f"sqlite:///{path}")
    store = open_store(f"sqlite:///{path}")
    for local in ("romeo", "juliet"):
        store.accounts.create(local, KEYS)
    yield store
    store.close()


def place(id, size=10, **more):
    return Slot(**({"id": id, "name": "o'brien.jpg", "type": "image/jpeg", "size": size, "key": b"k",
                    "until": NOW + 300} | more))  # fmt: skip


def reserve(store, id, size=10, local="romeo", bounds=FREE, now=NOW, **more):
    return store.uploads.reserve(local, place(id, size, **more), bounds, now)


def upload(store, id, size=10, local="romeo", at=NOW, bounds=FREE, keep=0, **more):
    refusal = reserve(store, id, size, local, bounds, at, until=at + 300, **more)
    if refusal is None:
        assert store.uploads.fill(id, b"digest of " + id.encode(), at, keep)
    return refusal


def ids(store, local="romeo"):
    return [one.id for one in store.uploads.of(local)]


class TestSlots:
    def test_a_slot_comes_back_as_it_was(self, store):
        assert reserve(store, "a", expires=NOW + 5) is None
        assert store.uploads.slot("a") == place("a", expires=NOW + 5)
        assert store.uploads.slot("b") is None

    def test_nobody_gets_none(self, store):
        assert reserve(store, "a", local="tybalt") is Refusal.NO_ACCOUNT

    def test_a_file_is_there_when_its_slot_is_filled_and_only_once(self, store):
        reserve(store, "a")
        assert store.uploads.get("a") is None
        assert store.uploads.fill("a", b"digest", NOW + 1, 0)
        file = Upload("a", "o'brien.jpg", "image/jpeg", 10, b"digest", NOW + 1, None)
        assert store.uploads.get("a") == file
        assert store.uploads.slot("a").used
        assert not store.uploads.fill("a", b"other", NOW + 2, 0)
        assert store.uploads.get("a") == file
        assert not store.uploads.fill("b", b"digest", NOW, 0)

    def test_slots_are_bounded_until_they_are_over_or_filled(self, store):
        bounds = FREE._replace(slots=2)
        reserve(store, "a")
        reserve(store, "b")
        assert reserve(store, "c", bounds=bounds) is Refusal.SLOTS
        assert reserve(store, "c", local="juliet", bounds=bounds) is None
        store.uploads.fill("a", b"x", NOW, 0)
        assert reserve(store, "d", bounds=bounds) is None
        assert reserve(store, "e", bounds=bounds) is Refusal.SLOTS
        assert reserve(store, "e", bounds=bounds, now=NOW + 300) is None


class TestShares:
    def test_the_oldest_files_make_room(self, store):
        for at, id in enumerate("abc"):
            assert upload(store, id, 10, at=NOW + at, keep=30) is None
        upload(store, "h", 10, "juliet", keep=30)
        assert upload(store, "d", 15, at=NOW + 3, keep=30) is None
        assert ids(store) == ["c", "d"]
        assert sorted(store.uploads.gone(10)) == ["a", "b"]
        assert ids(store, "juliet") == ["h"]

    def test_the_newest_stays_even_if_the_clock_went_back(self, store):
        upload(store, "a", 10, at=NOW)
        upload(store, "b", 25, at=NOW - 50, keep=30)
        assert ids(store) == ["b"]

    def test_or_nobody_makes_room(self, store):
        bounds = FREE._replace(account_bytes=30, oldest_go=False)
        upload(store, "a", 20)
        assert reserve(store, "b", 11, bounds=bounds) is Refusal.ACCOUNT
        assert reserve(store, "b", 10, bounds=bounds) is None
        assert reserve(store, "c", 5, bounds=bounds) is Refusal.SLOTS
        store.uploads.delete("romeo", "a")
        assert reserve(store, "c", 5, bounds=bounds) is None

    def test_one_file_may_not_be_larger_than_all(self, store):
        assert reserve(store, "a", 31, bounds=FREE._replace(account_bytes=30)) is Refusal.ACCOUNT

    def test_what_is_announced_counts(self, store):
        bounds = FREE._replace(account_bytes=30)
        assert reserve(store, "a", 20, bounds=bounds) is None
        assert reserve(store, "b", 11, bounds=bounds) is Refusal.SLOTS

    def test_a_day_has_its_share_whatever_is_deleted(self, store):
        bounds = FREE._replace(day_bytes=30)
        for id in "ab":
            assert upload(store, id, 15, bounds=bounds) is None
        store.uploads.delete("romeo")
        assert upload(store, "c", 1, bounds=bounds) is Refusal.DAY
        assert upload(store, "d", 30, "juliet", bounds=bounds) is None
        assert upload(store, "e", 30, bounds=bounds, at=NOW + DAY) is None
        assert upload(store, "f", 1, bounds=bounds, at=NOW + DAY) is Refusal.DAY

    def test_the_box_has_its_share(self, store):
        bounds = FREE._replace(total_bytes=30)
        upload(store, "a", 10)
        reserve(store, "b", 10, "juliet")
        assert reserve(store, "c", 11, bounds=bounds) is Refusal.TOTAL
        assert reserve(store, "c", 10, bounds=bounds) is None

    def test_usage_is_told_by_account(self, store):
        for id, size, local in (("a", 1, "romeo"), ("b", 2, "romeo"), ("c", 4, "juliet")):
            upload(store, id, size, local)
        reserve(store, "d", 8)
        assert store.uploads.usage() == [Usage("juliet", 1, 4), Usage("romeo", 2, 3)]
        assert [one.id for one in store.uploads.all()] == ["a", "b", "c"]


class TestTheEnd:
    def test_old_files_and_those_with_an_end_of_their_own_go(self, store):
        upload(store, "old", at=NOW - 50)
        upload(store, "new", at=NOW - 10)
        upload(store, "brief", expires=NOW + 5)
        assert store.uploads.expire(NOW, NOW - 20, 0) == 1
        assert store.uploads.expire(NOW + 5, NOW - 20, 0) == 1
        assert ids(store) == ["new"]
        assert sorted(store.uploads.gone(10)) == ["brief", "old"]

    def test_slots_that_are_over_go_and_leave_their_ids(self, store):
        reserve(store, "a", until=NOW)
        reserve(store, "b", until=NOW + 1)
        assert store.uploads.expire(NOW, -1, NOW) == 1
        assert store.uploads.slot("a") is None
        assert store.uploads.slot("b") is not None
        assert store.uploads.gone(10) == ["a"]

    def test_files_are_deleted_by_their_owners_only(self, store):
        for id in "ab":
            upload(store, id)
        upload(store, "c", local="juliet")
        assert store.uploads.delete("juliet", "a") == 0
        assert store.uploads.delete("romeo", "a") == 1
        assert store.uploads.delete("romeo") == 1
        assert ids(store, "juliet") == ["c"]

    def test_what_goes_with_an_account_leaves_its_ids(self, store, path):
        upload(store, "a")
        reserve(store, "b")
        upload(store, "c", local="juliet")
        store.accounts.delete("romeo", "romeo@h")
        assert sorted(store.uploads.gone(10)) == ["a", "b"]
        assert store.uploads.known() == {"a", "b", "c"}
        assert store.uploads.gone(1) in (["a"], ["b"])
        store.uploads.forget(["a", "b"])
        assert store.uploads.gone(10) == []
        with sqlite3.connect(path) as other:
            assert other.execute("SELECT count(*) FROM upload_day").fetchone() == (1,)
        other.close()
