"""What every database behind the store must do with rooms."""

import pytest

from hausbote.storage import (
    DestroyedRoom,
    Range,
    RoomMessage,
    StoredAffiliation,
    StoredOccupant,
    migrate,
    open_store,
)
from hausbote.xmpp.sasl import ScramKeys

KEYS = {"SHA-1": ScramKeys(b"salt", 4096, b"stored", b"server")}


@pytest.fixture(params=["sqlite"])
def store(request, tmp_path):
    url = f"{request.param}:///{tmp_path / 'hausbote.db'}"
    migrate(url)
    store = open_store(url)
    yield store
    store.close()


@pytest.fixture
def rooms(store):
    return store.rooms


def make(rooms, local="cave", creator="romeo@h", limit=0, public=True):
    return rooms.create(local, creator, 1.5, "{}", public=public, limit=limit)


class TestRooms:
    def test_a_new_room_is_locked_and_empty(self, rooms):
        made = make(rooms)
        assert rooms.find("cave") == made
        assert (made.local, made.creator, made.locked, made.public) == (
            "cave",
            "romeo@h",
            True,
            True,
        )
        assert (made.config, made.subject, made.vcard) == ("{}", None, None)
        assert rooms.find("heath") is None

    def test_those_that_belong_to_nobody(self, rooms):
        owned, lost = make(rooms, "owned"), make(rooms, "lost")
        make(rooms, "not set up yet")
        for one in (owned, lost):
            rooms.configure(one.id, "{}", public=True).wait()
        assert rooms.ownerless() == ["lost", "owned"]
        rooms.affiliate(owned.id, [StoredAffiliation("romeo@h", "owner", "", "")]).wait()
        rooms.affiliate(lost.id, [StoredAffiliation("romeo@h", "member", "", "")]).wait()
        assert rooms.ownerless() == ["lost"]

    def test_they_are_listed_in_portions_with_numbers(self, store, rooms):
        for name in ("c", "a", "b"):
            made = make(rooms, name)
        rooms.configure(made.id, '{"name": "B"}', public=False).wait()
        people = [StoredAffiliation(f"{n}@h", n, "", "") for n in ("owner", "member", "outcast")]
        rooms.affiliate(made.id, people).wait()
        rooms.enter(made.id, StoredOccupant("romeo@h/x", "romeo", "moderator", b""))
        rooms.say(made.id, RoomMessage(1, "o", "romeo@h", b"12345"))
        rooms.say(made.id, RoomMessage(2, "o", "romeo@h", b"678"))
        assert [one.local for one in store.room_list.after("", 2)] == ["a", "b"]
        assert [one.local for one in store.room_list.after("b", 2)] == ["c"]
        assert store.room_list.one("b") == ("b", "romeo@h", False, '{"name": "B"}', 8, 2, 1)
        assert store.room_list.one("d") is None

    def test_one_person_makes_only_so_many(self, rooms):
        assert make(rooms, "one", limit=2)
        assert make(rooms, "two", limit=2)
        assert make(rooms, "three", limit=2) is None
        assert make(rooms, "three", "juliet@h", limit=2)
        assert make(rooms, "four", limit=0)

    def test_all_people_of_a_domain_make_only_so_many(self, rooms):
        def make(local, creator, most):
            return rooms.create(
                local, creator, 1.5, "{}", public=True, limit=1, limit_of_domain=most
            )

        assert make("one", "a@elsewhere.example", 2)
        assert make("own", "a@nowhere.example", 2)
        assert make("two", "b@x2.elsewhere.example", 2)
        assert make("three", "c@x3.elsewhere.example", 2) is None
        assert make("three", "c@elsewhere.example", 0)
        assert make("four", "romeo@h", 2)

    def test_it_is_configured(self, rooms):
        room = make(rooms)
        rooms.configure(room.id, '{"name": "Cave"}', public=False)
        rooms.set_subject(room.id, "Fire")
        rooms.set_vcard(room.id, "<vCard/>").wait()
        found = rooms.find("cave")
        assert (found.config, found.public, found.locked) == ('{"name": "Cave"}', False, False)
        assert (found.subject, found.vcard) == ("Fire", "<vCard/>")
        rooms.set_vcard(room.id, None).wait()
        assert rooms.find("cave").vcard is None

    def test_public_ones_are_listed_when_they_are_configured(self, rooms):
        for local, public in (("b", True), ("a", True), ("hidden", False)):
            rooms.configure(make(rooms, local).id, f'"{local}"', public=public).wait()
        make(rooms, "locked")
        assert rooms.public() == [("a", '"a"'), ("b", '"b"')]
        assert rooms.names() == ["a", "b", "hidden", "locked"]

    def test_destroyed_is_gone_with_everything(self, rooms):
        room = make(rooms)
        rooms.affiliate(room.id, [StoredAffiliation("romeo@h", "owner", "", "")])
        rooms.enter(room.id, StoredOccupant("romeo@h/x", "romeo", "moderator", b"p"))
        rooms.say(room.id, RoomMessage(1, "o", "romeo@h", b"m"))
        rooms.destroy(room.id).wait()
        assert rooms.find("cave") is None
        again = make(rooms)
        assert again.id != room.id
        assert rooms.affiliations(again.id) == []
        assert rooms.page(again.id, Range(), 10) == []
        assert rooms.occupied() == ["cave"]  # for it is locked

    def test_what_is_written_to_a_destroyed_room_is_nothing(self, rooms):
        room = make(rooms)
        rooms.destroy(room.id)
        rooms.affiliate(room.id, [StoredAffiliation("romeo@h", "owner", "", "")])
        rooms.enter(room.id, StoredOccupant("romeo@h/x", "romeo", "moderator", b"p"))
        rooms.say(room.id, RoomMessage(1, "o", "romeo@h", b"m")).wait()
        assert rooms.page(room.id, Range(), 10) == []


class TestPeople:
    def test_affiliations(self, rooms):
        room = make(rooms)
        owner = StoredAffiliation("romeo@h", "owner", "", "")
        member = StoredAffiliation("juliet@h", "member", "Jule", "worthy")
        rooms.affiliate(room.id, [owner, member]).wait()
        assert set(rooms.affiliations(room.id)) == {owner, member}
        banned = StoredAffiliation("juliet@h", "outcast", "", "Treason")
        rooms.affiliate(room.id, [banned, owner._replace(affiliation="none")]).wait()
        assert rooms.affiliations(room.id) == [banned]

    def test_occupants(self, rooms):
        room, other = make(rooms), make(rooms, "heath")
        rooms.configure(other.id, "{}", public=True)
        romeo = StoredOccupant("romeo@h/x", "romeo", "moderator", b"p")
        rooms.enter(room.id, romeo)
        rooms.enter(room.id, romeo._replace(role="visitor", presence=b"q"))
        rooms.configure(room.id, "{}", public=True).wait()
        assert rooms.occupants(room.id) == [romeo._replace(role="visitor", presence=b"q")]
        assert rooms.occupied() == ["cave"]
        rooms.leave(room.id, "romeo@h/x").wait()
        assert rooms.occupied() == []

    def test_a_deleted_account_belongs_to_no_room(self, store, rooms):
        store.accounts.create("romeo", KEYS)
        room = make(rooms)
        rooms.affiliate(room.id, [StoredAffiliation("romeo@h", "owner", "", "")])
        rooms.say(room.id, RoomMessage(1, "o", "romeo@h", b"m"))
        store.accounts.delete("romeo", "romeo@h")
        assert rooms.affiliations(room.id) == []
        assert rooms.page(room.id, Range(), 1)[0].sender == ""
        assert rooms.find("cave").creator == ""
        assert make(rooms, "heath", limit=1) is not None, "the name's next owner made no room yet"


class TestMessages:
    @pytest.fixture
    def room(self, rooms):
        room, other = make(rooms), make(rooms, "heath")
        for id in range(10, 20):
            sender = ("romeo@h", "juliet@h")[id % 2]
            rooms.say(room.id, RoomMessage(id, f"o-{sender}", sender, f"m{id}".encode(), f"c{id}"))
        rooms.say(other.id, RoomMessage(15, "x", "x@h", b"elsewhere"))
        return room.id

    @pytest.mark.parametrize(
        ("span", "limit", "backwards", "wanted"),
        [
            (Range(), 100, False, range(10, 20)),
            (Range(), 3, False, [10, 11, 12]),
            (Range(), 3, True, [17, 18, 19]),
            (Range(after=12, before=16), 100, False, [13, 14, 15]),
            (Range(before=15), 2, True, [13, 14]),
            (Range(peer="juliet@h"), 100, False, [11, 13, 15, 17, 19]),
            (Range(ids=(12, 14, 99)), 100, False, [12, 14]),
            (Range(after=19), 100, False, []),
        ],
    )
    def test_spans(self, rooms, room, span, limit, backwards, wanted):
        found = rooms.page(room, span, limit, backwards=backwards)
        assert [message.id for message in found] == list(wanted)
        if limit == 100:
            assert rooms.count(room, span).number == len(found)

    def test_all_of_a_message(self, rooms, room):
        (message,) = rooms.page(room, Range(ids=(12,)), 1)
        assert message[:4] == (12, "o-romeo@h", "romeo@h", b"m12")

    def test_a_message_is_replaced(self, rooms, room):
        rooms.replace(room, 12, b"tombstone")
        assert rooms.page(room, Range(ids=(12,)), 1)[0].stanza == b"tombstone"
        assert rooms.page(room, Range(ids=(13,)), 1)[0].stanza == b"m13"

    def test_what_brought_them(self, store, rooms, room):
        store.settle()
        assert rooms.causes(room, 2) == {"c19": 19, "c18": 18}

    def test_old_ones_expire(self, rooms, room):
        rooms.expire(15)
        assert [message.id for message in rooms.page(room, Range(), 100)] == list(range(15, 20))


class TestDestroyedRooms:
    def kept(self, local="cave", until=100, **more):
        row = {"holder": "romeo@h", "venue": "", "closed": False}
        people = {"owners": frozenset({"romeo@h"}), "people": frozenset({"romeo@h"})}
        return DestroyedRoom(local=local, until=until, **row | people | more)

    def test_a_name_is_kept_until_its_time_is_over(self, store):
        kept = self.kept(venue="heath@rooms.h", closed=True, people=frozenset({"romeo@h", "j@h"}))
        store.rooms.destroy(make(store.rooms).id, kept).wait()
        assert store.rooms.find("cave") is None
        assert store.destroyed_rooms.find("cave", 99) == kept
        assert store.destroyed_rooms.find("cave", 100) is None
        store.destroyed_rooms.expire(99).wait()
        assert store.destroyed_rooms.find("cave", 0) == kept
        store.destroyed_rooms.expire(100).wait()
        assert store.destroyed_rooms.find("cave", 0) is None

    def test_who_makes_the_room_anew_ends_it(self, store):
        store.rooms.destroy(make(store.rooms).id, self.kept()).wait()
        again = make(store.rooms)
        assert store.destroyed_rooms.find("cave", 0) is None
        other = self.kept(owners=frozenset({"j@h"}), people=frozenset({"j@h"}))
        store.rooms.destroy(again.id, other).wait()
        assert store.destroyed_rooms.find("cave", 0) == other

    def test_a_room_that_cannot_be_made_leaves_the_name_kept(self, store):
        store.rooms.destroy(make(store.rooms).id, self.kept()).wait()
        assert make(store.rooms, "other", limit=1)
        assert make(store.rooms, limit=1) is None
        assert store.destroyed_rooms.find("cave", 0) is not None

    def test_one_holder_keeps_only_so_many(self, store):
        for until, local in enumerate(("one", "two", "three"), 10):
            store.rooms.destroy(make(store.rooms, local).id, self.kept(local, until), 2).wait()
        other = self.kept("four", 1, holder="juliet@h")
        store.rooms.destroy(make(store.rooms, "four").id, other, 2).wait()
        left = [n for n in ("one", "two", "three", "four") if store.destroyed_rooms.find(n, 0)]
        assert left == ["two", "three", "four"]

    def test_a_deleted_account_is_forgotten(self, store):
        store.accounts.create("romeo", KEYS)
        store.rooms.destroy(make(store.rooms).id, self.kept()).wait()
        store.accounts.delete("romeo", "romeo@h")
        assert store.destroyed_rooms.find("cave", 0).owners == frozenset()


class Steps:
    """How many steps SQLite takes for something."""

    def __init__(self, store):
        self.count = 0
        self._connection = store.rooms._reader.connection()

    def of(self, read):
        self.count = 0
        self._connection.set_progress_handler(self._step, 1)
        try:
            read()
        finally:
            self._connection.set_progress_handler(None, 1)
        return self.count

    def _step(self):
        self.count += 1


def test_a_page_costs_the_same_in_a_large_room(store, rooms):
    room = make(rooms)
    steps, costs = Steps(store), []
    id = 0
    for number in (200, 5_000):
        for _ in range(number):
            id += 1
            rooms.say(room.id, RoomMessage(id, "o", f"{id % 10}@h", b"m" * 500))
        store.settle()
        reads = [
            lambda: rooms.page(room.id, Range(), 11),
            lambda: rooms.page(room.id, Range(), 11, backwards=True),
            lambda: rooms.page(room.id, Range(after=50, before=190), 11, backwards=True),
            lambda: rooms.page(room.id, Range(peer="3@h"), 11),
            lambda: rooms.page(room.id, Range(peer="3@h"), 11, backwards=True),
            lambda: rooms.page(room.id, Range(peer="nobody@h"), 11),
            lambda: rooms.page(room.id, Range(peer="3@h", ids=(3, 13, 14)), 11),
            lambda: rooms.count(room.id, Range(), 100),
            lambda: rooms.count(room.id, Range(peer="nobody@h"), 100),
            lambda: rooms.count(room.id, Range(ids=(3, 13, 99_999)), 3),
            lambda: rooms.ends(room.id),
        ]
        costs.append([steps.of(read) for read in reads])
    assert costs[0] == costs[1]
    assert max(costs[1]) < 2_000


def test_no_more_is_read_once_there_are_enough_bytes(rooms):
    room = make(rooms)
    for id in range(1, 10):
        rooms.say(room.id, RoomMessage(id, "o", "romeo@h", b"m" * 500))
    assert [one.id for one in rooms.page(room.id, Range(), 9, size=1_200)] == [1, 2, 3]
    found = rooms.page(room.id, Range(), 9, size=1_200, backwards=True)
    assert [one.id for one in found] == [7, 8, 9]
    assert rooms.ends(room.id) == (1, 9)
    assert rooms.ends(make(rooms, "heath").id) is None
