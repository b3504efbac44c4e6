"""What everybody has: devices, password, files, and the way out."""

import gevent

from hausbote.storage import Upload
from support.portal import heading, words
from support.worlds import PASSWORD

NEW = "parting is such sweet sorrow"


def test_devices_are_seen_and_ended(portal):
    here, there = portal.browser_of("romeo"), portal.browser_of("romeo")
    page = here.get("/me/devices")
    assert heading(page) == "Two devices can get in"
    agent = there.cookie("__Host-session").value.split(".")[1]
    other = next(one for one in portal.store.clients.all("romeo") if one.agent.endswith(agent))
    assert here.post(f"/me/devices/{other.ref}/end").headers["Location"] == "/me/devices"
    assert there.get("/me").status_code == 303
    assert "It is logged out." in words(here.get("/me/devices"))
    assert here.post("/me/devices/nothing/end").status_code == 404


def test_nobody_ends_others_devices(portal):
    portal.browser_of("juliet")
    (hers,) = portal.store.clients.all("juliet")
    browser = portal.browser_of("romeo")
    browser.get("/me/devices")
    assert browser.post(f"/me/devices/{hers.ref}/end").status_code == 404
    assert portal.store.clients.all("juliet")


def test_another_password_logs_out_everything_else(portal):
    here, there = portal.browser_of("romeo"), portal.browser_of("romeo")
    here.get("/me/password")
    assert here.post("/me/password", old="a guess", new=NEW).status_code == 400
    assert there.get("/me").status_code == 200
    here.get("/me/password")
    assert here.post("/me/password", old=PASSWORD, new=NEW).headers["Location"] == "/me"
    assert here.get("/me").status_code == 200
    assert there.get("/me").status_code == 303
    assert portal.browser().log_in("romeo").status_code == 403
    assert portal.browser().log_in("romeo", NEW).status_code == 303


def upload(portal, local, id, name, size=5):
    account = portal.store.uploads.account(local)
    file = Upload(id, name, "image/png", size, b"\0" * 32, 1_790_000_000, None)
    assert portal.store.uploads.add(account, file, b"x" * size, 0)


def test_files_are_listed_and_deleted(portal):
    upload(portal, "romeo", "one", "balcony.png", 1_200_000)
    upload(portal, "juliet", "two", "poison.png")
    browser = portal.browser_of("romeo")
    page = browser.get("/me/files")
    assert "balcony.png" in words(page)
    assert "1.2 MB" in words(page)
    assert "poison.png" not in words(page)
    assert browser.post("/me/files/two/delete").status_code == 404
    assert browser.post("/me/files/one/delete").headers["Location"] == "/me/files"
    assert portal.store.uploads.get("one") is None
    assert portal.store.uploads.get("two") is not None


def test_the_last_administrator_stays(portal):
    browser = portal.browser_of("juliet")
    assert "Make somebody else an administrator first" in words(browser.get("/me/delete"))
    browser.get("/me/password")
    browser.post("/me/delete", password=PASSWORD)
    assert portal.store.accounts.exists("juliet")


def test_a_password_that_was_changed_is_told_so_if_the_login_cannot_be_kept(portal):
    browser = portal.browser_of("romeo")
    browser.get("/me/password")
    with portal.no_new_sessions():
        answer = browser.post("/me/password", old=PASSWORD, new=NEW)
    assert answer.headers["Location"] == "/login"
    assert "Your password is changed" in words(browser.get("/login"))
    assert browser.log_in("romeo", NEW).headers["Location"] == "/"


def test_two_administrators_who_go_at_once_leave_one(portal):
    portal.store.accounts.set_admin("romeo", True)
    browsers = [portal.browser_of(name) for name in ("romeo", "juliet")]
    for browser in browsers:
        browser.get("/me/delete")
    gevent.joinall([gevent.spawn(one.post, "/me/delete", password=PASSWORD) for one in browsers])
    assert len(portal.store.accounts.admins()) == 1
