"""What every database behind the store must do: one class for each kind of thing kept."""

import sqlite3
import time

import pytest

from hausbote.storage import AccountExists, Removed, Roster, RosterItem, migrate, open_store
from hausbote.xmpp.sasl import ScramKeys

SHA1 = ScramKeys(b"salt", 4096, b"stored-1", b"server-1")
SHA256 = ScramKeys(b"pepper", 10_000, b"stored-256", b"server-256")
KEYS = {"SHA-1": SHA1, "SHA-256": SHA256}
STRANGE_NAMES = ["o'brien", "x'); DROP TABLE account; --", "ärger", "名前", "%", "a_b"]


@pytest.fixture(params=["sqlite"])
def url(request, tmp_path):
    return f"{request.param}:///{tmp_path / 'hausbote.db'}"


@pytest.fixture
def store(url):
    migrate(url)
    store = open_store(url)
    yield store
    store.close()


@pytest.fixture
def people(store):
    """A store with the accounts romeo and juliet."""
    for local in ("romeo", "juliet"):
        store.accounts.create(local, KEYS)
    return store


class TestAccounts:
    def test_a_new_account_can_be_found(self, store):
        before = int(time.time())
        store.accounts.create("romeo", KEYS, admin=True)
        account = store.accounts.get("romeo")
        assert (account.local, account.admin, account.locked) == ("romeo", True, False)
        assert before <= account.created <= time.time()
        assert store.accounts.exists("romeo")

    def test_a_new_account_is_no_administrator_unless_told_so(self, people):
        assert not people.accounts.get("romeo").admin

    def test_each_hash_has_its_own_keys(self, people):
        assert people.accounts.keys("romeo", "SHA-1") == SHA1
        assert people.accounts.keys("romeo", "SHA-256") == SHA256
        assert people.accounts.keys("romeo", "SHA-512") is None

    def test_an_unknown_name_is_answered_everywhere(self, people):
        accounts = people.accounts
        assert accounts.get("tybalt") is None
        assert not accounts.exists("tybalt")
        assert accounts.keys("tybalt", "SHA-1") is None
        assert not accounts.set_keys("tybalt", KEYS)
        assert not accounts.set_admin("tybalt", True)
        assert not accounts.set_locked("tybalt", True)
        assert not accounts.delete("tybalt", "tybalt@h")

    def test_a_second_account_of_the_same_name_is_refused(self, people):
        with pytest.raises(AccountExists):
            people.accounts.create("romeo", {"SHA-1": SHA256}, admin=True)
        assert not people.accounts.get("romeo").admin
        assert people.accounts.keys("romeo", "SHA-1") == SHA1
        assert people.accounts.keys("romeo", "SHA-256") == SHA256

    def test_of_many_accounts_those_are_made_whose_names_are_free(self, people):
        rows = [("nurse", KEYS), ("romeo", {"SHA-1": SHA256}), ("paris", KEYS), ("nurse", KEYS)]
        assert people.accounts.create_many(iter(rows)) == ["romeo", "nurse"]
        assert people.accounts.count() == 4
        assert people.accounts.keys("paris", "SHA-256") == SHA256
        assert people.accounts.keys("romeo", "SHA-1") == SHA1

    def test_all_accounts_are_listed_by_name(self, people):
        people.accounts.create("benvolio", KEYS)
        assert [a.local for a in people.accounts.all()] == ["benvolio", "juliet", "romeo"]
        assert people.accounts.count() == 3

    def test_new_keys_replace_every_old_one(self, people):
        new = ScramKeys(b"new", 5000, b"stored", b"server")
        assert people.accounts.set_keys("romeo", {"SHA-256": new})
        assert people.accounts.keys("romeo", "SHA-256") == new
        assert people.accounts.keys("romeo", "SHA-1") is None
        assert people.accounts.keys("juliet", "SHA-1") == SHA1

    def test_a_locked_account_has_no_keys_until_it_is_unlocked(self, people):
        assert people.accounts.set_locked("romeo", True)
        assert people.accounts.get("romeo").locked
        assert people.accounts.exists("romeo")
        assert people.accounts.keys("romeo", "SHA-256") is None
        assert people.accounts.set_locked("romeo", False)
        assert people.accounts.keys("romeo", "SHA-256") == SHA256

    def test_an_administrator_can_be_made_and_unmade(self, people):
        assert people.accounts.set_admin("romeo", True)
        assert people.accounts.get("romeo").admin
        assert not people.accounts.get("juliet").admin
        assert people.accounts.set_admin("romeo", False)
        assert not people.accounts.get("romeo").admin

    @pytest.mark.parametrize("local", STRANGE_NAMES)
    def test_any_name_is_only_a_name(self, people, local):
        people.accounts.create(local, KEYS)
        assert people.accounts.get(local).local == local
        assert people.accounts.count() == 3
        assert people.accounts.delete(local, f"{local}@h")
        assert {a.local for a in people.accounts.all()} == {"romeo", "juliet"}


class TestDeletingAnAccount:
    def test_nobody_stays_subscribed_to_it(self, people):
        rosters = people.rosters
        rosters.put("juliet", RosterItem("romeo@h", "R", "both", groups=("x",)))
        rosters.put("nurse", RosterItem("romeo@h", approved=True, listed=False))
        rosters.add_request("nurse", "romeo@h", b"<presence/>")
        known = rosters.load("juliet").version
        people.accounts.delete("romeo", "romeo@h")
        left = RosterItem("romeo@h", "R", "none", groups=("x",))
        assert rosters.changes("juliet", known) == [(known + 1, left)]
        assert rosters.load("nurse").items == {}
        assert not rosters.has_request("nurse", "romeo@h")

    SECRET = b"<body>what only romeo may read</body>"

    @pytest.fixture
    def used(self, people):
        """romeo and juliet have something of every kind."""
        for local in ("romeo", "juliet"):
            people.rosters.put(local, RosterItem("nurse@h", "Nurse"))
            people.rosters.remove(local, "paris@h")
            people.rosters.add_request(local, "paris@h", b"<presence/>")
            people.activity.left(local, 1.0, "gone")
        people.offline.keep("juliet", b"hers", 1.0, 0)
        people.offline.keep("romeo", self.SECRET, 1.0, 0)
        people.settle()
        return people

    def test_no_table_has_a_row_of_it_afterwards(self, used, url):
        assert used.accounts.delete("romeo", "romeo@h")
        assert used.accounts.delete("juliet", "juliet@h")
        used.close()
        tables = rows_by_table(url)
        assert set(tables) >= {"account", "scram", "contact", "offline", "activity"}
        assert {name: rows for name, rows in tables.items() if rows} == {}

    def test_the_others_keep_what_is_theirs(self, used):
        used.accounts.delete("romeo", "romeo@h")
        assert used.accounts.keys("juliet", "SHA-1") == SHA1
        assert list(used.rosters.load("juliet").items) == ["nurse@h"]
        assert len(used.rosters.requests("juliet")) == 1
        assert [m.stanza for m in used.offline.pending("juliet")] == [b"hers"]
        assert used.activity.last("juliet") == (1.0, "gone")

    def test_its_messages_are_gone_from_the_file_itself(self, used, url):
        path = url.removeprefix("sqlite:///")
        used.close()
        assert self.SECRET in read(path)
        again = open_store(url)
        again.accounts.delete("romeo", "romeo@h")
        again.close()
        assert self.SECRET not in read(path)
        assert b"hers" in read(path)

    def test_a_new_account_of_that_name_starts_empty(self, used):
        used.accounts.delete("romeo", "romeo@h")
        used.accounts.create("romeo", KEYS)
        assert used.rosters.load("romeo").items == {}
        assert used.rosters.requests("romeo") == []
        assert used.offline.pending("romeo") == []
        assert used.activity.last("romeo") is None

    def test_a_roster_version_of_the_old_account_is_unknown_to_a_new_one(self, used):
        known = used.rosters.load("romeo").version
        used.accounts.delete("romeo", "romeo@h")
        used.accounts.create("romeo", KEYS)
        for number in range(4):
            used.rosters.put("romeo", RosterItem(f"{number}@h"))
        assert used.rosters.changes("romeo", known) is None

    def test_what_is_still_written_for_it_leaves_nothing(self, used, url):
        used.accounts.delete("juliet", "juliet@h")
        used.accounts.delete("romeo", "romeo@h")
        used.rosters.put("romeo", RosterItem("nurse@h"))
        used.rosters.remove("romeo", "nurse@h")
        used.rosters.add_request("romeo", "nurse@h", b"<presence/>")
        used.activity.left("romeo", 2.0, "")
        assert not used.offline.keep("romeo", b"late", 2.0, 0).wait()
        used.close()
        assert not any(rows_by_table(url).values())


class TestRosters:
    NURSE = RosterItem("nurse@h", "The nurse", "both", False, True, ("Family", 'a "b" <c> ä'))

    def test_a_contact_comes_back_as_it_was(self, people):
        hidden = RosterItem("paris@h", subscription="none", ask=True, approved=True, listed=False)
        people.rosters.put("juliet", self.NURSE)
        version = people.rosters.put("juliet", hidden)
        everyone = {"nurse@h": self.NURSE, "paris@h": hidden}
        assert people.rosters.load("juliet") == Roster(version, everyone)

    def test_a_contact_is_replaced_as_a_whole(self, people):
        people.rosters.put("juliet", self.NURSE)
        people.rosters.put("juliet", RosterItem("nurse@h", "Angelica"))
        assert people.rosters.load("juliet").items == {"nurse@h": RosterItem("nurse@h", "Angelica")}

    def test_every_change_brings_a_higher_version(self, people):
        versions = [
            people.rosters.load("juliet").version,
            people.rosters.put("juliet", self.NURSE),
            people.rosters.put("juliet", self.NURSE._replace(name="")),
            people.rosters.remove("juliet", "nurse@h"),
        ]
        assert versions == sorted(set(versions))
        assert people.rosters.load("juliet") == Roster(versions[-1], {})

    def test_rosters_do_not_mix(self, people):
        before = people.rosters.load("romeo")
        people.rosters.put("juliet", self.NURSE)
        assert people.rosters.load("romeo") == before

    def test_nobody_has_an_empty_roster_and_no_known_version(self, people):
        assert people.rosters.load("tybalt") == Roster(0, {})
        assert people.rosters.changes("tybalt", 0) is None

    def test_changes_come_in_their_order(self, people):
        people.rosters.put("juliet", RosterItem("a@h"))
        known = people.rosters.put("juliet", RosterItem("b@h"))
        people.rosters.put("juliet", RosterItem("d@h"))
        people.rosters.put("juliet", RosterItem("c@h"))
        people.rosters.remove("juliet", "a@h")
        changes = [RosterItem("d@h"), RosterItem("c@h"), Removed("a@h")]
        newest = people.rosters.load("juliet").version
        numbered = list(zip(range(newest - 2, newest + 1), changes, strict=True))
        assert people.rosters.changes("juliet", known) == numbered

    def test_only_the_last_change_of_a_contact_is_told(self, people):
        known = people.rosters.load("juliet").version
        people.rosters.put("juliet", RosterItem("a@h"))
        people.rosters.remove("juliet", "a@h")
        people.rosters.put("juliet", RosterItem("a@h", "again"))
        assert [change for _, change in people.rosters.changes("juliet", known)] == [
            RosterItem("a@h", "again")
        ]

    def test_who_knows_the_newest_version_has_nothing_to_learn(self, people):
        assert people.rosters.changes("juliet", people.rosters.load("juliet").version) == []
        newest = people.rosters.put("juliet", self.NURSE)
        assert people.rosters.changes("juliet", newest) == []

    def test_a_version_that_never_was_is_unknown(self, people):
        newest = people.rosters.put("juliet", self.NURSE)
        assert people.rosters.changes("juliet", newest + 1) is None
        assert people.rosters.changes("juliet", 0) is None
        assert people.rosters.changes("juliet", -1) is None

    def test_removals_are_forgotten_and_with_them_the_versions_before(self, people, url):
        rosters = people.rosters
        old = rosters.put("juliet", self.NURSE)
        removals = [rosters.remove("juliet", f"{number}@h") for number in range(150)]
        assert rosters.changes("juliet", old) is None
        last = [(removals[-2], Removed("148@h")), (removals[-1], Removed("149@h"))]
        assert rosters.changes("juliet", removals[-3]) == last
        assert rosters.load("juliet").items == {"nurse@h": self.NURSE}
        people.close()
        assert 50 < rows_by_table(url)["contact"] < 120

    def test_a_request_waits_until_it_is_answered(self, people):
        people.rosters.add_request("juliet", "romeo@h", b"<presence>\x00\xff</presence>")
        people.rosters.add_request("juliet", "paris@h", b"<presence/>")
        waiting = {r.jid: r.stanza for r in people.rosters.requests("juliet")}
        assert waiting == {"romeo@h": b"<presence>\x00\xff</presence>", "paris@h": b"<presence/>"}
        assert people.rosters.remove_request("juliet", "paris@h")
        assert not people.rosters.remove_request("juliet", "paris@h")
        assert [r.jid for r in people.rosters.requests("juliet")] == ["romeo@h"]
        assert people.rosters.has_request("juliet", "romeo@h")
        assert not people.rosters.has_request("juliet", "paris@h")
        assert people.rosters.count_requests("juliet") == 1
        assert people.rosters.requests("romeo") == []

    def test_a_repeated_request_is_one_request(self, people):
        people.rosters.add_request("juliet", "romeo@h", b"first")
        people.rosters.add_request("juliet", "romeo@h", b"second")
        assert people.rosters.requests("juliet") == [("romeo@h", b"second")]

    def test_a_request_does_not_change_the_roster(self, people):
        before = people.rosters.load("juliet")
        people.rosters.add_request("juliet", "romeo@h", b"<presence/>")
        assert people.rosters.load("juliet") == before


class TestOfflineMessages:
    def test_they_can_be_had_in_portions(self, people):
        for number in range(5):
            people.offline.keep("juliet", b"%d" % number * 100, 1.0, 0).wait()
        first = people.offline.pending("juliet", 250)
        assert [message.stanza[:1] for message in first] == [b"0", b"1", b"2"]
        people.offline.discard("juliet", first[-1].id)
        assert [m.stanza[:1] for m in people.offline.pending("juliet", 1)] == [b"3"]

    def test_messages_come_back_in_order_with_their_time(self, people):
        for number in (3, 1, 2):
            people.offline.keep("juliet", b"\x00%d" % number, 1000.5 - number, 0)
        kept = people.offline.pending("juliet")
        assert [(m.stanza, m.at) for m in kept] == [
            (b"\x003", 997.5), (b"\x001", 999.5), (b"\x002", 998.5)
        ]  # fmt: skip
        assert [m.id for m in kept] == sorted(m.id for m in kept)

    def test_what_was_just_given_is_pending_without_waiting(self, people):
        for number in range(700):
            people.offline.keep("juliet", b"%d" % number, 1.0, 0)
        assert [int(m.stanza) for m in people.offline.pending("juliet")] == list(range(700))

    def test_a_full_box_takes_no_more(self, people):
        kept = [people.offline.keep("juliet", b"%d" % n, 1.0, 3).wait() for n in range(5)]
        assert kept == [True, True, True, False, False]
        assert [m.stanza for m in people.offline.pending("juliet")] == [b"0", b"1", b"2"]
        assert people.offline.keep("romeo", b"his", 1.0, 3).wait()

    def test_the_limit_holds_for_messages_that_come_together(self, people):
        tickets = [people.offline.keep("juliet", b"%d" % n, 1.0, 40) for n in range(100)]
        assert [t.wait() for t in tickets] == [True] * 40 + [False] * 60
        assert people.offline.count("juliet") == 40

    def test_there_is_room_again_after_reading(self, people):
        people.offline.keep("juliet", b"one", 1.0, 1)
        people.offline.discard("juliet", people.offline.pending("juliet")[-1].id)
        assert people.offline.keep("juliet", b"two", 1.0, 1).wait()

    def test_no_limit_is_no_limit(self, people):
        for _ in range(50):
            people.offline.keep("juliet", b"x", 1.0, 0)
        people.settle()
        assert people.offline.count("juliet") == 50

    def test_discarding_spares_what_came_later_and_what_is_anothers(self, people):
        people.offline.keep("romeo", b"his", 1.0, 0)
        people.offline.keep("juliet", b"one", 1.0, 0)
        seen = people.offline.pending("juliet")[-1].id
        people.offline.keep("juliet", b"two", 2.0, 0)
        people.offline.discard("juliet", seen)
        assert [m.stanza for m in people.offline.pending("juliet")] == [b"two"]
        assert people.offline.count("romeo") == 1

    def test_nothing_is_kept_for_nobody(self, people):
        assert not people.offline.keep("tybalt", b"x", 1.0, 0).wait()
        assert people.offline.pending("tybalt") == []
        assert people.offline.count("tybalt") == 0

    def test_an_id_is_never_used_again(self, people):
        people.offline.keep("juliet", b"one", 1.0, 0)
        first = people.offline.pending("juliet")[0].id
        people.offline.discard("juliet", first)
        people.offline.keep("juliet", b"two", 1.0, 0)
        assert people.offline.pending("juliet")[0].id > first


class TestLastActivity:
    def test_an_account_that_was_never_here_has_none(self, people):
        assert people.activity.last("juliet") is None
        assert people.activity.last("tybalt") is None

    def test_the_last_time_counts(self, people):
        people.activity.left("juliet", 1.0, "to the balcony")
        people.activity.left("juliet", 2.5, "good night")
        people.activity.left("romeo", 9.0, "")
        people.settle()
        assert people.activity.last("juliet") == (2.5, "good night")
        assert people.activity.last("romeo") == (9.0, "")


class TestSecrets:
    def test_a_secret_stays_the_same(self, store, url):
        secret = store.secret("one")
        assert len(secret) == 32
        assert store.secret("one") == secret
        store.close()
        again = open_store(url)
        assert again.secret("one") == secret
        again.close()

    def test_each_name_has_its_own(self, store):
        assert store.secret("one") != store.secret("two")


def test_everything_is_there_after_reopening(people, url):
    people.rosters.put("juliet", TestRosters.NURSE)
    people.offline.keep("juliet", b"x", 1.0, 0)
    people.activity.left("juliet", 1.0, "bye")
    people.close()
    again = open_store(url)
    assert again.accounts.keys("juliet", "SHA-256") == SHA256
    assert again.rosters.load("juliet").items == {"nurse@h": TestRosters.NURSE}
    assert again.offline.count("juliet") == 1
    assert again.activity.last("juliet") == (1.0, "bye")
    again.close()


def rows_by_table(url):
    """How many rows each table has, read without the store."""
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    names = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    ).fetchall()
    rows = {n: connection.execute(f"SELECT count(*) FROM {n}").fetchone()[0] for (n,) in names}
    connection.close()
    return rows


def read(path):
    with open(path, "rb") as file:
        return file.read()
