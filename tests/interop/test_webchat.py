"""The chat in the browser: Converse.js in Chromium, against a running box and its portal."""

import asyncio
import struct
import zlib
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import expect

from hausbote.storage import RosterItem
from support.browser import PHONE, browser, looking
from support.people import people
from support.webchat import condition_of, fetch_chat, page_of, show, token_for
from support.worlds import KEYS, PASSWORD, RunningWorld

ROOM = "orchard@rooms.localhost"
TOGETHER = 1_500_000  # bytes that a first visit may take
PATIENCE = 30_000  # milliseconds that a page may take on a busy machine
DEVICES = "eu.siacs.conversations.axolotl.devicelist"

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def verona(tmp_path_factory):
    """A box that somebody has claimed, at a name that this machine can look up."""
    fetch_chat()
    state = tmp_path_factory.mktemp("webchat") / "state"
    world = RunningWorld(state, address="127.0.0.1", domain="localhost", portal=True)
    world.store.accounts.create("prince", KEYS, admin=True)
    world.add_account("juliet")
    for name in ("romeo", "benvolio"):
        world.add_account(name)
        befriend(world, name, "juliet")
    befriend(world, "prince", "juliet")
    yield world
    world.close()


def befriend(world, *names):
    for one, other in (names, names[::-1]):
        item = RosterItem(f"{other}@localhost", subscription="both")
        world.store.rosters.put(one, item)


@pytest.fixture
def portal(verona):
    return f"https://localhost:{verona.settings.ports.portal}"


def evening(happens):
    assert asyncio.run(happens()) is None


@asynccontextmanager
async def with_juliet(verona):
    """She has a client, and there is a browser, in which the page asks nothing of others and does
    nothing that its policy would have to forbid."""
    async with (
        people(verona, "juliet/balcony") as juliet,
        browser(verona) as made,
        looking(made) as (context, watch),
    ):
        yield juliet, context, watch
        assert watch.elsewhere == []
        assert watch.refused == []


async def log_in(page, portal, name="romeo"):
    """At the portal, with the password, and from there to the chat."""
    await page.goto(f"{portal}/chat")
    await page.fill("input[name=name]", name)
    await page.fill("input[name=password]", PASSWORD)
    await page.click("main button")


async def opened(context, portal, **who):
    """A page whose chat is ready."""
    page = await context.new_page()
    page.set_default_timeout(PATIENCE)
    await log_in(page, portal, **who)
    await ready(page)
    return page


async def ready(page):
    await expect(page.locator("converse-roster .list-item").first).to_be_visible()
    await expect(page.locator("#notice")).to_be_hidden()


async def talk_with(page, name):
    """The field for what is said to a contact."""
    await page.locator("converse-roster a.open-chat", has_text=name).first.click()
    return page.locator("converse-chat .chat-textarea")


async def talk_in(page, room):
    """The field for what is said in a room, which is entered by that."""
    await page.evaluate(f"location.hash = 'converse/room?jid={room}'")
    return page.locator(f"[id='box-{room}'] .chat-textarea")


async def say(text, words):
    await text.fill(words)
    await text.press("Enter")


async def hears(person, body):
    while True:
        message = await person.hears()
        if message["body"] == body:
            return message


def picture():
    """A small PNG, all of one colour."""

    def chunk(kind, data):
        summed = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + summed

    rows = (b"\0" + b"\xc0\x30\x50" * 120) * 80
    head = struct.pack(">IIBBBBB", 120, 80, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return {"name": "orchard.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n" + parts}


def test_two_people_talk_and_nothing_leaves_the_box(verona, portal):
    async def happens():
        async with with_juliet(verona) as (juliet, context, watch):
            page = await opened(context, portal)
            assert 0 < await watch.size() < TOGETHER
            await say(await talk_with(page, "juliet"), "But soft!")
            heard = await hears(juliet, "But soft!")
            assert heard["from"].bare == "romeo@localhost"
            heard.reply("Ay me!").send()
            await expect(page.locator(".chat-msg__text", has_text="Ay me!")).to_be_visible()
            await expect(page.locator("converse-avatar").first).to_be_visible()

    evening(happens)


def test_a_room_is_entered(verona, portal):
    async def happens():
        async with with_juliet(verona) as (juliet, context, _):
            juliet.register_plugin("xep_0045")
            await juliet.plugin["xep_0045"].join_muc_wait(ROOM, "Juliet", timeout=10)
            form = await juliet.plugin["xep_0045"].get_room_config(ROOM)
            form.set_type("submit")
            await juliet.plugin["xep_0045"].set_room_config(ROOM, form)
            page = await opened(context, portal)
            await say(await talk_in(page, ROOM), "Lady, by yonder blessed moon")
            heard = await hears(juliet, "Lady, by yonder blessed moon")
            assert heard["from"] == f"{ROOM}/romeo"
            juliet.send_message(ROOM, "O, swear not by the moon", mtype="groupchat")
            said = page.locator(".chat-msg__text", has_text="O, swear not by the moon")
            await expect(said).to_be_visible()

    evening(happens)


def test_a_room_is_found_by_a_part_of_its_address(verona, portal):
    async def happens():
        async with with_juliet(verona) as (juliet, context, _):
            juliet.register_plugin("xep_0045")
            rooms = juliet.plugin["xep_0045"]
            await rooms.join_muc_wait("cell@rooms.localhost", "Juliet", timeout=10)
            form = await rooms.get_room_config("cell@rooms.localhost")
            form.set_type("submit")
            form.set_values(
                {
                    "muc#roomconfig_roomname": "Friar Laurence's cell",
                    "muc#roomconfig_publicroom": True,
                }
            )
            await rooms.set_room_config("cell@rooms.localhost", form)
            page = await opened(context, portal)
            await page.locator("#chatrooms converse-dropdown button").first.click()
            await page.locator("a.show-add-muc-modal").click()
            await page.locator("input[name=chatroom]").press_sequentially("cel")
            await page.get_by_text("Friar Laurence's cell").first.click()
            await page.locator(".modal input[name=join]").click()
            said = page.locator("[id='box-cell@rooms.localhost'] .chat-textarea")
            await expect(said).to_be_visible()

    evening(happens)


def test_a_picture_is_uploaded_and_seen(verona, portal):
    async def happens():
        async with with_juliet(verona) as (juliet, context, _):
            page = await opened(context, portal)
            await talk_with(page, "juliet")
            await page.locator("converse-chat input.fileupload").set_input_files(picture())
            while not (heard := await juliet.hears())["body"].startswith(
                verona.settings.upload_url
            ):
                pass
            shown = page.locator(f"converse-chat img[src='{heard['body']}']")
            await expect(shown).to_be_visible()
            assert (
                await shown.evaluate("image => image.decode().then(() => image.naturalWidth)")
                == 120
            )

    evening(happens)


def test_what_encryption_needs_is_made_and_published(verona, portal):
    async def happens():
        async with with_juliet(verona) as (juliet, context, _):
            juliet.register_plugin("xep_0060")
            await opened(context, portal)
            pubsub = juliet.plugin["xep_0060"]
            async with asyncio.timeout(PATIENCE / 1000):
                while True:
                    nodes = await juliet.plugin["xep_0030"].get_items("romeo@localhost")
                    if DEVICES in {node for _, node, _ in nodes["disco_items"]["items"]}:
                        break
                    await asyncio.sleep(0.1)
            found = await pubsub.get_items("romeo@localhost", DEVICES)
            assert found.xml.find(".//{eu.siacs.conversations.axolotl}device") is not None

    evening(happens)


# -- logging in --------------------------------------------------------------------------------


def test_a_token_is_good_once_and_leaves_no_trace(verona, portal):
    async def happens():
        async with browser(verona) as made, looking(made) as (context, watch):
            answers = []
            context.on(
                "response",
                lambda one: answers.append(one) if "/chat/credentials" in one.url else None,
            )
            page = await opened(context, portal)
            told = await answers[0].json()
            assert told["jid"] == "romeo@localhost"
            again = page_of(verona)
            again.secure()
            refused, why = show(again, told["token"])
            assert (condition_of(refused), why) == ("not-authorized", {"status": "invalid_token"})
            kept = await context.storage_state(indexed_db=True)
            places = [
                *watch.addresses,
                *map(str, watch.headers),
                *(path.read_text() for path in (verona.state / "log").iterdir() if path.is_file()),
                await page.content(),
                str(kept["origins"]),
                await page.evaluate("JSON.stringify(sessionStorage)"),
            ]
            assert not any(told["token"] in place for place in places)
            assert not any(PASSWORD in place for place in places)

    evening(happens)


def test_when_the_box_comes_back_the_page_does(verona, portal):
    async def happens():
        async with browser(verona) as made, looking(made) as (context, watch):
            page = await opened(context, portal)
            await asyncio.to_thread(verona.kill, "c2s")
            await expect(page.locator("#notice")).to_be_visible()
            await expect(page.locator("#notice")).to_be_hidden()
            async with people(verona, "juliet/balcony") as juliet:
                await say(await talk_with(page, "juliet"), "Here again")
                await hears(juliet, "Here again")
            assert watch.refused == []

    evening(happens)


def test_a_browser_that_was_revoked_has_to_log_in(verona, portal):
    async def happens():
        async with browser(verona) as made, looking(made) as (context, _):
            page = await opened(context, portal)
            (client,) = verona.store.clients.all("romeo")[:1]
            verona.store.clients.revoke("romeo", client.ref)
            verona.tell({"account": "romeo", "change": "revoked", "agent": client.agent})
            await expect(page.locator("input[name=password]")).to_be_visible()
            assert token_for(verona, "romeo", client.agent) is None
            await log_in(page, portal)
            await ready(page)

    evening(happens)


def test_logging_out_of_the_portal_ends_the_chat_and_what_the_browser_has_kept(verona, portal):
    async def happens():
        async with browser(verona) as made, looking(made) as (context, _):
            chat = await opened(context, portal, name="prince")
            assert await chat.evaluate("indexedDB.databases()")
            home = await context.new_page()
            await home.goto(portal)
            await home.click("form[action='/logout'] button")
            await expect(chat.locator("input[name=password]")).to_be_visible()
            assert await home.evaluate("indexedDB.databases()") == []
            assert await home.evaluate("localStorage.length") == 0

    evening(happens)


# -- on a phone, in German ---------------------------------------------------------------------


def test_it_is_in_the_readers_language_and_fits_a_phone(verona, portal):
    async def happens():
        async with browser(verona) as made, looking(made, "de-DE", **PHONE) as (context, watch):
            page = await opened(context, portal, name="benvolio")
            assert await page.evaluate("document.documentElement.lang") == "de"
            await expect(page.get_by_text("Kontakte").first).to_be_visible()
            text = await talk_with(page, "juliet")
            await expect(text).to_be_visible()
            wide = await page.evaluate("document.documentElement.scrollWidth")
            assert wide <= PHONE["viewport"]["width"]
            assert watch.refused == []

    evening(happens)
