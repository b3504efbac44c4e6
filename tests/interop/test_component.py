"""A component made with a well-known library, and a user who talks with it."""

import asyncio

from slixmpp import ComponentXMPP

from support.people import people
from support.worlds import SECRET


class Bridge(ComponentXMPP):
    """Echoes messages, answers disco and version."""

    def __init__(self, box):
        super().__init__("bridge.h", SECRET, box.address, box.component_port)
        for plugin in ("xep_0030", "xep_0092", "xep_0199"):
            self.register_plugin(plugin)
        self.plugin["xep_0030"].add_identity("gateway", "xmpp", "The bridge")
        self.plugin["xep_0092"].software_name = "Bridge"
        self.presences = asyncio.Queue()
        self.add_event_handler("message", self._echo)
        self.add_event_handler("presence_available", self.presences.put_nowait)

    def _echo(self, message):
        if message["type"] in ("chat", "normal"):
            message.reply(f"{message['body']}!").send()

    async def come(self):
        self.connect()
        await self.wait_until("session_start", 10)


def test_a_user_and_a_bridge(box):
    box.add_account("romeo")

    async def evening():
        bridge = Bridge(box)
        await bridge.come()
        try:
            async with people(box, "romeo/orchard") as romeo:
                await both_ways(romeo, bridge)
        finally:
            await bridge.disconnect(wait=1)
        return True

    assert asyncio.run(evening())


async def both_ways(romeo, bridge):
    info = await romeo.plugin["xep_0030"].get_info("bridge.h")
    assert ("gateway", "xmpp", None, "The bridge") in info["disco_info"]["identities"]
    items = await romeo.plugin["xep_0030"].get_items("h")
    assert "bridge.h" in {item[0] for item in items["disco_items"]["items"]}
    version = await romeo.plugin["xep_0092"].get_version("bridge.h")
    assert version["software_version"]["name"] == "Bridge"
    romeo.send_message("nurse@bridge.h", "Hark", mtype="chat")
    heard = await romeo.hears()
    assert (heard["from"], heard["body"]) == ("nurse@bridge.h", "Hark!")
    romeo.send_presence(pto="nurse@bridge.h", pstatus="here")
    seen = await asyncio.wait_for(bridge.presences.get(), 5)
    assert (seen["from"], seen["status"]) == ("romeo@h/orchard", "here")
    bridge.send_presence(pto="romeo@h/orchard", pfrom="nurse@bridge.h", pstatus="well")
    assert (await romeo.sees("nurse@bridge.h"))["status"] == "well"
    server = await bridge.plugin["xep_0030"].get_info("h", ifrom="bridge.h")
    assert ("server", "im") in {identity[:2] for identity in server["disco_info"]["identities"]}
    assert await bridge.plugin["xep_0199"].ping("romeo@h/orchard", ifrom="bridge.h") < 5
