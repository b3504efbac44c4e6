"""Counting what should not happen too often."""

from hausbote.core.throttle import Throttle


def test_the_limit_holds_for_its_time_and_its_key():
    now = [0.0]
    throttle = Throttle(2, 60, clock=lambda: now[0])
    for _ in range(2):
        assert not throttle.exceeded("a")
        throttle.note("a")
    assert throttle.exceeded("a")
    assert not throttle.exceeded("b")
    now[0] = 61
    assert not throttle.exceeded("a")


def test_no_limit_means_no_limit():
    throttle = Throttle(0, 60)
    for _ in range(100):
        throttle.note("a")
    assert not throttle.exceeded("a")


def test_a_flood_of_keys_is_forgotten():
    throttle = Throttle(3, 60)
    for number in range(50_000):
        throttle.note(number)
    assert len(throttle._events) <= 10_000
    assert throttle.count(49_999) == 1
