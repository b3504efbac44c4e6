"""What administrators see of the rooms, and do with them, whoever owns them."""

import pytest

from support.portal import DOMAIN, heading, words
from support.rooms import Room
from support.worlds import PASSWORD


@pytest.fixture
def owner(portal):
    return portal.browser_of("juliet")


@pytest.fixture
def romeo(portal):
    client = portal.client().log_in("romeo", PASSWORD, "orchard")
    client.sends("<presence/>")
    client.forget()
    return client


def make(client, name="balcony", **fields):
    room = Room(name)
    room.jid = f"{name}@rooms.{DOMAIN}"
    room.make(client, "romeo", **{"persistentroom": "1"} | fields)
    return room


def act(owner, name, do):
    owner.get("/rooms")
    return owner.post(f"/rooms/{name}", do=do)


def test_rooms_are_listed_with_what_is_known(owner, romeo):
    assert heading(owner.get("/rooms")) == "There are no rooms"
    room = make(romeo, roomname="The &lt;b>balcony&lt;/b>", publicroom="0", membersonly="1")
    room.says(romeo, "But, soft!")
    romeo.settle_with(room)
    page = owner.get("/rooms")
    assert heading(page) == "There is one room"
    assert "The &lt;b&gt;balcony&lt;/b&gt;" in page.text
    assert "private, one member, one device inside, " in words(page)
    page = words(owner.get("/rooms/balcony"))
    assert f"balcony@rooms.{DOMAIN}" in page
    assert f"romeo@{DOMAIN}" in page
    assert "nobody who does not know it" in page
    assert "Kept of it 0 B" not in page
    assert "But, soft" not in page


def test_many_rooms_come_in_portions(portal, owner, monkeypatch):
    monkeypatch.setattr("hausbote.rooms.for_owner.PORTION", 2)
    for name in ("a", "b", "c"):
        portal.store.rooms.create(name, f"romeo@{DOMAIN}", 1.0, "{}", public=True, limit=0)
    page = owner.get("/rooms")
    assert "/rooms/b" in page.text
    assert "/rooms/c" not in page.text
    assert '"/rooms?after=b"' in page.text
    page = owner.get("/rooms?after=b")
    assert "/rooms/c" in page.text
    assert "after=c" not in page.text


def test_a_room_is_taken_out_of_the_list_and_put_back(portal, owner, romeo):
    room = make(romeo)
    for do, found in (("private", False), ("public", True)):
        assert act(owner, "balcony", do).headers["Location"] == "/rooms/balcony"
        items = room.ask(
            romeo,
            "get",
            "<query xmlns='http://jabber.org/protocol/disco#items'/>",
            f"rooms.{DOMAIN}",
        )
        assert (room.jid in [one.get("jid") for one in items.iter()]) is found


def test_only_members_stay_in_a_room_that_is_for_members(portal, owner, romeo):
    room = make(romeo)
    juliet = portal.client().log_in("juliet", PASSWORD, "window")
    juliet.sends("<presence/>")
    room.join(juliet, "juliet")
    act(owner, "balcony", "members")
    told = [one for one in juliet.came() if one.get("type") == "unavailable"]
    assert [one.get("from") for one in told] == [f"{room.jid}/juliet"]
    assert "322" in [one.get("code") for one in told[0].iter()]
    act(owner, "balcony", "open")
    room.join(juliet, "juliet", forget=False)
    assert all(one.get("type") != "error" for one in juliet.came())


def test_a_room_is_deleted_and_those_in_it_hear_why(portal, owner, romeo):
    room = make(romeo)
    assert heading(owner.get("/rooms/balcony/delete")) == "Delete balcony?"
    answer = owner.post("/rooms/balcony/delete", reason="Too <loud>")
    assert answer.headers["Location"] == "/rooms"
    (gone,) = [one for one in romeo.came() if one.get("type") == "unavailable"]
    assert gone.get("from") == f"{room.jid}/romeo"
    assert gone.findtext(".//{*}destroy/{*}reason") == "Too <loud>"
    assert portal.store.rooms.find("balcony") is None
    assert "The room balcony is deleted." in words(owner.get("/rooms"))
    assert owner.get("/rooms/balcony").status_code == 404
    assert owner.post("/rooms/balcony/delete").status_code == 404


def test_what_cannot_be_is_said(portal, owner, romeo):
    assert owner.get("/rooms/nothing").status_code == 404
    assert act(owner, "nothing", "public").status_code == 404
    make(romeo)
    assert act(owner, "balcony", "nonsense").status_code == 400
    portal.store.rooms.create("new", f"romeo@{DOMAIN}", 1.0, "{}", public=True, limit=0)
    assert act(owner, "new", "private").status_code == 409
    made = portal.store.rooms.create("ours", f"romeo@{DOMAIN}", 1.0, "{}", public=False, limit=0)
    portal.store.rooms.configure(made.id, '{"circle": "Ours"}', public=False).wait()
    assert "the circle ours" in words(owner.get("/rooms/ours"))
    assert owner.get("/rooms/ours/delete").status_code == 409
    assert owner.post("/rooms/ours/delete").status_code == 409
    assert portal.store.rooms.find("ours") is not None


def test_nothing_is_done_without_the_seal(portal, owner, romeo):
    make(romeo)
    owner.get("/rooms/balcony")
    assert owner.post("/rooms/balcony", do="private", seal="").status_code == 403
    assert owner.post("/rooms/balcony/delete", seal="").status_code == 403
    assert portal.store.rooms.find("balcony").public


def test_while_the_rooms_are_away_the_page_says_so(portal, owner, monkeypatch):
    monkeypatch.setattr("hausbote.portal.asking._PATIENCE", 0.05)
    portal.rooms.bus.close(graceful=False)
    page = owner.get("/rooms")
    assert (page.status_code, heading(page)) == (503, "One moment")
