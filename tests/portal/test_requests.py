"""Requests that nobody sends who means well, and what every answer carries."""

import pytest

from support.portal import heading

POSTS = ("/login", "/claim", "/me/password")


def test_every_answer_is_shut_to_other_pages(portal):
    browser = portal.browser_of("juliet")
    for path in ("/", "/login", "/me", "/nothing", "/language/de"):
        headers = browser.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "*" not in policy
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"


def test_pages_have_nothing_inline_and_nothing_from_elsewhere(portal):
    import re

    browser = portal.browser_of("juliet")
    for path in ("/", "/me", "/people", "/people/romeo", "/storage", "/invitations/new", "/login"):
        text = browser.get(path).text
        assert not re.search(r"<style|style=|<script(?! src=)|javascript:| on\w+=", text), path
        assert not re.search(r'(?:src|action)="(?!/)', text), path
        assert all(
            url.startswith("/static/")
            for url in re.findall(r'(?:src|rel="stylesheet" href)="([^"]+)"', text)
        )


def test_static_files_are_named_by_their_content_and_kept_for_ever(portal):
    import re

    page = portal.browser().get("/login").text
    for url in re.findall(r'"(/static/[^"]+)"', page):
        answer = portal.browser().get(url)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("seal", ["", "0" * 64, "ü"])
def test_a_form_of_another_page_is_refused(portal, seal):
    browser = portal.browser()
    browser.get("/login")
    answer = browser.post("/login", seal=seal, name="romeo", password="wherefore art thou", to="/")
    assert (answer.status_code, heading(answer)) == (403, "That form is too old")


def test_a_seal_is_of_one_browser_and_one_session(portal):
    one, other = portal.browser_of("romeo"), portal.browser_of("romeo")
    one.get("/me/password")
    other.get("/me/password")
    answer = other.post(
        "/me/password", seal=one.seal, old="wherefore art thou", new="parting is such"
    )
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "https://box.local.evil.example", "https://["]
)
def test_a_form_sent_from_elsewhere_is_refused(portal, origin):
    browser = portal.browser()
    browser.get("/login")
    answer = browser.post("/login", origin=origin, name="romeo", password="wherefore art thou")
    assert answer.status_code == 403


def test_a_form_sent_from_here_is_taken(portal):
    browser = portal.browser()
    browser.get("/login")
    origin = "https://box.local"
    answer = browser.post(
        "/login", origin=origin, name="romeo", password="wherefore art thou", to="/"
    )
    assert answer.status_code == 303


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "box.local.evil.example",
        "",
        "a b",
        "box.local@evil",
        "[",
        "a b.local",
        "evil.example\\.local",
        "<b>.local",
    ],
)
def test_other_names_are_other_servers(portal, host):
    answer = portal.browser(host="box.local").client.get(
        "/login", headers={"Host": host}, base_url="https://box.local"
    )
    assert answer.status_code == 421


@pytest.mark.parametrize(
    "host", ["box.local", "box.local:8443", "192.0.2.8:8443", "[2001:db8::1]:8443", "localhost"]
)
def test_the_box_is_reached_by_its_name_and_by_addresses(portal, host):
    answer = portal.browser().client.get(
        "/login", headers={"Host": host}, base_url="https://box.local"
    )
    assert answer.status_code == 200


def test_links_never_come_from_the_host_field(portal):
    browser = portal.browser_of("juliet")
    kept = {name: browser.cookie(name).value for name in ("__Host-session", "__Host-visit")}
    browser.host = "192.0.2.8"
    for name, value in kept.items():
        browser.keep(name, value)
    browser.get("/invitations/new")
    made = browser.post("/invitations/new", kind="friend", days="7", times="1", note="")
    assert "https://box.local:8443/invite/" in made.text
    assert "192.0.2.8" not in made.text


def test_a_form_that_is_too_much_is_refused(portal):
    browser = portal.browser()
    browser.get("/login")
    assert browser.post("/login", name="x" * 5_000, password="y").status_code == 413
    assert browser.post("/login", **{f"f{n}": "x" for n in range(60)}).status_code == 413


@pytest.mark.parametrize("body", [b"\xff\xfe", b"name=%ff%fe&password=%00", b"&&&&=====", b"{}"])
def test_a_form_that_is_none_does_no_harm(portal, body):
    answer = portal.browser().client.post(
        "/login", data=body, content_type="application/x-www-form-urlencoded",
        headers={"Host": "box.local"}, base_url="https://box.local",
    )  # fmt: skip
    assert answer.status_code == 403


SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def test_what_people_write_is_shown_as_text(portal):
    browser = portal.browser_of("juliet")
    browser.get("/invitations/new")
    made = browser.post("/invitations/new", kind="friend", days="7", times="1", note=SCRIPT)
    shown = browser.get("/invitations")
    for page in (made, shown, browser.send("/login", "/login", name=SCRIPT, password="x")):
        assert "<script>alert" not in page.text
        assert "<img" not in page.text
    assert "&lt;script&gt;alert" in shown.text
