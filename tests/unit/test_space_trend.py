"""When a disk will be full, by a note of each day."""

import pytest

from hausbote.health.space import DAY, look_at_space, noted

GB = 1 << 30


def days(*rooms, first=20_000):
    """A note of each day."""
    found = ()
    for number, room in enumerate(rooms):
        found = noted(found, (first + number) * DAY + 100, room)
    return found


def told(notes, room, **more):
    part = look_at_space(notes, room, **({"is_low": False, "was_told": False} | more))
    return [one.told for one in part.troubles] or part.told


def steady(room, pace, count):
    return days(*(room - number * pace for number in range(count)))


def test_a_disk_that_fills_is_told_before_it_is_full():
    notes = steady(20 * GB, GB, 9)
    (sentence,) = told(notes, 12 * GB)
    assert "full in 12 days" in sentence
    assert "less than a day" in told(notes, GB // 2)[0]


def test_a_disk_that_takes_a_year_is_not():
    assert "they last 300 days" in told(steady(400 * GB, GB, 9), 300 * GB)


def test_in_the_first_days_nothing_is_known():
    assert "known in some days" in told(steady(20 * GB, GB, 5), 3 * GB)
    assert "known in some days" in told((), 3 * GB)


def test_a_disk_that_gets_room_is_well():
    assert "does not become less" in told(steady(20 * GB, -GB, 9), 3 * GB)


def test_one_day_on_which_somebody_copied_a_film_is_no_pace():
    notes = days(*[100 * GB] * 10, *[80 * GB] * 4)
    assert isinstance(told(notes, 80 * GB), str)


def test_what_was_told_stays_until_there_is_time_enough():
    notes = steady(40 * GB, GB, 9)
    assert told(notes, 16 * GB, was_told=True) != told(notes, 16 * GB)
    assert isinstance(told(notes, 22 * GB, was_told=True), str)


def test_it_is_worse_when_there_are_days_only():
    notes = steady(20 * GB, GB, 9)
    levels = [
        look_at_space(notes, room * GB, is_low=low, was_told=False).troubles[0].level
        for room, low in ((12, False), (2, False), (0, True))
    ]
    assert levels == [1, 2, 3]


def test_that_it_is_full_is_told_by_others():
    (trouble,) = look_at_space((), -5, is_low=True, was_told=False).troubles
    assert trouble.elsewhere


def test_a_day_has_one_note_and_old_ones_go():
    notes = steady(400 * GB, GB, 60)
    assert len(notes) == 30
    assert noted(notes, 20_059 * DAY + 80_000, 7) == notes
    with_wrong_days = (*notes, (99_999, 5))
    assert noted(with_wrong_days, 20_060 * DAY, 7)[-1] == (20_060, 7)


@pytest.mark.parametrize("room", [0, -GB])
def test_no_room_is_less_than_a_day(room):
    assert "less than a day" in told(steady(20 * GB, GB, 9), room)[0]
