"""What a browser finds on ports.web (XEP-0156), and what it is allowed to read."""

import json

import pytest
from lxml import etree

from support.web import asked
from support.worlds import RunningWorld

XBOSH = "urn:xmpp:alt-connections:xbosh"
WEBSOCKET = "urn:xmpp:alt-connections:websocket"


def test_the_ways_in_are_listed(box):
    status, headers, body = asked(box, "GET", "/.well-known/host-meta")
    found = {link.get("rel"): link.get("href") for link in etree.fromstring(body)}
    assert (status, headers["Content-Type"]) == (200, "application/xrd+xml")
    base = f"h:{box.web_port}"
    assert found == {
        XBOSH: f"https://{base}/http-bind",
        WEBSOCKET: f"wss://{base}/xmpp-websocket",
    }
    _, headers, body = asked(box, "GET", "/.well-known/host-meta.json")
    assert headers["Content-Type"] == "application/json"
    assert {link["rel"]: link["href"] for link in json.loads(body)["links"]} == found


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/.well-known/host-meta", 200),
        ("HEAD", "/.well-known/host-meta.json", 200),
        ("POST", "/.well-known/host-meta", 405),
        ("GET", "/http-bind", 405),
        ("DELETE", "/http-bind", 405),
        ("POST", "/xmpp-websocket", 405),
        ("OPTIONS", "/http-bind", 204),
        ("OPTIONS", "/.well-known/host-meta.json", 204),
        ("OPTIONS", "/xmpp-websocket", 204),
    ],
)
def test_every_answer_may_be_read_by_pages_from_elsewhere(box, method, path, status):
    _may_be_read(box, method, path, status)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 303),  # to the log-in, or to the claim
        ("HEAD", "/", 303),
        ("GET", "/elsewhere", 404),
        ("GET", "/../../etc/passwd", 404),
    ],
)
def test_pages_of_the_portal_may_be_read_by_no_others(box, method, path, status):
    got, headers, body = asked(box, method, path, Origin="null")
    assert got == status
    assert "Access-Control-Allow-Origin" not in headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert b"root:" not in body


@pytest.fixture(scope="module")
def without_portal(tmp_path_factory):
    made = RunningWorld(tmp_path_factory.mktemp("box") / "state", address="127.0.0.76")
    yield made
    made.close()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("HEAD", "/", 200),
        ("GET", "/elsewhere", 404),
        ("GET", "/../../etc/passwd", 404),
    ],
)
def test_without_a_portal_the_rest_may_be_read_as_well(without_portal, method, path, status):
    _may_be_read(without_portal, method, path, status)


def _may_be_read(box, method, path, status):
    got, headers, body = asked(box, method, path, Origin="null")
    assert (got, headers["Access-Control-Allow-Origin"]) == (status, "*")
    assert headers["X-Content-Type-Options"] == "nosniff"
    if method == "HEAD":
        assert body == b""
        assert int(headers["Content-Length"]) > 0
    if status in (204, 405):
        assert "OPTIONS" in headers["Allow"]
    if status == 204:
        assert "POST" in headers["Access-Control-Allow-Methods"]
        assert headers["Access-Control-Allow-Headers"] == "Content-Type"
