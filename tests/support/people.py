"""People with slixmpp, a well-known client library."""

import asyncio
from contextlib import asynccontextmanager

from slixmpp import ClientXMPP

from support.worlds import PASSWORD


class Person(ClientXMPP):
    """A slixmpp client that notes what comes."""

    def __init__(self, box, local, resource):
        super().__init__(f"{local}@{box.domain}/{resource}", PASSWORD)
        self.ca_certs = str(box.ca)
        self.box = box
        self.enable_direct_tls = False
        self.auto_authorize = None
        self.auto_subscribe = False
        for plugin in (
            "xep_0012",
            "xep_0030",
            "xep_0092",
            "xep_0199",
            "xep_0202",
            "xep_0203",
            "xep_0280",
            "xep_0352",
        ):
            self.register_plugin(plugin)
        self.messages = asyncio.Queue()
        self.presences = asyncio.Queue()
        self.requests = asyncio.Queue()
        self.add_event_handler("message", self.messages.put_nowait)
        self.add_event_handler("presence", self.presences.put_nowait)
        self.add_event_handler("presence_subscribe", self.requests.put_nowait)

    async def come(self):
        self.connect(self.box.address, self.box.port)
        await self.wait_until("session_start", 10)
        await self.get_roster()
        self.send_presence()

    async def sees(self, jid, type="available"):
        """`type` as slixmpp names it: what a presence shows, or its type."""
        while True:
            presence = await asyncio.wait_for(self.presences.get(), 5)
            if presence["from"] == jid and presence["type"] == type:
                return presence

    async def hears(self):
        return await asyncio.wait_for(self.messages.get(), 5)


@asynccontextmanager
async def people(box, *names, kind=Person):
    everyone = []
    try:
        for name in names:
            person = kind(box, *name.split("/"))
            everyone.append(person)
            await person.come()
        yield everyone if len(everyone) > 1 else everyone[0]
    finally:
        for person in everyone:
            await person.disconnect(wait=1)
