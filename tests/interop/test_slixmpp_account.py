"""What people do with their accounts, and administrators with everybody's, with slixmpp."""

import asyncio

import pytest
from slixmpp.exceptions import IqError

from support.people import Person, people
from support.worlds import PASSWORD

ADMIN = "http://jabber.org/protocol/admin#"


class Owner(Person):
    """Somebody who looks after an account."""

    def __init__(self, box, local, resource="desk"):
        super().__init__(box, local, resource)
        for plugin in ("xep_0004", "xep_0050", "xep_0077", "xep_0133", "xep_0191", "xep_0377"):
            self.register_plugin(plugin)


@pytest.fixture
def verona(box):
    for name in ("romeo", "juliet", "nurse"):
        box.add_account(name)
    box.store.accounts.set_admin("nurse", True)
    yield box
    box.store.accounts.set_admin("nurse", False)


def test_somebody_is_blocked_and_let_in_again(verona):
    async def evening():
        async with people(verona, "romeo", "juliet", kind=Owner) as (romeo, juliet):
            await juliet.plugin["xep_0191"].block("romeo@h")
            assert await juliet.plugin["xep_0191"].get_blocked_jids() == {"romeo@h"}
            refusals = asyncio.Queue()
            romeo.add_event_handler("message_error", refusals.put_nowait)
            romeo.send_message("juliet@h", "unheard", mtype="chat")
            refusal = await asyncio.wait_for(refusals.get(), 5)
            assert refusal["error"]["condition"] == "service-unavailable"
            await juliet.plugin["xep_0191"].unblock("romeo@h")
            romeo.send_message("juliet@h", "heard", mtype="chat")
            assert (await juliet.hears())["body"] == "heard"
        return True

    assert asyncio.run(evening())


def test_spam_is_reported_to_the_administrator(verona):
    async def evening():
        async with people(verona, "juliet", "nurse", kind=Owner) as (juliet, nurse):
            await juliet.plugin["xep_0377"].report("romeo@h")
            told = await nurse.hears()
            assert "romeo@h" in told["body"]
            assert "juliet@h" in told["body"]
            assert "romeo@h" in await juliet.plugin["xep_0191"].get_blocked_jids()
        return True

    assert asyncio.run(evening())


def test_a_password_is_changed(verona):
    async def evening():
        async with people(verona, "romeo", kind=Owner) as romeo:
            await romeo.plugin["xep_0077"].change_password("a rose by any other name")
        romeo = Owner(verona, "romeo")
        romeo.credentials["password"] = romeo.password = "a rose by any other name"
        await romeo.come()
        await romeo.disconnect(wait=1)
        return True

    assert asyncio.run(evening())


async def run_command(person, node, **fields):
    """The whole of a command of one form; its last answer."""
    first = await person.plugin["xep_0050"].send_command("h", ADMIN + node)
    session = first["command"]["sessionid"]
    if first["command"]["status"] == "completed":
        return first
    form = first["command"]["form"]
    form["type"] = "submit"
    form.set_values({"FORM_TYPE": "http://jabber.org/protocol/admin", **fields})
    return await person.plugin["xep_0050"].send_command(
        "h", ADMIN + node, action="complete", payload=[form], sessionid=session
    )


def test_an_administrator_looks_after_accounts(verona):
    async def evening():
        async with people(verona, "nurse", kind=Owner) as nurse:
            offered = await nurse.plugin["xep_0133"].get_commands()
            assert ADMIN + "add-user" in {item[1] for item in offered["disco_items"]["items"]}
            verona.store.accounts.delete("benvolio", "benvolio@h")
            done = await run_command(
                nurse, "add-user", accountjid="benvolio@h",
                password=PASSWORD, **{"password-verify": PASSWORD},
            )  # fmt: skip
            assert done["command"]["status"] == "completed"
            async with people(verona, "benvolio", kind=Owner) as benvolio:
                gone = asyncio.Event()
                benvolio.add_event_handler("disconnected", lambda _: gone.set())
                await run_command(nurse, "delete-user", accountjids=["benvolio@h"])
                await asyncio.wait_for(gone.wait(), 5)
        return True

    assert asyncio.run(evening())


def test_others_are_refused(verona):
    async def evening():
        async with people(verona, "romeo", kind=Owner) as romeo:
            with pytest.raises(IqError) as refusal:
                await romeo.plugin["xep_0050"].send_command("h", ADMIN + "add-user")
            assert refusal.value.condition == "forbidden"
        return True

    assert asyncio.run(evening())
