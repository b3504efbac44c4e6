"""Publish-subscribe and what stands on it, with a well-known client library."""

import asyncio
import hashlib
from xml.etree import ElementTree

import pytest
from slixmpp.exceptions import IqError
from slixmpp.plugins.xep_0048.stanza import Bookmarks
from slixmpp.plugins.xep_0118.stanza import UserTune
from slixmpp.plugins.xep_0402.stanza import Conference

from support.people import Person, people

IMAGE = b"\x89PNG\r\n\x1a\n, or so they say"
PLUGINS = (
    "xep_0030", "xep_0048", "xep_0049", "xep_0054", "xep_0060", "xep_0084", "xep_0115", "xep_0118",
    "xep_0163", "xep_0199", "xep_0402", "xep_0490",
)  # fmt: skip


class Listener(Person):
    """Notes what it hears of, and lets everybody in who asks."""

    def __init__(self, box, local, resource="desk"):
        box.add_account(local)
        super().__init__(box, local, resource)
        self.auto_authorize = True
        self.auto_subscribe = True
        for plugin in PLUGINS:
            self.register_plugin(plugin)
        self.heard = {}
        self.listens("user_tune_publish")
        self.listens("avatar_metadata_publish")

    def listens(self, event):
        self.heard[event] = asyncio.Queue()
        self.add_event_handler(event, self.heard[event].put_nowait)

    async def hears(self, event):
        return await asyncio.wait_for(self.heard[event].get(), 10)

    async def come(self):
        await super().come()
        await self.plugin["xep_0199"].ping(self.boundjid.host)  # its presence has been seen


async def befriend(one, other):
    one.send_presence_subscription(other.boundjid.bare)
    other.send_presence_subscription(one.boundjid.bare)
    for person, friend in ((one, other), (other, one)):
        while person.client_roster[friend.boundjid.bare]["subscription"] != "both":
            await asyncio.sleep(0.02)


def payload(text):
    return ElementTree.fromstring(text)


def test_a_tune_is_heard_by_a_friend(box):
    async def scene():
        async with people(box, "romeo", "juliet", kind=Listener) as (romeo, juliet):
            await befriend(romeo, juliet)
            await romeo.plugin["xep_0118"].publish_tune(artist="Gerald Finzi", title="Introduction")
            heard = await juliet.hears("user_tune_publish")
            tune = heard["pubsub_event"]["items"]["item"]["tune"]
            assert (tune["artist"], heard["from"]) == ("Gerald Finzi", "romeo@h")
            await romeo.hears("user_tune_publish")

    asyncio.run(scene())


def test_a_node_of_one_s_own(box):
    async def scene():
        async with people(box, "romeo", kind=Listener) as romeo:
            pubsub = romeo.plugin["xep_0060"]
            info = await romeo.plugin["xep_0030"].get_info("romeo@h")
            assert ("pubsub", "pep", None, None) in info["disco_info"]["identities"]
            await pubsub.create_node("romeo@h", "urn:things")
            await pubsub.publish("romeo@h", "urn:things", "1", payload("<x xmlns='urn:x'/>"))
            await pubsub.publish("romeo@h", "urn:things", "2", payload("<x xmlns='urn:x'/>"))
            config = await pubsub.get_node_config("romeo@h", "urn:things")
            form = config["pubsub_owner"]["configure"]["form"]
            assert form.get_values()["pubsub#access_model"] == "presence"
            changed = romeo.plugin["xep_0004"].make_form("submit")
            changed.add_field(
                "FORM_TYPE", "hidden", value="http://jabber.org/protocol/pubsub#node_config"
            )
            changed.add_field("pubsub#max_items", value="max")
            await pubsub.set_node_config("romeo@h", "urn:things", changed)
            await pubsub.publish("romeo@h", "urn:things", "3", payload("<x xmlns='urn:x'/>"))
            found = await pubsub.get_items("romeo@h", "urn:things")
            assert [item["id"] for item in found["pubsub"]["items"]] == ["2", "3"]
            await pubsub.retract("romeo@h", "urn:things", "2")
            ids = await pubsub.get_item_ids("romeo@h", "urn:things")
            assert [item[2] for item in ids["disco_items"]["items"]] == ["3"]
            await pubsub.delete_node("romeo@h", "urn:things")
            with pytest.raises(IqError, match="item-not-found"):
                await pubsub.get_items("romeo@h", "urn:things")

    asyncio.run(scene())


def test_a_picture_and_a_vcard(box):
    async def scene():
        async with people(box, "romeo", "juliet", kind=Listener) as (romeo, juliet):
            await befriend(romeo, juliet)
            id = hashlib.sha1(IMAGE).hexdigest()
            card = romeo.plugin["xep_0054"].make_vcard()
            card["FN"] = "Romeo Montague"
            await romeo.plugin["xep_0054"].publish_vcard(card)
            await romeo.plugin["xep_0084"].publish_avatar(IMAGE)
            info = {"id": id, "type": "image/png", "bytes": len(IMAGE)}
            await romeo.plugin["xep_0084"].publish_avatar_metadata([info])
            heard = await juliet.hears("avatar_metadata_publish")
            assert heard["pubsub_event"]["items"]["item"]["id"] == id
            data = await juliet.plugin["xep_0084"].retrieve_avatar("romeo@h", id)
            assert data["pubsub"]["items"]["item"]["avatar_data"]["value"] == IMAGE
            seen = await juliet.plugin["xep_0054"].get_vcard("romeo@h", cached=False)
            assert seen["vcard_temp"]["FN"] == "Romeo Montague"
            assert seen["vcard_temp"]["PHOTO"]["BINVAL"] == IMAGE

    asyncio.run(scene())


def test_bookmarks_in_both_places(box):
    async def scene():
        async with people(box, "romeo", kind=Listener) as romeo:
            room = Conference()
            room["name"], room["autojoin"], room["nick"] = "Orchard", True, "R"
            options = romeo.plugin["xep_0004"].make_form("submit")
            options.add_field(
                "FORM_TYPE", "hidden", value="http://jabber.org/protocol/pubsub#publish-options"
            )
            for var, value in (
                ("persist_items", "true"),
                ("max_items", "max"),
                ("send_last_published_item", "never"),
                ("access_model", "whitelist"),
            ):
                options.add_field(f"pubsub#{var}", value=value)
            await romeo.plugin["xep_0060"].publish(
                "romeo@h", "urn:xmpp:bookmarks:1", "orchard@rooms.h", room.xml, options
            )
            kept = await romeo.plugin["xep_0049"].retrieve("bookmarks")
            (found,) = kept["private"]["bookmarks"]["conferences"]
            assert (found["jid"], found["name"], found["nick"]) == (
                "orchard@rooms.h",
                "Orchard",
                "R",
            )
            more = Bookmarks()
            more.add_conference("orchard@rooms.h", "R", name="Orchard", autojoin=True)
            more.add_conference("balcony@rooms.h", "R", name="Balcony")
            await romeo.plugin["xep_0049"].store(more)
            items = await romeo.plugin["xep_0060"].get_items("romeo@h", "urn:xmpp:bookmarks:1")
            assert {item["id"] for item in items["pubsub"]["items"]} == {
                "orchard@rooms.h",
                "balcony@rooms.h",
            }

    asyncio.run(scene())


def test_the_service_of_the_box(box):
    async def scene():
        async with people(box, "admin", "romeo", kind=Listener) as (admin, romeo):
            box.store.accounts.set_admin("admin", True)
            service = f"pubsub.{box.domain}"
            with pytest.raises(IqError, match="forbidden"):
                await romeo.plugin["xep_0060"].create_node(service, "news")
            await admin.plugin["xep_0060"].create_node(service, "news")
            romeo.listens("pubsub_publish")
            await romeo.plugin["xep_0060"].subscribe(service, "news")
            tune = UserTune()
            tune["title"] = "News"
            await admin.plugin["xep_0060"].publish(service, "news", payload=tune.xml)
            heard = await romeo.hears("pubsub_publish")
            assert (heard["from"], heard["pubsub_event"]["items"]["node"]) == (service, "news")
            mine = await romeo.plugin["xep_0060"].get_subscriptions(service)
            assert [one["node"] for one in mine["pubsub"]["subscriptions"]] == ["news"]
            await admin.plugin["xep_0060"].delete_node(service, "news")

    asyncio.run(scene())
