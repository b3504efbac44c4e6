"""An upgrade of the box that is killed at any point: it is taken back, or it is kept, and nothing is
in between."""

import json
import shutil
import sqlite3
from contextlib import closing

import pytest

from hausbote.backup import upgrading
from hausbote.backup.staging import copy_small_files
from hausbote.base.settings import Settings
from hausbote.storage import NEWEST, StorageError, keep_copy
from support.disks import small_disk
from support.kill_at import Killing
from support.worlds import hausbote

pytestmark = pytest.mark.timeout(600)
STEP = (
    "import sys, pathlib\n"
    "from hausbote.backup import upgrading\n"
    "from hausbote.base.settings import Settings\n"
    "state = pathlib.Path(sys.argv[1])\n"
)
SAVE = f"{STEP}upgrading.save(Settings.load(state))"
TAKE_BACK = f"{STEP}upgrading.take_back(state)"
KEEP = f"{STEP}upgrading.keep(state)"
RECOVER = f"{STEP}upgrading.recover(state)"
OLD = "hausbote.db.backup-v{}"


@pytest.fixture
def killing(tmp_path):
    return Killing(tmp_path)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    state = tmp_path_factory.mktemp("made") / "state"
    hausbote("init", "--domain", "h", state=state)
    (state / "certs" / "current").symlink_to("box.pem")
    with closing(sqlite3.connect(state / "hausbote.db")) as database:
        database.execute("CREATE TABLE box (was TEXT)")
        database.execute("INSERT INTO box VALUES ('old')")
        database.commit()
    return state


@pytest.fixture
def state(made, tmp_path):
    """A function that makes a new copy of the box, and returns where it is."""
    place = tmp_path / "state"

    def copy():
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(made, place, symlinks=True)
        return place

    return copy


def is_tried(state):
    """A new version changes the database, which is left in two files, and others."""
    connection = sqlite3.connect(state / "hausbote.db")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("UPDATE box SET was = 'new'")
    connection.execute(f"PRAGMA user_version = {NEWEST + 1}")
    connection.commit()
    for end in ("", "-wal"):  # as if it had been killed: closing would join the two
        shutil.copy(state / f"hausbote.db{end}", state / f"killed{end}")
    connection.close()
    for end in ("", "-wal"):
        (state / f"killed{end}").rename(state / f"hausbote.db{end}")
    (state / "hausbote.id").write_text("new\n")
    (state / "certs" / "current").unlink()
    (state / "certs" / "current").symlink_to("new.pem")


def saved(state):
    upgrading.save(Settings.load(state))
    is_tried(state)
    return state


def look(state, name="hausbote.db"):
    """What is in the files that a new version changes."""
    with closing(sqlite3.connect(f"file:{state / name}?mode=ro", uri=True)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        (was,) = database.execute("SELECT was FROM box").fetchone()
        (version,) = database.execute("PRAGMA user_version").fetchone()
    id = (state / "hausbote.id").read_text()
    return was, version - NEWEST, (state / "certs" / "current").readlink().name, id == "new\n"


AS_OLD = ("old", 0, "box.pem", False)
AS_NEW = ("new", 1, "new.pem", True)


def left(state):
    """What an upgrade leaves on the disk."""
    inner = {path.name for path in (state / "upgrade").iterdir()}
    beside = {path.name for path in state.glob("hausbote.db.*")}
    return (inner | beside) - {"phase", "phase.part", "conductor.lock"}


def test_wherever_keeping_the_old_is_cut_off_nothing_has_changed(state, killing):
    at, ended, phases = 0, False, set()
    while not ended:
        at += 1
        box = state()
        ended = not killing.run("-c", SAVE, str(box), at=at)
        phases.add(upgrading.progress(box).phase)
        killing.run("-c", RECOVER, str(box), at=1 + at % 4)
        upgrading.recover(box)
        assert look(box) == AS_OLD, f"killed at {at}"
        assert left(box) == set() if (box / "upgrade").exists() else at <= 2
    assert {"saving", "trial"} <= phases


def test_wherever_taking_back_is_cut_off_the_next_start_finishes_it(state, killing):
    at, ended = 0, False
    while not ended:
        at += 1
        box = saved(state())
        ended = not killing.run("-c", TAKE_BACK, str(box), at=at)
        killing.run("-c", RECOVER, str(box), at=1 + at % 5)
        upgrading.recover(box)
        assert look(box) == AS_OLD, f"killed at {at}"
        assert left(box) == set()
        assert upgrading.progress(box).phase == "over"
    assert at > 10


def test_wherever_keeping_the_new_is_cut_off_it_is_kept_or_taken_back(state, killing):
    at, ended, found = 0, False, set()
    while not ended:
        at += 1
        box = saved(state())
        shutil.copy(box / "hausbote.db.before-upgrade", box / OLD.format(NEWEST - 1))  # earlier
        ended = not killing.run("-c", KEEP, str(box), at=at)
        upgrading.recover(box)
        found.add(look(box))
        if look(box) == AS_NEW:
            assert left(box) == {OLD.format(NEWEST)}, f"killed at {at}"
            assert upgrading.progress(box).phase == "kept"
        else:
            assert left(box) == {OLD.format(NEWEST - 1)}, f"killed at {at}"
    assert found == {AS_OLD, AS_NEW}


def test_no_copy_is_kept_of_a_database_whose_version_stays(state):
    box = state()
    upgrading.save(Settings.load(box))
    upgrading.keep(box)
    assert left(box) == set()


def test_who_goes_back_later_has_the_old_database_and_the_new_one_aside(state):
    box = saved(state())
    upgrading.keep(box)
    refused = hausbote("upgrade", "undo", state=box, check=False)
    assert "there is no terminal to ask" in refused.stderr
    told = hausbote("upgrade", "undo", "--yes", state=box).stdout
    assert f"hausbote.db.backup-v{NEWEST} is the database now" in told
    assert look(box)[:2] == ("old", 0)
    assert look(box, "hausbote.db.undone")[:2] == ("new", 1)
    hausbote("purge", "--backups", "--yes", state=box)
    assert left(box) == set()
    assert "as it is" in hausbote("upgrade", "undo", "--yes", state=box).stdout
    assert hausbote("user", "list", state=box).returncode == 0


def test_wherever_going_back_later_is_cut_off_it_can_be_done_again(state, killing):
    undo = f"{STEP}upgrading.undo(Settings.load(state))"
    at, ended = 0, False
    while not ended:
        at += 1
        box = saved(state())
        (box / "hausbote.id").write_bytes((box / "upgrade" / "saved" / "hausbote.id").read_bytes())
        upgrading.keep(box)
        ended = not killing.run("-c", undo, str(box), at=at)
        upgrading.undo(Settings.load(box))
        assert look(box)[:2] == ("old", 0), f"killed at {at}"
        assert look(box, "hausbote.db.undone")[:2] == ("new", 1), f"killed at {at}"
    assert at > 3


def test_without_a_copy_there_is_no_way_back_and_nothing_changes(state):
    box = state()
    is_tried(box)
    refused = hausbote("upgrade", "undo", "--yes", state=box, check=False)
    assert "no copy" in refused.stderr
    assert look(box) == AS_NEW


def test_a_disk_without_room_for_the_copy_is_told_and_nothing_changes(tmp_path):
    with small_disk(tmp_path / "disk", 8_000_000) as disk:
        hausbote("init", "--domain", "h", state=disk / "box")
        with pytest.raises(StorageError, match="kept as it is before anything changes"):
            keep_copy(disk / "box" / "hausbote.db")
        assert not list((disk / "box").glob("hausbote.db.*"))


def test_a_backup_has_nothing_of_an_upgrade(state):
    box = saved(state())
    upgrading.keep(box)
    assert json.loads((box / "upgrade" / "phase").read_text())["phase"] == "kept"
    target = box.parent / "copied"
    target.mkdir()
    copy_small_files(Settings.load(box), target)
    assert "upgrade" not in {path.name for path in target.iterdir()}
