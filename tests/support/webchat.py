"""A page of the portal that logs in, written for the tests: what is sent is what the RFC prints."""

import base64
import json
import subprocess
import sys
import time
from pathlib import Path

from hausbote.base.ways import WEB, foreign
from hausbote.webchat import make_credentials
from support.client import SASL
from support.web import BoshWire, FramedClient, WebSocketWire

BROWSER = "portal:a-browser"
HEARD = "AQ=="  # what answers why a token was refused: the byte 1


def fetch_chat():
    """Converse.js, as `make webchat` does; nothing if it is there."""
    tool = Path(__file__).parents[2] / "tools" / "webchat.py"
    subprocess.run([sys.executable, tool], check=True)


def remember_browser(world, local, agent=BROWSER):
    """As the portal does when somebody logs in."""
    now = int(time.time())
    world.store.clients.remember(local, agent, now, software="Browser", device="Firefox").wait()


def token_for(world, local, agent=BROWSER, now=None):
    """What the page of that browser gets from the portal."""
    now = time.time() if now is None else now
    made = make_credentials(world.store, world.settings, local, agent, now)
    return None if made is None else made.token


def page_of(world, way="websocket", origin=None):
    """A client that comes as a page of the box does, or as one from `origin`."""
    if world.name == "memory":
        return world.client(way=foreign(origin) if origin else WEB)
    wire = WebSocketWire if way == "websocket" else BoshWire
    return FramedClient(wire(world, origin=origin), world.domain)


def mechanisms_of(features):
    return [one.text for one in features.iter(f"{{{SASL}}}mechanism")]


def first_message(token, name=""):
    return f"n,{f'a={name}' if name else ''},\x01auth=Bearer {token}\x01\x01".encode()


def show(client, token, name=""):
    """The server's last word to a token, <success/> or <failure/>, and what it said of a wrong one."""
    initial = base64.b64encode(first_message(token, name)).decode()
    client.send(f"<auth xmlns='{SASL}' mechanism='OAUTHBEARER'>{initial}</auth>")
    answer, told = client.next(12), None
    if answer.tag == f"{{{SASL}}}challenge":
        told = json.loads(base64.b64decode(answer.text))
        client.send(f"<response xmlns='{SASL}'>{HEARD}</response>")
        answer = client.next(12)
    return answer, told


def is_in(answer):
    return answer.tag == f"{{{SASL}}}success"


def condition_of(answer):
    assert answer.tag == f"{{{SASL}}}failure", answer.tag
    return answer[0].tag.partition("}")[2]


def opened(world, token, resource=None, **how):
    """A page that is logged in and has a resource."""
    client = page_of(world, **how)
    client.secure()
    answer, _ = show(client, token)
    assert is_in(answer), answer.tag
    client.open()
    client.bind(resource)
    return client
