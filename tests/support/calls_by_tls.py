"""python calls_by_tls.py ADDRESS PORT CA PEER < CREDENTIALS: two who reach the relay by TLS only.

CREDENTIALS are two pairs of name and password, as JSON.  One sends to PEER, which sends everything
back; then the two send to each other.  Prints what each of them received, as JSON.  The client is
aioice's.
"""

import asyncio
import json
import ssl
import sys

from aioice.turn import create_turn_endpoint

_ECHO = 3480  # the port of turnutils_peer


class End(asyncio.DatagramProtocol):
    """One person's end of a call."""

    def __init__(self):
        self.received = asyncio.Queue()

    def datagram_received(self, data, _address):
        self.received.put_nowait(data.decode())

    async def hears(self):
        return await asyncio.wait_for(self.received.get(), 10)


async def call(server, context, peer, people):
    ends = [
        await create_turn_endpoint(
            End,
            server_addr=server,
            username=username,
            password=password,
            ssl=context,
            transport="tcp",
        )
        for username, password in people
    ]
    (romeo, at_romeo), (juliet, at_juliet) = ends
    romeo.sendto(b"But soft!", (peer, _ECHO))
    heard = [await at_romeo.hears()]
    addresses = [transport.get_extra_info("sockname") for transport, _ in ends]
    juliet.sendto(b"Ay me!", addresses[0])  # opens her side for him; he has not opened his yet
    await asyncio.sleep(1)
    romeo.sendto(b"She speaks", addresses[1])
    heard.append(await at_juliet.hears())
    juliet.sendto(b"O Romeo", addresses[0])
    heard.append(await at_romeo.hears())
    for transport, _ in ends:
        transport.close()
    return heard


address, port, ca, peer = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
context.check_hostname = False  # it is asked for by its address
people = json.load(sys.stdin)
print(json.dumps(asyncio.run(call((address, int(port)), context, peer, people))))
