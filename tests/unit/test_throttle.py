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


def first_letter(key):
    return key[0]


def test_a_flood_of_keys_takes_nobody_elses_count():
    throttle = Throttle(3, 60, party=first_letter)
    for _ in range(3):
        throttle.note("victim")
    for number in range(50_000):
        throttle.note(f"flood {number}")
    assert throttle.exceeded("victim")
    assert not throttle.exceeded("newcomer")
    throttle.note("newcomer")
    assert throttle.count("newcomer") == 1
    assert len(throttle) <= 10_000


def test_keys_go_with_their_time():
    now = [1.0]
    throttle = Throttle(1, 60, clock=lambda: now[0])
    for number in range(100):
        throttle.note(number)
    now[0] = 62
    throttle.note("a")
    assert len(throttle) == 1
