"""An encrypted message (XEP-0384): between friends, and between people who never met before."""

import asyncio

import pytest
from omemo.storage import Just, Maybe, Nothing, Storage
from slixmpp import JID
from slixmpp.plugins import register_plugin
from slixmpp_omemo import XEP_0384, TrustLevel

from interop.test_slixmpp_pep import Listener, befriend
from support.people import people


class Memory(Storage):
    """Keys that last as long as the test."""

    def __init__(self):
        super().__init__()
        self.kept = {}

    async def _load(self, key) -> Maybe:
        return Just(self.kept[key]) if key in self.kept else Nothing()

    async def _store(self, key, value):
        self.kept[key] = value

    async def _delete(self, key):
        self.kept.pop(key, None)


class Omemo(XEP_0384):
    """Trusts everybody, as people do."""

    def plugin_init(self):
        self.memory = Memory()
        super().plugin_init()

    @property
    def storage(self):
        return self.memory

    @property
    def _btbv_enabled(self):
        return True

    async def _prompt_manual_trust(self, manually_trusted, identifier):
        manager = await self.get_session_manager()
        for device in manually_trusted:
            await manager.set_trust(device.bare_jid, device.identity_key, TrustLevel.TRUSTED.value)


register_plugin(Omemo)

DEVICES = ("eu.siacs.conversations.axolotl.devicelist", "urn:xmpp:omemo:2:devices")


class Secretive(Listener):
    def __init__(self, box, local, resource="desk"):
        super().__init__(box, local, resource)
        for plugin in ("xep_0280", "xep_0334", "xep_0384"):
            self.register_plugin(plugin, module="tests" if plugin == "xep_0384" else None)
        self.listens("message")

    async def come(self):
        ready = asyncio.ensure_future(self.wait_until("omemo_initialized", 30))
        await super().come()
        await ready


@pytest.mark.parametrize("friends", [True, False], ids=["friends", "strangers"])
def test_an_encrypted_message_is_read(box, friends):
    async def scene():
        async with people(box, "romeo", "juliet", kind=Secretive) as (romeo, juliet):
            if friends:
                await befriend(romeo, juliet)
            for node in DEVICES:
                found = await romeo.plugin["xep_0060"].get_items(juliet.boundjid.bare, node)
                assert len(found["pubsub"]["items"]) == 1
            message = romeo.make_message(mto=juliet.boundjid.bare, mtype="chat")
            message["body"] = "But, soft!"
            omemo = romeo.plugin["xep_0384"]
            await omemo.refresh_device_lists({JID(juliet.boundjid.bare)})
            encrypted, errors = await omemo.encrypt_message(message, juliet.boundjid)
            assert not errors
            encrypted.send()
            got = await juliet.hears("message")
            assert "soft" not in str(got)
            assert juliet.plugin["xep_0384"].is_encrypted(got)
            plain, _ = await juliet.plugin["xep_0384"].decrypt_message(got)
            assert plain["body"] == "But, soft!"

    asyncio.run(scene())
