"""What administrators do for the box: look into its log, start a part again, back up, tell people."""

import time

import pytest

from hausbote.base.log import Event
from hausbote.base.log_reading import MOST_BYTES
from hausbote.base.owner_tasks import asked_for
from hausbote.portal.language import Language
from hausbote.portal.log_words import sentences
from support.portal import PortalWorld, heading, words
from support.worlds import PASSWORD

PER_CLIENT = "debug"


@pytest.fixture
def owner(portal):
    portal.settings.run_dir.mkdir()
    return portal.browser_of("juliet")


def write_log(portal, name, *lines):
    portal.settings.log_dir.mkdir(exist_ok=True)
    (portal.settings.log_dir / f"{name}.log").write_text("".join(f"{one}\n" for one in lines))


def stamp(ago):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - ago))


# -- the log -----------------------------------------------------------------------------------


def test_the_log_is_told_in_sentences_and_what_is_wrong_comes_first(portal, owner):
    write_log(
        portal,
        "c2s",
        f"{stamp(90_000)} error store-failed",
        f"{stamp(600)} info login-failed session=portal why=wrong",
        f"{stamp(300)} info login-failed session=portal why=wrong",
        f"{stamp(200)} error bug type=KeyError at=session.py:12",
        f"{stamp(100)} debug session-started session=ab",
    )
    write_log(
        portal,
        "run",
        f"{stamp(500)} warning service-ended service=rooms",
        f'{stamp(400)} warning peer-refused domain=evil.example why="It is <b>evil</b>."',
        "Traceback (most recent call last):",
        "romeo@box.local was here",
    )
    page = owner.get("/box/log")
    assert heading(page) == "In the last day not all went well"
    text = words(page)
    hour = time.strftime("%H:%M", time.localtime(time.time() - 300))
    assert f"Somebody could not log in. Apps and messages: 2 times, last at {hour}" in text
    assert "KeyError session.py:12" in text
    assert "Group chat: once, at " in text
    order = ["There is a fault", "It ended by itself", "Somebody could not log in."]
    assert sorted(order, key=text.index) == order
    for hidden in ("written", "evil", "romeo", "Traceback", "session-started"):
        assert hidden not in text, hidden


def test_a_quiet_day_is_one(portal, owner):
    assert "Nothing was written down." in words(owner.get("/box/log"))
    write_log(portal, "c2s", f"{stamp(100)} info service-started")
    page = owner.get("/box/log")
    assert heading(page) == "In the last day all went well"


def test_of_a_long_log_the_end_is_read(portal, owner):
    line = f"{stamp(100)} info login-failed session=portal why=wrong"
    write_log(
        portal, "c2s", f"{stamp(200)} error store-failed", *[line] * (MOST_BYTES // len(line))
    )
    text = words(owner.get("/box/log"))
    assert "Somebody could not log in." in text
    assert "The database could not be written." not in text


def test_every_event_has_a_sentence_unless_it_is_of_a_single_client():
    known = sentences(Language("de"))
    assert [one for one in Event if one.level != PER_CLIENT and one not in known] == []


# -- announcements -----------------------------------------------------------------------------


def enter(portal, name):
    client = portal.client().log_in(name, PASSWORD, "home")
    client.sends("<presence/>")
    return client


def test_everybody_is_told_once_those_who_come_later_too(portal, owner):
    romeo = enter(portal, "romeo")
    romeo.forget()
    said = "The box moves.\nTonight <at> ten."
    answer = owner.send("/box/announcement", "/box/announcement", text=said, to="all")
    assert answer.headers["Location"] == "/box/announcement"
    romeo.receives(
        "<message type='headline' from='box.local'>"
        "<body>The box moves.\nTonight &lt;at&gt; ten.</body></message>"
    )
    page = owner.get("/box/announcement")
    assert "Tonight &lt;at&gt; ten." in page.text
    juliet = enter(portal, "juliet")
    assert said in [one.findtext("{*}body") for one in juliet.came()]
    owner.post("/box/announcement", do="take-back")
    assert "Tonight" not in owner.get("/box/announcement").text
    portal.add_account("nurse")
    nurse = enter(portal, "nurse")
    assert not [one for one in nurse.came() if one.get("type") == "headline"]


def test_those_who_are_here_are_told_now(portal, owner):
    romeo = enter(portal, "romeo")
    romeo.forget()
    owner.send("/box/announcement", "/box/announcement", text="Dinner!", to="now")
    romeo.receives("<message type='headline'><body>Dinner!</body></message>")
    juliet = enter(portal, "juliet")
    assert not [one for one in juliet.came() if one.get("type") == "headline"]


@pytest.mark.parametrize("text", ["", " \n\t\x00 ", "x" * 2_001])
def test_what_nobody_can_be_told_is_said_beside_the_field(portal, owner, text):
    page = owner.send("/box/announcement", "/box/announcement", text=text, to="all")
    assert page.status_code == 400
    assert 'id="w-text"' in page.text
    assert owner.post("/box/announcement", text="Hi", to="all", seal="").status_code == 403
    assert portal.store.notices.get("motd") is None


# -- parts and backups -------------------------------------------------------------------------


def test_a_part_is_started_again_by_who_runs_the_box(portal, owner):
    owner.get("/box")
    answer = owner.post("/box/parts/rooms/restart")
    assert answer.headers["Location"] == "/box#parts"
    assert asked_for(portal.settings.run_dir) == ["restart-rooms"]
    assert "Group chat: this is being started again" in words(owner.get("/box"))
    assert owner.post("/box/parts/nothing/restart").status_code == 404
    assert owner.post("/box/parts/front/restart").status_code == 404
    assert owner.post("/box/parts/c2s/restart", seal="").status_code == 403
    assert asked_for(portal.settings.run_dir) == ["restart-rooms"]


def test_a_backup_needs_a_place(tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    world = PortalWorld(state, backup={"repository": str(tmp_path / "disk")})
    world.settings.run_dir.mkdir()
    owner = world.browser_of("juliet")
    assert "Make a backup now" not in words(owner.get("/box"))
    assert owner.post("/box/backup").status_code == 409
    world.settings.backup_dir.mkdir(exist_ok=True)
    (world.settings.backup_dir / "repository").write_text("id")
    assert "Make a backup now" in words(owner.get("/box"))
    assert owner.post("/box/backup").headers["Location"] == "/box#backups"
    assert asked_for(world.settings.run_dir) == ["backup"]
    world.close()
