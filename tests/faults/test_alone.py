"""Services that run alone, as in containers: what they wait for, and what they say meanwhile."""

import json
import os
import socket
import sqlite3
import stat
import subprocess
from contextlib import closing

import pytest

from hausbote.base.file_locks import locked
from hausbote.base.locks import ServiceLock
from hausbote.base.settings import Settings
from hausbote.storage import NEWEST
from support.alone import Alone, new_box
from support.client import Client
from support.disks import small_disk
from support.wires import TcpWire
from support.worlds import PASSWORD, RunningWorld, hausbote

ADDRESS = "127.0.0.79"


class Stack:
    """A state directory and the services that a test has started on it."""

    def __init__(self, directory):
        self.directory = directory
        self.state = directory / "state"
        self.ports = RunningWorld.ports(ADDRESS)
        self.running = []

    def init(self, *settings):
        new_box(self.state, ADDRESS, self.ports, *settings)

    def run(self, *services, **more):
        run_dir = self.directory / f"run-{len(self.running)}"
        one = Alone(more.pop("state", self.state), run_dir, *services, **more)
        self.running.append(one)
        return one

    def client(self):
        wire = TcpWire(ADDRESS, self.ports["c2s"], self.state / "certs" / "ca.pem", "h")
        return Client(wire, "h")

    def close(self):
        for one in self.running:
            if one.process.poll() is None:
                one.stop()


@pytest.fixture
def stack(tmp_path):
    made = Stack(tmp_path)
    yield made
    made.close()


def set_version(state, version):
    with closing(sqlite3.connect(state / "hausbote.db")) as database:
        database.execute(f"PRAGMA user_version = {version}")


def test_services_find_each_other_and_tell_how_they_are(stack):
    stack.init()
    c2s, rooms, turn = (stack.run(name) for name in ("c2s", "rooms", "turn"))
    for one in (c2s, rooms, turn):
        one.starts()
    hausbote("user", "add", "romeo@h", "--password-stdin", state=stack.state, input=PASSWORD)
    romeo = stack.client().log_in("romeo", PASSWORD)
    romeo.sends("<iq type='get' id='1' to='rooms.h'><ping xmlns='urn:xmpp:ping'/></iq>")
    assert romeo.next(20).get("type") == "result"
    told = rooms.status("--json")
    assert told.returncode == 1  # upload is not there
    serving = {one["service"]: one["serving"] for one in json.loads(told.stdout)}
    assert serving == {"c2s": True, "rooms": True, "turn": True, "upload": False, "portal": False}
    assert rooms.status("--only", "rooms").returncode == 0
    assert (rooms.health("rooms"), rooms.health("upload")) == ("", "upload is not running.")
    assert not (stack.state / "log" / "rooms.log").exists()
    romeo.wire.cut()


def test_whoever_is_killed_is_started_again(stack):
    stack.init()
    c2s = stack.run("c2s")
    c2s.starts()
    before = json.loads(c2s.status("--only", "c2s", "--json").stdout)[0]["pid"]
    os.kill(before, 9)
    c2s.says("c2s ended and was started again (times: 1)")
    c2s.starts()
    after = json.loads(c2s.status("--only", "c2s", "--json").stdout)[0]["pid"]
    assert after != before


def test_a_stop_ends_everything(stack):
    stack.init()
    rooms = stack.run("c2s", "rooms")
    rooms.starts()
    rooms.starts()
    assert rooms.stop() == 0
    hausbote("user", "list", state=stack.state)
    assert stack.run("c2s").starts()


# -- before there is a box ---------------------------------------------------------------------


def test_the_others_wait_for_c2s_to_make_the_box(stack):
    stack.state.mkdir()
    rooms = stack.run("rooms")
    assert "c2s makes it. Waiting for it." in rooms.says("There is no box in")
    assert "c2s makes it" in rooms.health("rooms")
    c2s = stack.run("c2s")
    assert "HAUSBOTE_DOMAIN is not set" in c2s.says("There is no box in")
    assert c2s.stop() == 0  # also while it waits
    stack.init()
    rooms.starts()
    assert rooms.health("rooms") == ""


@pytest.mark.parametrize(
    ("domain", "told"), [("a b", "a b"), ("192.0.2.1", "IP address"), ("", "is not set")]
)
def test_a_domain_that_is_none_is_told_and_makes_nothing(stack, domain, told):
    stack.state.mkdir()
    c2s = stack.run("c2s", domain=domain)
    assert told in c2s.says("omain")
    assert list(stack.state.iterdir()) == []


def test_another_domain_than_that_of_the_box_is_told(stack):
    stack.init()
    c2s = stack.run("c2s", domain="other.example")
    assert "is for h: correct .env" in c2s.says("HAUSBOTE_DOMAIN is other.example")
    assert c2s.process.poll() is None


def test_a_volume_with_something_else_is_left_alone(stack):
    stack.state.mkdir()
    (stack.state / "photo.jpg").write_text("x")
    stack.run("c2s", domain="h").says("has files, but no hausbote.toml: is it the right volume?")
    assert [path.name for path in stack.state.iterdir()] == ["photo.jpg"]


def test_a_missing_volume_is_told(stack):
    stack.run("rooms", state=stack.directory / "nowhere").says("is missing: it is the volume")


# -- what is in the way ------------------------------------------------------------------------


def test_an_image_older_than_the_database_waits_for_a_newer_one(stack):
    stack.init()
    set_version(stack.state, NEWEST + 1)
    c2s, rooms = stack.run("c2s"), stack.run("rooms")
    assert "was written by a newer Hausbote" in c2s.says("hausbote.db")
    said = rooms.says(f"The database has version {NEWEST + 1}")
    assert f"this image knows {NEWEST}: it is older" in said
    assert c2s.process.poll() is None
    assert rooms.process.poll() is None
    set_version(stack.state, NEWEST)
    c2s.starts()
    rooms.starts()


def test_who_needs_a_newer_database_waits_for_c2s(stack):
    stack.init()
    set_version(stack.state, NEWEST - 1)
    rooms = stack.run("rooms")
    assert f"this image needs {NEWEST}: c2s brings it up to date" in rooms.says("The database")
    with closing(sqlite3.connect(stack.state / "hausbote.db")) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (NEWEST - 1,)


def test_c2s_changes_no_database_under_services_that_run_with_it(stack):
    stack.init()
    rooms = stack.run("rooms")
    rooms.starts()
    set_version(stack.state, NEWEST - 1)
    c2s = stack.run("c2s")
    assert "but rooms still run with the old one" in c2s.says("The database goes from version")
    assert "still run with the old one" in rooms.status().stdout  # everybody can see why


def test_a_second_box_on_the_same_volume_waits(stack):
    stack.init()
    first = stack.run("c2s")
    first.starts()
    second = stack.run("c2s")
    assert "two boxes must not share a volume" in second.says("Another c2s runs with")
    embedded = hausbote("run", state=stack.state, check=False)
    assert "runs already, in a container" in embedded.stderr
    assert first.stop() == 0
    second.starts()  # and is the one now


def test_containers_wait_for_a_box_that_runs_without_them(stack):
    stack.init()
    bus = Settings.load(stack.state).bus_dir
    held = ServiceLock.take(bus, "rooms")
    stack.run("rooms").says("Another rooms runs with")
    held.give_up()


def test_a_port_that_is_taken_is_told_with_who_has_it(stack):
    stack.init()
    with socket.create_server((ADDRESS, stack.ports["c2s"])):
        c2s = stack.run("c2s")
        c2s.says(f"Port {stack.ports['c2s']} on {ADDRESS} is in use by")
        assert "is in use by" in c2s.health("c2s")
    c2s.starts()


def test_a_secret_that_cannot_be_read_is_told(stack):
    stack.init()
    key = stack.state / "certs" / "box.key"
    key.rename(key.with_suffix(".away"))
    c2s = stack.run("c2s")
    c2s.says("The certificate cannot be used")
    stack.run("rooms").starts()  # which needs none
    key.with_suffix(".away").rename(key)
    c2s.starts()


def test_a_service_that_the_box_does_without_has_nothing_to_do(stack):
    stack.init()
    s2s = stack.run("s2s")
    s2s.says("By its settings this box does without s2s: nothing to do here.")
    assert s2s.health("s2s") == ""
    assert s2s.stop() == 0


def test_a_service_that_the_box_comes_to_want_is_started(stack):
    stack.init()
    c2s, s2s = stack.run("c2s"), stack.run("s2s")
    c2s.starts()
    s2s.says("By its settings this box does without s2s: nothing to do here.")
    settings = stack.state / "hausbote.toml"
    text = settings.read_text()
    assert 'enabled = "no"' in text
    settings.write_text(text.replace('enabled = "no"', 'enabled = "yes"'))
    s2s.starts()
    assert s2s.health("s2s") == ""


def test_without_a_directory_of_its_own_it_is_refused(stack):
    stack.init()
    done = hausbote("run", "--only", "c2s", state=stack.state, check=False)
    assert done.returncode == 1
    assert "HAUSBOTE_RUN_DIR" in done.stderr


# -- a disk of its own -------------------------------------------------------------------------


@pytest.fixture
def mounted(stack):
    """The state directory is where a disk is mounted, as a container's is."""
    with small_disk(stack.state, 8_000_000) as place:
        yield place
        stack.close()


def test_a_box_is_made_where_a_disk_is_mounted(stack, mounted):
    stack.init()
    assert not [path for path in mounted.iterdir() if path.name.startswith(".")]
    assert stat.S_IMODE((mounted / "certs" / "box.key").stat().st_mode) == 0o600
    stack.run("c2s").starts()


def test_a_box_that_was_half_made_is_made_anew_or_finished(stack, mounted):
    stack.init()
    half = mounted / ".made"
    half.mkdir()
    for name in ("hausbote.toml", "relay"):
        (mounted / name).rename(half / name)  # killed before these two were moved
    c2s = stack.run("c2s", domain="h")
    c2s.starts()
    assert not half.exists()
    assert (mounted / "relay" / "secrets.db").exists()


def test_what_was_left_of_an_attempt_is_thrown_away(stack, mounted):
    (mounted / ".new" / "certs").mkdir(parents=True)
    stack.init()
    assert not (mounted / ".new").exists()


def test_nobody_restores_a_backup_under_a_service_and_no_service_starts_under_a_restore(stack):
    stack.init()
    with locked(stack.state / "box.lock"):
        c2s = stack.run("c2s")
        c2s.says("A backup is just being restored")
    c2s.starts()
    refused = hausbote("backup", "restore", "--yes", state=stack.state, check=False)
    assert refused.returncode != 0
    assert "stop it first" in refused.stderr
    c2s.stop()
    with locked(stack.state / "box.lock"):
        pass  # nobody has it any more


def test_a_restore_that_was_cut_off_is_finished_before_a_service_starts(stack):
    """Its settings lie elsewhere then: that is no reason to make a new box."""
    stack.init()
    id = (stack.state / "certs" / "ca.pem").read_bytes()
    (stack.state / "restore" / "previous").mkdir(parents=True)
    new = stack.state / "restore" / "new"
    new.mkdir()
    for entry in sorted(stack.state.iterdir()):
        if entry.name not in ("run", "log", "box.lock", "restore"):
            entry.rename(new / entry.name)
    (stack.state / "restore" / "phase").write_text("in\n")
    c2s = stack.run("c2s", domain="h")
    c2s.says("A restore was cut off when it had everything, and is finished now.")
    c2s.starts()
    assert (stack.state / "certs" / "ca.pem").read_bytes() == id


def test_a_volume_that_is_read_only_is_told(stack, mounted):
    subprocess.run(["mount", "-o", "remount,ro", mounted], check=True)
    stack.run("c2s", domain="h").says("cannot be written: the volume is read-only.")


def test_a_full_volume_is_told_and_nothing_is_half_made(stack):
    with small_disk(stack.state, 40_960) as place:
        stack.run("c2s", domain="h").says("could not be made")
        assert list(place.iterdir()) == []
        stack.close()
