"""The page of the chat in the browser."""

import html
import json
import re

import pytest

from hausbote.core.threads import compute
from hausbote.webchat import Assets
from support.portal import PortalWorld, heading, words


def with_files(world, directory):
    """As if Converse.js had been fetched."""
    directory.mkdir()
    (directory / "manifest.json").write_text(json.dumps({"version": "14.0.0", "files": {}}))
    world.box.chat_assets = Assets(compute, directory)
    return world


@pytest.fixture
def chatting(portal, tmp_path):
    return with_files(portal, tmp_path / "fetched")


def told(answer):
    """What the page tells its script."""
    found = re.search(r'data-chat="([^"]*)"', answer.text)
    return json.loads(html.unescape(found[1]))


def test_the_page_says_who_and_where(chatting):
    browser = chatting.browser_of("romeo")
    page = told(browser.get("/chat"))
    assert page["converse"]["jid"] == "romeo@box.local"
    assert page["converse"]["websocket_url"] == "wss://box.local:5281/xmpp-websocket"
    assert page["converse"]["bosh_service_url"] == "https://box.local:5281/http-bind"
    assert page["converse"]["render_media"] == ["upload.box.local"]
    assert page["converse"]["assets_path"] == chatting.box.chat_assets.path
    answer = browser.post("/chat/credentials", seal=page["seal"])
    assert json.loads(answer.text)["jid"] == "romeo@box.local"


@pytest.mark.parametrize("name", ["ärger", "{x}", "a.b-c_d"])
def test_any_name_is_only_a_name(chatting, name):
    keys = chatting.store.accounts.all_keys("romeo")
    chatting.store.accounts.create(name, keys)
    answer = chatting.browser_of(name).get("/chat")
    assert told(answer)["converse"]["jid"] == f"{name}@box.local"


def test_the_page_is_in_the_language_of_its_reader(chatting):
    browser = chatting.browser_of("romeo")
    for language, said in (("de", "Der Chat braucht"), ("en", "The chat needs")):
        browser.language = language
        answer = browser.get("/chat")
        assert f'<html lang="{language}">' in answer.text
        assert said in words(answer)
        assert told(answer)["converse"]["i18n"] == language


def test_the_page_has_nothing_inline_and_nothing_from_elsewhere(chatting):
    answer = chatting.browser_of("romeo").get("/chat")
    sources = re.findall(r'(?:src|href)="([^"]*)"', answer.text)
    assert sources
    assert all(one.startswith("/") and not one.startswith("//") for one in sources)
    assert not re.search(r"<style|<script(?![^>]* src=)| style=| on\w+=", answer.text)
    assert answer.headers["Cache-Control"] == "no-store"
    policies = answer.headers.getlist("Content-Security-Policy")
    assert len(policies) == 1
    assert "script-src 'self' 'wasm-unsafe-eval'" in policies[0]


def test_without_the_files_the_page_says_what_to_do(portal, tmp_path):
    portal.box.chat_assets = Assets(compute, tmp_path / "nowhere")
    answer = portal.browser_of("romeo").get("/chat")
    assert (answer.status_code, heading(answer)) == (503, "The chat is not installed")
    assert "make webchat" in words(answer)


def test_where_it_is_turned_off_there_is_neither_page_nor_file(tmp_path):
    world = PortalWorld(tmp_path, web={"chat": "no"})
    try:
        browser = world.browser_of("romeo")
        assert browser.get("/chat").status_code == 404
        assert browser.get("/chat/assets/0/chat.js").status_code == 404
    finally:
        world.close()
