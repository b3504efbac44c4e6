"""`make upgrade` with real containers: new images get the box when they are good, and it is what it
was when they are not, or when the upgrade is killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hausbote.base.services import SERVICES
from hausbote.storage import NEWEST
from support.audit import audit, missing_files
from support.engine import ContainerBox
from support.kill_people import Listener, Talker, Uploader

TOOLS = Path(__file__).parents[2] / "tools"
NAMES = [service.name for service in SERVICES]
MIGRATION = (
    "",
    "storage/migrations.py",
    "\nSTEPS = (*STEPS, _run_all('CREATE TABLE later (n INTEGER)'))\nNEWEST = len(STEPS)\n",
)
VARIANTS = {
    "test-next": [MIGRATION],
    "test-ends": [MIGRATION, ("c2s", "cli/__init__.py", "\nraise SystemExit('no such engine')\n")],
    "test-sick": [
        MIGRATION,
        ("rooms", "rooms/__init__.py", "\nraise SystemExit('no such room')\n"),
    ],
}
# Runs tools/upgrade.py until a step begins, and kills it there.
KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
import in_charge, upgrade
begin = in_charge.Journal.begin
def dies(journal, step, **more):
    begin(journal, step, **more)
    if step == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)
in_charge.Journal.begin = dies
upgrade.main("upgrade")
"""


class Upgraded(ContainerBox):
    """A box whose images have a tag of their own, which an upgrade moves; numbers below `said` were
    said in it."""

    said = 0

    def __init__(self, engine, directory, address):
        tag = f"test-{os.getpid()}"
        for name in NAMES:
            engine.docker("tag", f"hausbote/{name}:latest", f"hausbote/{name}:{tag}")
        super().__init__(engine, directory, address, HAUSBOTE_TAG=tag)

    def call(self, *command, **chosen):
        chosen = {"ENV_FILE": str(self.environment), "PATIENCE": "600", **chosen}
        return subprocess.run(
            [sys.executable, *command], env=self.engine.environment | chosen,
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    def upgrade(self, tag):
        return self.call(TOOLS / "upgrade.py", TAG=tag)

    def upgrade_until(self, step, tag):
        """It is killed there."""
        done = self.call("-c", KILLED, TOOLS, step, TAG=tag)
        assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr

    def recover(self):
        return self.call(TOOLS / "upgrade.py", "recover")

    def undo(self):
        return self.call(TOOLS / "upgrade.py", "undo", YES="yes")

    def version(self):
        """Of the database."""
        program = (
            "import sqlite3; "
            "print(sqlite3.connect('hausbote.db').execute('PRAGMA user_version').fetchone()[0])"
        )
        found = self.engine.docker("exec", self.container("rooms"), "python3", "-c", program)
        return int(found) - NEWEST

    def images(self):
        return {name: self.inspect(name)["Image"] for name in NAMES}

    def has_trial(self):
        name = f"label=com.docker.compose.project={self.name}-trial"
        return bool(self.engine.docker("ps", "--all", "--quiet", "--filter", name))

    def names(self):
        return self.hausbote("user", "list").split()


@pytest.fixture(scope="module")
def box(engine, tmp_path_factory):
    for tag, patches in VARIANTS.items():
        engine.make_variant(tag, *patches)
    made = Upgraded(engine, tmp_path_factory.mktemp("box"), "127.0.0.89")
    try:
        made.init("limits.login_attempts=0", "limits.bytes_per_second=0")
        made.up()
        made.until_serving()
        for name in ("talker", "listener", "sender"):
            made.add_account(name)
        yield made
    finally:
        made.down()


@pytest.fixture
def people(box):
    """They talk and send files until the test has ended; then nothing may be missing."""
    talker, listener = Talker(box, "talker", box), Listener(box, "listener")
    uploader = Uploader(box, "sender")
    talker.sent = box.said  # what earlier tests have said is in the archives, too
    everybody = (listener, talker, uploader)
    for one in everybody:
        one.start()
    goes_on(talker)
    yield talker
    goes_on(talker)
    for one in everybody:
        one.stop()
    for one in everybody:
        one.join()
    box.said = talker.sent
    assert len(talker.acknowledged()) >= 60
    assert uploader.confirmed
    problems = [*audit(talker), *listener.twice, *talker.twice, *missing_files(uploader)]
    assert not problems, "\n".join(problems[:40])


def goes_on(talker):
    said = talker.sent
    while talker.sent < said + 60:
        time.sleep(0.1)


def is_as_before(box, images):
    box.until_serving()
    assert box.version() == 0
    assert box.images() == images
    assert not box.has_trial()


def test_a_new_version_gets_the_box_while_people_talk_and_nothing_is_lost(box, people):
    old = box.images()
    done = box.upgrade("test-next")
    assert done.returncode == 0, done.stdout + done.stderr
    box.until_serving()
    assert box.version() == 1
    assert all(box.images()[name] != old[name] for name in NAMES)
    assert not box.has_trial()
    goes_on(people)
    assert "there is nothing to do" in box.upgrade("test-next").stdout
    box.compose("up", "-d")
    assert box.version() == 1


def test_who_goes_back_later_has_the_old_version_and_its_database(box):
    box.add_account("newcomer")
    done = box.undo()
    assert done.returncode == 0, done.stdout + done.stderr
    box.until_serving()
    assert box.version() == 0
    assert "newcomer@h" not in box.names()
    assert "talker@h" in box.names()
    assert "already" in box.undo().stderr


@pytest.mark.parametrize(
    ("tag", "reason"),
    [("test-ends", "no such engine"), ("test-sick", "rooms ends as soon as it starts")],
)
def test_a_version_that_is_not_good_is_taken_back_while_people_talk(box, people, tag, reason):
    old = box.images()
    done = box.upgrade(tag)
    assert done.returncode == 1
    assert reason in done.stdout
    assert "The upgrade is taken back: the box serves as before." in done.stderr
    is_as_before(box, old)


@pytest.mark.parametrize("step", ["stop", "save", "trial", "check"])
def test_an_upgrade_that_is_killed_before_it_was_good_is_taken_back_by_the_box(box, people, step):
    old = box.images()
    box.upgrade_until(step, "test-next")
    box.until_serving()
    assert box.version() == 0
    goes_on(people)
    assert "It is taken back" in box.recover().stdout
    is_as_before(box, old)
    assert box.recover().stdout == ""


@pytest.mark.parametrize("step", ["switch", "keep", "kept"])
def test_an_upgrade_that_is_killed_when_it_was_good_is_finished(box, step):
    box.upgrade_until(step, "test-next")
    box.until_serving()  # the old version or the new one, by itself
    done = box.recover()
    assert "It is finished now" in done.stdout, done.stdout + done.stderr
    box.until_serving()
    assert box.version() == 1
    assert "talker@h" in box.names()
    assert not box.has_trial()
    assert box.undo().returncode == 0
    box.until_serving()
    assert box.version() == 0


def test_what_cannot_be_begun_changes_nothing(box):
    old = box.images()
    assert "There is no image hausbote/c2s:nowhere." in box.upgrade("nowhere").stderr
    is_as_before(box, old)
    box.compose("stop")
    assert "'make up' starts it" in box.upgrade("test-next").stderr
    box.up()
    is_as_before(box, old)
