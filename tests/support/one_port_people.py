"""python one_port_people.py CA PICTURE: two people of two boxes with slixmpp, who know names only.

Romeo is of montague.example and Juliet of capulet.example.  They find their servers in DNS, write to
each other, and share a picture.  Prints what happened, as JSON.
"""

import asyncio
import json
import ssl
import sys
import urllib.request
from pathlib import Path
from xml.etree import ElementTree

from slixmpp import ClientXMPP

from support.worlds import PASSWORD


class Person(ClientXMPP):
    def __init__(self, jid, ca):
        super().__init__(jid, PASSWORD)
        self.ca_certs = ca
        self.register_plugin("xep_0363")
        self.heard = asyncio.Queue()
        self.add_event_handler("message", self.heard.put_nowait)

    async def come(self):
        self.connect()
        await self.wait_until("session_start", 20)
        self.send_presence()

    async def hears(self):
        message = await asyncio.wait_for(self.heard.get(), 20)
        return message["body"]


def fetched(url, ca):
    with urllib.request.urlopen(url, context=ssl.create_default_context(cafile=ca)) as answer:
        return answer.read()


async def evening(ca, picture):
    romeo, juliet = Person("romeo@montague.example", ca), Person("juliet@capulet.example", ca)
    await romeo.come()
    await juliet.come()
    romeo.send_message("juliet@capulet.example", "But soft!")
    told = {"juliet": await juliet.hears()}
    juliet.send_message("romeo@montague.example", "Ay me!")
    told["romeo"] = await romeo.hears()
    url = await romeo.plugin["xep_0363"].upload_file(picture, domain="montague.example")
    romeo.send_message("juliet@capulet.example", url)
    told["url"] = await juliet.hears()
    told["same"] = await asyncio.to_thread(fetched, told["url"], ca) == picture.read_bytes()
    page = await asyncio.to_thread(
        fetched, "https://montague.example/.well-known/host-meta.json", ca
    )
    told["links"] = [one["href"] for one in json.loads(page)["links"]]
    ask = romeo.make_iq_get(ito="montague.example")
    ask.append(ElementTree.Element("{urn:xmpp:extdisco:2}services"))
    answer = await ask.send()
    told["services"] = [dict(one.attrib) for one in answer.xml[0]]
    for person in (romeo, juliet):
        await person.disconnect(wait=1)
    return told


ca, picture = sys.argv[1:]
print(json.dumps(asyncio.run(evening(ca, Path(picture)))))
