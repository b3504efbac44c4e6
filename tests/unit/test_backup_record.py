"""What the box remembers of its backups, and what is told by it."""

import json
from dataclasses import replace

import pytest

from hausbote.base.backup_due import RECORD
from hausbote.base.backup_record import Record, read_record, state, trouble, write_record
from hausbote.base.settings_sections import Backup

DAY = 86_400.0
BACKUP = Backup(repository="/media/usb/hausbote")
GOOD = Record(since=1.0, made_at=10 * DAY, snapshot="0a1b2c3d", verified_at=10 * DAY)


def test_what_is_written_is_read(tmp_path):
    write_record(tmp_path, GOOD)
    assert read_record(tmp_path) == GOOD


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "null", '{"made_at": "never"}', '{"other": 1}', '{"failure": 3}']
)
def test_what_is_no_record_is_none(tmp_path, content):
    assert read_record(tmp_path) == Record()
    (tmp_path / RECORD).write_text(content)
    assert read_record(tmp_path) == Record()


def test_a_record_of_an_older_version_lacks_what_that_did_not_know(tmp_path):
    (tmp_path / RECORD).write_text(json.dumps({"made_at": 5.0}))
    assert read_record(tmp_path) == Record(made_at=5.0)


def test_backups_that_are_too_old_are_trouble():
    assert trouble(GOOD, BACKUP, 12 * DAY) == ""
    assert "for 4 days" in trouble(GOOD, BACKUP, 14 * DAY + 1)
    assert trouble(GOOD, replace(BACKUP, alarm_days=0), 99 * DAY) == ""


def test_backups_that_were_never_made_are_trouble_when_they_should_have_been():
    assert trouble(Record(since=10 * DAY), BACKUP, 12 * DAY) == ""
    assert "for 5 days" in trouble(Record(since=10 * DAY), BACKUP, 15 * DAY + 1)
    assert "no backup of this box yet" in state(Record(), BACKUP, 1.0)


def test_a_failure_is_trouble_though_there_is_a_good_one():
    failed = replace(GOOD, failed_at=10.5 * DAY, failure="The disk is full.")
    assert "The disk is full." in trouble(failed, BACKUP, 10.6 * DAY)
    assert "0a1b2c3d" in state(failed, BACKUP, 10.6 * DAY)


def test_nothing_is_told_of_a_box_without_backups():
    assert state(GOOD, Backup(), 99 * DAY) == trouble(GOOD, Backup(), 99 * DAY) == ""
