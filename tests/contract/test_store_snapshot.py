"""A copy of the database while it is written, and going on from one."""

import sqlite3
import threading
from contextlib import closing

import pytest

from hausbote.storage import (
    Copy,
    RosterItem,
    StorageError,
    Upload,
    copy_database,
    go_on_from,
    migrate,
    open_store,
)
from hausbote.storage.sessions import StoredSession, StoredShared
from hausbote.xmpp.sasl import ScramKeys

KEYS = {"SHA-1": ScramKeys(b"salt", 4096, b"stored", b"server")}
SHARED = StoredShared(1, b"<message", b"/>", 1.0, b"")
MANY = 4_000  # messages of 1,000 bytes: a copy takes more than one step


@pytest.fixture
def url(tmp_path):
    place = f"sqlite:///{tmp_path / 'hausbote.db'}"
    migrate(place)
    return place


@pytest.fixture
def store(url):
    opened = open_store(url)
    opened.accounts.create("romeo", KEYS)
    yield opened
    opened.close()


def test_a_copy_is_one_moment_of_a_database_that_is_written_meanwhile(store, tmp_path):
    for _ in range(MANY):
        store.offline.keep("romeo", b"x" * 1_000, 1.0, 0)
    store.settle()
    ends, written = threading.Event(), []

    def write():
        """Each transaction has two rows, which are never seen apart."""
        while not ends.is_set():
            number = len(written)
            store.rosters.put("romeo", RosterItem(f"{number}@h"))
            written.append(number)

    writer = threading.Thread(target=write)
    writer.start()
    while len(written) < 5:
        assert writer.is_alive()
    acknowledged = len(written)
    copy_database(tmp_path / "hausbote.db", tmp_path / "copy.db", 0)
    later = len(written)
    ends.set()
    writer.join()
    assert later > acknowledged, "nobody could write while it was copied"
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        (contacts,) = copy.execute("SELECT count(*) FROM contact").fetchone()
        (version,) = copy.execute("SELECT roster_version - roster_floor FROM account").fetchone()
    assert contacts == version  # as many changes as contacts: it is one moment
    assert acknowledged <= contacts < later
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600


def test_what_would_leave_too_little_room_is_not_begun(store, tmp_path):
    with pytest.raises(StorageError, match="are to stay free") as told:
        copy_database(tmp_path / "hausbote.db", tmp_path / "copy.db", 1 << 60)
    assert told.value.full
    assert not (tmp_path / "copy.db").exists()


def test_what_is_in_a_copy(store, tmp_path):
    account = store.uploads.account("romeo")
    for number, content in enumerate((None, b"small")):
        digest = bytes([number]) * 32
        store.uploads.add(account, Upload(f"{number}", "x", "a/b", 5, digest, 1.0), content, 0)
    copy_database(tmp_path / "hausbote.db", tmp_path / "copy.db", 0)
    with closing(Copy(tmp_path / "copy.db")) as copy:
        rows = copy.rows()
        assert (rows["account"], rows["upload"], rows["offline"]) == (1, 2, 0)
        assert copy.files() == {"0": (5, b"\0" * 32)}
        assert list(copy.damaged_files()) == ["1"]  # its digest is another one
        assert not copy.is_newer


def test_what_is_no_database_is_told(tmp_path):
    (tmp_path / "copy.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(StorageError, match="no database"):
        Copy(tmp_path / "copy.db")


class TestGoingOn:
    """From a copy: what others know of the time that is lost is not mistaken for what comes."""

    @pytest.fixture
    def later(self, store, tmp_path):
        """The store as it is again after a restore, and the versions and accounts that are lost."""
        store.rosters.put("romeo", RosterItem("juliet@h"))
        store.sessions.keep([StoredSession("resume-me", "romeo", 1e12, 7, b"state")], [SHARED])
        store.sessions.complete().wait()
        copy_database(tmp_path / "hausbote.db", tmp_path / "copy.db", 0)
        self.lost = [store.rosters.put("romeo", RosterItem(f"{n}@h")) for n in range(3)]
        store.accounts.create("mercutio", KEYS)
        self.lost_account = store.rosters.put("mercutio", RosterItem("juliet@h"))
        (tmp_path / "restored").mkdir()
        (tmp_path / "copy.db").rename(tmp_path / "restored" / "hausbote.db")
        url = f"sqlite:///{tmp_path / 'restored' / 'hausbote.db'}"
        go_on_from(tmp_path / "restored" / "hausbote.db", tmp_path / "restored" / "hausbote.id")
        migrate(url, tmp_path / "restored" / "hausbote.id")  # which is refused without its mark
        opened = open_store(url)
        yield opened
        opened.close()

    def test_who_knows_a_version_that_is_lost_gets_the_whole_roster(self, later):
        for number in range(5):
            later.rosters.put("romeo", RosterItem(f"another{number}@h"))
        for version in self.lost:
            assert later.rosters.changes("romeo", version) is None
        assert set(later.rosters.load("romeo").items) >= {"juliet@h", "another4@h"}

    def test_a_new_account_has_no_versions_of_one_that_is_lost(self, later):
        later.accounts.create("mercutio", KEYS)
        for number in range(3):
            later.rosters.put("mercutio", RosterItem(f"{number}@h"))
        assert later.rosters.changes("mercutio", self.lost_account) is None

    def test_sessions_that_waited_are_older_than_their_clients(self, later):
        assert list(later.sessions.take()) == []
        assert later.sessions.shared() == []

    def test_the_mark_knows_it(self, later, tmp_path):
        (tmp_path / "restored" / "hausbote.id").write_text("another\n")
        with pytest.raises(StorageError, match="not the database that this box has used"):
            migrate(
                f"sqlite:///{tmp_path / 'restored' / 'hausbote.db'}",
                tmp_path / "restored" / "hausbote.id",
            )
