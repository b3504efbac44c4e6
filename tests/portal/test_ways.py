"""The ways to the portal of a running box: its own port, c2s for those who know only the domain, and
the way from http to https."""

import pytest

from support.portal import heading
from support.ways import ask
from support.worlds import KEYS


@pytest.fixture(autouse=True)
def owner(box):
    """Until it has one, a box has no page but the claim."""
    if not box.store.accounts.admins():
        box.store.accounts.create("owner", KEYS, admin=True)


def test_both_ways_show_the_same_page(box):
    for port in (box.settings.ports.portal, box.web_port):
        answer = ask(box, port, "/login")
        assert (answer.status, heading(answer)) == (200, "Good to see you")
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers.get("Access-Control-Allow-Origin") is None
        assert answer.headers["Set-Cookie"].startswith("__Host-visit=")
        assert ask(box, port, "/nothing").status == 404
        assert ask(box, port, "/login", "DELETE").status == 405
        assert ask(box, port, "/login", Host="evil.example").status == 421


def test_host_meta_stays_what_it_was(box):
    answer = ask(box, box.web_port, "/.well-known/host-meta.json")
    assert answer.headers["Content-Type"] == "application/json"


def test_nobody_says_from_where_they_come(box):
    """The field by which c2s names a client is c2s' alone."""
    for port in (box.settings.ports.portal, box.web_port):
        answer = ask(box, port, "/login", Hausbote_Address="203.0.113.5")
        assert answer.status == 200


def test_forms_that_are_too_large_are_refused_on_both_ways(box):
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    for port in (box.settings.ports.portal, box.web_port):
        answer = ask(box, port, "/login", "POST", body=b"name=" + b"x" * 70_000, **form)
        assert answer.status == 413


def test_http_leads_to_https(box):
    port, tls = box.settings.ports.portal_http, box.settings.ports.portal
    for host, path, where in (
        ("h", "/me/files", f"https://h:{tls}/me/files"),
        ("127.0.0.9", "/", f"https://127.0.0.9:{tls}/"),
        ("evil.example", "/", f"https://h:{tls}/"),
        ("h", "//evil.example", f"https://h:{tls}/"),
    ):
        answer = ask(box, port, path, plain=True, Host=host)
        assert (answer.status, answer.headers["Location"]) == (301, where)


def test_while_the_portal_is_away_the_rest_goes_on(box):
    box.kill("portal")
    answer = ask(box, box.web_port, "/login")
    if answer.status != 200:  # it may be back already
        assert (answer.status, heading(answer)) == (503, "One moment")
    assert ask(box, box.web_port, "/.well-known/host-meta").status == 200
    box.pid("portal")  # waits until it is back
    assert ask(box, box.web_port, "/login").status == 200
