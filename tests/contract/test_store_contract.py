"""What every database behind the store must do: one class for each kind of thing kept."""

import sqlite3
import time
from pathlib import Path

import pytest

from hausbote.storage import (
    CURRENT,
    NEW,
    AccountExists,
    Certificate,
    Invitation,
    Kind,
    Limits,
    NewItem,
    NewNode,
    Preferences,
    PushService,
    Range,
    Removed,
    Returned,
    Revoked,
    Room,
    Roster,
    RosterItem,
    Token,
    Upload,
    migrate,
    open_store,
)
from hausbote.xmpp.sasl import ScramKeys

SHA1 = ScramKeys(b"salt", 4096, b"stored-1", b"server-1")
SHA256 = ScramKeys(b"pepper", 10_000, b"stored-256", b"server-256")
KEYS = {"SHA-1": SHA1, "SHA-256": SHA256}
EVERYTHING = Range()
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

    def test_a_deleted_accounts_name_is_held_for_a_while(self, people, url):
        now = int(time.time())
        assert not people.accounts.is_departed("romeo", 0)
        people.accounts.delete("romeo", "romeo@h")
        assert people.accounts.is_departed("romeo", now - 10)
        with pytest.raises(AccountExists):
            people.accounts.register("romeo", KEYS, now - 10)
        assert not people.accounts.exists("romeo")
        people.accounts.register("romeo", KEYS, now + 10)  # it has been long enough
        assert people.accounts.exists("romeo")

    def test_a_held_name_is_the_owners_to_give_and_is_forgotten(self, people):
        people.accounts.delete("romeo", "romeo@h")
        people.accounts.create("romeo", KEYS)
        people.accounts.delete("romeo", "romeo@h")
        people.accounts.forget_departed(int(time.time()) + 10)
        people.accounts.register("romeo", KEYS, 0)

    def test_a_held_name_cannot_be_read_in_the_file(self, store, url):
        name = "montague-the-younger"
        store.accounts.create(name, KEYS)
        store.accounts.delete(name, f"{name}@h")
        assert store.accounts.is_departed(name, 0)
        store.close()
        path = Path(url.removeprefix("sqlite:///"))
        for file in path.parent.glob(f"{path.name}*"):
            assert name.encode() not in file.read_bytes()

    def test_a_stranger_cannot_have_a_name_that_is_taken(self, people):
        with pytest.raises(AccountExists):
            people.accounts.register("romeo", {"SHA-1": SHA256}, 0)
        assert people.accounts.keys("romeo", "SHA-1") == SHA1

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
        assert people.accounts.keys("romeo", "SHA-256", even_locked=True) == SHA256
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
        rosters.add_request("nurse", "romeo@h", b"<presence/>", 1.0)
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
        people.notices.set("motd", "Be merry")
        for local in ("romeo", "juliet"):
            people.rosters.put(local, RosterItem("nurse@h", "Nurse"))
            people.rosters.remove(local, "paris@h")
            people.rosters.add_request(local, "paris@h", b"<presence/>", 1.0)
            people.blocklists.add(local, ["paris@h"], 0)
            people.pushes.put(local, PushService("push.h", "n", "phone", ""), 0)
            people.notices.see(local, "motd")
            people.activity.left(local, 1.0, "gone")
            people.clients.remember(local, "phone", 1).wait()
            people.tokens.issue(local, "phone", Token(NEW, "HT", f"for {local}", 1, 2**40))
            people.archives.keep(people.archives.next_id(), b"alone", [(local, "nurse@h")])
            people.archiving.set_preferences(local, Preferences("never"))
            people.archiving.note_reader(local, "phone", 1, 0)
            id = "0" * 31 + str(len(local))
            file = Upload(id, "x.jpg", "image/jpeg", 5, b"digest", 1)
            people.uploads.add(people.uploads.account(local), file, b"small", 0)
            people.invitations.create(Invitation(Kind.FRIEND, 2**40, inviter=local))
            people.invitations.create(Invitation(Kind.RESET, 2**40, name=local))
        both = [("romeo", "juliet@h"), ("juliet", "romeo@h")]
        people.archives.keep(people.archives.next_id(), b"both", both)
        people.offline.keep("juliet", b"hers", 1.0, 0)
        people.offline.keep("romeo", self.SECRET, 1.0, 0)
        people.settle()
        return people

    def test_no_table_has_a_row_of_it_afterwards(self, used, url):
        assert used.accounts.delete("romeo", "romeo@h")
        assert used.accounts.delete("juliet", "juliet@h")
        used.close()
        tables = rows_by_table(url)
        assert set(tables) >= {
            "account", "scram", "contact", "offline", "activity", "client", "token"
        }  # fmt: skip
        assert {name: rows for name, rows in tables.items() if rows} == {}

    def test_the_others_keep_what_is_theirs(self, used):
        used.accounts.delete("romeo", "romeo@h")
        assert used.accounts.keys("juliet", "SHA-1") == SHA1
        assert list(used.rosters.load("juliet").items) == ["nurse@h"]
        assert len(used.rosters.requests("juliet")) == 1
        assert [m.stanza for m in used.offline.pending("juliet")] == [b"hers"]
        assert used.activity.last("juliet") == (1.0, "gone")
        assert [token.secret for token in used.tokens.of("juliet", "phone")] == ["for juliet"]
        kept = used.archives.page("juliet", Range(), 9)
        assert [message.stanza for message in kept] == [b"alone", b"both"]
        assert used.archiving.preferences("juliet") == Preferences("never")

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
        assert used.clients.all("romeo") == []
        assert used.tokens.of("romeo", "phone") == []
        assert used.archives.page("romeo", Range(), 9) == []
        assert used.archiving.preferences("romeo") == Preferences()
        assert not used.archiving.is_reader("romeo", "phone")

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
        used.rosters.add_request("romeo", "nurse@h", b"<presence/>", 1.0)
        used.activity.left("romeo", 2.0, "")
        used.clients.remember("romeo", "phone", 2)
        used.clients.seen("romeo", "phone", 3)
        assert not used.tokens.issue("romeo", "phone", Token(NEW, "HT", "late", 1, 2))
        assert not used.offline.keep("romeo", b"late", 2.0, 0).wait()
        used.archives.keep(used.archives.next_id(), b"late", [("romeo", "nurse@h")])
        used.archiving.set_preferences("romeo", Preferences("never"))
        used.archiving.note_reader("romeo", "phone", 2, 0)
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
        people.rosters.add_request("juliet", "romeo@h", b"<presence>\x00\xff</presence>", 1.0)
        people.rosters.add_request("juliet", "paris@h", b"<presence/>", 1.0)
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
        people.rosters.add_request("juliet", "romeo@h", b"first", 1.0)
        people.rosters.add_request("juliet", "romeo@h", b"second", 1.0)
        assert people.rosters.requests("juliet") == [("romeo@h", b"second")]

    def test_a_request_does_not_change_the_roster(self, people):
        before = people.rosters.load("juliet")
        people.rosters.add_request("juliet", "romeo@h", b"<presence/>", 1.0)
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


class TestArchives:
    BOTH = (("romeo", "juliet@h"), ("juliet", "romeo@h"))

    @pytest.fixture
    def archives(self, people):
        """Whatever a test does with them, their number stays known."""
        yield people.archives
        for local in ("romeo", "juliet", "nurse"):
            number = people.archives.count(local, Range()).number
            assert people.archives.total(local) == number

    def test_ids_grow_after_a_restart_though_there_are_some_of_the_future(self, archives, url):
        now = time.time()
        last, future = archives.next_id(), int((now + 365 * 86_400) * 1_000_000)
        for id in (last, future):
            archives.keep(id, b"x", self.BOTH).wait()
        again = open_store(url, clock=lambda: now - 3_600)
        try:
            assert again.archives.next_id() == last + 1
        finally:
            again.close()

    def keep(self, archives, *stanzas, entries=BOTH):
        ids = [archives.next_id() for _ in stanzas]
        for id, stanza in zip(ids, stanzas, strict=True):
            archives.keep(id, stanza, entries)
        return ids

    def stanzas(self, archives, local, where=EVERYTHING, limit=99, **how):
        return [message.stanza for message in archives.page(local, where, limit, **how)]

    def test_a_message_is_in_both_archives_at_once(self, archives):
        before = time.time()
        (id,) = self.keep(archives, b"hark")
        for local in ("romeo", "juliet"):
            (message,) = archives.page(local, Range(), 9)
            assert (message.id, message.stanza) == (id, b"hark")
            assert before - 0.001 <= message.at <= time.time()
            assert archives.get(local, id) == message
        assert archives.page("nobody", Range(), 9) == []
        assert archives.get("romeo", id + 1) is None

    def test_ids_grow_over_a_restart_even_if_the_clock_does_not(self, archives, url):
        late = int((time.time() + 3_600) * 1_000_000)
        archives.keep(late, b"late", self.BOTH)
        assert archives.get("romeo", late)
        again = open_store(url)
        ids = [late, *[again.archives.next_id() for _ in range(5)]]
        assert ids == sorted(set(ids))
        again.close()

    def test_pages_go_either_way_and_are_in_order(self, archives):
        ids = self.keep(archives, *[b"%d" % n for n in range(9)])
        assert self.stanzas(archives, "romeo", limit=2) == [b"0", b"1"]
        assert self.stanzas(archives, "romeo", limit=2, backwards=True) == [b"7", b"8"]
        between = Range(after=ids[2], before=ids[6])
        assert self.stanzas(archives, "romeo", between) == [b"3", b"4", b"5"]
        assert self.stanzas(archives, "romeo", between, 2, backwards=True) == [b"4", b"5"]

    def test_a_page_ends_when_it_is_large(self, archives):
        self.keep(archives, *[b"%d" % n * 10 for n in range(9)])
        assert self.stanzas(archives, "romeo", size=11) == [b"0" * 10, b"1" * 10]
        assert self.stanzas(archives, "romeo", size=1, backwards=True) == [b"8" * 10]

    def test_one_peer_or_some_ids(self, archives):
        hers = self.keep(archives, b"a", b"b")
        (nurses,) = self.keep(archives, b"c", entries=[("romeo", "nurse@h")])
        assert self.stanzas(archives, "romeo", Range(peer="juliet@h")) == [b"a", b"b"]
        assert self.stanzas(archives, "romeo", Range(peer="nurse@h")) == [b"c"]
        assert self.stanzas(archives, "romeo", Range(peer="paris@h")) == []
        chosen = Range(ids=(nurses, hers[0]))
        assert self.stanzas(archives, "romeo", chosen) == [b"a", b"c"]
        assert self.stanzas(archives, "juliet", chosen) == [b"a"]
        assert archives.has("romeo", [nurses, hers[0]])
        assert not archives.has("juliet", [nurses, hers[0]])
        assert archives.has("juliet", [])

    def test_what_nobody_reads_is_sorted_in_some_day(self, people, url):
        self.keep(people.archives, *[b"x"] * 499)
        people.settle()
        assert rows_by_table(url)["archive"] == 0
        self.keep(people.archives, b"x")
        people.settle()
        assert rows_by_table(url)["archive"] == 1000
        assert rows_by_table(url)["archive_fresh"] == 0

    def test_what_is_not_sorted_in_survives_a_restart(self, people, url):
        self.keep(people.archives, b"one")
        people.settle()
        again = open_store(url)
        self.keep(again.archives, b"two")
        assert self.stanzas(again.archives, "juliet") == [b"one", b"two"]
        again.close()

    def test_what_is_not_sorted_in_goes_with_the_account(self, people, url):
        self.keep(people.archives, b"both")
        self.keep(people.archives, b"his", entries=self.BOTH[:1])
        people.settle()
        people.accounts.delete("romeo", "romeo@h")
        assert self.stanzas(people.archives, "juliet") == [b"both"]
        people.accounts.delete("juliet", "juliet@h")
        people.close()
        assert not any(rows_by_table(url).values())

    def test_counting_goes_in_portions(self, archives):
        ids = self.keep(archives, *[b"x"] * 5)
        assert archives.count("romeo", Range()) == (5, ids[-1])
        assert archives.count("romeo", Range(), 2) == (2, ids[1])
        assert archives.count("romeo", Range(after=ids[1], peer="juliet@h"), 9) == (3, ids[-1])
        assert archives.count("romeo", Range(after=ids[-1])) == (0, 0)

    def test_the_ends_are_known(self, archives):
        assert archives.ends("romeo") is None
        ids = self.keep(archives, b"a", b"b", b"c")
        assert archives.ends("romeo") == (ids[0], ids[-1])

    def test_what_is_old_is_really_deleted(self, people, url):
        archives = people.archives
        secret = b"<body>parting is such sweet sorrow</body>"
        for id, stanza in ((1, secret), (2, b"old")):
            archives.keep(1_000_000_000 + id, stanza, self.BOTH)
        archives.keep(2_000_000_000, b"new", [("romeo", "nurse@h")])
        people.settle()
        assert archives.purge(1500.0) == 4
        assert archives.purge(1500.0) == 0
        assert self.stanzas(archives, "romeo") == [b"new"]
        assert self.stanzas(archives, "juliet") == []
        people.close()
        rows = rows_by_table(url)
        assert (rows["archived_message"], rows["archive"], rows["archive_peer"]) == (1, 1, 1)
        assert secret not in read(url.removeprefix("sqlite:///"))

    def test_a_message_stays_as_long_as_one_side_has_it(self, people):
        self.keep(people.archives, b"hark")
        people.accounts.delete("romeo", "romeo@h")
        assert self.stanzas(people.archives, "juliet") == [b"hark"]

    def test_the_oldest_make_room(self, archives):
        self.keep(archives, *[b"%d" % n for n in range(1200)])
        self.keep(archives, b"only his", entries=[("romeo", "nurse@h")])
        assert archives.purge(0.0, 2) == 1199 + 1198
        assert self.stanzas(archives, "romeo") == [b"1199", b"only his"]
        assert self.stanzas(archives, "juliet") == [b"1198", b"1199"]

    def test_the_newest_that_fits_is_rewritten_for_both(self, archives):
        self.keep(archives, b"one", b"two", b"one", b"two")

        def change(stanza):
            return b"gone" if stanza == b"one" else None

        hers = [("romeo", "nurse@h"), ("romeo", "juliet@h")]
        assert archives.rewrite(hers, change, 9).wait()
        for local in ("romeo", "juliet"):
            assert self.stanzas(archives, local) == [b"one", b"two", b"gone", b"two"]
            assert all(one.is_intact for one in archives.page(local, Range(), 9))
        assert not archives.rewrite(hers, change, 2).wait()
        assert not archives.rewrite(hers[:1], change, 9).wait()

    @pytest.mark.parametrize("jid", STRANGE_NAMES)
    def test_any_peer_is_only_a_text(self, archives, jid):
        self.keep(archives, b"x", entries=[("romeo", jid)])
        assert self.stanzas(archives, "romeo", Range(peer=jid)) == [b"x"]


class TestArchiving:
    def test_everything_is_kept_unless_told_otherwise(self, people):
        assert people.archiving.preferences("romeo") == Preferences("always", (), ())
        assert people.archiving.locals() == set()

    def test_preferences_come_back_as_they_were(self, people):
        wanted = Preferences("roster", ("nurse@h", "a@h/b"), ("paris@h",))
        people.archiving.set_preferences("romeo", Preferences("never"))
        people.archiving.set_preferences("romeo", wanted)
        assert people.archiving.preferences("romeo") == wanted
        assert people.archiving.preferences("juliet") == Preferences()
        assert people.archiving.locals() == {"romeo"}

    def test_readers_are_remembered_and_the_oldest_forgotten(self, people):
        for number in range(4):
            people.archiving.note_reader("romeo", f"r{number}", number, 3)
        people.settle()
        known = [people.archiving.is_reader("romeo", f"r{n}") for n in range(4)]
        assert known == [False, True, True, True]
        assert not people.archiving.is_reader("juliet", "r3")


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


class TestBlockLists:
    def test_nobody_blocks_anybody_at_first(self, people):
        assert people.blocklists.holders() == set()
        assert people.blocklists.load("juliet") == []

    def test_a_list_comes_back_sorted_and_belongs_to_one_account(self, people):
        assert people.blocklists.add("juliet", ["romeo@h", "a@b/c"], 0)
        assert people.blocklists.load("juliet") == ["a@b/c", "romeo@h"]
        assert people.blocklists.load("romeo") == []
        assert people.blocklists.holders() == {"juliet"}

    def test_what_is_blocked_already_does_not_count_twice(self, people):
        assert people.blocklists.add("juliet", ["a@h", "b@h"], 2)
        assert people.blocklists.add("juliet", ["a@h", "b@h"], 2)
        assert people.blocklists.load("juliet") == ["a@h", "b@h"]

    def test_beyond_the_limit_nothing_is_added(self, people):
        assert people.blocklists.add("juliet", ["a@h"], 2)
        assert not people.blocklists.add("juliet", ["b@h", "c@h"], 2)
        assert people.blocklists.load("juliet") == ["a@h"]

    def test_some_are_removed_and_the_rest_stays(self, people):
        people.blocklists.add("juliet", ["a@h", "b@h", "c@h"], 0)
        people.blocklists.remove("juliet", ["a@h", "x@h", "c@h"])
        assert people.blocklists.load("juliet") == ["b@h"]
        people.blocklists.remove("juliet", ["b@h"])
        assert people.blocklists.holders() == set()

    def test_nobody_blocks_nobody(self, people):
        assert not people.blocklists.add("tybalt", ["a@h"], 0)
        people.blocklists.remove("tybalt", ["a@h"])
        assert people.blocklists.holders() == set()


class TestPushes:
    PHONE = PushService("push.h", "phone", "p", "<x/>")
    WATCH = PushService("push.h", "watch", "w", "")

    def test_a_service_comes_back_as_it_was(self, people):
        assert people.pushes.load("juliet") == []
        assert people.pushes.put("juliet", self.PHONE, 0)
        assert people.pushes.load("juliet") == [self.PHONE]
        assert people.pushes.load("romeo") == []
        assert people.pushes.holders() == {"juliet"}

    def test_the_same_node_is_replaced_even_at_the_limit(self, people):
        people.pushes.put("juliet", self.PHONE, 1)
        other = self.PHONE._replace(options="", resource="q")
        assert people.pushes.put("juliet", other, 1)
        assert people.pushes.load("juliet") == [other]
        assert not people.pushes.put("juliet", self.WATCH, 1)

    def test_one_node_or_all_of_a_service(self, people):
        elsewhere = PushService("other.h", "phone", "p", "")
        for service in (self.PHONE, self.WATCH, elsewhere):
            people.pushes.put("juliet", service, 0)
        people.pushes.put("romeo", self.PHONE, 0)
        assert people.pushes.remove("juliet", "push.h", "phone")
        assert not people.pushes.remove("juliet", "push.h", "phone")
        people.pushes.put("juliet", self.PHONE, 0)
        assert people.pushes.remove("juliet", "push.h", None)
        assert people.pushes.load("juliet") == [elsewhere]
        assert people.pushes.load("romeo") == [self.PHONE]

    def test_nothing_is_kept_for_nobody(self, people):
        assert not people.pushes.put("tybalt", self.PHONE, 0)
        assert people.pushes.holders() == set()


class TestNotices:
    def test_there_is_none_at_first(self, people):
        assert people.notices.get("motd") is None
        assert not people.notices.see("romeo", "motd")

    def test_everybody_sees_it_once(self, people):
        people.notices.set("motd", "Be merry")
        assert people.notices.get("motd") == "Be merry"
        assert [people.notices.see("romeo", "motd") for _ in range(2)] == [True, False]
        assert people.notices.see("juliet", "motd")
        assert not people.notices.see("tybalt", "motd")

    def test_a_new_one_is_seen_again_a_corrected_one_is_not(self, people):
        people.notices.set("motd", "Be merry")
        people.notices.see("romeo", "motd")
        people.notices.edit("motd", "Be very merry")
        assert people.notices.get("motd") == "Be very merry"
        assert not people.notices.see("romeo", "motd")
        people.notices.set("motd", "Be still")
        assert people.notices.see("romeo", "motd")

    def test_one_that_is_removed_is_gone(self, people):
        people.notices.edit("motd", "Be merry")
        people.notices.see("romeo", "motd")
        people.notices.remove("motd")
        assert people.notices.get("motd") is None
        people.notices.edit("motd", "Again")
        assert people.notices.see("romeo", "motd")


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
    """How many rows each table of accounts has, read without the store.

    Notices are everybody's, `upload_gone` and `secret` name nobody, and `departed_name` has hashes.
    """
    others = "'notice', 'upload_gone', 'secret', 'departed_name'"
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    names = connection.execute(
        "SELECT name FROM sqlite_master"
        f" WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT IN ({others})"
    ).fetchall()
    rows = {n: connection.execute(f"SELECT count(*) FROM {n}").fetchone()[0] for (n,) in names}
    connection.close()
    return rows


def read(path):
    with open(path, "rb") as file:
        return file.read()


class TestClients:
    def test_a_client_comes_back_as_it_was(self, people):
        people.clients.remember(
            "romeo", "phone", 5, software="Gajim", device="Kiva's", password=True
        ).wait()
        client = people.clients.get("romeo", "phone")
        assert client[2:] == ("Gajim", "Kiva's", True, 5, 5, 0)
        assert client.agent == "phone"
        assert len(client.ref) >= 12
        assert people.clients.all("romeo") == [client]
        assert people.clients.get("juliet", "phone") is None
        assert people.clients.get("romeo", "desk") is None

    def test_what_it_is_called_may_change_but_not_when_it_first_came(self, people):
        people.clients.remember("romeo", "phone", 5, software="old", password=True).wait()
        ref = people.clients.get("romeo", "phone").ref
        people.clients.remember("romeo", "phone", 9, software="new").wait()
        client = people.clients.get("romeo", "phone")
        assert (client.software, client.first_seen, client.last_seen) == ("new", 5, 9)
        assert client.password
        assert client.ref == ref

    def test_the_same_installation_is_another_client_of_another_account(self, people):
        for local in ("romeo", "juliet"):
            people.clients.remember(local, "phone", 1).wait()
        refs = {people.clients.get(local, "phone").ref for local in ("romeo", "juliet")}
        assert len(refs) == 2

    def test_when_it_was_seen_is_known_at_once_and_kept_later(self, people, url):
        people.clients.remember("romeo", "phone", 5).wait()
        people.clients.seen("romeo", "phone", 7)
        assert people.clients.get("romeo", "phone").last_seen == 7
        people.close()
        again = open_store(url)
        assert again.clients.get("romeo", "phone").last_seen == 7
        again.close()

    def test_those_that_were_away_longest_make_room(self, people):
        for at, agent in enumerate(["first", "second", "third", "fourth"]):
            people.clients.remember("romeo", agent, at, limit=3).wait()
        people.clients.remember("juliet", "first", 0, limit=3).wait()
        assert [one.agent for one in people.clients.all("romeo")] == ["fourth", "third", "second"]
        assert len(people.clients.all("juliet")) == 1

    def test_old_ones_are_pruned(self, people):
        people.clients.remember("romeo", "old", 5).wait()
        people.clients.remember("romeo", "new", 10).wait()
        people.clients.remember("romeo", "back", 5).wait()
        people.clients.seen("romeo", "back", 20)
        people.clients.prune(before=10)
        people.settle()
        assert [one.agent for one in people.clients.all("romeo")] == ["back", "new"]

    def test_revoking_ends_tokens_and_tells_of_the_password(self, people):
        for agent, password in (("knows", True), ("has", False)):
            people.clients.remember("romeo", agent, 1, password=password).wait()
            people.tokens.issue("romeo", agent, Token(NEW, "HT", "x", 1, 2))
            ref = people.clients.get("romeo", agent).ref
            assert people.clients.revoke("juliet", ref) is None
            assert people.clients.revoke("romeo", ref) == Revoked(agent, password)
            assert people.tokens.of("romeo", agent) == []
        assert [one.agent for one in people.clients.all("romeo")] == ["knows"]
        assert people.clients.revoke("romeo", "nothing") is None

    @pytest.mark.parametrize("name", STRANGE_NAMES)
    def test_any_text_is_only_a_text(self, people, name):
        people.clients.remember("romeo", name, 1, software=name, device=name).wait()
        assert people.clients.get("romeo", name).device == name
        assert people.clients.revoke("romeo", name) is None


class TestWebLogins:
    """Tokens for one login of a page in a browser."""

    @pytest.fixture
    def browser(self, people):
        people.clients.remember("romeo", "browser", 1).wait()
        return people

    def test_one_is_good_once(self, browser):
        assert browser.web_logins.issue("romeo", "browser", "secret", 100, 160)
        assert browser.web_logins.use("wrong", 110) is None
        assert browser.web_logins.use("secret", 110) == ("romeo", "browser")
        assert browser.web_logins.use("secret", 110) is None

    def test_one_is_good_for_its_time(self, browser):
        assert browser.web_logins.issue("romeo", "browser", "secret", 100, 160)
        assert browser.web_logins.use("secret", 160) is None
        assert browser.web_logins.use("secret", 110) is None

    def test_there_is_none_for_an_unknown_browser(self, browser):
        assert not browser.web_logins.issue("romeo", "phone", "secret", 100, 160)
        assert not browser.web_logins.issue("juliet", "browser", "secret", 100, 160)
        assert browser.web_logins.use("secret", 110) is None

    def test_of_many_the_newest_are_good(self, browser):
        for number in range(20):
            secret, now = f"secret {number}", 100 + number
            assert browser.web_logins.issue("romeo", "browser", secret, now, now + 60)
        good = [n for n in range(20) if browser.web_logins.use(f"secret {n}", 120)]
        assert good == list(range(12, 20))

    def test_it_is_not_kept_as_it_is(self, browser, url):
        assert browser.web_logins.issue("romeo", "browser", "a very secret text", 100, 160)
        browser.settle()
        path = Path(url.removeprefix("sqlite:///"))
        kept = path.read_bytes() + path.with_name(f"{path.name}-wal").read_bytes()
        assert b"very secret" not in kept
        assert b"browser" in kept

    @pytest.mark.parametrize(
        "ending",
        [
            lambda store: store.clients.revoke("romeo", store.clients.get("romeo", "browser").ref),
            lambda store: store.accounts.set_keys("romeo", KEYS),
            lambda store: store.accounts.set_locked("romeo", True),
            lambda store: store.accounts.delete("romeo", "romeo@h"),
            lambda store: (store.clients.prune(before=2), store.settle()),
        ],
        ids=["revoked", "password", "locked", "deleted", "forgotten"],
    )
    def test_it_ends_with_what_lets_the_browser_in(self, browser, ending):
        assert browser.web_logins.issue("romeo", "browser", "secret", 100, 160)
        ending(browser)
        assert browser.web_logins.use("secret", 110) is None

    def test_there_is_none_for_a_locked_account(self, browser):
        assert browser.accounts.set_locked("romeo", True)
        assert not browser.web_logins.issue("romeo", "browser", "secret", 100, 160)

    def test_a_client_that_knows_the_password_loses_it_when_it_is_revoked(self, people):
        people.clients.remember("romeo", "browser", 1, password=True).wait()
        assert people.web_logins.issue("romeo", "browser", "secret", 100, 160)
        people.clients.revoke("romeo", people.clients.get("romeo", "browser").ref)
        assert people.web_logins.use("secret", 110) is None


class TestTokens:
    FIRST = Token(NEW, "HT-SHA-256-NONE", "first", 100, 200)
    SECOND = Token(NEW, "HT-SHA-256-EXPR", "second", 150, 250)

    @pytest.fixture
    def phone(self, people):
        people.clients.remember("romeo", "phone", 1, password=True).wait()
        assert people.tokens.issue("romeo", "phone", self.FIRST)
        return people

    def of(self, store):
        return store.tokens.of("romeo", "phone")

    def test_a_token_comes_back_as_it_was(self, phone):
        assert self.of(phone) == [self.FIRST]
        assert phone.tokens.of("romeo", "desk") == []
        assert phone.tokens.of("juliet", "phone") == []
        assert phone.clients.get("romeo", "phone").tokens_until == 200

    def test_there_is_none_for_an_unknown_client(self, people):
        assert not people.tokens.issue("romeo", "phone", self.FIRST)
        assert not people.tokens.use("romeo", "phone", self.FIRST)

    def test_the_new_one_is_current_once_it_is_used(self, phone):
        assert phone.tokens.use("romeo", "phone", self.FIRST)
        assert self.of(phone) == [self.FIRST._replace(slot=CURRENT)]

    def test_the_old_one_lives_until_the_new_one_is_used(self, phone):
        current = self.FIRST._replace(slot=CURRENT)
        assert phone.tokens.use("romeo", "phone", self.FIRST, fresh=self.SECOND)
        assert self.of(phone) == [self.SECOND, current]
        assert phone.tokens.use("romeo", "phone", current)
        assert self.of(phone) == [self.SECOND, current]
        assert phone.tokens.use("romeo", "phone", self.SECOND)
        assert self.of(phone) == [self.SECOND._replace(slot=CURRENT)]
        assert not phone.tokens.use("romeo", "phone", current)

    def test_a_new_one_that_was_never_used_is_replaced(self, phone):
        assert phone.tokens.issue("romeo", "phone", self.SECOND)
        assert self.of(phone) == [self.SECOND]

    def test_a_count_must_grow_and_stays(self, phone):
        assert phone.tokens.use("romeo", "phone", self.FIRST, count=5)
        current = self.FIRST._replace(slot=CURRENT)
        for count in (5, 4):
            assert not phone.tokens.use("romeo", "phone", current, count=count)
        assert not phone.tokens.use("romeo", "phone", current, count=5)
        assert not phone.tokens.use("romeo", "phone", current)  # as if it had never been counted
        assert phone.tokens.use("romeo", "phone", current, count=6)
        assert self.of(phone) == [current._replace(counted=6)]

    def test_a_token_that_is_given_back_is_gone_with_all_others(self, phone):
        assert phone.tokens.use("romeo", "phone", self.FIRST, fresh=self.SECOND)
        current = self.FIRST._replace(slot=CURRENT)
        assert phone.tokens.use("romeo", "phone", current, discard=True)
        assert self.of(phone) == []

    def test_a_token_may_be_given_back_for_another(self, phone):
        assert phone.tokens.use("romeo", "phone", self.FIRST, discard=True, fresh=self.SECOND)
        assert self.of(phone) == [self.SECOND]

    def test_another_password_ends_them(self, phone):
        assert phone.accounts.set_keys("romeo", KEYS)
        assert self.of(phone) == []
        assert not phone.clients.get("romeo", "phone").password
        assert not phone.tokens.use("romeo", "phone", self.FIRST)

    def test_locking_ends_them(self, phone):
        assert phone.accounts.set_locked("romeo", True)
        assert not phone.tokens.issue("romeo", "phone", self.SECOND)
        assert phone.accounts.set_locked("romeo", False)
        assert self.of(phone) == []

    def test_a_forgotten_client_has_none(self, phone, url):
        phone.clients.prune(before=2)
        phone.settle()
        assert self.of(phone) == []
        phone.close()
        assert rows_by_table(url)["token"] == 0


class TestMoreKeys:
    def test_keys_for_another_hash_are_added_and_never_replaced(self, store):
        store.accounts.create("romeo", {"SHA-1": SHA1})
        assert store.accounts.add_keys("romeo", "SHA-256", SHA256)
        assert not store.accounts.add_keys("romeo", "SHA-1", SHA256)
        assert store.accounts.keys("romeo", "SHA-256") == SHA256
        assert store.accounts.keys("romeo", "SHA-1") == SHA1
        assert not store.accounts.add_keys("nobody", "SHA-256", SHA256)


class TestOutgoing:
    ROOM = Room(messages=3, size=1_000, total=5_000)

    def keep(self, store, frame, stanza=b"s", remote="b.example", at=1.0, sender="juliet"):
        return self.kept(store, frame, stanza, remote, at, sender).kept

    def kept(self, store, frame, stanza=b"s", remote="b.example", at=1.0, sender="juliet"):
        queue = store.outgoing
        return queue.keep(remote, "a.example", frame, stanza, at, self.ROOM, sender).wait()

    def test_what_waits_comes_in_the_order_in_which_it_was_kept(self, store):
        for number in range(3):
            assert self.keep(store, f"f{number}", b"%d" % number)
        found = store.outgoing.pending("b.example", "a.example", 0, 10)
        assert [(one.frame, one.stanza) for one in found] == [
            ("f0", b"0"),
            ("f1", b"1"),
            ("f2", b"2"),
        ]
        later = store.outgoing.pending("b.example", "a.example", found[0].id, 1)
        assert [one.frame for one in later] == ["f1"]

    def test_a_frame_is_kept_once(self, store):
        assert self.keep(store, "f")
        assert self.keep(store, "f")
        assert len(store.outgoing.pending("b.example", "a.example", 0, 10)) == 1

    def test_there_is_no_room_for_more_than_the_limits(self, store):
        assert [self.keep(store, f"f{number}") for number in range(4)] == [True, True, True, False]
        assert self.keep(store, "other", remote="c.example")
        assert not self.keep(store, "large", b"x" * 1_001, remote="d.example")

    def test_there_is_no_room_for_more_than_all_together_may_have(self, store):
        kept = [self.keep(store, "f", b"x" * 900, remote=f"{n}.example") for n in range(8)]
        assert kept == [True] * 6 + [False] * 2

    def test_who_has_most_makes_room_for_others(self, store):
        """Of one server, by messages, and of all, by bytes; it is there until it is forgotten."""
        for number in range(3):
            self.keep(store, f"f{number}")
        assert not self.keep(store, "f3")
        found = self.kept(store, "hers", sender="romeo")
        assert found.kept
        assert [one.frame for one in found.displaced] == ["f0"]
        left = store.outgoing.pending("b.example", "a.example", 0, 10)
        assert [one.frame for one in left] == ["f0", "f1", "f2", "hers"]
        assert self.kept(store, "nurse's", sender="nurse").displaced[0].frame == "f1"
        assert self.kept(store, "third", sender="romeo") == (False, ())

    def test_who_has_most_of_all_makes_room_for_others(self, store):
        for number in range(6):
            self.keep(store, f"f{number}", b"x" * 900, remote=f"{number}.example")
        found = self.kept(store, "hers", b"x" * 1_000, remote="d.example", sender="romeo")
        assert found.kept
        assert [one.frame for one in found.displaced] == ["f0", "f1"]
        assert self.keep(store, "more", b"x" * 900, remote="e.example")
        assert not self.keep(store, "still more", b"x" * 900, remote="e.example")

    def test_discarded_up_to(self, store):
        for number in range(3):
            self.keep(store, f"f{number}")
        second = store.outgoing.pending("b.example", "a.example", 0, 2)[1]
        store.outgoing.discard("b.example", "a.example", second.id).wait()
        left = store.outgoing.pending("b.example", "a.example", 0, 10)
        assert [one.frame for one in left] == ["f2"]

    def put_back(self, store, returned, after):
        store.outgoing.put_back("b.example", "a.example", returned, after).wait()
        return store.outgoing.pending("b.example", "a.example", 0, 10)

    def test_what_was_under_way_is_put_before_what_came_later(self, store):
        self.keep(store, "b")
        self.keep(store, "elsewhere", remote="c.example")
        self.keep(store, "d")
        self.keep(store, "e")
        first = store.outgoing.pending("b.example", "a.example", 0, 1)[0]
        returned = [
            Returned(0, "a", b"a", 1.0),
            Returned(first.id, "b", b"", 1.0),
            Returned(0, "c", b"c", 1.0),
        ]
        found = self.put_back(store, returned, first.id)
        assert [one.frame for one in found] == ["a", "b", "c", "d", "e"]
        assert found[1].stanza == first.stanza
        assert [one.frame for one in self.put_back(store, [Returned(0, "0", b"", 1.0)], 0)] == [
            *"0abcde"
        ]
        assert len(store.outgoing.pending("c.example", "a.example", 0, 10)) == 1

    def test_ids_of_what_was_put_back_are_never_used_again(self, store):
        self.keep(store, "a")
        self.keep(store, "b")
        last = self.put_back(store, [Returned(0, "0", b"", 1.0)], 0)[-1].id
        store.outgoing.discard("b.example", "a.example", last).wait()
        self.keep(store, "c")
        assert [one.frame for one in store.outgoing.pending("b.example", "a.example", last, 1)] == [
            "c"
        ]

    def test_a_frame_that_is_there_is_not_put_back_twice(self, store):
        self.keep(store, "a")
        assert len(self.put_back(store, [Returned(0, "a", b"", 1.0)], 0)) == 1

    def test_what_is_late_is_found_and_forgotten(self, store):
        self.keep(store, "old", at=1.0)
        self.keep(store, "new", at=9.0)
        (late,) = store.outgoing.late(5.0, 0, 10)
        assert late.frame == "old"
        assert store.outgoing.late(5.0, late.id, 10) == []
        store.outgoing.forget("old").wait()
        assert store.outgoing.late(5.0, 0, 10) == []

    def test_what_was_put_back_meanwhile_is_forgotten_all_the_same(self, store):
        self.keep(store, "a")
        (kept,) = store.outgoing.pending("b.example", "a.example", 0, 10)
        (moved,) = self.put_back(store, [Returned(kept.id, "a", b"", 1.0)], kept.id)
        assert moved.id != kept.id
        store.outgoing.forget("a").wait()
        assert store.outgoing.pending("b.example", "a.example", 0, 10) == []

    def test_what_waits_is_told_by_domains(self, store):
        assert store.outgoing.waiting() == []
        self.keep(store, "f", b"12", at=4.0)
        self.keep(store, "g", b"3", at=2.0)
        self.keep(store, "h", remote="c.example", at=3.0)
        assert store.outgoing.waiting() == [
            ("b.example", "a.example", 2, 2.0, 3),
            ("c.example", "a.example", 1, 3.0, 1),
        ]


class TestPeers:
    SHOWN = Certificate("ab" * 32, 5_000.0, "Some CA")

    def test_nothing_is_known_of_strangers(self, store):
        assert store.peers.get("b.example") is None
        assert store.peers.all() == []

    def test_what_went_well_and_what_did_not(self, store):
        store.peers.failed("b.example", 1.0, "expired", "It ended.", self.SHOWN).wait()
        peer = store.peers.get("b.example")
        assert (peer.failed_at, peer.cause, peer.sentence) == (1.0, "expired", "It ended.")
        assert (peer.fingerprint, peer.expires_at, peer.authority) == self.SHOWN
        store.peers.reached("b.example", 2.0, Certificate()).wait()
        peer = store.peers.get("b.example")
        assert (peer.reached_at, peer.heard_at, peer.cause) == (2.0, 0.0, "")
        assert peer.fingerprint == self.SHOWN.fingerprint
        store.peers.heard("b.example", 3.0, Certificate()).wait()
        assert store.peers.get("b.example").heard_at == 3.0

    def test_names_of_one_owner_make_room_for_others(self, store):
        store.peers.reached("friend.example", 1.0, Certificate())
        for number in range(5_000):
            store.peers.heard(f"x{number}.evil.example", 2.0 + number, Certificate())
        store.settle()
        left = [one.domain for one in store.peers.all()]
        assert left[0] == "friend.example"
        assert set(left[1:]) == {f"x{number}.evil.example" for number in range(101, 5_000)}

    def test_the_one_not_heard_of_for_the_longest_time_is_forgotten(self, store):
        for number in range(5_000):
            store.peers.heard(f"{number}.example", number, Certificate())
        store.peers.heard("0.example", 10_000.0, Certificate()).wait()
        store.peers.heard("new.example", 10_001.0, Certificate()).wait()
        left = {one.domain for one in store.peers.all()}
        assert left == {"0.example", "new.example", *[f"{n}.example" for n in range(102, 5_000)]}


class TestServerRules:
    def test_what_was_decided_last_counts(self, store):
        rules = store.server_rules
        assert rules.all() == []
        assert rules.decide("b.example", 1.5, allowed=True)
        assert rules.decide("a.example", 2.5, allowed=False)
        assert rules.decide("b.example", 3.5, allowed=False)
        assert rules.all() == [("a.example", False, 2.5), ("b.example", False, 3.5)]
        assert rules.decisions() == {"a.example": False, "b.example": False}

    def test_the_settings_decide_again(self, store):
        store.server_rules.decide("a.example", 1.0, allowed=True)
        assert store.server_rules.forget("a.example")
        assert not store.server_rules.forget("a.example")
        assert store.server_rules.all() == []

    def test_there_are_only_so_many(self, store, monkeypatch):
        monkeypatch.setattr("hausbote.storage.server_rules.MOST_RULES", 2)
        rules = store.server_rules
        assert rules.decide("a.example", 1.0, allowed=True)
        assert rules.decide("b.example", 1.0, allowed=True)
        assert not rules.decide("c.example", 1.0, allowed=True)
        assert rules.decide("b.example", 2.0, allowed=False)


class TestMoves:
    def test_an_account_that_comes_is_seen_by_nobody_until_it_is_whole(self, people):
        hidden = people.moves.begin("nurse")
        people.rosters.put_all(hidden, [RosterItem("romeo@h"), RosterItem("juliet@h")])
        node = NewNode(hidden, "n", hidden, "nurse@h", 1.0, {})
        people.pubsub.publish(node, [NewItem("1", "<x/>")], "nurse@h", 1.0, Limits()).wait()
        people.archives.keep(1, b"<message/>", [(hidden, "romeo@h")]).wait()
        assert not people.accounts.exists("nurse")
        assert sorted(people.accounts.names()) == ["juliet", "romeo"]
        assert [one.local for one in people.accounts.all()] == ["juliet", "romeo"]
        assert people.accounts.count() == 2
        assert [one.local for one in people.usage.accounts("h")] == ["juliet", "romeo"]
        assert people.accounts.everybody_has("SHA-256")
        assert people.moves.finish("nurse", {"SHA-1": SHA1}, created=5)
        assert people.accounts.get("nurse") == ("nurse", False, False, 5, 0)
        assert people.accounts.all_keys("nurse") == {"SHA-1": SHA1}
        assert not people.accounts.everybody_has("SHA-256")
        assert set(people.rosters.load("nurse").items) == {"romeo@h", "juliet@h"}
        assert people.pubsub.node("nurse", "n").creator == "nurse"
        assert people.archives.get("nurse", 1).stanza == b"<message/>"
        assert people.moves.clear() == 0

    def test_a_name_that_was_taken_meanwhile_stays_with_who_has_it(self, people):
        people.moves.begin("nurse")
        people.accounts.create("nurse", KEYS)
        assert not people.moves.finish("nurse", {"SHA-1": SHA1})
        assert people.accounts.all_keys("nurse") == KEYS

    def test_what_was_cut_off_is_deleted(self, people):
        hidden = people.moves.begin("nurse")
        people.archives.keep(1, b"<message/>", [(hidden, "romeo@h")]).wait()
        assert people.moves.clear() == 1
        assert people.moves.clear() == 0
        assert not people.archives.is_taken(1)
        people.moves.begin("nurse")
