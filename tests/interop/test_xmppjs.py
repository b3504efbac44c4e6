"""Two people with xmpp.js, the client of many web pages, over WebSocket and over TCP."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from support.worlds import PASSWORD, RunningWorld

SOURCE = Path(__file__).with_name("node")
BUILD = Path(__file__).parents[2] / "build" / "interop-node"
SAID = "Hark & <b> \"é\" 'x' \U0001f339"


@pytest.fixture(scope="module")
def program():
    """The dialogue beside its packages, which npm installs as the lock file says."""
    lock = (SOURCE / "package-lock.json").read_text()
    done = BUILD / "installed"
    BUILD.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "dialogue.js"):
        shutil.copy(SOURCE / name, BUILD / name)
    if not done.exists() or done.read_text() != lock:
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        installed = subprocess.run(command, cwd=BUILD, capture_output=True, text=True, check=False)
        assert installed.returncode == 0, installed.stderr
        done.write_text(lock)
    return BUILD / "dialogue.js"


@pytest.fixture(scope="module")
def localhost(tmp_path_factory):
    """A box with a name that this machine can look up."""
    state = tmp_path_factory.mktemp("localhost") / "state"
    world = RunningWorld(state, address="127.0.0.1", domain="localhost")
    for name in ("romeo", "juliet"):
        world.add_account(name)
    yield world
    world.close()


@pytest.mark.parametrize(
    "ways", [("wss", "wss"), ("xmpp", "xmpp"), ("wss", "xmpps")], ids=lambda ways: "-".join(ways)
)
def test_two_people_talk(localhost, program, ways):
    urls = {
        "wss": f"wss://localhost:{localhost.web_port}/xmpp-websocket",
        "xmpp": f"xmpp://localhost:{localhost.port}",
        "xmpps": f"xmpps://localhost:{localhost.tls_port}",
    }
    command = ["node", program, "localhost", PASSWORD, *(urls[way] for way in ways)]
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
