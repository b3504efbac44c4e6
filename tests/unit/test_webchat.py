"""The page of the chat and its files, as whoever mounts them gets them."""

import gzip
import html
import json
import re

import pytest

from hausbote.base.settings import Settings
from hausbote.webchat import PREFIX, WebChat
from hausbote.webchat.policy import content_policy
from hausbote.webchat.words import WORDS

SCRIPT = b"'use strict';" * 100


@pytest.fixture
def settings(tmp_path):
    return Settings.from_dict({"domain": "capulet.example"}, tmp_path)


@pytest.fixture
def fetched(tmp_path):
    """As `make webchat` leaves it."""
    place = tmp_path / "static"
    (place / "deep").mkdir(parents=True)
    for name, codings in (("converse.min.js", ["br", "gzip"]), ("deep/sound.ogg", [])):
        (place / name).write_bytes(SCRIPT)
        for coding in codings:
            end = {"br": ".br", "gzip": ".gz"}[coding]
            packed = gzip.compress(SCRIPT) if coding == "gzip" else b"as brotli"
            (place / f"{name}{end}").write_bytes(packed)
    files = {
        "converse.min.js": {"sha256": "1", "codings": ["br", "gzip"]},
        "deep/sound.ogg": {"sha256": "2", "codings": []},
    }
    (place / "manifest.json").write_text(json.dumps({"version": "14.0.0", "files": files}))
    return place


@pytest.fixture
def chat(settings, fetched):
    return WebChat(settings, fetched=fetched)


def told(answer):
    """What the page tells its script."""
    found = re.search(r'data-chat="([^"]*)"', answer.body.decode())
    return json.loads(html.unescape(found[1]))


def place_of(chat):
    return told(chat.page("romeo", "en", "seal"))["converse"]["assets_path"]


def asked(chat, name, accepted="gzip, deflate, br", place=None):
    answer = chat.asset(f"{place or place_of(chat)}/{name}", accepted)
    return answer.status, dict(answer.headers), answer.body


def test_the_page_says_who_and_where(chat):
    page = told(chat.page("romeo", "en", "a seal"))
    assert page["seal"] == "a seal"
    assert page["converse"]["jid"] == "romeo@capulet.example"
    assert page["converse"]["websocket_url"] == "wss://capulet.example:5281/xmpp-websocket"
    assert page["converse"]["bosh_service_url"] == "https://capulet.example:5281/http-bind"
    assert page["converse"]["render_media"] == ["upload.capulet.example"]


@pytest.mark.parametrize(
    "name", ["o'brien", '"><script>alert(1)</script>', "&quot;", "ärger", "{x}"]
)
def test_any_name_is_only_a_name(chat, name):
    answer = chat.page(name, "en", "seal")
    assert told(answer)["converse"]["jid"] == f"{name}@capulet.example"
    assert b"<script>" not in answer.body


def test_the_page_is_in_german_and_else_in_english(chat):
    for language, lang in (("de", "de"), ("en", "en"), ("fr", "en")):
        answer = chat.page("romeo", language, "seal")
        assert f'<html lang="{lang}">' in answer.body.decode()
        assert told(answer)["converse"]["i18n"] == lang
    assert WORDS["de"].keys() == WORDS["en"].keys()


def test_the_page_has_nothing_inline_and_nothing_from_elsewhere(chat):
    answer = chat.page("romeo", "en", "seal")
    text = answer.body.decode()
    sources = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert sources
    assert all(one.startswith("/") and not one.startswith("//") for one in sources)
    assert not re.search(r"<style|<script(?![^>]* src=)| style=| on\w+=", text)
    assert dict(answer.headers)["Cache-Control"] == "no-store"


def test_the_policy_names_nobody_but_the_box(settings):
    policy = dict(one.split(" ", 1) for one in content_policy(settings).split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self' 'wasm-unsafe-eval'"
    uploads = "https://upload.capulet.example:5443"
    assert policy["img-src"] == f"'self' data: blob: {uploads}"
    web = "https://capulet.example:5281 wss://capulet.example:5281"
    assert policy["connect-src"] == f"'self' {web} {uploads}"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"


def test_files_are_kept_for_good_at_an_address_that_changes_with_them(chat, settings, fetched):
    status, headers, _ = asked(chat, "converse.min.js")
    assert (status, "immutable" in headers["Cache-Control"]) == ("200 OK", True)
    manifest = fetched / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"1"', '"3"'))
    assert place_of(WebChat(settings, fetched=fetched)) != place_of(chat)


def test_a_page_of_before_an_update_gets_todays_files_and_keeps_none(chat):
    status, headers, body = asked(chat, "converse.min.js", "", f"{PREFIX}0123456789abcdef")
    assert (status, headers["Cache-Control"], body) == ("200 OK", "no-store", SCRIPT)


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("GZIP;q=0.5", "gzip"),
        ("br;q=0, gzip;q=1.0", "gzip"),
        ("br; q=0", None),
        ("", None),
        ("identity", None),
        ("x" * 10_000, None),
    ],
)
def test_files_come_as_the_browser_can_read_them(chat, accepted, coding):
    _, headers, body = asked(chat, "converse.min.js", accepted)
    assert headers.get("Content-Encoding") == coding
    assert headers["Vary"] == "Accept-Encoding"
    assert body == {"br": b"as brotli", "gzip": gzip.compress(SCRIPT), None: SCRIPT}[coding]


def test_what_cannot_be_compressed_comes_as_it_is(chat):
    _, headers, body = asked(chat, "deep/sound.ogg")
    assert (headers.get("Content-Encoding"), headers["Content-Type"]) == (None, "audio/ogg")
    assert body == SCRIPT


def test_our_own_files_are_among_them(chat):
    _, headers, body = asked(chat, "chat.js")
    assert headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert b".initialize(" in gzip.decompress(body)


@pytest.mark.parametrize(
    "path",
    [
        "manifest.json",
        "../chat.py",
        "deep/../converse.min.js",
        "",
        "/etc/passwd",
        "converse.min.js.gz",
    ],
)
def test_there_are_no_other_files(chat, path):
    assert asked(chat, path)[0] == "404 Not Found"
    assert chat.asset(path, "").status == "404 Not Found"


def test_a_file_is_read_once(settings, fetched):
    read = []
    chat = WebChat(
        settings, read=lambda path: read.append(path) or path.read_bytes(), fetched=fetched
    )
    for _ in range(3):
        asked(chat, "converse.min.js")
    assert [path.name for path in read] == ["converse.min.js.br"]


def test_without_the_files_the_page_says_what_to_do(settings, tmp_path):
    for language, words in WORDS.items():
        answer = WebChat(settings, fetched=tmp_path).page("romeo", language, "seal")
        assert answer.status == "503 Service Unavailable"
        assert html.escape(words["missing"]) in answer.body.decode()
        assert "make webchat" in html.unescape(answer.body.decode())


@pytest.mark.parametrize(
    "off", [{"web": {"chat": "no"}}, {"ports": {"web": 0}}, {"ports": {"portal": 0}}]
)
def test_it_can_be_turned_off(tmp_path, off):
    assert Settings.from_dict({"domain": "h"}, tmp_path).has_web_chat
    assert not Settings.from_dict({"domain": "h"} | off, tmp_path).has_web_chat
