"""What a look at the storage finds: in databases, files and file systems that are really bad."""

import json
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest

from hausbote.base.settings import Settings
from hausbote.health.look import brought_up_to_date, looked_at, troubles_of
from hausbote.health.record import Record, read_record, write_record
from hausbote.storage import Upload, open_store
from hausbote.upload.depot import Depot
from support.damaged import damage_database
from support.disks import ext4_disk, fill, small_disk
from support.smart import Program, ata
from support.worlds import hausbote

MB = 1 << 20
DAY = 86_400.0
NOW = 1_800_000_000.0
MB_A_DAY = 2


@pytest.fixture
def state(tmp_path):
    place = tmp_path / "state"
    make(place)
    return place


def make(place, *settings):
    chosen = ["relay.run=off", "health.smartctl=", *settings]
    overrides = [argument for one in chosen for argument in ("--set", one)]
    hausbote("init", "--domain", "h", "--address", "127.0.0.88", *overrides, state=place)
    hausbote("user", "add", "romeo@h", "--password-stdin", state=place, input="correct horse")


def look(state, at, **settings):
    """What the box finds at that time; it remembers it."""
    settings = Settings.load(state)
    record = brought_up_to_date(settings, read_record(settings.health_dir), at)
    write_record(settings.health_dir, record)
    return [one.told for one in troubles_of(looked_at(settings, record))]


def by_itself(state):
    """What the process says that c2s starts."""
    done = subprocess.run(
        [sys.executable, "-m", "hausbote.health", "--state", state],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    return [one["told"] for one in json.loads(done.stdout)]


def check(state, *, code=0):
    done = hausbote("check", "storage", state=state, check=False)
    assert done.returncode == code
    assert done.stderr == ""
    return done.stdout


def test_a_small_disk_that_fills_is_told_days_before_and_when_it_has_room_again(tmp_path):
    with small_disk(tmp_path / "disk", 64 * MB) as disk:
        make(disk / "state", f"disk.reserve_bytes={8 * MB}")
        files, found = [], []
        for day in range(25):
            found.append(look(disk / "state", NOW + day * DAY))
            files.append(disk / f"file {day}")
            files[-1].write_bytes(bytes(MB_A_DAY * MB))
            if found[-1]:
                break
        (sentence,) = found[-1]
        days = int(sentence.partition(" days")[0].rpartition(" ")[2])
        assert 5 <= days <= 14
        assert found[:5] == [[]] * 5
        assert f"full in {days - 1} days" in check(disk / "state", code=1)  # after one more file
        files.append(fill(disk, 9 * MB))
        later = NOW + (day + 1) * DAY
        assert "full but for its reserve" in look(disk / "state", later)[0]
        for one in files:
            one.unlink()
        calm = [look(disk / "state", later + day * DAY) for day in range(1, 15)]
        assert calm[-1] == []  # the old pace is forgotten little by little


def test_a_damaged_database_is_found_within_a_week_and_that_it_is_mended_within_a_day(state):
    shutil.copy(state / "hausbote.db", state / "backup.db")
    assert look(state, NOW) == []
    damage_database(state)
    assert look(state, NOW + 6 * DAY) == []
    (sentence,) = look(state, NOW + 7 * DAY)
    assert "The database of this server is damaged: " in sentence
    assert "check store" in sentence
    assert sentence in check(state, code=1)
    assert look(state, NOW + 30 * DAY) == [sentence]  # files are not looked at by it
    assert read_record(Settings.load(state).health_dir).files_at == NOW
    shutil.copy(state / "backup.db", state / "hausbote.db")
    assert look(state, NOW + 30 * DAY + 3_600) == [sentence]
    assert look(state, NOW + 31 * DAY) == []


def test_a_look_that_was_cut_off_or_had_to_wait_is_no_damage(state, monkeypatch):
    with closing(sqlite3.connect(state / "hausbote.db", isolation_level=None)) as other:
        other.execute(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 30000)"
            " INSERT INTO arrival (name, id) SELECT i, 0 FROM n"
        )
        monkeypatch.setattr("hausbote.health.contents._LONGEST", -1)
        assert look(state, NOW) == []
        assert "too large to be looked at by the way" in check(state)
        monkeypatch.undo()
        other.execute("PRAGMA locking_mode = exclusive")
        other.execute("BEGIN EXCLUSIVE")
        assert look(state, NOW + 7 * DAY) == []
    assert look(state, NOW + 14 * DAY) == []
    assert "it is sound" in check(state)


def test_the_process_of_its_own_says_it_too(state):
    assert by_itself(state) == []
    assert "it is sound, as of 20" in check(state)
    damage_database(state)
    settings = Settings.load(state)
    write_record(settings.health_dir, Record())
    assert "is damaged" in by_itself(state)[0]


def test_a_record_that_cannot_be_read_is_none(state):
    directory = Settings.load(state).health_dir
    by_itself(state)
    for content in ("", "{", "[]", "3", '{"days": 3}', '{"bad": [1]}'):
        (directory / "record.json").write_text(content)
        assert by_itself(state) == []
        assert read_record(directory).files_at


def upload(state, *contents):
    """Files beside the database; their paths."""
    settings = Settings.load(state)
    depot, store = Depot(settings.uploads_dir), open_store(settings.database_url)
    depot.prepare(lambda _: False)
    account, paths = store.uploads.account("romeo"), []
    for number, content in enumerate(contents):
        id = f"{number:032x}"
        with_place = depot.put(id, content)
        file = Upload(id, "a", "text/plain", len(content), with_place.digest, time.time())
        assert store.uploads.add(account, file, None, 0)
        with_place.settle()
        paths.append(settings.uploads_dir / id[:2] / id)
    store.close()
    return paths


def test_damaged_files_are_found_within_a_month(state):
    one, other, _ = upload(state, b"one", b"another", b"a third")
    assert look(state, NOW) == []
    one.write_bytes(b"two")
    other.unlink()
    assert look(state, NOW + 29 * DAY) == []
    (sentence,) = look(state, NOW + 30 * DAY)
    assert "Of the uploaded files 2 files cannot be read as uploaded" in sentence
    hausbote("files", "delete", "romeo@h", state=state)
    assert look(state, NOW + 31 * DAY) == []


def test_another_disk_for_uploaded_files_is_looked_at_too(state):
    with ext4_disk(state / "uploads", 16 * MB) as disk:
        assert look(state, NOW) == []
        disk.has_an_error()
        (sentence,) = look(state, NOW + 1)
        assert (
            f"The file system of {state / 'uploads'} on this server has noted 1 error" in sentence
        )
        disk.is_mounted("ro")
        assert "become read-only" in look(state, NOW + 2)[0]
        disk.is_mounted("rw")
        assert look(state, NOW + 3) == [sentence]
        disk.is_mended()
        assert look(state, NOW + 4) == []


def test_what_the_owner_does_not_want_is_not_looked_at(tmp_path):
    state = tmp_path / "state"
    make(state, "health.database_days=0", "health.files_days=0")
    (path,) = upload(state, b"one")
    path.unlink()
    damage_database(state)
    assert look(state, NOW) == []
    assert check(state).count("not looked at: the settings say so") == 2


def test_files_are_looked_at_little_by_little(state, monkeypatch):
    paths = upload(state, *[bytes([number]) for number in range(6)])
    paths[4].unlink()
    monkeypatch.setattr("hausbote.health.contents._SLICE", -1)  # one file at a time
    found = [look(state, NOW + hour) for hour in range(7)]
    assert found[:4] == [[]] * 4
    assert all("1 file cannot be read" in sentences[0] for sentences in found[4:])
    assert read_record(Settings.load(state).health_dir).file == ""


def test_a_clock_that_jumped_is_told_and_nothing_is_noted_by_it(state):
    before = look(state, NOW)
    (state / "clock.mark").write_text(f"{time.time() - 400 * DAY:.0f}\n")
    assert before == []
    (sentence,) = look(state, NOW + 400 * DAY)
    assert "jumped by more than a day" in sentence
    assert read_record(Settings.load(state).health_dir).database_at == NOW


def test_a_machine_that_does_not_tell_how_its_disk_is_says_so_once(state):
    lines = check(state).splitlines()
    assert sum("does not tell how its disk is" in line for line in lines) == 1
    assert by_itself(state) == []


def test_check_asks_the_disk_and_a_sleeping_one_is_as_it_was(state, tmp_path):
    program = Program(tmp_path)
    text = (state / "hausbote.toml").read_text()
    command = f'smartctl = "{program.command}"'
    (state / "hausbote.toml").write_text(text.replace('smartctl = ""', command))
    program.says(ata())
    assert "no trouble is to be seen (SMART)" in check(state)
    program.says(ata(_5=3))
    assert "has replaced 3 sectors" in check(state, code=1)
    assert "has replaced 3 sectors" in by_itself(state)[0]
    program.says('{"smartctl": {"messages": [{"string": "Device is in STANDBY mode"}]}}')
    assert "has replaced 3 sectors" in by_itself(state)[0]
    assert "-n standby /dev/" in program.asked[0]
