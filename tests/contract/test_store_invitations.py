"""Invitations in the store: what a token allows, how often, until when, and what is told of it."""

import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from hausbote.storage import (
    Invitation,
    InvitationRefused,
    Kind,
    Role,
    RosterItem,
    State,
    StoredAffiliation,
    Why,
    migrate,
    open_store,
)
from hausbote.xmpp.sasl import ScramKeys

KEYS = {"SHA-256": ScramKeys(b"salt", 4096, b"stored", b"server")}
OTHERS = {"SHA-256": ScramKeys(b"pepper", 4096, b"other", b"other")}
NOW = 1_000_000
LATER = NOW + 100
CIRCLE = '{"circle": "Family"}'


@pytest.fixture
def url(tmp_path):
    made = f"sqlite:///{tmp_path / 'hausbote.db'}"
    migrate(made)
    return made


@pytest.fixture
def store(url):
    store = open_store(url)
    for local in ("romeo", "juliet"):
        store.accounts.create(local, KEYS)
    yield store
    store.close()


def invitation(kind=Kind.ACCOUNT, **fields):
    return Invitation(kind=kind, until=LATER, made=NOW, **fields)


def invite(store, kind=Kind.ACCOUNT, **fields):
    """Another invitation's token."""
    return store.invitations.create(invitation(kind, **fields))[1]


def register(store, token, local, now=NOW, since=0):
    invitations = store.invitations
    return invitations.use_for_account(token, local, KEYS, domain="h", now=now, since=since)


def refused(why, function, *arguments, **named):
    with pytest.raises(InvitationRefused) as caught:
        function(*arguments, **named)
    assert caught.value.why is why
    assert str(caught.value) == why.value


def make_circle(store, name, config=CIRCLE, people=("romeo",)):
    room = store.rooms.create(name, "romeo@h", 1.0, config, public=False, limit=0)
    rows = [StoredAffiliation(f"{local}@h", "member", "", "") for local in people]
    store.rooms.affiliate(room.id, rows).wait()
    return room


def subscription(store, local, jid):
    item = store.rosters.load(local).items.get(jid)
    return None if item is None else item.subscription


class TestMaking:
    def test_it_is_kept_as_it_was_made(self, store):
        make_circle(store, "family")
        made = invitation(
            Kind.FRIEND,
            inviter="romeo",
            circles=("family",),
            role=Role.MEMBER,
            note="for the nurse",
            times=3,
        )
        kept, token = store.invitations.create(made)
        assert replace(kept, id=0) == made
        assert store.invitations.look(token) == kept
        assert store.invitations.check(token, NOW) == kept
        assert kept.state(NOW) is State.OPEN

    def test_a_token_is_long_and_another_each_time(self, store):
        tokens = {invite(store) for _ in range(50)}
        assert len(tokens) == 50
        assert all(len(token) == 32 and token.isalnum() and token.isascii() for token in tokens)

    def test_a_token_is_not_in_the_file(self, store, url):
        token = invite(store)
        store.close()
        path = Path(url.removeprefix("sqlite:///"))
        for file in path.parent.glob(f"{path.name}*"):
            assert token.encode() not in file.read_bytes()

    @pytest.mark.parametrize(
        ("why", "fields"),
        [
            (Why.NO_ACCOUNT, {"inviter": "tybalt"}),
            (Why.NO_ACCOUNT, {"kind": Kind.RESET, "name": "tybalt"}),
            (Why.NO_ACCOUNT, {"kind": Kind.CONTACT}),
            (Why.NAME_TAKEN, {"name": "juliet"}),
            (Why.NO_CIRCLE, {"circles": ("family",)}),
            (Why.NO_CIRCLE, {"circles": ("plain",)}),
        ],
    )
    def test_what_cannot_be_is_refused(self, store, why, fields):
        make_circle(store, "plain", config="{}")
        refused(why, store.invitations.create, invitation(**fields))
        assert store.invitations.all() == []

    def test_one_account_has_only_so_many_that_have_not_expired(self, store):
        create = store.invitations.create
        for _ in range(2):
            create(invitation(inviter="romeo"), limit=2)
        refused(Why.TOO_MANY, create, invitation(inviter="romeo"), limit=2)
        create(invitation(inviter="juliet"), limit=2)
        create(replace(invitation(inviter="romeo"), made=LATER), limit=2)

    def test_a_name_is_reserved_once_and_while_it_can_be_used(self, store):
        kept, _ = store.invitations.create(invitation(name="nurse"))
        assert store.invitations.reserved(NOW) == ["nurse"]
        refused(Why.NAME_TAKEN, store.invitations.create, invitation(name="nurse"))
        assert store.invitations.reserved(LATER) == []
        assert store.invitations.withdraw(kept.id)
        assert store.invitations.reserved(NOW) == []

    def test_one_for_a_name_can_be_used_once(self, store):
        assert store.invitations.create(invitation(name="nurse", times=5))[0].times == 1


class TestStates:
    @pytest.fixture
    def four(self, store):
        """A token in each state, by its reason."""
        used, expired, withdrawn = invite(store), invite(store), None
        register(store, used, "nurse")
        kept, withdrawn = store.invitations.create(replace(invitation(), until=LATER + 100))
        store.invitations.withdraw(kept.id)
        return {
            Why.USED: used,
            Why.EXPIRED: expired,
            Why.WITHDRAWN: withdrawn,
            Why.UNKNOWN: "a" * 32,
        }

    def test_a_token_hears_which_it_is_and_does_nothing(self, store, four):
        for why, token in four.items():
            refused(why, store.invitations.check, token, LATER)
            refused(why, register, store, token, "paris", LATER)
            refused(why, store.invitations.use_for_reset, token, OTHERS, now=LATER)
        assert not store.accounts.exists("paris")

    def test_a_monstrous_token_is_unknown(self, store):
        refused(Why.UNKNOWN, store.invitations.check, "a" * 1_000_000, NOW)
        assert store.invitations.look("") is None

    def test_who_is_locked_has_invited_nobody(self, store):
        token = invite(store, Kind.FRIEND, inviter="romeo")
        store.accounts.set_locked("romeo", True)
        refused(Why.WITHDRAWN, store.invitations.check, token, NOW)
        store.accounts.set_locked("romeo", False)
        store.invitations.check(token, NOW)

    def test_who_is_made_a_member_has_invited_nobody_to_an_account(self, store):
        store.accounts.set_admin("romeo", True)
        kinds = (Kind.ACCOUNT, Kind.FRIEND)
        over = [invite(store, kind, inviter="romeo", times=5) for kind in kinds]
        over.append(invite(store, Kind.RESET, name="juliet", inviter="romeo"))
        stays = [
            invite(store, Kind.CONTACT, inviter="romeo"),
            invite(store, Kind.FRIEND, inviter="juliet"),
            invite(store),
        ]
        store.accounts.set_admin("romeo", True)
        for token in (*over, *stays):
            store.invitations.check(token, NOW)
        store.accounts.set_admin("romeo", False)
        store.accounts.set_admin("romeo", True)
        for token in over:
            refused(Why.WITHDRAWN, store.invitations.check, token, NOW)
        for token in stays:
            store.invitations.check(token, NOW)

    def test_what_is_made_for_a_member_stays(self, store):
        """The owner gives such links by the command."""
        token = invite(store, Kind.FRIEND, inviter="romeo")
        store.accounts.set_admin("romeo", False)
        store.invitations.check(token, NOW)

    def test_who_is_no_administrator_any_more_makes_none(self, store):
        store.accounts.set_admin("romeo", True)
        token = invite(store, inviter="romeo", role=Role.ADMINISTRATOR)
        reset = invite(store, Kind.RESET, inviter="romeo", name="juliet")
        store.accounts.set_admin("romeo", False)
        refused(Why.WITHDRAWN, register, store, token, "nurse")
        refused(Why.WITHDRAWN, store.invitations.use_for_reset, reset, OTHERS, now=NOW)

    def test_they_go_with_their_inviter(self, store):
        token = invite(store, Kind.FRIEND, inviter="romeo")
        store.accounts.delete("romeo", "romeo@h")
        store.accounts.create("romeo", KEYS)
        refused(Why.UNKNOWN, store.invitations.check, token, NOW)

    def test_withdrawing_ones_own_and_others(self, store):
        kept, token = store.invitations.create(invitation(inviter="romeo"))
        assert not store.invitations.withdraw(kept.id, "juliet")
        assert not store.invitations.withdraw(kept.id + 1)
        store.invitations.check(token, NOW)
        assert store.invitations.withdraw(kept.id, "romeo")
        refused(Why.WITHDRAWN, store.invitations.check, token, NOW)

    def test_lists(self, store):
        for inviter in ("romeo", "", "juliet", "romeo"):
            invite(store, inviter=inviter)
        everybody = [one.inviter for one in store.invitations.all()]
        assert everybody == ["romeo", "", "juliet", "romeo"]
        assert len(store.invitations.of("romeo")) == 2

    def test_old_ones_are_forgotten(self, store):
        make_circle(store, "family")
        token = invite(store, circles=("family",))
        store.invitations.purge(LATER)
        assert store.invitations.look(token) is not None
        store.invitations.purge(LATER + 1)
        assert store.invitations.look(token) is None


class TestAccounts:
    def test_one_makes_one_account(self, store):
        token = invite(store)
        joined = register(store, token, "nurse")
        assert (joined.local, joined.changed, joined.circles) == ("nurse", (), ())
        assert store.accounts.keys("nurse", "SHA-256") == KEYS["SHA-256"]
        assert not store.accounts.get("nurse").admin
        assert store.rosters.load("nurse").items == {}
        refused(Why.USED, register, store, token, "paris")

    def test_it_can_be_for_several(self, store):
        token = invite(store, times=2)
        register(store, token, "nurse")
        register(store, token, "paris")
        refused(Why.USED, register, store, token, "tybalt")

    def test_many_at_once_are_not_more_than_its_uses(self, store, url):
        token = invite(store, times=3)

        def tries(number):
            try:
                return register(store, token, f"guest-{number}").local
            except InvitationRefused as refused:
                return refused.why

        with ThreadPoolExecutor(12) as pool:
            other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
            other.execute("BEGIN IMMEDIATE")  # until all of them have asked
            waiting = [pool.submit(tries, number) for number in range(12)]
            time.sleep(0.2)
            other.execute("ROLLBACK")
            other.close()
        assert [one.result() for one in waiting].count(Why.USED) == 9
        assert store.accounts.count() == 2 + 3

    def test_an_administrators_invitation_makes_one(self, store):
        register(store, invite(store, role=Role.ADMINISTRATOR), "nurse")
        assert store.accounts.get("nurse").admin

    def test_the_inviter_and_the_newcomer_are_contacts(self, store):
        old = RosterItem("nurse@h", "Nurse", "none", True, groups=("Old",))
        store.rosters.put("romeo", old)
        token = invite(store, Kind.FRIEND, inviter="romeo")
        assert register(store, token, "nurse").changed == ("romeo",)
        assert store.rosters.load("nurse").items == {"romeo@h": RosterItem("romeo@h", "", "both")}
        both = old._replace(subscription="both", ask=False)
        assert store.rosters.load("romeo").items == {"nurse@h": both}

    def test_a_plain_account_is_nobodys_contact(self, store):
        register(store, invite(store, inviter="romeo"), "nurse")
        assert subscription(store, "romeo", "nurse@h") is None

    def test_everybody_of_a_circle_is_a_contact(self, store):
        room = make_circle(store, "family", people=("romeo", "juliet"))
        token = invite(store, circles=("family",))
        joined = register(store, token, "nurse")
        assert (joined.changed, joined.circles) == (("juliet", "romeo"), ("family",))
        for local in ("romeo", "juliet"):
            item = RosterItem("nurse@h", "", "both", groups=("Family",))
            assert store.rosters.load(local).items == {"nurse@h": item}
            assert store.rosters.load("nurse").items[f"{local}@h"].groups == ("Family",)
        rows = {row.jid: row.affiliation for row in store.rooms.affiliations(room.id)}
        assert rows["nurse@h"] == "member"

    def test_another_circle_of_the_same_name_is_not_meant(self, store):
        room = make_circle(store, "family")
        token = invite(store, circles=("family",))
        store.rooms.destroy(room.id).wait()
        make_circle(store, "family")
        assert register(store, token, "nurse").circles == ()
        assert subscription(store, "romeo", "nurse@h") is None

    @pytest.mark.parametrize("kind", [Kind.CONTACT, Kind.RESET])
    def test_others_make_none(self, store, kind):
        token = invite(store, kind, inviter="romeo", name="romeo" if kind is Kind.RESET else "")
        refused(Why.UNFIT, register, store, token, "nurse")

    def test_a_taken_name_costs_nothing(self, store):
        token = invite(store)
        refused(Why.NAME_TAKEN, register, store, token, "juliet")
        assert store.accounts.keys("juliet", "SHA-256") == KEYS["SHA-256"]
        register(store, token, "nurse")

    def test_a_deleted_accounts_name_is_for_who_is_invited_by_it(self, store):
        store.accounts.delete("juliet", "juliet@h")
        refused(Why.NAME_TAKEN, register, store, invite(store), "juliet")
        register(store, invite(store, name="juliet"), "juliet")

    def test_one_for_a_name_is_for_no_other(self, store):
        token = invite(store, name="nurse")
        refused(Why.OTHER_NAME, register, store, token, "paris")
        register(store, token, "nurse")


class TestPasswords:
    def test_one_sets_one_password(self, store):
        token = invite(store, Kind.RESET, name="romeo")
        assert store.invitations.use_for_reset(token, OTHERS, now=NOW) == "romeo"
        assert store.accounts.keys("romeo", "SHA-256") == OTHERS["SHA-256"]
        refused(Why.USED, store.invitations.use_for_reset, token, KEYS, now=NOW)

    def test_another_password_ends_it(self, store):
        token = invite(store, Kind.RESET, name="romeo")
        others = invite(store, Kind.RESET, name="juliet")
        store.accounts.set_keys("romeo", OTHERS)
        refused(Why.WITHDRAWN, store.invitations.use_for_reset, token, KEYS, now=NOW)
        assert store.invitations.use_for_reset(others, KEYS, now=NOW) == "juliet"

    def test_it_is_for_that_account_and_no_later_one_of_its_name(self, store):
        token = invite(store, Kind.RESET, name="romeo")
        refused(
            Why.OTHER_NAME, store.invitations.use_for_reset, token, KEYS, now=NOW, local="juliet"
        )
        store.accounts.delete("romeo", "romeo@h")
        store.accounts.create("romeo", KEYS)
        refused(Why.UNKNOWN, store.invitations.use_for_reset, token, OTHERS, now=NOW)

    def test_a_locked_account_has_none(self, store):
        token = invite(store, Kind.RESET, name="romeo")
        store.accounts.set_locked("romeo", True)
        refused(Why.WITHDRAWN, store.invitations.use_for_reset, token, OTHERS, now=NOW)

    @pytest.mark.parametrize("kind", [Kind.ACCOUNT, Kind.FRIEND, Kind.CONTACT])
    def test_others_set_none(self, store, kind):
        token = invite(store, kind, inviter="romeo")
        refused(Why.UNFIT, store.invitations.use_for_reset, token, OTHERS, now=NOW)


class TestContacts:
    GUEST = RosterItem("nurse@elsewhere", "", "from", True)

    @pytest.mark.parametrize("kind", [Kind.CONTACT, Kind.FRIEND])
    def test_one_makes_one_contact(self, store, kind):
        token = invite(store, kind, inviter="romeo")
        use = store.invitations.use_for_contact
        version = use(token, "romeo", self.GUEST, now=NOW)
        roster = store.rosters.load("romeo")
        assert (roster.version, roster.items) == (version, {"nurse@elsewhere": self.GUEST})
        refused(Why.USED, use, token, "romeo", RosterItem("tybalt@elsewhere"), now=NOW)
        assert len(store.rosters.load("romeo").items) == 1

    def test_it_is_the_inviters_alone(self, store):
        token = invite(store, Kind.CONTACT, inviter="romeo")
        use = store.invitations.use_for_contact
        refused(Why.UNKNOWN, use, token, "juliet", self.GUEST, now=NOW)
        refused(Why.EXPIRED, use, token, "romeo", self.GUEST, now=LATER)
        account = invite(store, inviter="romeo")
        refused(Why.UNFIT, use, account, "romeo", self.GUEST, now=NOW)
        assert store.rosters.load("romeo").items == {}

    def test_a_friends_is_for_an_account_or_a_contact(self, store):
        token = invite(store, Kind.FRIEND, inviter="romeo")
        store.invitations.use_for_contact(token, "romeo", self.GUEST, now=NOW)
        refused(Why.USED, register, store, token, "nurse")


class TestCircles:
    def test_they_are_rooms_with_a_group(self, store):
        room = make_circle(store, "family", people=("romeo", "juliet"))
        make_circle(store, "plain", config="{}")
        assert [circle.name for circle in store.circles.all()] == ["family"]
        found = store.circles.find("family")
        assert (found.id, found.group) == (room.id, "Family")
        assert store.circles.find("plain") is None
        assert store.circles.people(room.id, "h") == ["juliet", "romeo"]
