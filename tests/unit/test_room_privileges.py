"""Who may do what in a room, written out: a change of the table must be seen in a review.

The scenes of test_rooms_matrix.py try that rooms do what the table says; this is what it says.
Run as a program, this file writes the text anew.
"""

import itertools
from pathlib import Path

import pytest

from hausbote.rooms.privileges import (
    NEEDED,
    Action,
    Affiliation,
    Role,
    Standing,
    affiliation_refusal,
    default_role,
    may,
    role_refusal,
)

PAGE = Path(__file__).with_name("privileges_rooms.txt")
STANDINGS = [
    Standing(role, affiliation)
    for affiliation in Affiliation
    for role in Role
    if not (affiliation is Affiliation.OUTCAST and role is not Role.NONE)
    and not (affiliation >= Affiliation.ADMIN and role in (Role.VISITOR, Role.PARTICIPANT))
]
THERE = [standing for standing in STANDINGS if standing.role is not Role.NONE]


def named(standing):
    role = "absent" if standing.role is Role.NONE else standing.role.word
    return f"{standing.affiliation.word} {role}"


def told(refusal):
    return "yes" if refusal is None else refusal.condition


def grid(rows, columns, cell):
    """A table as text."""
    lines = [["", *columns], *[[name, *[cell(row, c) for c in columns]] for name, row in rows]]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return [
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]


def explain():
    lines = ["What somebody may do", ""]
    actions = {action.name.lower(): action for action in Action}
    who = [(named(standing), standing) for standing in STANDINGS]
    for some in _parts(actions):
        lines += [*grid(who, some, lambda s, a: "yes" if may(s, actions[a]) else "-"), ""]
    lines += ["The role of a newcomer: in an open room, in a moderated one", ""]
    lines += grid(
        [(a.word, a) for a in Affiliation if a is not Affiliation.OUTCAST],
        ["open", "moderated"],
        lambda a, kind: default_role(a, moderated=kind == "moderated").word,
    )
    roles = {role.word: role for role in Role}
    for target in THERE:
        lines += ["", f"Giving a role to a {named(target)}", ""]
        lines += grid(who, roles, lambda s, role, t=target: told(role_refusal(s, t, roles[role])))
    affiliations = {affiliation.word: affiliation for affiliation in Affiliation}
    for own, before in itertools.product((False, True), Affiliation):
        whose = "one's own affiliation" if own else "an affiliation"
        lines += ["", f"Changing {whose}, which was {before.word}", ""]
        actors = [before] if own else Affiliation
        lines += grid(
            [(a.word, a) for a in actors],
            affiliations,
            lambda a, after, o=own, b=before: told(
                affiliation_refusal(a, b, affiliations[after], own=o)
            ),
        )
    return "\n".join(lines) + "\n"


def _parts(names):
    names = list(names)
    return [names[at : at + 5] for at in range(0, len(names), 5)]


def test_the_privileges_are_those_that_were_agreed_on():
    assert explain() == PAGE.read_text()


@pytest.mark.parametrize("action", Action, ids=lambda action: action.name)
def test_another_table_would_be_seen(monkeypatch, action):
    """Also if an action needed no more than the next lower role or affiliation."""
    needed = NEEDED[action]
    lower = needed._replace(
        role=None if needed.role is None else Role(needed.role - 1),
        affiliation=None if needed.affiliation is None else Affiliation(needed.affiliation - 1),
    )
    monkeypatch.setitem(NEEDED, action, lower)
    assert explain() != PAGE.read_text()


if __name__ == "__main__":
    PAGE.write_text(explain())
