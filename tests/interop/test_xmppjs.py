"""Two people with xmpp.js, the client of many web pages, over WebSocket and over TCP."""

import os
import re
import subprocess

import pytest

from support.worlds import PASSWORD

SAID = "Hark & <b> \"é\" 'x' \U0001f339"


@pytest.mark.parametrize(
    "ways", [("wss", "wss"), ("xmpp", "xmpp"), ("wss", "xmpps")], ids=lambda ways: "-".join(ways)
)
def test_two_people_talk(localhost, node, ways):
    urls = {
        "wss": f"wss://localhost:{localhost.web_port}/xmpp-websocket",
        "xmpp": f"xmpp://localhost:{localhost.port}",
        "xmpps": f"xmpps://localhost:{localhost.tls_port}",
    }
    command = ["node", node / "dialogue.js", "localhost", PASSWORD, *(urls[way] for way in ways)]
    trust = os.environ | {"NODE_EXTRA_CA_CERTS": str(localhost.ca)}
    done = subprocess.run(
        command, env=trust, capture_output=True, text=True, timeout=60, check=False
    )
    # By Bind 2 the resource is "node" and something that the server chose for this client.
    said = re.sub(r"localhost/node(/[\w-]+)?", "localhost/node", done.stdout)
    assert said.splitlines() == [
        "romeo is romeo@localhost/node",
        "juliet is juliet@localhost/node",
        f"romeo@localhost/node said {SAID}",
        f"juliet@localhost/node said {SAID}",
        "the roster has 0",
        "juliet is gone: service-unavailable",
        "done",
    ], done.stderr
