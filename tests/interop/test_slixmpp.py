"""Two people with a well-known client library: everything that a first evening needs."""

import asyncio

import pytest

from support.people import Person, people


async def befriend(romeo, juliet):
    romeo.send_presence_subscription(juliet.boundjid.bare)
    await asyncio.wait_for(juliet.requests.get(), 5)
    juliet.send_presence_subscription(romeo.boundjid.bare, ptype="subscribed")
    juliet.send_presence_subscription(romeo.boundjid.bare)
    await asyncio.wait_for(romeo.requests.get(), 5)
    romeo.send_presence_subscription(juliet.boundjid.bare, ptype="subscribed")
    await romeo.sees(juliet.boundjid.full)
    await juliet.sees(romeo.boundjid.full)


@pytest.fixture
def verona(box):
    box.add_account("romeo")
    box.add_account("juliet")
    return box


def test_two_people_find_each_other_and_talk(verona):
    async def evening():
        async with people(verona, "romeo/orchard", "juliet/balcony") as (romeo, juliet):
            await befriend(romeo, juliet)
            assert romeo.client_roster["juliet@h"]["subscription"] == "both"
            romeo.send_message("juliet@h", "But soft!", mtype="chat")
            heard = await juliet.hears()
            assert (heard["from"], heard["body"]) == ("romeo@h/orchard", "But soft!")
            heard.reply("Ay me!").send()
            assert (await romeo.hears())["body"] == "Ay me!"
            juliet.send_presence(pshow="away", pstatus="the nurse calls")
            seen = await romeo.sees("juliet@h/balcony", "away")
            assert seen["status"] == "the nurse calls"
        return True

    assert asyncio.run(evening())


def test_what_came_meanwhile_is_there_at_login(verona):
    async def evening():
        async with people(verona, "romeo/orchard") as romeo:
            for number in range(5):
                romeo.send_message("juliet@h", f"letter {number}", mtype="chat")
            await romeo.plugin["xep_0199"].ping("h")
            async with people(verona, "juliet/balcony") as juliet:
                for number in range(5):
                    letter = await juliet.hears()
                    assert letter["body"] == f"letter {number}"
                    assert letter["delay"]["stamp"] is not None
        return True

    assert asyncio.run(evening())


def test_friends_see_who_leaves(verona):
    async def evening():
        async with people(verona, "romeo/orchard", "juliet/balcony") as (romeo, juliet):
            await befriend(romeo, juliet)
            juliet.abort()
            await romeo.sees("juliet@h/balcony", "unavailable")
        return True

    assert asyncio.run(evening())


def test_the_server_and_its_rooms_answer_questions(verona):
    async def evening():
        async with people(verona, "romeo/orchard") as romeo:
            info = await romeo.plugin["xep_0030"].get_info("h")
            assert "urn:xmpp:ping" in info["disco_info"]["features"]
            items = await romeo.plugin["xep_0030"].get_items("h")
            assert ("rooms.h", None, None) in items["disco_items"]["items"]
            rooms = await romeo.plugin["xep_0030"].get_info("rooms.h")
            kinds = {identity[:2] for identity in rooms["disco_info"]["identities"]}
            assert ("conference", "text") in kinds
            version = await romeo.plugin["xep_0092"].get_version("h")
            assert version["software_version"]["name"] == "Hausbote"
            time = await romeo.plugin["xep_0202"].get_entity_time("h")
            assert time.xml.findtext(".//{urn:xmpp:time}utc").endswith("Z")
            assert await romeo.plugin["xep_0012"].get_last_activity("h")
            assert await romeo.plugin["xep_0199"].ping("rooms.h") < 5
        return True

    assert asyncio.run(evening())


def test_a_wrong_password_is_told(verona):
    async def evening():
        romeo = Person(verona, "romeo", "orchard")
        romeo.credentials["password"] = romeo.password = "wrong"
        failed = asyncio.Event()
        romeo.add_event_handler("failed_all_auth", lambda _: failed.set())
        romeo.add_event_handler("failed_auth", lambda _: failed.set())
        romeo.connect(verona.address, verona.port)
        await asyncio.wait_for(failed.wait(), 10)
        await romeo.disconnect(wait=1)
        return True

    assert asyncio.run(evening())


def test_clients_are_listed_and_one_is_asked_to_go(verona):
    async def evening():
        async with people(verona, "romeo/orchard") as romeo:
            romeo.register_plugin("xep_0494")
            clients = await romeo.plugin["xep_0494"].get_clients()
            (client,) = clients
            assert client["connected"]
            assert client["auth"] is not None
        return True

    assert asyncio.run(evening())


def test_a_second_device_follows_the_conversation_and_is_spared_the_rest(verona):
    async def evening():
        names = ("romeo/orchard", "juliet/balcony", "juliet/phone")
        async with people(verona, *names) as (romeo, juliet, phone):
            await befriend(romeo, juliet)
            await phone.plugin["xep_0280"].enable()
            copies = asyncio.Queue()
            phone.add_event_handler("carbon_received", copies.put_nowait)
            phone.add_event_handler("carbon_sent", copies.put_nowait)
            phone.plugin["xep_0352"].send_inactive()
            await phone.plugin["xep_0199"].ping("h")
            while not phone.presences.empty():
                phone.presences.get_nowait()
            for show in ("away", "dnd", "xa"):
                romeo.send_presence(pshow=show)
            await juliet.sees("romeo@h/orchard", "xa")
            romeo.send_message("juliet@h/balcony", "But soft!", mtype="chat")
            copy = (await asyncio.wait_for(copies.get(), 5))["carbon_received"]
            assert (copy["from"], copy["body"]) == (
                "romeo@h/orchard", "But soft!",
            )  # fmt: skip
            seen = phone.presences.get_nowait()
            assert (seen["from"], seen["type"]) == ("romeo@h/orchard", "xa")
            assert phone.presences.empty()
            juliet.send_message("romeo@h", "Ay me!", mtype="chat")
            copy = (await asyncio.wait_for(copies.get(), 5))["carbon_sent"]
            assert (copy["to"], copy["body"]) == ("romeo@h", "Ay me!")
        return True

    assert asyncio.run(evening())
