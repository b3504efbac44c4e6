"""Counting for stream management (XEP-0198)."""

import math

import pytest

from hausbote.xmpp.acks import HandledCountTooHigh, Ledger, Sent, Unacked

MODULUS = 2**32
SAID = Sent(b"<message to='", 0.0, None, b"' type='groupchat'/>")


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def unacked():
    overflows = []
    made = Unacked(100, lambda: overflows.append(1), Clock())
    return made, overflows


def fill(unacked, count, data=b"<iq/>"):
    for _ in range(count):
        unacked.add(data, None)


def test_acknowledged_stanzas_are_forgotten(unacked):
    unacked, _ = unacked
    fill(unacked, 3)
    unacked.acknowledge(2)
    assert len(unacked.queue) == 1
    unacked.acknowledge(2)
    assert len(unacked.queue) == 1


def test_an_old_count_changes_nothing(unacked):
    unacked, _ = unacked
    fill(unacked, 3)
    unacked.acknowledge(2)
    unacked.acknowledge(1)
    assert len(unacked.queue) == 1


@pytest.mark.parametrize("h", [4, 1000, MODULUS // 2 - 1])
def test_more_than_was_sent_cannot_be(unacked, h):
    unacked, _ = unacked
    fill(unacked, 3)
    with pytest.raises(HandledCountTooHigh):
        unacked.acknowledge(h)
    assert len(unacked.queue) == 3


def test_counts_wrap_at_2_to_the_32(unacked):
    unacked, _ = unacked
    unacked._sent = MODULUS - 2
    fill(unacked, 4)
    unacked.acknowledge(MODULUS - 1)
    assert len(unacked.queue) == 3
    unacked.acknowledge(0)
    assert len(unacked.queue) == 2
    unacked.acknowledge(2)
    assert not unacked.queue
    assert unacked.sent == 2


def test_a_message_is_asked_about_at_once_and_only_once(unacked):
    unacked, _ = unacked
    fill(unacked, 1)
    assert not unacked.is_due()
    unacked.add(b"<message/>", None)
    assert unacked.is_due()
    unacked.add(b"<message/>", None)
    assert not unacked.is_due()
    unacked.acknowledge(2)
    assert unacked.is_due()
    unacked.acknowledge(3)
    assert not unacked.is_due()


def test_other_stanzas_are_asked_about_after_ten(unacked):
    unacked, _ = unacked
    fill(unacked, 9)
    assert not unacked.is_due()
    fill(unacked, 1)
    assert unacked.is_due()


def test_what_rooms_say_is_asked_about_every_five_seconds_for_they_keep_it():
    timer = Clock()
    timer.now = 100.0
    unacked = Unacked(0, lambda: None, timer=timer)
    for _ in range(3):
        unacked.keep(SAID)
        assert unacked.is_due() == (len(unacked.queue) == 1)
    unacked.acknowledge(3)
    timer.now += 4.9
    unacked.keep(SAID)
    assert not unacked.is_due()
    timer.now += 0.2
    assert unacked.is_due()


def test_messages_of_people_do_not_wait_with_those_of_rooms():
    unacked = Unacked(0, lambda: None)
    unacked.keep(SAID)
    assert unacked.is_due()
    unacked.acknowledge(1)
    unacked.keep(SAID)
    assert not unacked.is_due()
    unacked.add(b"<message/>", None)
    assert unacked.is_due()


def test_what_many_share_is_written_for_each_of_them_and_counts_whole():
    overflows = []
    unacked = Unacked(len(SAID.data + SAID.rest), lambda: overflows.append(1))
    unacked.keep(SAID)
    assert not overflows
    unacked.keep(SAID)
    assert overflows
    assert SAID.wire("romeo@montague.example/a'b") == (
        b"<message to='romeo@montague.example/a&apos;b' type='groupchat'/>"
    )


def test_too_many_bytes_are_told_once(unacked):
    unacked, overflows = unacked
    fill(unacked, 20)
    assert not overflows
    fill(unacked, 5)
    assert len(overflows) == 1
    unacked.acknowledge(25)
    fill(unacked, 21)
    assert len(overflows) == 2


def test_callbacks_wait_for_what_was_sent_before_them(unacked):
    unacked, _ = unacked
    called = []
    unacked.then(lambda: called.append("nothing was sent"))
    fill(unacked, 2)
    unacked.then(lambda: called.append("two"))
    fill(unacked, 1)
    unacked.then(lambda: called.append("three"))
    unacked.acknowledge(1)
    assert called == ["nothing was sent"]
    unacked.acknowledge(2)
    assert called == ["nothing was sent", "two"]
    unacked.acknowledge(3)
    assert called[-1] == "three"


def test_only_a_prefix_counts_as_handled():
    ledger, answered = Ledger(), []
    first, second, third = ledger.enter(), ledger.enter(), ledger.enter()
    ledger.then(lambda: answered.append(ledger.count), 0.0)
    second()
    third()
    assert ledger.count == 0
    assert not answered
    first()
    assert ledger.count == 3
    assert answered == [3]
    ledger.then(lambda: answered.append("at once"), 0.0)
    assert answered[-1] == "at once"


def test_who_has_waited_too_long_is_answered_with_less_and_later_with_all():
    ledger, answered = Ledger(), []
    ledger.enter()()
    leave = ledger.enter()
    ledger.then(lambda: answered.append(ledger.count), 10.0)
    ledger.answer_late(9.0)
    assert not answered
    ledger.answer_late(10.0)
    assert answered == [1]
    leave()
    assert answered == [1, 2]


def test_nobody_waits_behind_those_with_more_patience():
    ledger, answered = Ledger(), []
    ledger.enter()
    ledger.then(lambda: answered.append("patient"), math.inf)
    ledger.then(lambda: answered.append("late"), 10.0)
    ledger.then(lambda: answered.append("later"), 20.0)
    ledger.answer_late(15.0)
    assert answered == ["late"]


def test_handled_counts_wrap_too():
    ledger = Ledger()
    ledger.handled = MODULUS - 1
    ledger.enter()()
    assert ledger.count == 0


def test_who_was_answered_late_is_answered_again_when_all_is_handled():
    ledger, answers = Ledger(), []
    first, second = ledger.enter(), ledger.enter()
    for name in "ab":
        ledger.then(lambda name=name: answers.append((name, ledger.count)), 1.0)
    ledger.answer_late(2.0)
    assert answers == [("a", 0), ("b", 0)]
    first()
    assert answers == [("a", 0), ("b", 0)]
    second()
    assert answers == [("a", 0), ("b", 0), ("b", 2)]
    ledger.enter()()
    ledger.answer_late(3.0)
    assert len(answers) == 3
