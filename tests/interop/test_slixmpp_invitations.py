"""A link from one slixmpp client's command to an account of another: XEP-0401, 0445 and 0077."""

import asyncio
import re
from xml.etree import ElementTree

import pytest
from slixmpp.exceptions import IqError

from support.people import Person, people
from support.worlds import PASSWORD, RunningWorld


class Host(Person):
    """Somebody who invites."""

    def __init__(self, box, local, resource="desk"):
        super().__init__(box, local, resource)
        for plugin in ("xep_0004", "xep_0050"):
            self.register_plugin(plugin)

    async def invites(self):
        """The token of another link, by the command without a form."""
        done = await self.plugin["xep_0050"].send_command("h", "urn:xmpp:invite#invite")
        assert done["command"]["status"] == "completed"
        uri = done["command"]["form"].get_values()["uri"]
        return re.fullmatch(r"xmpp:juliet@h\?roster;preauth=(\w+);ibr=y", uri)[1]


class Guest(Person):
    """Somebody who registers before the login, with a token."""

    token = ""

    def __init__(self, box, local, resource="phone"):
        super().__init__(box, local, resource)
        self.register_plugin("xep_0077")
        self.unregister_feature("register", 50)
        self.register_feature("register", self._shows, restart=False, order=50)
        self.add_event_handler("register", self._registers)
        self.refused = asyncio.Queue()
        self._always_send_everything = True  # it would keep a stanza that it does not know back

    async def _shows(self, features):
        if "mechanisms" in self.features:
            return False
        iq = self.Iq()
        iq["type"], iq["to"] = "set", "h"
        iq.append(ElementTree.Element("{urn:xmpp:pars:0}preauth", token=self.token))
        try:
            await iq.send()
        except IqError as error:
            self.refused.put_nowait((error.condition, error.text))
            return False
        return await self.plugin["xep_0077"]._handle_register_feature(features)

    async def _registers(self, form):
        assert form["register"]["fields"] >= {"username", "password"}
        iq = self.Iq()
        iq["type"] = "set"
        iq["register"]["username"] = self.boundjid.user
        iq["register"]["password"] = PASSWORD
        await iq.send()


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    state = tmp_path_factory.mktemp("invite") / "state"
    settings = ("registration=invite", "invitations.by=members")
    world = RunningWorld(state, *settings, address="127.0.0.19")
    world.add_account("juliet")
    yield world
    world.close()


def test_a_friend_is_invited_and_comes(house):
    async def evening():
        async with people(house, "juliet", kind=Host) as juliet:
            pushes = asyncio.Queue()
            juliet.add_event_handler("roster_update", pushes.put_nowait)
            Guest.token = await juliet.invites()
            async with people(house, "nurse", kind=Guest) as nurse:
                push = await asyncio.wait_for(pushes.get(), 5)
                assert push["roster"]["items"]["nurse@h"]["subscription"] == "both"
                assert nurse.client_roster["juliet@h"]["subscription"] == "both"
                await juliet.sees("nurse@h/phone")
                await nurse.sees("juliet@h/desk")
        return True

    assert asyncio.run(evening())


def test_a_link_that_was_used_is_told(house):
    async def evening():
        async with people(house, "juliet", kind=Host) as juliet:
            token = await juliet.invites()
            house.store.invitations.withdraw(house.store.invitations.look(token).id)
            Guest.token = token
            guest = Guest(house, "paris")
            guest.connect(house.address, house.port)
            condition, text = await asyncio.wait_for(guest.refused.get(), 10)
            assert (condition, "withdrawn" in text) == ("item-not-found", True)
            await guest.disconnect(wait=1)
        return True

    assert asyncio.run(evening())
    assert not house.store.accounts.exists("paris")
