"""Whom each page is for: a table of its own, against which the portal's is held."""

import pytest

from hausbote.portal.access import Who
from hausbote.portal.routes import ROUTES

CLAIMING, NOBODY, MEMBER, ADMINISTRATOR = Who
PEOPLE = {MEMBER, ADMINISTRATOR}
CLAIMED = {NOBODY, MEMBER, ADMINISTRATOR}

TABLE = {
    "/language/<tag>": set(Who),
    "/health": set(Who),
    "/.well-known/security.txt": set(Who),
    "/claim": {CLAIMING},
    "/claim/language": {CLAIMING},
    "/claim/domain": {CLAIMING},
    "/claim/administrator": {CLAIMING},
    "/claim/<code>": {CLAIMING},
    "/login": {NOBODY},
    "/invite/<token>": CLAIMED,
    "/privacy": CLAIMED,
    "/logout": PEOPLE,
    "/": PEOPLE,
    "/welcome": PEOPLE,
    "/invitations": PEOPLE,
    "/invitations/new": PEOPLE,
    "/invitations/<id>/withdraw": PEOPLE,
    "/me": PEOPLE,
    "/me/profile": PEOPLE,
    "/me/picture": PEOPLE,
    "/me/picture/delete": PEOPLE,
    "/me/contacts": PEOPLE,
    "/me/contacts/remove": PEOPLE,
    "/me/blocked": PEOPLE,
    "/me/blocked/remove": PEOPLE,
    "/me/devices": PEOPLE,
    "/me/devices/<ref>/end": PEOPLE,
    "/me/password": PEOPLE,
    "/me/security": PEOPLE,
    "/me/files": PEOPLE,
    "/me/files/<id>/delete": PEOPLE,
    "/me/history": PEOPLE,
    "/me/history/delete": PEOPLE,
    "/me/export": PEOPLE,
    "/me/delete": PEOPLE,
    "/setup/names": {ADMINISTRATOR},
    "/setup/certificate": {ADMINISTRATOR},
    "/setup/done": {ADMINISTRATOR},
    "/chat": PEOPLE,
    "/chat/credentials": PEOPLE,
    "/people": {ADMINISTRATOR},
    "/people/<local>": {ADMINISTRATOR},
    "/people/<local>/reset": {ADMINISTRATOR},
    "/reports": {ADMINISTRATOR},
    "/reports/<id>/done": {ADMINISTRATOR},
    "/rooms": {ADMINISTRATOR},
    "/rooms/<local>": {ADMINISTRATOR},
    "/rooms/<local>/delete": {ADMINISTRATOR},
    "/storage": {ADMINISTRATOR},
    "/box": {ADMINISTRATOR},
    "/box/parts/<service>/restart": {ADMINISTRATOR},
    "/box/backup": {ADMINISTRATOR},
    "/box/servers": {ADMINISTRATOR},
    "/box/servers/<domain>": {ADMINISTRATOR},
    "/box/log": {ADMINISTRATOR},
    "/box/announcement": {ADMINISTRATOR},
}
PARTS = {
    "<tag>": "de", "<code>": "ABCD", "<token>": "abc", "<id>": "1", "<ref>": "x", "<local>": "romeo",
    "<domain>": "friend.example", "<service>": "rooms",
}  # fmt: skip


def test_every_route_is_in_the_table():
    assert [route.path for route in ROUTES] == list(TABLE)
    for route in ROUTES:
        assert route.who == TABLE[route.path], route.path


def address(path):
    for part, value in PARTS.items():
        path = path.replace(part, value)
    return path


@pytest.mark.parametrize("who", Who, ids=lambda who: who.name)
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
def test_whoever_is_not_in_the_table_is_turned_away(route, who, request):
    fixture = "unclaimed" if who is CLAIMING else "portal"
    world = request.getfixturevalue(fixture)
    names = {MEMBER: "romeo", ADMINISTRATOR: "juliet"}
    browser = world.browser_of(names[who]) if who in names else world.browser()
    seal_page = "/claim" if who is CLAIMING else "/login" if who is NOBODY else "/me/password"
    browser.get(seal_page)
    for method, view in (("GET", route.get), ("POST", route.post)):
        ask = browser.get if method == "GET" else browser.post
        answer = ask(address(route.path))
        if who in TABLE[route.path]:
            if view is None:
                assert answer.status_code == 405
            else:
                assert answer.status_code not in (401, 405, 500), route.path
            if who in names and view is not None:  # nobody is asked to log in who is logged in
                assert not answer.headers.get("Location", "").startswith("/login?")
            if method == "POST" and route.path == "/logout":
                return
        elif who is CLAIMING:
            where = (303, "/claim") if route.path == "/" else (404, None)
            assert (answer.status_code, answer.headers.get("Location")) == where
        elif who is NOBODY:
            assert answer.status_code == 303
            assert answer.headers["Location"].startswith(("/login", "/"))
        else:
            assert answer.status_code == 403 or answer.headers["Location"] == "/"


def test_what_is_not_in_the_table_is_not_there(portal, unclaimed):
    for path in ("/admin", "/static/../service.py", "/static/nothing.css", "/people/a/b/c"):
        assert portal.browser().get(path).status_code == 404
        assert unclaimed.browser().get(path).status_code == 404


def test_a_stranger_comes_to_the_page_after_logging_in(portal):
    browser = portal.browser()
    sent = browser.get("/me/devices").headers["Location"]
    assert sent == "/login?to=/me/devices"
    browser.get(sent)
    answer = browser.post("/login", name="romeo", password="wherefore art thou", to="/me/devices")
    assert answer.headers["Location"] == "/me/devices"


@pytest.mark.parametrize(
    "to", ["//evil.example", "https://evil.example", "/\\evil.example", "/%2f/evil.example", "x"]
)
def test_nobody_is_sent_elsewhere(portal, to):
    browser = portal.browser()
    browser.get("/login")
    answer = browser.post("/login", name="romeo", password="wherefore art thou", to=to)
    assert answer.headers["Location"] == "/"
    assert portal.browser().get("/language/de?back=" + to).headers["Location"] == "/"
