"""A database that is missing, another one, or damaged: the box does not start, and says why."""

import shutil
import sqlite3

import pytest

from support.damaged import damage_database
from support.worlds import hausbote

ADDRESS = "127.0.0.24"


@pytest.fixture
def state(tmp_path):
    """A box that has an account."""
    place = tmp_path / "state"
    hausbote("init", "--domain", "h", "--address", ADDRESS, "--set", "relay.run=off", state=place)
    add(place, "romeo")
    return place


def add(state, name):
    hausbote("user", "add", f"{name}@h", "--password-stdin", state=state, input="correct horse")


def refused(*arguments, state):
    done = hausbote(*arguments, state=state, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr


def remove(state):
    for path in state.glob("hausbote.db*"):
        path.unlink()


def test_a_box_whose_database_is_gone_does_not_begin_anew(state):
    remove(state)
    for command in (["run"], ["user", "list"]):
        assert "missing or empty, but this box has been used" in refused(*command, state=state)
    (state / "hausbote.db").touch()
    assert "missing or empty" in refused("run", state=state)
    (state / "hausbote.id").unlink()
    hausbote("user", "list", state=state)  # as the sentence says


def test_the_database_of_another_box_is_refused(state, tmp_path):
    hausbote(
        "init",
        "--domain",
        "h",
        "--address",
        ADDRESS,
        "--set",
        "relay.run=off",
        state=tmp_path / "other",
    )
    remove(state)
    shutil.copy(tmp_path / "other" / "hausbote.db", state / "hausbote.db")
    assert "not the database that this box has used" in refused("run", state=state)


def test_an_older_copy_of_the_database_is_the_same_one(state):
    shutil.copy(state / "hausbote.db", state / "copy.db")
    add(state, "juliet")
    remove(state)
    (state / "copy.db").rename(state / "hausbote.db")
    assert hausbote("user", "list", state=state).stdout.split() == ["romeo@h"]


def test_a_damaged_file_keeps_the_box_from_starting(state):
    assert "is sound" in hausbote("check", "store", state=state).stdout
    damage_database(state)
    said = refused("run", state=state)
    assert "is damaged" in said
    assert "hausbote check store" in said
    assert "The file is damaged" in refused("check", "store", state=state)


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (
            "INSERT INTO archived_message (id, entries, stanza) VALUES (7, 1, '<message>')",
            "message in archives",
        ),
        (
            "INSERT INTO offline (account_id, at, stanza) VALUES (1, 0, x'ff')",
            "message that waits for somebody",
        ),
        ("INSERT INTO vcard (account_id, xml) VALUES (1, '<vCard>&x;</vCard>')", "vCard"),
        (
            "INSERT INTO vcard (account_id, xml) VALUES (99, '<vCard/>')",
            "A row of vcard belongs to",
        ),
    ],
)
def test_rows_that_cannot_be_read_are_told(state, statement, told):
    with sqlite3.connect(state / "hausbote.db") as connection:
        connection.execute(statement)
    assert told in refused("check", "store", state=state)
