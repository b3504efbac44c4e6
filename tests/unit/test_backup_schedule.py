"""When `hausbote run` makes a backup by itself."""

import pytest

from hausbote.base.backup_record import read_record
from hausbote.base.settings import Settings
from hausbote.cli.backup_schedule import Schedule
from support.backup import wait_for
from support.worlds import hausbote

HOUR = 3_600.0


class Time:
    """Of the day, and of the machine's counter."""

    def __init__(self, at):
        self.at = at

    def __call__(self):
        return self.at


@pytest.fixture
def state(tmp_path):
    place = tmp_path / "state"
    chosen = [f"backup.repository={tmp_path / 'repository'}", "backup.hours=6", "relay.run=off"]
    overrides = [argument for one in chosen for argument in ("--set", one)]
    hausbote("init", "--domain", "h", *overrides, state=place)
    return place


@pytest.fixture
def schedule(state):
    clock, counter = Time(1_800_000_000.0), Time(0.0)
    planned = Schedule(Settings.load(state), clock, counter)
    planned.clock, planned.counter = clock, counter
    return planned


def begins(schedule):
    schedule.look()
    return schedule.is_busy


def ends(schedule):
    def has_ended():
        schedule.look()
        return not schedule.is_busy

    wait_for(has_ended)


def test_a_backup_is_made_when_it_is_due_and_not_before(state, schedule):
    schedule.counter.at = 61.0
    assert not begins(schedule)  # nobody was told a password
    hausbote("backup", "init", state=state)
    assert begins(schedule)
    ends(schedule)
    record = read_record(state / "backup")
    assert record.made_at
    assert record.verified == record.snapshot
    schedule.counter.at += 10 * HOUR
    schedule.clock.at = record.made_at + 5.9 * HOUR
    assert not begins(schedule)
    schedule.clock.at = record.made_at + 6.1 * HOUR
    assert begins(schedule)
    ends(schedule)


def test_one_is_made_now_if_somebody_wants_it(state, schedule):
    hausbote("backup", "init", state=state)
    schedule.make_one_now()
    assert begins(schedule)
    schedule.make_one_now()  # one is enough
    ends(schedule)
    assert read_record(state / "backup").made_at
    assert not begins(schedule)


def test_right_after_the_start_there_is_enough_to_do(state, schedule):
    hausbote("backup", "init", state=state)
    assert not begins(schedule)


def test_what_failed_is_tried_again_an_hour_later(state, schedule, tmp_path):
    hausbote("backup", "init", state=state)
    (tmp_path / "repository").rename(tmp_path / "unplugged")
    schedule.counter.at = 61.0
    assert begins(schedule)
    ends(schedule)
    assert "is its disk connected" in read_record(state / "backup").failure
    schedule.counter.at += 0.9 * HOUR
    assert not begins(schedule)
    (tmp_path / "unplugged").rename(tmp_path / "repository")
    schedule.counter.at += 0.2 * HOUR
    assert begins(schedule)
    ends(schedule)
    assert read_record(state / "backup").failure == ""


def test_a_backup_that_is_killed_is_a_failure(state, schedule):
    hausbote("backup", "init", state=state)
    schedule.counter.at = 61.0
    assert begins(schedule)
    schedule.kill()
    ends(schedule)
    assert "ended with code -9" in read_record(state / "backup").failure
