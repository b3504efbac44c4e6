"""Questions that a service asks, and who keeps them open."""

import pytest

from hausbote.base.jid import JID
from hausbote.core.queries import Queries
from hausbote.xmpp.stanza import child, stanza


@pytest.fixture
def ask():
    asked = Queries("h", most=4)

    def ask(jid):
        answers = []
        to = JID.parse(jid)
        question = asked.ask("get", child("urn:x", "q"), "h", to, answers.append)
        return lambda: (
            asked.answered(stanza("iq", type="result", id=question.id, from_=jid), to) or answers
        )

    return ask


def test_who_answers_nothing_takes_nobody_elses_answers_away(ask):
    theirs, ours = ask("romeo@montague.example/a"), ask("juliet@h/a")
    silent = [ask(f"x{number}@y{number}.evil.example/a") for number in range(20)]
    assert theirs()
    assert ours()
    assert not silent[0]()
    assert silent[-1]()
