"""The files of the chat, and what the browser may do for its page."""

import gzip
import json

import pytest

from hausbote.base.settings import Settings
from hausbote.core.threads import compute
from hausbote.net.stored import Stored
from hausbote.webchat import PREFIX, Assets
from hausbote.webchat.policy import content_policy

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
def assets(fetched):
    return Assets(compute, fetched)


def asked(assets, name, accepted="gzip, deflate, br", place=None, method="GET"):
    """Status, headers and body."""
    path = f"{place or assets.path}/{name}"
    asked = {"REQUEST_METHOD": method, "PATH_INFO": path, "HTTP_ACCEPT_ENCODING": accepted}
    told = []
    answer = assets(asked, lambda *begun: told.extend(begun))
    status, headers = told[0], dict(told[1])
    body = b"".join(pieces(answer) if isinstance(answer, Stored) else answer)
    if method != "HEAD":
        assert headers["Content-Length"] == str(len(body))
    return status, headers, body


def pieces(stored):
    at = 0
    while at < stored.size:
        piece = bytes(stored.piece(at))
        at += len(piece)
        yield piece
    stored.close()


def test_the_policy_names_nobody_but_the_box(settings):
    policy = dict(one.split(" ", 1) for one in content_policy(settings).split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self' 'wasm-unsafe-eval'"
    uploads = "https://upload.capulet.example:5443"
    assert policy["img-src"] == f"'self' data: blob: {uploads}"
    web = "https://capulet.example:5281 wss://capulet.example:5281"
    assert policy["connect-src"] == f"'self' {web} {uploads}"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"


def test_files_are_kept_for_good_at_an_address_that_changes_with_them(assets, fetched):
    status, headers, _ = asked(assets, "converse.min.js")
    assert (status, "immutable" in headers["Cache-Control"]) == ("200 OK", True)
    manifest = fetched / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"1"', '"3"'))
    assert Assets(compute, fetched).path != assets.path


def test_a_page_of_before_an_update_gets_todays_files_and_keeps_none(assets):
    status, headers, body = asked(assets, "converse.min.js", "", f"{PREFIX}0123456789abcdef")
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
def test_files_come_as_the_browser_can_read_them(assets, accepted, coding):
    _, headers, body = asked(assets, "converse.min.js", accepted)
    assert headers.get("Content-Encoding") == coding
    assert headers["Vary"] == "Accept-Encoding"
    assert body == {"br": b"as brotli", "gzip": gzip.compress(SCRIPT), None: SCRIPT}[coding]


def test_what_cannot_be_compressed_comes_as_it_is(assets):
    _, headers, body = asked(assets, "deep/sound.ogg")
    assert (headers.get("Content-Encoding"), headers["Content-Type"]) == (None, "audio/ogg")
    assert body == SCRIPT


def test_our_own_files_are_among_them(assets):
    _, headers, body = asked(assets, "chat.js")
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
def test_there_are_no_other_files(assets, path):
    assert asked(assets, path)[0] == "404 Not Found"


def test_what_they_are_can_be_asked_without_them(assets):
    for accepted, size in (("gzip", len(gzip.compress(SCRIPT))), ("", len(SCRIPT))):
        _, headers, body = asked(assets, "converse.min.js", accepted, method="HEAD")
        assert (headers["Content-Length"], body) == (str(size), b"")
    assert asked(assets, "nothing", method="HEAD")[0] == "404 Not Found"
    assert asked(assets, "chat.js", method="POST")[0] == "405 Method Not Allowed"


def test_all_who_get_a_file_get_it_from_the_same_memory(assets, fetched):
    """Nothing of a large one is held for somebody who reads slowly."""
    (fetched / "converse.min.js").write_bytes(bytes(range(256)) * 1_000)
    whole = asked(assets, "converse.min.js", "")[2]
    assert whole == bytes(range(256)) * 1_000
    told = {"REQUEST_METHOD": "GET", "PATH_INFO": f"{assets.path}/converse.min.js"}
    one, other = (assets(told, lambda *_: None) for _ in range(2))
    assert bytes(one.piece(16_384)) == bytes(other.piece(16_384)) == whole[16_384:32_768]
    assert one.piece(0).obj is other.piece(0).obj
    one.close()
    assert bytes(other.piece(0)) == whole[:16_384]


def test_without_the_files_there_are_ours(tmp_path):
    assets = Assets(compute, tmp_path)
    assert not assets.complete
    assert asked(assets, "chat.css")[0] == "200 OK"
    assert asked(assets, "converse.min.js")[0] == "404 Not Found"


@pytest.mark.parametrize(
    "off", [{"web": {"chat": "no"}}, {"ports": {"web": 0}}, {"ports": {"portal": 0}}]
)
def test_it_can_be_turned_off(tmp_path, off):
    assert Settings.from_dict({"domain": "h"}, tmp_path).has_web_chat
    assert not Settings.from_dict({"domain": "h"} | off, tmp_path).has_web_chat
