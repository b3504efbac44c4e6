"""Group chat with a well-known client library: its own idea of rooms, on a running box."""

import asyncio

import pytest
from slixmpp.exceptions import IqError, PresenceError

from support.people import people

ROOM = "interop@rooms.h"


@pytest.fixture
def verona(box):
    for name in ("romeo", "juliet", "nurse"):
        box.add_account(name)
    return box


def with_rooms(*everybody):
    for person in everybody:
        for plugin in ("xep_0045", "xep_0249", "xep_0313", "xep_0421", "xep_0410"):
            person.register_plugin(plugin)
    return [person.plugin["xep_0045"] for person in everybody]


async def hears(person, body):
    while True:
        message = await person.hears()
        if message["body"] == body:
            return message


def test_an_evening_in_a_room(verona):
    async def evening():
        async with people(verona, "romeo/a", "juliet/b", "nurse/c") as (romeo, juliet, nurse):
            his, hers, nurses = with_rooms(romeo, juliet, nurse)
            own, *_ = await his.join_muc_wait(ROOM, "Romeo", timeout=10)
            assert 201 in own["muc"]["status_codes"]
            form = await his.get_room_config(ROOM)
            form.set_type("submit")
            form.set_values(
                {"muc#roomconfig_roomname": "Orchard", "muc#roomconfig_persistentroom": True}
            )
            await his.set_room_config(ROOM, form)
            _, _, present, _ = await hers.join_muc_wait(ROOM, "Juliet", timeout=10)
            assert [one["from"].resource for one in present] == ["Romeo", "Juliet"]
            romeo.send_message(ROOM, "But soft!", mtype="groupchat")
            heard = await hears(juliet, "But soft!")
            assert heard["from"] == f"{ROOM}/Romeo"
            with pytest.raises(PresenceError) as refused:
                await nurses.join_muc_wait(ROOM, "Romeo", timeout=10)
            assert refused.value.condition == "conflict"
            *_, history = await nurses.join_muc_wait(ROOM, "Nurse", maxstanzas=1, timeout=10)
            assert [one["body"] for one in history] == ["But soft!"]
            await his.set_affiliation(ROOM, "admin", jid="juliet@h")
            admins = await his.get_affiliation_list(ROOM, "admin")
            assert [str(jid) for jid in admins] == ["juliet@h"]
            await hers.set_role(ROOM, "Nurse", "none", reason="Peace!")
            with pytest.raises(IqError) as refused:
                await hers.set_role(ROOM, "Romeo", "none")
            assert refused.value.condition == "not-allowed"
            info = await nurse.plugin["xep_0030"].get_info(ROOM)
            assert "muc_persistent" in info["disco_info"]["features"]
            pages = romeo.plugin["xep_0313"]
            answer = await pages.retrieve(jid=ROOM, rsm={"max": 10})
            assert answer["mam_fin"]["complete"] == "true"
            await his.destroy(ROOM, reason="Good night")
        return True

    assert asyncio.run(evening())
