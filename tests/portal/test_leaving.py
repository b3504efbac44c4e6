"""An account that its owner wants to go: at once gone for others, and some days later for all."""

import time

import pytest

from hausbote.c2s.departures import erase_departed
from support.pep import arrives
from support.portal import PortalWorld, words
from support.sasl2_client import failure_of, log_in, user_agent
from support.worlds import PASSWORD

DAY = 86_400
NICK = "http://jabber.org/protocol/nick"


def leave(portal, local="romeo"):
    browser = portal.browser_of(local)
    browser.get("/me/delete")
    assert browser.post("/me/delete", password="a guess").status_code == 400
    assert portal.store.accounts.is_here(local)
    browser.get("/me/delete")
    answer = browser.post("/me/delete", password=PASSWORD)
    assert answer.headers["Location"] == "/login"
    portal.tell({"account": local, "change": "locked"})  # as the portal tells a running box
    return browser


def days_later(portal, days):
    portal.host.clock = lambda: time.time() + days * DAY
    erase_departed(portal.host)


@pytest.fixture
def friends(portal):
    """Romeo and juliet, who see each other."""
    romeo, juliet = (portal.client().log_in(name, PASSWORD) for name in ("romeo", "juliet"))
    for one, other in ((romeo, juliet), (juliet, romeo)):
        one.sends("<presence/>", f"<presence type='subscribe' to='{other.bare}'/>")
        one.settle()
    for one, other in ((romeo, juliet), (juliet, romeo)):
        one.sends(f"<presence type='subscribed' to='{other.bare}'/>")
        one.settle()
    romeo.forget()
    juliet.forget()
    return romeo, juliet


def test_for_others_the_account_is_gone_at_once(portal, friends):
    romeo, juliet = friends
    browser = leave(portal)
    assert browser.get("/me").status_code == 303
    assert "If you change your mind, log in here before that." in words(browser.get("/login"))
    juliet.receives(f"<presence type='unavailable' from='{romeo.jid}'/>")
    romeo.is_ended_with("reset")
    juliet.sends(f"<message to='{romeo.bare}' type='chat' id='m'><body>Romeo?</body></message>")
    juliet.receives(
        f"<message from='{romeo.bare}' type='error' id='m'><error type='cancel'><service-unavailable"
        " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    )
    client = portal.client()
    client.secure()
    assert failure_of(log_in(client, user_agent())) == "account-disabled"


def test_nobody_is_shown_what_it_has_published(portal, friends):
    """A contact who comes hears what others have published, and nothing of who wants to leave."""
    browser = portal.browser_of("romeo")
    browser.send("/me/profile", "/me/profile", name="Romeo")
    phone, desk = (portal.client().log_in("juliet", PASSWORD, name) for name in ("phone", "desk"))
    arrives(phone, NICK)
    phone.receives("<message type='headline' from='romeo@box.local'/>")
    leave(portal)
    phone.forget()
    arrives(desk, NICK)
    assert [one for one in desk.came() if one.tag.endswith("message")] == []
    assert portal.store.pubsub.node("romeo", NICK) is not None


def test_who_logs_in_to_the_portal_in_time_stays_with_everything(portal, friends):
    leave(portal)
    days_later(portal, 6)
    browser = portal.browser()
    assert browser.log_in("romeo", "a guess").status_code == 403
    assert browser.log_in("romeo").headers["Location"] == "/me"
    assert "your account stays" in words(browser.get("/me"))
    days_later(portal, 30)
    again = portal.client().log_in("romeo", PASSWORD)
    again.sends("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>")
    again.receives(
        "<iq type='result' id='r'><query xmlns='jabber:iq:roster' ver='*'>"
        f"<item jid='{friends[1].bare}' subscription='both'/></query></iq>"
    )
    page = words(browser.get("/me/security"))
    assert "The account was to be deleted today" in page
    assert "The account stayed after all today" in page


def test_what_contacts_end_meanwhile_is_ended(portal, friends):
    _, juliet = friends
    leave(portal)
    juliet.settle()
    juliet.forget()
    juliet.sends("<presence type='unsubscribe' to='romeo@box.local'/>")
    juliet.settle()
    portal.browser_of("romeo")
    assert portal.store.rosters.load("romeo").items["juliet@box.local"].subscription == "to"


def test_when_the_days_are_over_it_is_deleted_with_all_that_it_has(portal, friends):
    _, juliet = friends
    leave(portal)
    juliet.settle()
    juliet.forget()
    days_later(portal, 8)
    assert not portal.store.accounts.exists("romeo")
    assert portal.browser().log_in("romeo").status_code == 403
    juliet.sends("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>")
    roster = juliet.answer("r")
    assert 'subscription="none"' in _written(roster)


def _written(element):
    from lxml import etree

    return etree.tostring(element).decode()


def test_one_that_is_being_deleted_cannot_be_taken_back(portal):
    """Somebody logs in just then; what a service that was killed has left is deleted later."""
    leave(portal)
    assert portal.store.accounts.take_departed(int(time.time()) + 8 * DAY) == ["romeo"]
    assert portal.browser().log_in("romeo").status_code == 403
    assert not portal.store.accounts.set_locked("romeo", False)
    erase_departed(portal.host)
    assert not portal.store.accounts.exists("romeo")


def test_an_administrator_lets_it_in_again(portal):
    leave(portal)
    owner = portal.browser_of("juliet")
    assert "romeo wants to leave." in words(owner.get("/people/romeo"))
    owner.post("/people/romeo", do="unlock")
    days_later(portal, 8)
    assert portal.browser().log_in("romeo").status_code == 303


def test_a_lock_is_not_undone_by_coming_back(portal):
    leave(portal)
    owner = portal.browser_of("juliet")
    owner.send("/people/romeo", "/people/romeo", do="lock")
    assert portal.browser().log_in("romeo").status_code == 403
    days_later(portal, 8)
    assert not portal.store.accounts.exists("romeo")


def test_without_days_it_goes_at_once(tmp_path):
    portal = PortalWorld(tmp_path, retention={"leaving_days": 0})
    try:
        browser = portal.browser_of("romeo")
        page = words(browser.get("/me/delete"))
        assert "nobody can bring them back" in page
        assert "log in here" not in page
        browser.post("/me/delete", password=PASSWORD)
        assert not portal.store.accounts.exists("romeo")
        assert browser.get("/me").status_code == 303
    finally:
        portal.close()
