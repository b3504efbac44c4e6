"""An upgrade as the services of a box see it, without an engine: who waits, who is tried, and what
becomes of it when nobody is in charge any more."""

import json
import sqlite3
import subprocess
from contextlib import closing

import pytest

from hausbote.backup import upgrading
from hausbote.storage import NEWEST
from support.alone import Alone, new_box
from support.older import undo_last_step
from support.worlds import HAUSBOTE, PASSWORD, RunningWorld, hausbote

ADDRESS = "127.0.0.88"


class Conductor:
    """`hausbote upgrade conduct`, as `make upgrade` has it run in a container."""

    def __init__(self, state):
        self.process = subprocess.Popen(
            [*HAUSBOTE, "--state", str(state), "upgrade", "conduct"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.answer() is None

    def answer(self):
        return json.loads(self.process.stdout.readline())

    def does(self, step):
        self.process.stdin.write(f"{step}\n")
        self.process.stdin.flush()
        return self.answer()

    def die(self):
        self.process.kill()
        self.process.wait()


class Box:
    def __init__(self, directory):
        self.directory, self.state = directory, directory / "state"
        self.running = []
        new_box(self.state, ADDRESS, RunningWorld.ports(ADDRESS))
        self.add("romeo")

    def add(self, name, check=True):
        command = ("user", "add", f"{name}@h", "--password-stdin")
        return hausbote(*command, state=self.state, input=PASSWORD, check=check)

    def run(self, *services, **more):
        run_dir = self.directory / f"run-{len(self.running)}"
        self.running.append(Alone(self.state, run_dir, *services, **more))
        return self.running[-1]

    def conduct(self):
        self.running.append(Conductor(self.state))
        return self.running[-1]

    def insert(self, text):
        """A new version changes the database."""
        with closing(sqlite3.connect(self.state / "hausbote.db")) as database:
            database.execute("INSERT INTO notice VALUES (?, '')", (text,))
            database.commit()

    def notices(self):
        with closing(sqlite3.connect(self.state / "hausbote.db")) as database:
            return [name for (name,) in database.execute("SELECT name FROM notice")]

    def close(self):
        for one in self.running:
            if one.process.poll() is None:
                one.process.kill()
                one.process.wait()


@pytest.fixture
def box(tmp_path):
    made = Box(tmp_path)
    yield made
    made.close()


def test_the_box_waits_while_a_new_version_is_tried_and_nobody_changes_anything(box):
    old = box.run("c2s")
    old.starts()
    conductor = box.conduct()
    assert "Something still uses the box" in conductor.does("save")
    old.stop()
    waiting = box.run("c2s")
    waiting.says("An upgrade is just being tried")
    assert "An upgrade is just being tried" in waiting.health("c2s")
    assert conductor.does("save") is None
    for refused in (
        box.add("juliet", check=False),
        hausbote("backup", "restore", "--yes", state=box.state, check=False),
        hausbote("run", state=box.state, check=False),
    ):
        assert refused.returncode == 1
        assert "An upgrade is just being tried" in refused.stderr
    trial = box.run("c2s", trial=True)
    trial.starts()
    box.insert("new")
    assert trial.stop() == 0
    assert conductor.does("take-back") is None
    assert box.notices() == []
    conductor.die()
    waiting.starts()
    box.add("juliet")


def test_when_it_is_kept_the_others_go_on_with_what_the_new_version_has_made(box):
    conductor = box.conduct()
    assert conductor.does("save") is None
    trial = box.run("c2s", trial=True)
    trial.starts()
    box.insert("new")
    trial.stop()
    waiting = box.run("c2s")
    waiting.says("An upgrade is just being tried")
    assert conductor.does("keep") is None
    conductor.process.stdin.close()
    waiting.starts()
    assert box.notices() == ["new"]
    assert upgrading.progress(box.state).phase == "kept"


def test_when_nobody_is_in_charge_any_more_what_is_tried_ends_and_the_box_serves(box):
    conductor = box.conduct()
    waiting = box.run("c2s")
    waiting.says("An upgrade is just being tried")
    assert conductor.does("save") is None
    trial = box.run("c2s", trial=True)
    trial.starts()
    box.insert("new")
    conductor.die()
    waiting.says("An upgrade was cut off while it was tried, and is taken back")
    assert trial.process.wait() == 0
    waiting.starts()
    assert box.notices() == []


def test_what_would_be_tried_without_anybody_in_charge_ends(box):
    trial = box.run("c2s", trial=True)
    trial.says("is gone: there is nothing to try.")
    assert trial.process.wait() == 1


def test_after_a_power_cut_the_next_start_takes_it_back(box):
    conductor = box.conduct()
    assert conductor.does("save") is None
    box.insert("new")
    conductor.die()
    assert "the next start takes it back" in box.add("juliet", check=False).stderr
    c2s = box.run("c2s")
    c2s.says("An upgrade was cut off while it was tried, and is taken back")
    c2s.starts()
    assert box.notices() == []
    box.add("juliet")


def test_there_is_one_upgrade_at_a_time(box):
    conductor = box.conduct()
    second = hausbote("upgrade", "conduct", state=box.state, check=False)
    assert "Another upgrade of this box is under way." in second.stderr
    conductor.die()
    box.conduct()


def test_a_trial_migrates_without_a_second_copy(box):
    undo_last_step(box.state / "hausbote.db")
    conductor = box.conduct()
    assert conductor.does("save") is None
    trial = box.run("c2s", trial=True)
    trial.says(f"The database went from version {NEWEST - 1} to {NEWEST}.")
    trial.starts()
    trial.stop()
    assert not list(box.state.glob("*.backup-*"))
    assert conductor.does("keep") is None
    assert [path.name for path in box.state.glob("*.db.b*-*")] == [
        f"hausbote.db.backup-v{NEWEST - 1}"
    ]
