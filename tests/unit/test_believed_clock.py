"""A clock that is wrong for a while: nothing is too old by it, and ids come back to the present."""

import pytest

from hausbote.base.believed_clock import BelievedClock, write_mark
from hausbote.base.moment_ids import MomentIds

NOW = 1_800_000_000.0
HOUR, DAY, YEAR = 3_600.0, 86_400.0, 365 * 86_400.0


class Machine:
    """What a machine's clocks say, and whether somebody keeps them right."""

    def __init__(self, mark):
        self.mark = mark
        self.wall, self.counter, self.kept = NOW, 100.0, False

    def passes(self, seconds):
        self.wall += seconds
        self.counter += seconds

    def starts(self):
        """A process that starts now."""
        return BelievedClock(self.mark, lambda: self.wall, lambda: self.counter, lambda: self.kept)


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path / "clock.mark")


def test_a_clock_that_goes_is_believed(machine):
    clock = machine.starts()
    for _ in range(40):
        machine.passes(0.9 * DAY)
        assert clock.now() == clock.certain() == machine.wall
        assert not clock.is_doubted


def test_a_jump_forward_makes_nothing_older(machine):
    clock = machine.starts()
    machine.wall += YEAR
    machine.passes(10)
    assert clock.certain() == NOW + 10
    assert clock.now() == NOW + 10
    assert clock.is_doubted
    machine.wall -= YEAR
    assert clock.now() == clock.certain() == NOW + 10
    assert not clock.is_doubted


def test_a_process_that_starts_while_the_clock_is_wrong_doubts_it_too(machine):
    machine.starts()
    machine.wall += YEAR
    clock = machine.starts()
    machine.passes(HOUR / 2)
    assert clock.certain() == NOW + HOUR / 2
    clock.look()  # which leaves the last good time as it is
    assert machine.starts().certain() == pytest.approx(NOW, abs=HOUR)


def test_a_clock_that_was_reset_does_not_go_back(machine):
    machine.starts()
    machine.wall = 0.0  # as a machine without a battery starts
    clock = machine.starts()
    machine.passes(5 * HOUR)
    assert clock.now() == NOW + 5 * HOUR  # or all that comes would be too old once it is set
    assert clock.certain() == machine.wall
    machine.wall = NOW + 5 * HOUR
    assert clock.certain() == clock.now() == machine.wall
    assert not clock.is_doubted


def test_a_clock_that_somebody_keeps_right_is_shown_at_once_and_deletes_later(machine):
    machine.starts()
    machine.wall += 30 * DAY  # it was off
    machine.kept = True
    clock = machine.starts()
    assert clock.now() == machine.wall
    assert clock.certain() == NOW
    machine.passes(HOUR)
    assert clock.certain() == machine.wall


def test_what_has_lasted_is_believed_by_all(machine):
    one, other = machine.starts(), machine.starts()
    machine.wall += 30 * DAY
    assert one.certain() == other.certain() == NOW
    machine.passes(HOUR + 1)
    one.look()
    assert one.certain() == other.certain() == machine.wall


def test_a_clock_that_keeps_jumping_has_not_lasted(machine):
    clock = machine.starts()
    for _ in range(10):
        machine.wall += 2 * DAY
        clock.look()
        machine.passes(HOUR / 2)
    assert clock.certain() == NOW + 5 * HOUR


def test_the_owner_can_say_that_it_is_right(machine):
    clock = machine.starts()
    machine.wall += YEAR
    assert clock.certain() == NOW
    write_mark(machine.mark, machine.wall)
    assert clock.certain() == machine.wall


def test_ids_come_back_to_the_present_and_stay_apart(machine):
    taken = set()
    ids = MomentIds(lambda: machine.wall, taken.__contains__)

    def next_id():
        id = ids.next()
        assert id not in taken
        taken.add(id)
        return id

    before = [next_id() for _ in range(3)]
    assert before == sorted(before)
    machine.wall += YEAR
    ahead = [next_id() for _ in range(3)]
    machine.wall -= YEAR - 1
    assert ids.is_ahead(ahead[0])
    after = [next_id() for _ in range(3)]
    assert before[-1] < after[0] < after[-1] < ahead[0]
    machine.wall += YEAR - 1
    late = [next_id() for _ in range(6)]
    assert late == sorted(late)


def test_a_little_step_back_keeps_the_order(machine):
    ids = MomentIds(lambda: machine.wall)
    first = ids.next()
    machine.wall -= HOUR
    assert ids.next() == first + 1
