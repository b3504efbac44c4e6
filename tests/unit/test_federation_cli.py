"""hausbote federation: deciding with whom the box talks, also while it does not run."""

import pytest

from support.worlds import hausbote


@pytest.fixture
def state(tmp_path):
    hausbote("init", "--domain", "h.example", state=tmp_path / "state")
    return tmp_path / "state"


def federation(state, *arguments, check=True):
    return hausbote("federation", *arguments, state=state, check=check)


def test_rules_are_made_shown_and_taken_back(state):
    assert "Nothing was decided" in federation(state, "rules").stdout
    assert "does not talk with evil.example" in federation(state, "deny", "Evil.Example").stdout
    federation(state, "allow", "friend.example")
    shown = federation(state, "rules").stdout.splitlines()
    assert [one.partition(" since ")[0] for one in shown] == [
        "evil.example: denied",
        "friend.example: allowed",
    ]
    federation(state, "forget", "evil.example")
    assert "evil" not in federation(state, "rules").stdout


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("forget", "evil.example"), "Nothing was decided about evil.example."),
        (("deny", "rooms.h.example"), "rooms.h.example is this box itself."),
        (("deny", "a b"), "a b: "),
    ],
)
def test_what_cannot_be_is_said(state, arguments, why):
    done = federation(state, *arguments, check=False)
    assert done.returncode == 1
    assert why in done.stderr
