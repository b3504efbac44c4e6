"""Handlers run in order per lane, and a slow one delays nobody else."""

import gevent

from hausbote.core.pump import Lane, Pump


def test_order_within_a_lane():
    pump, seen = Pump(), []
    lane = Lane(seen.append)
    for number in range(100):
        pump.post(lane, number)
    gevent.sleep(0.01)
    assert seen == list(range(100))


def test_a_slow_handler_delays_only_its_own_lane():
    pump, seen = Pump(), []

    def slow(item):
        gevent.sleep(0.05)
        seen.append(item)

    slow_lane, quick_lane = Lane(slow), Lane(seen.append)
    pump.post(slow_lane, "slow 1")
    pump.post(slow_lane, "slow 2")
    pump.post(quick_lane, "quick")
    gevent.sleep(0.2)
    assert seen == ["quick", "slow 1", "slow 2"]


def test_a_fault_does_not_stop_a_lane(capsys):
    pump, seen = Pump(), []

    def handle(item):
        if item == 1:
            raise RuntimeError("x")
        seen.append(item)

    lane = Lane(handle)
    for number in range(3):
        pump.post(lane, number)
    gevent.sleep(0.01)
    assert seen == [0, 2]
    assert "RuntimeError" in capsys.readouterr().err


def test_everybody_gets_a_turn_when_all_workers_are_busy():
    pump, done = Pump(max_workers=2), []

    def slow(item):
        gevent.sleep(0.01)
        done.append(item)

    for number in range(10):
        pump.post(Lane(slow), number)
    gevent.sleep(0.3)
    assert sorted(done) == list(range(10))
