"""slixmpp reads the archive: its own XEP-0313 and XEP-0441 against the running box."""

import asyncio
from datetime import UTC, datetime

import pytest

from support.people import Person


class Reader(Person):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        for plugin in ("xep_0313", "xep_0441", "xep_0359"):
            self.register_plugin(plugin)

    @property
    def mam(self):
        return self.plugin["xep_0313"]

    async def bodies(self, **wanted):
        return [
            message["mam_result"]["forwarded"]["stanza"]["body"]
            async for message in self.mam.iterate(**wanted)
        ]


def run(box, scene):
    """The scene with romeo and juliet, who can read their archives."""

    async def play():
        everyone = [Reader(box, "romeo", "orchard"), Reader(box, "juliet", "balcony")]
        try:
            for person in everyone:
                await person.come()
            await scene(*everyone)
        finally:
            for person in everyone:
                await person.disconnect(wait=1)
        return True

    assert asyncio.run(play())


@pytest.fixture
def verona(box):
    box.add_account("romeo")
    box.add_account("juliet")
    return box


async def talk(romeo, juliet, number):
    for n in range(number):
        romeo.send_message("juliet@h", f"{n}", mtype="chat")
    for _ in range(number):
        await juliet.hears()


def test_pages_forwards_and_backwards(verona):
    async def scene(romeo, juliet):
        await talk(romeo, juliet, 25)
        everything = [f"{n}" for n in range(25)]
        assert await romeo.bodies(rsm={"max": 10}) == everything
        assert await juliet.bodies(rsm={"max": 7}) == everything
        assert await juliet.bodies(rsm={"max": 25}) == everything
        assert await juliet.bodies(reverse=True, rsm={"max": 10}) == everything[::-1]
        assert await juliet.bodies(with_jid="nurse@h") == []
        assert await juliet.bodies(with_jid="romeo@h", total=3) == everything[:3]

    run(verona, scene)


def test_a_span_of_time(verona):
    async def scene(romeo, juliet):
        before = datetime.now(UTC).replace(microsecond=0)
        await talk(romeo, juliet, 3)
        assert await juliet.bodies(start=before) == ["0", "1", "2"]
        assert await juliet.bodies(end=before) == []

    run(verona, scene)


def test_the_fields_the_ends_and_the_ids(verona):
    async def scene(romeo, juliet):
        romeo.send_message("juliet@h", "Hark!", mtype="chat")
        heard = await juliet.hears()
        assert heard["stanza_id"]["by"] == "juliet@h"
        answer = await juliet.mam.get_archive_metadata()
        ends = answer["mam_metadata"]
        assert ends["start"]["id"] == ends["end"]["id"] == heard["stanza_id"]["id"]
        fields = await juliet.mam.get_fields()
        assert {"with", "start", "end", "before-id", "after-id", "ids"} <= set(fields.get_fields())

    run(verona, scene)


def test_preferences(verona):
    async def scene(romeo, juliet):
        prefs = juliet.plugin["xep_0441"]
        answer = await prefs.set_preferences(default="never", always=["nurse@h"])
        assert answer["mam_prefs"]["default"] == "never"
        default, always, never = await prefs.get_preferences()
        assert (default, set(always), set(never)) == ("never", {"nurse@h"}, set())
        await talk(romeo, juliet, 1)
        assert await juliet.bodies() == []
        assert await romeo.bodies() == ["0"]

    run(verona, scene)
