"""Logging in with the password that people chat with, and what guessing comes to."""

import hashlib
import time

import gevent
import pytest

from hausbote.base.ways import WEB
from hausbote.c2s.portal_logins import guard_of
from support.portal import PortalWorld, counted, heading, words
from support.worlds import PASSWORD


def test_a_member_logs_in_and_out(portal):
    browser = portal.browser()
    assert browser.log_in("romeo").headers["Location"] == "/"
    assert heading(browser.get("/me")) == "This is you"
    cookie = browser.cookie("__Host-session")
    assert cookie.secure
    assert cookie.http_only
    assert cookie.same_site == "Lax"
    assert browser.post("/logout").headers["Location"] == "/login"
    assert browser.get("/me").headers["Location"] == "/login?to=/me"
    # The cookie itself is good for nothing any more.
    browser.keep("__Host-session", cookie.value)
    assert browser.get("/me").status_code == 303


@pytest.mark.parametrize("name", ["romeo@box.local", " Romeo ", "ROMEO@BOX.LOCAL"])
def test_names_are_taken_as_people_type_them(portal, name):
    assert portal.browser().log_in(name).status_code == 303


def test_a_wrong_name_and_a_wrong_password_look_alike(portal):
    told = set()
    for name in ("romeo", "nobody"):
        answer = portal.browser().log_in(name, "a guess")
        assert answer.status_code == 403
        told.add(words(answer).replace(name, "NAME"))
        assert "a guess" not in answer.text
    assert len(told) == 1


def test_guessing_at_the_portal_and_elsewhere_on_the_web_is_one(tmp_path):
    """Whoever has failed here too often finds the door of web clients closed, too."""
    world = PortalWorld(tmp_path, limits={"login_attempts": 2})
    try:
        for _ in range(2):
            assert world.browser().log_in("romeo", "a guess").status_code == 403
        answer = world.browser().log_in("romeo")
        assert answer.status_code == 429
        assert "Wait five minutes" in words(answer)
        assert guard_of(world.host).refuses("192.0.2.7", WEB, "romeo", "")
        assert world.browser(address="203.0.113.5").log_in("romeo").status_code == 303
    finally:
        world.close()


@pytest.fixture
def strict(tmp_path):
    """Two wrong passwords are the most."""
    world = PortalWorld(tmp_path, limits={"login_attempts": 2})
    yield world
    world.close()


def test_who_has_tried_too_often_costs_no_processor_any_more(strict, monkeypatch):
    made = counted(monkeypatch, "passwords", "derive_keys")
    answers = [strict.browser().log_in("romeo", "a guess").status_code for _ in range(5)]
    assert answers == [403, 403, 429, 429, 429]
    assert len(made) == 2


def test_a_browser_that_was_left_open_is_no_way_around(strict, monkeypatch):
    browser = strict.browser_of("romeo")
    browser.get("/me/password")
    made = counted(monkeypatch, "passwords", "derive_keys")
    for _ in range(4):
        answer = browser.post("/me/password", old="a guess", new="it is the east and juliet")
        assert answer.status_code == 400
    assert len(made) == 2
    browser.post("/me/delete", password="a guess")
    assert len(made) == 2


def test_of_many_tries_at_once_no_more_are_looked_at(strict, monkeypatch):
    """Nor are those from the rest of somebody's own IPv6."""
    made = counted(monkeypatch, "passwords", "derive_keys")
    browsers = [strict.browser(address=f"2001:db8:0:{number}::1") for number in range(6)]
    for browser in browsers:
        browser.get("/login")
    fields = {"name": "romeo", "password": "a guess", "to": "/"}
    tries = [gevent.spawn(browser.post, "/login", **fields) for browser in browsers]
    gevent.joinall(tries, raise_error=True)
    assert sorted(one.value.status_code for one in tries) == [403] * 4 + [429] * 2
    assert len(made) == 4  # as often as all who were never in may fail with one account


def test_a_locked_account_is_told_so_only_with_its_password(portal):
    portal.store.accounts.set_locked("romeo", True)
    assert "has locked this account" in words(portal.browser().log_in("romeo"))
    assert "do not belong together" in words(portal.browser().log_in("romeo", "a guess"))


def test_a_lock_ends_what_is_open(portal):
    browser = portal.browser_of("romeo")
    portal.store.accounts.set_locked("romeo", True)
    assert browser.get("/me").headers["Location"] == "/login?to=/me"


def test_a_login_is_among_the_devices_and_hashed(portal):
    browser = portal.browser_of("romeo")
    (client,) = portal.store.clients.all("romeo")
    assert client.software.startswith("Portal (")
    secret = browser.cookie("__Host-session").value.rpartition(".")[2]
    (kept,) = portal.store.tokens.of("romeo", client.agent)
    assert kept.secret == hashlib.sha256(secret.encode()).hexdigest()
    # Revoked from any client, it is over here.
    portal.store.clients.revoke("romeo", client.ref)
    assert browser.get("/me").status_code == 303


def test_a_session_outlives_the_portal(portal):
    from hausbote.portal.application import PortalApplication

    browser = portal.browser_of("romeo")
    browser.client.application = PortalApplication(portal.box)
    assert browser.get("/me").status_code == 200


def test_a_session_ends_when_it_was_not_used_for_long(portal):
    browser = portal.browser_of("romeo")
    portal.box.clock = lambda: time.time() + 31 * 86_400
    assert browser.get("/me").status_code == 303


@pytest.mark.parametrize(
    "cookie", ["", "x", "..", "a.b.c", "=.=.=", "cm9tZW8.x.y", "ü.b.c", "a" * 3_000]
)
def test_no_cookie_is_anybody_that_was_not_given(portal, cookie):
    browser = portal.browser()
    browser.keep("__Host-session", cookie)
    assert browser.get("/me").status_code == 303


def test_a_login_takes_another_seal_than_the_visitor_had(portal):
    """Whoever has planted a cookie before knows nothing afterwards (session fixation)."""
    browser = portal.browser()
    browser.get("/login")
    before = browser.cookie("__Host-visit").value
    browser.post("/login", name="romeo", password=PASSWORD, to="/")
    assert browser.cookie("__Host-visit").value != before


def test_when_c2s_is_away_the_page_says_so(portal, monkeypatch):
    monkeypatch.setattr("hausbote.portal.asking._PATIENCE", 0.05)
    monkeypatch.setattr(portal.box.asking.bus, "send", lambda *_, **__: None)
    answer = portal.browser().log_in("romeo")
    assert answer.status_code == 503
    assert heading(answer) == "One moment"


def test_on_a_disk_that_fails_who_is_logged_in_stays_so(portal):
    """The end of a login is put off by a write, which is no reason to show nothing."""
    browser = portal.browser_of("romeo")
    (client,) = portal.store.clients.all("romeo")
    portal.box.clock = lambda: time.time() + 2 * 86_400
    with portal.no_new_sessions():
        assert browser.get("/me").status_code == 200
    assert portal.store.clients.get("romeo", client.agent).tokens_until == client.tokens_until
    assert browser.get("/me").status_code == 200
    assert portal.store.clients.get("romeo", client.agent).tokens_until > client.tokens_until
