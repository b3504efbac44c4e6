"""Two people with StanzaJS, as its own readme has it: over WebSocket and over BOSH."""

import os
import subprocess

import pytest

from support.worlds import PASSWORD

SAID = "Hark & <b> \"é\" 'x' \U0001f339"


@pytest.mark.parametrize(
    ("way", "url"),
    [
        ("websocket", "wss://localhost:{}/xmpp-websocket"),
        ("bosh", "https://localhost:{}/http-bind"),
    ],
)
def test_two_people_talk(localhost, node, way, url):
    where = url.format(localhost.web_port)
    command = ["node", node / "stanza.js", "localhost", PASSWORD, way, where]
    trust = os.environ | {"NODE_EXTRA_CA_CERTS": str(localhost.ca)}
    done = subprocess.run(
        command, env=trust, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.splitlines() == [
        "romeo is romeo@localhost/stanza",
        "juliet is juliet@localhost/stanza",
        f"romeo@localhost/stanza said {SAID}",
        f"juliet@localhost/stanza said {SAID}",
        "the roster has 0",
        "done",
    ], done.stderr
