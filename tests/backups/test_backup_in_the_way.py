"""What can be in the way of a backup or a restore: one sentence each, and nothing half done."""

import os
import re
import shutil
import signal
import sqlite3
import subprocess

import pytest

from support.backup import BackedUp, flip, furnish, look, wait_for
from support.disks import fill, small_disk
from support.processes import wait_until_ended
from support.worlds import HAUSBOTE, hausbote

ADDRESS = "127.0.0.83"
MB = 1 << 20


@pytest.fixture
def state(tmp_path):
    """A box that does not run, with a repository."""
    place = tmp_path / "state"
    make(place, tmp_path / "repository")
    hausbote("backup", "init", state=place)
    return place


def make(place, repository, *more):
    chosen = ["relay.run=off", f"backup.repository={repository}", *more]
    overrides = [argument for one in chosen for argument in ("--set", one)]
    hausbote("init", "--domain", "h", "--address", ADDRESS, *overrides, state=place)
    hausbote("user", "add", "romeo@h", "--password-stdin", state=place, input="correct horse")


def refused(*arguments, state):
    """The sentence that a command says; nothing is left of what it began."""
    done = hausbote("backup", *arguments, state=state, check=False)
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stderr
    sentence = done.stderr.strip()
    assert "\n" not in sentence
    for left in ("box", "manifest.json", "scratch"):
        assert not (state / "backup" / left).exists()
    return sentence


def told(state, sentence):
    """It is remembered for the administrators, too."""
    return sentence in (state / "backup" / "record.json").read_text()


def works(state):
    hausbote("backup", "create", state=state)


def test_a_repository_that_is_gone(state, tmp_path):
    (tmp_path / "repository").rename(tmp_path / "unplugged")
    sentence = refused("create", state=state)
    assert "is its disk connected and mounted?" in sentence
    assert told(state, sentence)
    assert not (tmp_path / "repository").exists()
    for command in ("list", "verify"):
        assert "is its disk connected" in refused(command, state=state)
    (tmp_path / "unplugged").rename(tmp_path / "repository")
    works(state)


def test_another_repository_in_its_place(state, tmp_path):
    (tmp_path / "repository").rename(tmp_path / "other")
    make(tmp_path / "second", tmp_path / "repository")
    hausbote("backup", "init", state=tmp_path / "second")
    assert "The password does not open" in refused("create", state=state)
    shutil.copy(tmp_path / "second/backup/password", state / "backup/password")
    assert "is another repository" in refused("create", state=state)


def test_a_wrong_password(state):
    password = state / "backup" / "password"
    right = password.read_text()
    password.write_text("wrong\n")
    assert "The password does not open the repository" in refused("create", state=state)
    password.write_text(right)
    works(state)


def test_a_repository_of_somebody_else_needs_its_password(state, tmp_path):
    second = tmp_path / "second"
    make(second, tmp_path / "repository")
    sentence = refused("init", state=second)
    assert "give its password by --password-file" in sentence
    assert not (second / "backup" / "password").exists()
    hausbote("backup", "init", "--password-file", str(state / "backup" / "password"), state=second)
    works(second)


def test_without_a_repository_or_its_password_nothing_is_made(tmp_path):
    make(tmp_path / "none", "")
    assert "write backup.repository into hausbote.toml" in refused(
        "create", state=tmp_path / "none"
    )
    make(tmp_path / "new", tmp_path / "repository")
    # Nobody would be told the password of what a schedule makes.
    assert "'hausbote backup init' makes it" in refused("create", "--quiet", state=tmp_path / "new")
    make(tmp_path / "usb", tmp_path / "media" / "usb" / "repository")
    assert "is its disk mounted?" in refused("init", state=tmp_path / "usb")


def test_a_repository_inside_the_box_is_refused(tmp_path):
    with pytest.raises(AssertionError, match="would be lost with it"):
        make(tmp_path / "state", tmp_path / "state" / "repository")
    with pytest.raises(AssertionError, match="must begin with /"):
        make(tmp_path / "state", "repository")


def test_restic_is_not_installed(state, tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert "apt install restic" in refused("create", state=state)


def hold(state, repository):
    """A restic that has the repository locked until it is killed."""
    password = state / "backup" / "password"
    child = subprocess.Popen(
        ["restic", "--no-cache", "-r", repository, "-p", password, "backup", "--stdin"],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wait_for(lambda: os.listdir(repository / "locks"))
    return child


def test_the_lock_of_a_restic_that_lives_is_respected_and_that_of_a_dead_one_is_not(
    state, tmp_path
):
    child = hold(state, tmp_path / "repository")
    try:
        sentence = refused("create", state=state)
        assert re.search(rf"is in use by process {child.pid} of \S+\.", sentence)
    finally:
        child.kill()
        child.communicate()
    assert os.listdir(tmp_path / "repository" / "locks")
    works(state)


def test_two_at_once(state):
    with subprocess.Popen(
        ["flock", str(state / "backup" / "lock"), "cat"], stdin=subprocess.PIPE
    ) as other:
        wait_for(lambda: "just being made" in hausbote(
            "backup", "list", state=state, check=False
        ).stderr)  # fmt: skip
        assert "A backup is just being made or verified." in refused("create", state=state)
        other.stdin.close()
    works(state)


def test_a_backup_that_is_killed_leaves_nothing_to_the_next_one(state, tmp_path):
    slow = tmp_path / "bin" / "restic"
    slow.parent.mkdir()
    slow.write_text(
        f'#!/bin/sh\ncase " $* " in *" backup "*) kill -9 $PPID ;; esac\n'
        f'exec {shutil.which("restic")} "$@"\n'
    )
    slow.chmod(0o700)
    with_slow = os.environ | {"PATH": f"{slow.parent}:{os.environ['PATH']}"}
    child = subprocess.Popen(
        [*HAUSBOTE, "--state", str(state), "backup", "create"], env=with_slow,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    child.wait()
    assert (state / "backup" / "box" / "hausbote.db").exists()
    works(state)
    assert not (state / "backup" / "box").exists()


def test_a_link_on_the_way_to_the_box(state, tmp_path):
    works(state)
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to("disk")
    moved = tmp_path / "link" / "state"
    state.rename(moved)
    works(moved)
    hausbote("backup", "restore", "--yes", state=moved)
    assert "romeo@h" in hausbote("user", "list", state=moved).stdout


def test_no_room_for_the_copy_of_the_database(tmp_path):
    with small_disk(tmp_path / "disk", 160 * MB) as disk:
        make(disk / "state", tmp_path / "repository", f"disk.reserve_bytes={16 * MB}")
        hausbote("backup", "init", state=disk / "state")
        filler = fill(disk, leave=20 * MB)
        sentence = refused("create", state=disk / "state")
        assert "a copy of the database needs" in sentence
        assert told(disk / "state", "a copy of the database needs")
        filler.unlink()
        works(disk / "state")


def test_a_repository_on_a_full_disk(tmp_path):
    with small_disk(tmp_path / "disk", 30 * MB) as disk:
        make(tmp_path / "state", disk / "repository")
        hausbote("backup", "init", state=tmp_path / "state")
        filler = fill(disk)
        assert "The disk is full" in refused("create", state=tmp_path / "state")
        filler.unlink()
        works(tmp_path / "state")


def test_disks_that_are_read_only(tmp_path):
    with small_disk(tmp_path / "disk", 60 * MB) as disk:
        make(tmp_path / "state", disk / "repository")
        works(tmp_path / "state")
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        sentence = refused("create", state=tmp_path / "state")
        assert "cannot be read or written: " in sentence
        assert "read-only" in sentence
        hausbote("backup", "verify", state=tmp_path / "state")  # reading is all it needs
        hausbote(
            "backup", "restore", "--repository", str(disk / "repository"),
            "--password-file", str(tmp_path / "state/backup/password"), state=tmp_path / "new",
        )  # fmt: skip
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        make(disk / "state", tmp_path / "repository")
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        assert "Read-only file system" in refused("create", state=disk / "state")


# -- restoring -----------------------------------------------------------------------------------


def restore(state, source, repository, *more):
    return (
        "restore", "--repository", str(repository),
        "--password-file", str(source / "backup" / "password"), *more,
    )  # fmt: skip


def test_a_restore_that_cannot_be_leaves_an_empty_machine_empty(state, tmp_path):
    new, repository = tmp_path / "new", tmp_path / "repository"
    works(state)
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong\n")
    attempts = {
        "Name the place by --repository": ("restore",),
        "name a file with it by --password-file": ("restore", "--repository", str(repository)),
        "The password does not open": (
            "restore", "--repository", str(repository), "--password-file", str(wrong),
        ),
        "There is no repository at": restore(new, state, tmp_path / "nowhere"),
        "There is no backup 12345678": restore(new, state, repository, "12345678"),
    }  # fmt: skip
    for sentence, arguments in attempts.items():
        assert sentence in refused(*arguments, state=new)
        assert not list(new.iterdir())
    make(new, repository)  # as if nothing had been tried


def test_a_directory_that_is_no_box_is_left_alone(state, tmp_path):
    works(state)
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("years of work")
    arguments = restore(other, state, tmp_path / "repository")
    assert "is not empty, and is no box" in refused(*arguments, state=other)
    assert (other / "thesis.txt").read_text() == "years of work"


def test_a_disk_that_is_too_small_for_what_is_restored(state, tmp_path):
    works(state)
    with small_disk(tmp_path / "disk", 40 * MB) as disk:
        arguments = restore(disk / "new", state, tmp_path / "repository")
        assert "The backup needs" in refused(*arguments, state=disk / "new")
        assert not list((disk / "new").iterdir())


def test_backups_of_two_boxes_are_not_mixed_up(state, tmp_path):
    repository = tmp_path / "repository"
    works(state)
    second = tmp_path / "second"
    hausbote(
        "init", "--domain", "montague.example", "--set", f"backup.repository={repository}",
        "--address", ADDRESS, state=second,
    )  # fmt: skip
    hausbote("backup", "init", "--password-file", str(state / "backup" / "password"), state=second)
    works(second)
    arguments = restore(tmp_path / "new", state, repository)
    sentence = refused(*arguments, state=tmp_path / "new")
    assert "There are backups of h and montague.example: choose one by its id." in sentence
    listed = hausbote("backup", "list", state=state).stdout.splitlines()
    first = next(line.split()[0] for line in listed if line.endswith(" h"))
    hausbote("backup", *arguments, first, state=tmp_path / "new")
    assert "romeo" in hausbote("user", "list", state=tmp_path / "new").stdout


def test_a_backup_of_a_newer_hausbote(state, tmp_path):
    works(state)
    newer = tmp_path / "newer"
    shutil.copytree(state, newer)
    connection = sqlite3.connect(newer / "hausbote.db")
    connection.execute("PRAGMA user_version = 9999")
    connection.close()
    assert "made by a newer Hausbote" in refused("create", state=newer)
    listed = hausbote("backup", "list", state=state).stdout.splitlines()
    arguments = restore(tmp_path / "new", state, tmp_path / "repository", listed[-1].split()[0])
    assert "made by a newer Hausbote" in refused(*arguments, state=tmp_path / "new")
    assert not list((tmp_path / "new").iterdir())


@pytest.fixture
def box(tmp_path):
    world = BackedUp(tmp_path / "state", tmp_path / "repository", address=ADDRESS)
    yield world
    world.close()


def test_never_over_a_running_box(box):
    box.add_account("romeo")
    box.backup("create")
    assert "runs" in refused("restore", "--yes", state=box.state)
    pid = int((box.state / "run" / "supervisor.pid").read_text())
    os.kill(pid, signal.SIGSTOP)
    box.process.send_signal(signal.SIGKILL)  # its services end by themselves, a little later
    box.process.wait()
    assert "runs: stop it first" in refused("restore", "--yes", state=box.state)
    os.kill(pid, signal.SIGCONT)
    wait_until_ended(pid)
    box.store.close()
    box.begin()


def test_what_was_there_is_kept_until_what_was_restored_has_started(box):
    before, _ = furnish(box)
    box.backup("create")
    box.add_account("mercutio")
    box.close()
    assert "no terminal to ask" in refused("restore", state=box.state)
    for _ in range(2):  # a second one does not lose what the first one has kept
        box.backup("restore", "--yes")
    assert "mercutio" not in hausbote("user", "list", state=box.state).stdout
    box.backup("restore", "--undo")
    assert "mercutio" in hausbote("user", "list", state=box.state).stdout
    assert "There is nothing to take back" in refused("restore", "--undo", state=box.state)
    box.backup("restore", "--yes")
    box.begin()
    assert look(box, before["paths"]) == before
    wait_for(lambda: not (box.state / "restore").exists())
    box.close()
    assert "There is nothing to take back" in refused("restore", "--undo", state=box.state)
    box.begin()


def test_what_can_be_read_of_a_damaged_backup_can_be_restored(box):
    before, _ = furnish(box)
    box.backup("create")
    box.close()
    packs = sorted((box.repository / "data").glob("*/*"), key=lambda path: path.stat().st_size)
    flip(packs[-1], packs[-1].stat().st_size // 2)  # in the middle is the large file
    assert "is damaged" in refused("restore", "--yes", state=box.state)
    done = box.backup("restore", "--yes", "--damaged")
    id = before["paths"][0].split("/")[1]
    assert f"The file {id} is missing." in done.stdout
    box.begin()
    now = look(box, before["paths"])
    assert now | {"files": before["files"]} == before
    assert now["files"][1] == before["files"][1]
