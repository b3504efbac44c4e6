"""The chat's page, its files and its tokens at the portal of a running box, without a browser."""

import html
import http.client
import json
import re
import ssl
from urllib.parse import urlencode

import pytest

from hausbote.portal import sessions
from hausbote.portal.box import Box
from hausbote.webchat import PREFIX
from support.webchat import fetch_chat, is_in, page_of, show
from support.worlds import KEYS


@pytest.fixture
def verona(box):
    """A box that has an owner: before, there is nothing but the claim."""
    fetch_chat()
    box.add_account("romeo")
    box.store.accounts.create("prince", KEYS, admin=True)
    yield box
    box.store.accounts.delete("prince", "prince@h")


@pytest.fixture
def romeo(verona):
    """His browser, which is logged in to the portal."""
    return Browser(verona, "romeo")


class Browser:
    def __init__(self, world, local=None):
        self.world = world
        self.cookies = {}
        if local is not None:
            box = Box(world.settings, world.store, None)
            self.session = sessions.begin(box, local, "Portal (Firefox)", "Linux")
            self.cookies["__Host-session"] = self.session.cookie()

    def ask(self, method, path, form=None, port=None, **headers):
        """Status, headers and body."""
        context = ssl.create_default_context(cafile=str(self.world.ca))
        context.check_hostname = False
        connection = http.client.HTTPSConnection(
            self.world.address,
            port or self.world.settings.ports.portal,
            context=context,
            timeout=30,
        )
        asked = {"Host": self.world.domain, **headers}
        if self.cookies:
            asked["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if form is not None:
            asked["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, None if form is None else urlencode(form), asked)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer.status, answer.headers, body

    def seal(self):
        _, _, body = self.ask("GET", "/chat")
        found = re.search(r'data-chat="([^"]*)"', body.decode())
        return json.loads(html.unescape(found[1]))["seal"]

    def credentials(self, **form):
        return self.ask("POST", "/chat/credentials", {"seal": self.seal()} | form)


def test_the_page_is_for_who_is_logged_in(verona, romeo):
    status, headers, _ = Browser(verona).ask("GET", "/chat")
    assert (status, headers["Location"]) == (303, "/login?to=/chat")
    status, headers, body = romeo.ask("GET", "/chat")
    assert (status, headers["Cache-Control"]) == (200, "no-store")
    assert "script-src 'self' 'wasm-unsafe-eval'" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer"
    assert b"romeo@h" in body


def test_a_token_is_for_who_is_logged_in_and_gets_them_in(verona, romeo):
    status, headers, _ = Browser(verona).ask("POST", "/chat/credentials", {})
    assert status == 303
    status, headers, body = romeo.credentials()
    told = json.loads(body)
    assert (status, told["jid"], headers["Cache-Control"]) == (200, "romeo@h", "no-store")
    client = page_of(verona)
    client.secure()
    answer, _ = show(client, told["token"], told["jid"])
    assert is_in(answer)
    client.open()
    client.bind()
    assert client.jid.startswith("romeo@h/")
    client.wire.cut()


def test_a_token_is_for_the_portals_own_page(romeo):
    assert romeo.credentials(seal="another")[0] == 403
    seal = romeo.seal()
    other = {"Origin": "https://other.example"}
    assert romeo.ask("POST", "/chat/credentials", {"seal": seal}, **other)[0] == 403
    assert romeo.ask("GET", "/chat/credentials")[0] == 405


def test_a_browser_that_was_logged_out_gets_none(verona, romeo):
    seal = romeo.seal()
    verona.store.clients.revoke("romeo", verona.store.clients.get("romeo", romeo.session.agent).ref)
    assert romeo.ask("POST", "/chat/credentials", {"seal": seal})[0] == 303


@pytest.mark.parametrize("way", ["portal", "web"])
def test_files_come_compressed_by_either_way(verona, romeo, way):
    """At the portal's own port, and by c2s for who knows only the domain."""
    _, _, page = romeo.ask("GET", "/chat")
    script = re.search(rf"{PREFIX}[0-9a-f]+/chat\.js", page.decode())[0]
    port = getattr(verona.settings.ports, way)
    stranger = Browser(verona)
    status, headers, packed = stranger.ask("GET", script, port=port, **{"Accept-Encoding": "gzip"})
    assert (status, headers["Content-Encoding"]) == (200, "gzip")
    assert "immutable" in headers["Cache-Control"]
    _, _, plain = stranger.ask("GET", script, port=port)
    assert 0 < len(packed) < len(plain)
    assert stranger.ask("GET", f"{PREFIX}0/nothing", port=port)[0] == 404


def test_logging_out_ends_the_chat_at_once(verona, romeo):
    client = page_of(verona)
    client.secure()
    told = json.loads(romeo.credentials()[2])
    show(client, told["token"])
    client.open()
    client.bind()
    status, headers, _ = romeo.ask("POST", "/logout", {"seal": romeo.seal()})
    assert (status, headers["Clear-Site-Data"]) == (303, '"storage"')
    assert client.next().tag.endswith("}error")
