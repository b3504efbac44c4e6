"""slixmpp comes back to its session after its connection broke (XEP-0198)."""

import asyncio

import pytest

from support.people import Person, people


class Roamer(Person):
    """Somebody whose connection breaks at times."""

    def __init__(self, box, local, resource):
        super().__init__(box, local, resource)
        self.register_plugin("xep_0198")
        self.resumptions = asyncio.Queue()
        self.add_event_handler("session_resumed", self.resumptions.put_nowait)

    def lose_connection(self):
        self.transport.abort()

    async def come_back(self):
        self.connect(self.box.address, self.box.port)
        await asyncio.wait_for(self.resumptions.get(), 10)


@pytest.fixture
def verona(box):
    box.add_account("romeo")
    box.add_account("juliet")
    return box


def test_nothing_is_lost_or_doubled_over_broken_connections(verona):
    async def evening():
        async with people(verona, "romeo/orchard", "juliet/balcony", kind=Roamer) as (
            romeo,
            juliet,
        ):
            said = 0
            for _ in range(4):
                romeo.lose_connection()
                for _ in range(3):
                    juliet.send_message("romeo@h/orchard", str(said), mtype="chat")
                    said += 1
                await juliet.plugin["xep_0199"].ping("h")
                await romeo.come_back()
                for number in range(said - 3, said):
                    assert (await romeo.hears())["body"] == str(number)
                romeo.send_message("juliet@h/balcony", f"{said} heard", mtype="chat")
                assert (await juliet.hears())["body"] == f"{said} heard"
            await romeo.plugin["xep_0199"].ping("h")
            assert romeo.messages.empty()
            assert romeo.boundjid.full == "romeo@h/orchard"
        return True

    assert asyncio.run(evening())
