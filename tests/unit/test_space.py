"""How much anybody may have kept, by the hour."""

from hausbote.core.space import Paces


class Clock:
    now = 1_000.0

    def __call__(self):
        return self.now


def test_an_hours_bytes_at_once_and_then_as_time_goes_by():
    clock = Clock()
    paces = Paces(clock)
    assert paces.take(3_600, [("romeo", 3_600)])
    assert not paces.take(1, [("romeo", 3_600)])
    assert paces.take(3_600, [("juliet", 3_600)])
    clock.now += 100
    assert not paces.take(101, [("romeo", 3_600)])
    assert paces.take(100, [("romeo", 3_600)])
    clock.now += 7_200
    assert not paces.take(3_601, [("romeo", 3_600)])
    assert paces.take(3_600, [("romeo", 3_600)])


def test_what_one_share_refuses_takes_nothing_of_the_other():
    paces = Paces(Clock())
    assert paces.take(80, [("a@far", 100), ("far", 150)])
    assert not paces.take(80, [("a@far", 100), ("far", 150)])
    assert paces.take(70, [("b@far", 100), ("far", 150)])
    assert not paces.take(1, [("c@far", 100), ("far", 150)])


def test_strangers_without_number_do_not_make_it_forget_who_has_just_taken_all():
    clock = Clock()
    paces = Paces(clock)
    for number in range(9_000):
        assert paces.take(1, [(number, 3_600)])
    clock.now += 10  # those are over
    assert paces.take(3_600, [("romeo", 3_600)])
    for number in range(9_000, 12_000):
        assert paces.take(3_600, [(number, 3_600)])
    assert not paces.take(1, [("romeo", 3_600)])
