"""What every database behind the store must do with uploads."""

import sqlite3

import pytest

from hausbote.storage import Upload, Usage, migrate, open_store
from hausbote.xmpp.sasl import ScramKeys

KEYS = {"SHA-1": ScramKeys(b"salt", 4096, b"stored", b"server")}
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


def file(id, size=10, at=NOW, **more):
    return Upload(**({"id": id, "name": "o'brien.jpg", "type": "image/jpeg", "size": size,
                      "digest": b"digest of " + id.encode(), "uploaded": at} | more))  # fmt: skip


def upload(store, id, size=10, local="romeo", at=NOW, keep=0, content=None, **more):
    account = store.uploads.account(local)
    return store.uploads.add(account, file(id, size, at, **more), content, keep)


def ids(store, local="romeo"):
    return [one.id for one in store.uploads.of(local)]


class TestFiles:
    def test_a_file_comes_back_as_it_was_and_once(self, store):
        assert store.uploads.get("a") is None
        assert upload(store, "a", expires=NOW + 5)
        assert store.uploads.get("a") == file("a", expires=NOW + 5)
        assert not upload(store, "a", 11)
        assert store.uploads.get("a") == file("a", expires=NOW + 5)

    def test_a_small_one_has_its_content_with_it(self, store):
        upload(store, "a", content=b"But soft!\0")
        upload(store, "b")
        assert store.uploads.fetch("a") == (file("a"), b"But soft!\0")
        assert store.uploads.fetch("b") == (file("b"), None)
        assert store.uploads.fetch("c") is None
        assert store.uploads.known() == {"b"}

    def test_nobody_has_none(self, store):
        assert store.uploads.account("tybalt") is None
        account = store.uploads.account("romeo")
        store.accounts.delete("romeo", "romeo@h")
        store.accounts.create("romeo", KEYS)
        assert not store.uploads.add(account, file("a"), None, 0)
        assert store.uploads.get("a") is None


class TestShares:
    def test_the_oldest_files_make_room(self, store):
        for at, id in enumerate("abc"):
            assert upload(store, id, 10, at=NOW + at, keep=30)
        upload(store, "h", 10, "juliet", keep=30)
        assert upload(store, "d", 15, at=NOW + 3, keep=30)
        assert ids(store) == ["c", "d"]
        assert sorted(store.uploads.gone(10)) == ["a", "b"]
        assert ids(store, "juliet") == ["h"]

    def test_the_newest_stays_even_if_the_clock_went_back(self, store):
        upload(store, "a", 10, at=NOW)
        upload(store, "b", 25, at=NOW - 50, keep=30)
        assert ids(store) == ["b"]

    def test_what_is_there_counts(self, store):
        for id, size, local in (("a", 10, "romeo"), ("b", 5, "romeo"), ("c", 1, "juliet")):
            upload(store, id, size, local)
        romeo = store.uploads.account("romeo")
        assert (store.uploads.stored(romeo), store.uploads.total()) == (15, 16)
        store.uploads.delete("romeo", "a")
        assert (store.uploads.stored(romeo), store.uploads.total()) == (5, 6)

    def test_a_day_counts_whatever_is_deleted(self, store):
        for id in "ab":
            upload(store, id, 15)
        romeo = store.uploads.account("romeo")
        store.uploads.delete("romeo")
        assert store.uploads.on_day(romeo, NOW + DAY - 1) == 30
        assert store.uploads.on_day(romeo, NOW + DAY) == 0
        assert store.uploads.on_day(store.uploads.account("juliet"), NOW) == 0
        upload(store, "c", 1, at=NOW + DAY)
        assert store.uploads.on_day(romeo, NOW + DAY) == 1

    def test_usage_is_told_by_account(self, store):
        for id, size, local in (("a", 1, "romeo"), ("b", 2, "romeo"), ("c", 4, "juliet")):
            upload(store, id, size, local)
        assert store.uploads.usage() == [Usage("juliet", 1, 4), Usage("romeo", 2, 3)]
        assert [one.id for one in store.uploads.all()] == ["a", "b", "c"]


class TestTheEnd:
    def test_old_files_and_those_with_an_end_of_their_own_go(self, store):
        upload(store, "old", at=NOW - 50)
        upload(store, "new", at=NOW - 10)
        upload(store, "brief", expires=NOW + 5)
        assert store.uploads.expire(NOW, NOW - 20) == 1
        assert store.uploads.expire(NOW + 5, NOW - 20) == 1
        assert ids(store) == ["new"]
        assert sorted(store.uploads.gone(10)) == ["brief", "old"]

    def test_files_are_deleted_by_their_owners_only(self, store):
        for id in "ab":
            upload(store, id)
        upload(store, "c", local="juliet")
        assert store.uploads.delete("juliet", "a") == 0
        assert store.uploads.delete("romeo", "a") == 1
        assert store.uploads.delete("romeo") == 1
        assert ids(store, "juliet") == ["c"]

    def test_what_goes_with_an_account_leaves_its_ids(self, store, path):
        for id in "ab":
            upload(store, id)
        upload(store, "c", local="juliet")
        upload(store, "small", content=b"x")
        store.accounts.delete("romeo", "romeo@h")
        assert sorted(store.uploads.gone(10)) == ["a", "b"]
        assert store.uploads.known() == {"a", "b", "c"}
        assert store.uploads.gone(1) in (["a"], ["b"])
        store.uploads.forget(["a", "b"])
        assert store.uploads.gone(10) == []
        with sqlite3.connect(path) as other:
            assert other.execute("SELECT count(*) FROM upload_day").fetchone() == (1,)
        other.close()
