"""Invitations: made, shown, followed in the browser, and what is said of those that are over."""

import re
import time

import pytest

from support.portal import PortalWorld, counted, heading, words
from support.worlds import PASSWORD

_LINK = re.compile(r"https://box\.local:8443(/invite/\w+)")


def invite(portal, who="juliet", **fields):
    """The path of a new invitation."""
    browser = portal.browser_of(who)
    browser.get("/invitations/new")
    made = browser.post(
        "/invitations/new", **({"kind": "friend", "days": "7", "times": "1"} | fields)
    )
    assert made.status_code == 200, words(made)
    return _LINK.search(made.text)[1]


def follow(portal, path, name="benvolio", password=PASSWORD, **more):
    """A form that was opened before may be sent at any time."""
    return portal.browser(**more).send("/login", path, name=name, password=password)


def test_an_invited_person_is_in_and_has_a_contact(portal):
    path = invite(portal)
    browser = portal.browser()
    page = browser.get(path)
    assert heading(page) == "Juliet invites you"
    assert "xmpp:juliet@box.local?roster;preauth=" in page.text
    assert "<svg" in page.text
    answer = browser.post(path, name="Benvolio", password=PASSWORD)
    assert answer.headers["Location"] == "/welcome"
    assert heading(browser.get("/welcome")) == "Welcome, Benvolio"
    roster = portal.store.rosters.load("benvolio").items
    assert roster["juliet@box.local"].subscription == "both"
    # The same name and password are good for clients.
    portal.client().log_in("benvolio", PASSWORD, "phone")


def test_a_used_link_says_so(portal):
    path = invite(portal)
    assert follow(portal, path).status_code == 303
    page = portal.browser().get(path)
    assert (page.status_code, heading(page)) == (410, "This link was used already")
    assert follow(portal, path, "mercutio").status_code == 410
    assert not portal.store.accounts.exists("mercutio")


def test_expired_withdrawn_and_wrong_links_say_which(portal):
    path = invite(portal)
    real = portal.box.clock
    portal.box.clock = lambda: time.time() + 8 * 86_400
    assert heading(portal.browser().get(path)) == "This link has expired"
    portal.box.clock = real
    owner = portal.browser_of("juliet")
    (one,) = portal.store.invitations.all()
    owner.get("/invitations")
    assert owner.post(f"/invitations/{one.id}/withdraw").status_code == 303
    assert heading(portal.browser().get(path)) == "This link was withdrawn"
    page = portal.browser().get("/invite/" + "a" * 32)
    assert (page.status_code, heading(page)) == (404, "This link leads to no invitation")


def test_a_link_for_several_is_good_for_so_many(portal):
    path = invite(portal, times="5")
    for name in ("benvolio", "mercutio", "paris", "tybalt", "balthasar"):
        assert follow(portal, path, name).status_code == 303
    assert follow(portal, path, "gregory").status_code == 410


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("romeo", "This name is taken."),
        ("admin", "could be taken for somebody else"),
        ("rоmeo", "could be taken for somebody else"),  # with a Cyrillic o
        ("a b", "Use letters"),
        ("", "Choose a name."),
        ("x@elsewhere.example", "Addresses here end with @box.local"),
    ],
)
def test_names_that_cannot_be_are_told_and_the_link_stays_good(portal, name, told):
    path = invite(portal)
    answer = follow(portal, path, name)
    assert answer.status_code in (400, 409)
    assert told in words(answer)
    assert PASSWORD not in answer.text
    assert follow(portal, path).status_code == 303


def test_too_many_newcomers_of_one_network_have_to_wait(tmp_path):
    world = PortalWorld(tmp_path, limits={"registrations_per_hour": 1})
    try:
        path = invite(world, times="5")
        assert follow(world, path, "benvolio").status_code == 303
        answer = follow(world, path, "mercutio")
        assert (answer.status_code, heading(answer)) == (429, "Too many at once")
        assert follow(world, path, "paris", address="203.0.113.77").status_code == 303
    finally:
        world.close()


def test_who_follows_links_too_often_costs_no_processor(tmp_path, monkeypatch):
    world = PortalWorld(tmp_path, limits={"registrations_per_hour": 1})
    try:
        path = invite(world, times="5")
        made = counted(monkeypatch, "people", "keys_for")
        answers = [follow(world, path, "romeo").status_code for _ in range(6)]
        assert answers == [409, 409, 409, 409, 429, 429]  # the name is taken
        assert len(made) == 4
    finally:
        world.close()


def test_an_administrator_can_be_invited_by_one_only(portal):
    follow(portal, invite(portal, role="administrator"))
    assert portal.store.accounts.is_admin("benvolio")


def test_members_invite_contacts_and_no_more(portal):
    browser = portal.browser_of("romeo")
    assert "Somebody who gets an account" not in words(browser.get("/invitations/new"))
    answer = browser.post(
        "/invitations/new", kind="friend", days="7", times="1", role="administrator"
    )
    assert answer.status_code == 400
    assert portal.store.invitations.all() == []
    path = invite(portal, "romeo", kind="contact")
    page = portal.browser().get(path)
    assert "xmpp:romeo@box.local?roster;preauth=" in page.text
    assert "<form" not in page.text
    assert follow(portal, path).status_code == 404


def test_members_see_and_withdraw_their_own_only(portal):
    invite(portal, note="from juliet")
    (one,) = portal.store.invitations.all()
    browser = portal.browser_of("romeo")
    assert "from juliet" not in words(browser.get("/invitations"))
    browser.get("/me/password")
    assert browser.post(f"/invitations/{one.id}/withdraw").status_code == 404
    assert not portal.store.invitations.all()[0].withdrawn


def test_a_password_is_chosen_anew_by_a_link(portal):
    owner = portal.browser_of("juliet")
    old = portal.browser_of("romeo")
    owner.get("/people/romeo")
    made = owner.post("/people/romeo/reset")
    path = _LINK.search(made.text)[1]
    page = portal.browser().get(path)
    assert heading(page) == "A new password for romeo"
    browser = portal.browser()
    answer = browser.send(path, path, password="parting is such sweet sorrow")
    assert answer.headers["Location"] == "/"
    assert old.get("/me").status_code == 303  # logged out
    assert portal.browser().log_in("romeo").status_code == 403
    assert portal.browser().log_in("romeo", "parting is such sweet sorrow").status_code == 303
    assert heading(portal.browser().get(path)) == "This link was used already"


def reset_link(portal, who):
    owner = portal.browser_of(who)
    owner.get("/people/romeo")
    return _LINK.search(owner.post("/people/romeo/reset").text)[1]


@pytest.mark.parametrize("what", ["member", "lock", "delete"])
def test_links_of_who_may_give_them_no_more_are_over(portal, what):
    """Whether an administrator became a member, was locked or has gone."""
    follow(portal, invite(portal, role="administrator"), "mercutio")
    paths = [invite(portal, "mercutio", kind=kind) for kind in ("account", "friend")]
    paths.append(reset_link(portal, "mercutio"))
    owner = portal.browser_of("juliet")
    if what == "delete":
        his = portal.browser_of("mercutio")
        his.send("/me/delete", "/me/delete", password=PASSWORD)
    else:
        owner.get("/people/mercutio")
        owner.post("/people/mercutio", do=what)
    for path in paths:
        assert portal.browser().get(path).status_code in (404, 410)
        assert follow(portal, path, "paris").status_code in (404, 410)
    assert not portal.store.accounts.exists("paris")
    assert portal.browser().log_in("romeo").status_code == 303


def test_apps_are_those_of_the_visitor(portal):
    path = invite(portal)
    agents = {
        "Conversations": "Mozilla/5.0 (Linux; Android 15; Pixel 8) Chrome/140",
        "Monal": "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Safari/605",
        "Gajim": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0",
    }
    for app, agent in agents.items():
        assert app in portal.browser().get(path, **{"User-Agent": agent}).text
    assert "Conversations" in portal.browser().get(path + "?for=android").text


def test_closed_registration_is_said(tmp_path):
    world = PortalWorld(tmp_path, registration="closed")
    try:
        page = world.browser_of("juliet").get("/invitations/new")
        assert "Nobody can get an account now." in words(page)
    finally:
        world.close()
