"""Whose turn it is among long answers."""

import gevent
import pytest
from gevent.event import Event

from hausbote.core.bulk import Bulk
from hausbote.core.pump import Pump
from hausbote.xmpp.errors import ResourceConstraint


@pytest.fixture
def bulk():
    return Bulk(Pump())


class Jobs:
    """Jobs that note when they begin, and wait until they may go on."""

    def __init__(self, bulk):
        self.bulk = bulk
        self.begun = []
        self.go_on = Event()

    def ask(self, asker, size=100, most=1_000, crowd=1):
        def job():
            self.begun.append(asker)
            self.go_on.wait()

        self.bulk.run(asker, job, size, most, crowd=crowd)

    def finish(self):
        self.go_on.set()
        gevent.sleep(0.02)


def test_one_of_each_asker_is_made_at_a_time_and_they_take_turns(bulk):
    jobs = Jobs(bulk)
    for asker in ["greedy"] * 5 + ["juliet"] * 2 + ["romeo"]:
        jobs.ask(asker)
    gevent.sleep(0.01)
    assert jobs.begun == ["greedy", "juliet", "romeo"]
    jobs.finish()
    assert jobs.begun == [
        "greedy",
        "juliet",
        "romeo",
        "greedy",
        "juliet",
        "greedy",
        "greedy",
        "greedy",
    ]


def test_a_few_are_made_at_once(bulk):
    jobs = Jobs(bulk)
    for number in range(10):
        jobs.ask(str(number))
    gevent.sleep(0.01)
    assert len(jobs.begun) == 4
    jobs.finish()
    assert jobs.begun == [str(number) for number in range(10)]


def test_who_has_many_waiting_is_refused_and_nobody_else_is(bulk):
    jobs = Jobs(bulk)
    for _ in range(16):
        jobs.ask("greedy", size=1)
    gevent.sleep(0.01)
    jobs.ask("greedy", size=1)  # one of them is made already
    with pytest.raises(ResourceConstraint):
        jobs.ask("greedy", size=1)
    jobs.ask("juliet")
    for _ in range(30):
        jobs.ask("montague.example", size=1, crowd=10)
    jobs.finish()
    jobs.ask("greedy")
    gevent.sleep(0.01)
    assert jobs.begun.count("greedy") == 18


def test_bytes_that_wait_are_limited_for_each_and_for_those_who_have_some_for_all(bulk):
    jobs = Jobs(bulk)
    jobs.ask("greedy", size=900)
    with pytest.raises(ResourceConstraint):
        jobs.ask("greedy", size=200)
    jobs.ask("juliet", size=5_000)  # the first of anybody
    for number in range(9):
        jobs.ask(str(number), size=1_000_000, most=1 << 30)
    jobs.ask("romeo", size=500)
    with pytest.raises(ResourceConstraint):
        jobs.ask("romeo", size=500)
    jobs.finish()
    jobs.ask("romeo", size=500)


def test_a_job_that_fails_keeps_nobody_waiting(bulk, capsys):
    jobs = Jobs(bulk)
    bulk.run("romeo", lambda: 1 / 0, 1, 1_000)
    jobs.ask("romeo")
    gevent.sleep(0.01)
    assert jobs.begun == ["romeo"]
    assert "ZeroDivisionError" in capsys.readouterr().err
    jobs.finish()
