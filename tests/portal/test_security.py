"""What happened to one's account, as its page tells it."""

import re

import pytest

from hausbote.c2s.account_events import write_failures
from support.client import Client
from support.portal import words
from support.sasl2_client import DESK, log_in, user_agent
from support.worlds import PASSWORD, RunningWorld

_LINK = re.compile(r"https://[^/]+(/invite/[A-Za-z0-9_-]+)")
NEW = "parting is such sweet sorrow"


def told(portal, local="romeo", **more):
    """The page, as a browser shows it that was logged in before."""
    return words(portal.browser_of(local).get("/me/security", **more))


def chat(portal, id=DESK, device="Kiva's phone"):
    client = portal.client()
    client.secure()
    return log_in(client, user_agent(id, "AwesomeXMPP", device))


def test_a_device_is_told_when_it_comes_first(portal):
    chat(portal)
    chat(portal)
    page = told(portal)
    assert page.count("A new device logged in: AwesomeXMPP, Kiva's phone today") == 1
    assert "A new device logged in: Portal (Browser) today" in page
    assert "AwesomeXMPP" not in told(portal, "juliet")


def test_what_a_device_calls_itself_is_text(portal):
    chat(portal, device="&lt;script&gt;alert(1)&lt;/script&gt;")
    page = portal.browser_of("romeo").get("/me/security").text
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page


def test_wrong_passwords_are_counted_by_the_day(portal):
    for _ in range(2):
        portal.browser().log_in("romeo", "a guess")
    client = portal.client()
    client.secure()
    log_in(client, password="a guess")
    portal.browser().log_in("nobody", "a guess")
    assert "wrong password" not in told(portal)  # it is not written yet
    write_failures(portal.host)
    portal.browser().log_in("romeo", "a guess")
    write_failures(portal.host)
    assert "A wrong password was tried 4 times today" in told(portal)
    assert "wrong password" not in told(portal, "juliet")


def test_guesses_at_a_password_make_no_other_event_go(portal):
    portal.store.accounts.set_keys("romeo", portal.store.accounts.all_keys("romeo"))
    for day in range(1, 200):
        portal.store.account_events.add_failures({"romeo": 3}, day * 86_400)
    portal.store.settle()
    assert "The password was changed" in told(portal)
    assert len(portal.store.account_events.of("romeo")) < 60


def test_passwords_links_and_locks_are_told(portal):
    owner = portal.browser_of("juliet")
    page = owner.send("/people/romeo", "/people/romeo/reset")
    path = _LINK.search(page.text)[1]
    assert portal.browser().send(path, path, password=NEW).headers["Location"] == "/"
    for do in ("lock", "unlock", "unlock"):
        owner.send("/people/romeo", "/people/romeo", do=do)
    browser = portal.browser()
    browser.log_in("romeo", NEW)
    browser.send("/me/password", "/me/password", old=NEW, new=PASSWORD)
    page = words(browser.get("/me/security"))
    for sentence in (
        "A link for a new password was made today",
        "A new password was chosen by a link today",
        "The account was locked today",
        "The account was let in again today",
        "The password was changed today",
    ):
        assert page.count(sentence) == 1, sentence


def test_it_is_told_in_german(portal):
    portal.browser().log_in("romeo", "a guess")
    write_failures(portal.host)
    browser = portal.browser(language="de")
    browser.log_in("romeo")
    page = words(browser.get("/me/security"))
    assert "Einmal wurde ein falsches Passwort versucht heute" in page


def test_what_is_old_is_forgotten(portal):
    portal.browser_of("romeo")
    portal.store.account_events.prune(2**40)
    portal.store.settle()
    assert portal.store.account_events.of("romeo") == []


@pytest.fixture
def running(tmp_path):
    world = RunningWorld(tmp_path, address="127.0.0.93")
    yield world
    world.close()


def test_a_box_that_stops_has_written_what_was_tried(running):
    running.add_account("romeo")
    client = Client(running.wire(), running.domain)
    client.secure()
    log_in(client, user_agent(DESK), password="a guess")
    running.stop()
    (event,) = running.store.account_events.of("romeo")
    assert (event.kind, event.times) == ("failed", 1)
    running.start()
