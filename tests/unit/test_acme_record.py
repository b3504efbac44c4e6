"""What is remembered of asking an authority, and how long a box waits after failures."""

import itertools

import pytest

from hausbote.base.acme_record import (
    LONGEST_PAUSE,
    AcmeRecord,
    pause_after,
    read_record,
    write_record,
)

NOW = 1_800_000_000.0
DAY = 86_400.0


def test_it_comes_back_as_it_was_written(tmp_path):
    record = AcmeRecord(1.5, 2.5, 3, "why", 4.5, 5.5, "https://ca.example/acct/1", ("ca.example",))
    write_record(tmp_path / "acme.json", record)
    assert read_record(tmp_path / "acme.json") == record


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"tried": "x"}', '{"tried": 1}', "\0"])
def test_what_cannot_be_read_is_as_if_nothing_had_been(tmp_path, text):
    (tmp_path / "acme.json").write_text(text)
    assert read_record(tmp_path / "acme.json") == AcmeRecord()


def test_pauses_double_up_to_hours_and_never_beyond():
    pauses = [pause_after(failures, 0.5) for failures in range(1, 2_000)]
    assert pauses[:4] == [900, 1_800, 3_600, 7_200]
    assert all(later >= earlier for earlier, later in itertools.pairwise(pauses))
    assert pauses[-1] == LONGEST_PAUSE


def test_boxes_that_failed_at_the_same_time_come_back_at_different_ones():
    assert pause_after(3, 0.0) < pause_after(3, 0.5) < pause_after(3, 1.0) < 2 * pause_after(3, 0)


def test_it_is_time_when_it_was_said_and_not_before():
    record = AcmeRecord(next=NOW)
    assert not record.is_due(NOW - 1)
    assert record.is_due(NOW)
    assert AcmeRecord().is_due(NOW)


def test_times_of_a_clock_that_was_years_ahead_hold_nobody_up():
    assert AcmeRecord(next=NOW + 400 * DAY).is_due(NOW)
    assert not AcmeRecord(not_before=NOW + 400 * DAY).is_barred(NOW)


def test_a_week_that_an_authority_wants_to_hear_nothing_is_kept():
    record = AcmeRecord(next=NOW + 7 * DAY, not_before=NOW + 7 * DAY)
    assert not record.is_due(NOW)
    assert record.is_barred(NOW)
    assert not record.is_barred(NOW + 7 * DAY)
