"""What every database behind the store must do with nodes, private XML and vCards."""

import sqlite3

import pytest

from hausbote.storage import (
    Affiliation,
    Item,
    Limits,
    NewItem,
    NewNode,
    Outcome,
    Piece,
    Published,
    Subscription,
    migrate,
    open_store,
)
from hausbote.xmpp.sasl import ScramKeys

KEYS = {"SHA-1": ScramKeys(b"salt", 4096, b"stored", b"server")}
FREE = Limits()
ROMEO, JULIET = "romeo@h", "juliet@h"


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


def new(name="n", service="juliet", creator="juliet", **more):
    return NewNode(service, name, creator, f"{creator}@h", 1.0, {"title": ["T"]}, **more)


def made(store, name="n", **more):
    assert store.pubsub.create(new(name, **more)).wait() is Outcome.DONE
    return store.pubsub.node(more.get("service", "juliet"), name)


def put(store, node, *items, at=2.0, limits=FREE):
    return store.pubsub.publish(
        node if isinstance(node, NewNode) else node.id,
        [NewItem(id, payload) for id, payload in items], JULIET, at, limits,
    ).wait()  # fmt: skip


class TestNodes:
    def test_a_new_node_can_be_found(self, store):
        node = made(store, "o'brien")
        assert (node.service, node.name, node.creator, node.created) == (
            "juliet",
            "o'brien",
            "juliet",
            1.0,
        )
        assert node.config == {"title": ["T"]}
        assert store.pubsub.nodes("juliet") == [node]
        assert store.pubsub.nodes("romeo") == []
        assert store.pubsub.people.affiliations(node.id) == {JULIET: "owner"}

    def test_a_name_is_taken_once_per_service(self, store):
        made(store)
        assert store.pubsub.create(new()).wait() is Outcome.EXISTS
        assert store.pubsub.create(new(service="")).wait() is Outcome.DONE

    def test_an_account_has_no_more_nodes_than_it_may(self, store):
        made(store)
        assert store.pubsub.create(new("m", max_nodes=1)).wait() is Outcome.NODES_FULL
        assert store.pubsub.create(new("m", max_nodes=2)).wait() is Outcome.DONE

    def test_nobody_makes_no_node(self, store):
        assert store.pubsub.create(new(creator="tybalt")).wait() is Outcome.MISSING
        assert put(store, new(creator="tybalt"), ("1", "<a/>")) == Published(Outcome.MISSING)

    def test_a_deleted_node_is_gone_with_all_of_it(self, store, path):
        node = made(store)
        put(store, node, ("1", "<a/>"))
        store.pubsub.people.subscribe(node.id, ROMEO, ROMEO, "s", "subscribed", "romeo", 0).wait()
        store.pubsub.delete(node.id).wait()
        assert store.pubsub.node("juliet", "n") is None
        assert rows(path) == 0

    def test_a_new_configuration(self, store):
        node = made(store)
        put(store, node, *[(str(number), "<a/>") for number in range(5)])
        store.pubsub.configure(node.id, {"max_items": ["2"]}, 2).wait()
        assert store.pubsub.node("juliet", "n").config == {"max_items": ["2"]}
        assert store.pubsub.ids(node.id) == ["3", "4"]
        store.pubsub.configure(node.id, {}, -1).wait()
        assert store.pubsub.ids(node.id) == ["3", "4"]


class TestItems:
    def test_publishing_makes_the_node(self, store):
        assert put(store, new(), ("1", "<a/>")) == Published(Outcome.DONE)
        node = store.pubsub.node("juliet", "n")
        assert store.pubsub.newest(node.id, -1) == [Item("1", "<a/>", JULIET, 2.0)]
        assert put(store, new(), ("2", "<b/>")) == Published(Outcome.DONE)
        assert store.pubsub.ids(node.id) == ["1", "2"]

    def test_a_node_that_appears_meanwhile_and_is_another_one_gets_nothing(self, store):
        """What is private must not come to where others see it."""
        open_to_all = new()._replace(config={"access_model": ["open"]})
        assert put(store, open_to_all, ("1", "<a/>")).removed == ()
        private = new()._replace(config={"access_model": ["whitelist"]})
        assert put(store, private, ("2", "<b/>")) == Published(Outcome.EXISTS)
        node = store.pubsub.node("juliet", "n")
        assert (node.config, store.pubsub.ids(node.id)) == ({"access_model": ["open"]}, ["1"])

    def test_an_item_that_is_published_again_becomes_the_newest(self, store):
        node = made(store)
        put(store, node, ("1", "<a/>"), ("2", "<b/>"))
        put(store, node, ("1", "<c/>"), at=3.0)
        assert store.pubsub.newest(node.id, -1) == [
            Item("2", "<b/>", JULIET, 2.0),
            Item("1", "<c/>", JULIET, 3.0),
        ]
        assert [item.id for item in store.pubsub.newest(node.id, 1)] == ["1"]
        assert [item.id for item in store.pubsub.items(node.id, ["2", "x", "1"])] == ["2", "1"]

    def test_the_oldest_make_room(self, store):
        node = made(store)
        put(store, node, ("1", "<a/>"), ("2", "<a/>"))
        assert put(store, node, ("3", "<a/>"), limits=Limits(items=1)) == Published(
            Outcome.DONE, ("2", "1")
        )
        assert store.pubsub.ids(node.id) == ["3"]

    def test_items_expire(self, store):
        node, other = made(store), made(store, "other")
        store.pubsub.configure(node.id, {"item_expire": ["60"]}, -1).wait()
        store.pubsub.configure(other.id, {"item_expire": ["max"]}, -1).wait()
        for at, id in ((100.0, "1"), (150.0, "2"), (200.0, "3")):
            put(store, node, (id, "<a/>"), at=at)
            put(store, other, (id, "<a/>"), at=at)
        store.pubsub.expire(node.id, 120.0).wait()
        assert store.pubsub.ids(node.id) == ["2", "3"]
        store.pubsub.expire_all(211.0)
        assert store.pubsub.ids(node.id) == ["3"]
        assert store.pubsub.ids(other.id) == ["1", "2", "3"]

    def test_or_nothing_more_is_taken(self, store):
        node = made(store)
        put(store, node, ("1", "<a/>"))
        strict = Limits(items=1, reject=True)
        assert put(store, node, ("2", "<a/>"), limits=strict).outcome is Outcome.ITEMS_FULL
        assert put(store, node, ("1", "<b/>"), limits=strict).outcome is Outcome.DONE
        assert store.pubsub.ids(node.id) == ["1"]

    def test_all_nodes_of_an_account_share_its_bytes(self, store):
        node, other = made(store), made(store, "m")
        put(store, node, ("1", "x" * 60))
        assert (
            put(store, other, ("1", "x" * 60), limits=Limits(size=100)).outcome
            is Outcome.BYTES_FULL
        )
        assert store.pubsub.ids(other.id) == []
        assert put(store, node, ("1", "x" * 90), limits=Limits(size=100)).outcome is Outcome.DONE
        assert (
            put(store, new("fresh"), ("1", "x" * 60), limits=Limits(size=100)).outcome
            is Outcome.BYTES_FULL
        )
        assert store.pubsub.node("juliet", "fresh") is None
        store.pubsub.purge(node.id).wait()
        assert put(store, other, ("1", "x" * 60), limits=Limits(size=100)).outcome is Outcome.DONE

    def test_retracting_takes_all_or_none(self, store):
        node = made(store)
        put(store, node, ("1", "<a/>"), ("2", "<a/>"))
        assert not store.pubsub.retract(node.id, ["1", "x"]).wait()
        assert store.pubsub.ids(node.id) == ["1", "2"]
        assert store.pubsub.retract(node.id, ["1", "1"]).wait()
        assert store.pubsub.ids(node.id) == ["2"]

    def test_the_last_items_of_many(self, store):
        node, other = made(store), made(store, service="romeo", creator="romeo")
        put(store, node, ("1", "<a/>"), ("2", "<b/>"))
        put(store, other, ("x", "<c/>"))
        made(store, "empty")
        found = store.pubsub.last_sizes(["juliet", "romeo", "nobody"], ["n", "empty", "none"])
        assert sorted(found) == sorted([(node.id, 5), (other.id, 5)])
        last = store.pubsub.last_in([other.id, node.id, 0])
        assert sorted((one.service, item.id) for one, item in last) == [
            ("juliet", "2"),
            ("romeo", "x"),
        ]

    def test_a_node_that_is_gone_takes_nothing(self, store):
        node = made(store)
        store.pubsub.delete(node.id).wait()
        assert put(store, node, ("1", "<a/>")) == Published(Outcome.MISSING)


class TestPeople:
    def test_affiliations(self, store):
        node = made(store)
        store.pubsub.people.affiliate(
            node.id, {ROMEO: ("member", "romeo"), "x@y": ("outcast", "")}
        ).wait()
        assert store.pubsub.people.affiliation(node.id, ROMEO) == "member"
        assert store.pubsub.people.affiliations_of("juliet", "x@y") == [
            Affiliation("n", "x@y", "outcast")
        ]
        store.pubsub.people.affiliate(node.id, {ROMEO: ("none", "romeo")}).wait()
        assert store.pubsub.people.affiliation(node.id, ROMEO) == "none"

    def test_subscriptions(self, store):
        node = made(store)

        def subscribe(jid, state="subscribed", limit=0):
            return store.pubsub.people.subscribe(
                node.id, jid, ROMEO, "s", state, "romeo", limit
            ).wait()

        assert subscribe(ROMEO, "pending")
        assert not store.pubsub.people.is_subscribed(node.id, ROMEO)
        assert subscribe(ROMEO)
        assert subscribe("romeo@h/phone")
        assert not subscribe("romeo@h/desk", limit=2)
        assert subscribe(ROMEO, limit=2)
        assert store.pubsub.people.is_subscribed(node.id, ROMEO)
        assert store.pubsub.people.subscriptions_of("juliet", ROMEO) == [
            Subscription("n", ROMEO, "s", "subscribed"),
            Subscription("n", "romeo@h/phone", "s", "subscribed"),
        ]
        store.pubsub.people.unsubscribe(node.id, ROMEO).wait()
        assert [one.jid for one in store.pubsub.people.subscriptions(node.id)] == ["romeo@h/phone"]


class TestPrivateXml:
    def test_what_is_kept_replaces_what_was(self, store):
        assert store.private.put(
            "romeo", [Piece("urn:a", "x", "<x/>"), Piece("urn:b", "x", "<b/>")], 0, 0
        ).wait()
        assert store.private.put("romeo", [Piece("urn:a", "x", "<y/>")], 0, 0).wait()
        assert store.private.get("romeo", "urn:a", "x") == "<y/>"
        assert store.private.get("romeo", "urn:a", "y") is None
        assert store.private.get("juliet", "urn:a", "x") is None

    def test_too_much_is_not_kept_at_all(self, store):
        pieces = [Piece("urn:a", "x", "<x/>"), Piece("urn:a", "y", "<y/>")]
        assert not store.private.put("romeo", pieces, 1, 0).wait()
        assert not store.private.put("romeo", pieces, 0, 7).wait()
        assert store.private.get("romeo", "urn:a", "x") is None
        assert store.private.put("romeo", pieces, 2, 8).wait()


def test_a_vcard(store):
    assert store.vcards.get("romeo") is None
    store.vcards.put("romeo", "<vCard/>").wait()
    store.vcards.put("romeo", "<vCard>2</vCard>").wait()
    assert store.vcards.get("romeo") == "<vCard>2</vCard>"


def test_deleting_an_account_deletes_all_of_it(store, path):
    own = made(store, service="romeo", creator="romeo")
    put(store, own, ("1", "<a/>"))
    made(store, "public", service="", creator="romeo")
    node = made(store)
    store.pubsub.people.affiliate(node.id, {ROMEO: ("member", "romeo")}).wait()
    store.pubsub.people.subscribe(node.id, ROMEO, ROMEO, "s", "subscribed", "romeo", 0).wait()
    store.private.put("romeo", [Piece("urn:a", "x", "<x/>")], 0, 0).wait()
    store.vcards.put("romeo", "<vCard/>").wait()
    store.accounts.delete("romeo", ROMEO)
    assert store.pubsub.nodes("romeo") == store.pubsub.nodes("") == []
    assert rows(path, "romeo") == 0
    assert store.pubsub.node("juliet", "n") == node


def rows(path, word=""):
    """How many rows of the new tables are left, or have that word in them."""
    connection = sqlite3.connect(path)
    tables = ("pubsub_item", "pubsub_affiliation", "pubsub_subscription", "private_xml", "vcard")
    found = [row for table in tables for row in connection.execute(f"SELECT * FROM {table}")]
    connection.close()
    return sum(word in str(row) for row in found)
