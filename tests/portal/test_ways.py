"""The ways to the portal of a running box: its own port, c2s for those who know only the domain, and
the way from http to https."""

import re
import socket
import ssl
import time
from urllib.parse import urlencode

import pytest

from hausbote.portal import sessions
from hausbote.portal.box import Box
from support.portal import heading
from support.ways import ask
from support.worlds import KEYS, PASSWORD


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


def test_how_large_a_page_is_can_be_asked(box):
    """RFC 9110 §9.3.2, whichever way."""
    for port in (box.settings.ports.portal, box.web_port):
        whole, asked = ask(box, port, "/login"), ask(box, port, "/login", "HEAD")
        assert (asked.status, asked.text) == (200, "")
        assert asked.headers["Content-Length"] == str(len(whole.text.encode()))


def test_host_meta_stays_what_it_was(box):
    answer = ask(box, box.web_port, "/.well-known/host-meta.json")
    assert answer.headers["Content-Type"] == "application/json"


def test_nobody_says_from_where_they_come(box):
    """The field by which c2s names a client is c2s' alone."""
    for port in (box.settings.ports.portal, box.web_port):
        answer = ask(box, port, "/login", Hausbote_Address="203.0.113.5")
        assert answer.status == 200


def test_what_no_browser_sends_is_answered_all_the_same(box):
    for port in (box.settings.ports.portal, box.web_port):
        for target in (b"/login?to=\xfc", b"/\xfc", b"/%00", b"/login?%00\x80"):
            assert raw(box, port, target) in (200, 303, 404)
    assert "bug" not in box.log("c2s") + box.log("portal")


def raw(box, port, target):
    """The status of an answer to a target that libraries would not send."""
    context = ssl.create_default_context(cafile=box.ca)
    context.check_hostname = False
    with (
        socket.create_connection((box.address, port), 20) as plain,
        context.wrap_socket(plain) as sock,
    ):
        sock.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        return int(sock.makefile("rb").readline().split()[1])


def test_forms_that_are_too_large_are_refused_on_both_ways(box):
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    for port in (box.settings.ports.portal, box.web_port):
        answer = ask(box, port, "/login", "POST", body=b"name=" + b"x" * 70_000, **form)
        assert answer.status == 413
        assert "That is too large" in answer.text


def test_all_that_somebody_has_arrives_whole_on_both_ways(box):
    """It is larger than any page, and sent as it is made."""
    box.add_account("romeo")
    for number in range(2_000):
        message = (
            f"<message from='a@h' to='romeo@h' type='chat'><body>{'x' * 1_000}</body></message>"
        )
        id = int((time.time() - 3_600) * 1_000_000) + number
        box.store.archives.keep(id, message.encode(), [("romeo", "a@h")])
    box.store.settle()
    session = sessions.begin(Box(box.settings, box.store, None), "romeo", "Portal", "Linux")
    cookie = f"__Host-session={session.cookie()}"
    for port in (box.settings.ports.portal, box.web_port):
        page = ask(box, port, "/me/export", Cookie=cookie)
        visit = page.headers["Set-Cookie"].partition(";")[0]
        seal = re.search(r'name="seal" value="([^"]+)"', page.text)[1]
        form = {"Content_Type": "application/x-www-form-urlencoded", "Cookie": f"{cookie}; {visit}"}
        body = urlencode({"seal": seal, "password": PASSWORD})
        answer = ask(box, port, "/me/export", "POST", body=body, **form)
        assert answer.status == 200
        assert answer.text.endswith("</server-data>\n")
        assert answer.text.count("<body>") == 2_000


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
        assert answer.headers["Retry-After"] == "10"
    assert ask(box, box.web_port, "/.well-known/host-meta").status == 200
    box.pid("portal")  # waits until it is back
    assert ask(box, box.web_port, "/login").status == 200
