"""Backups of a box while people use it, with real restic: what was acknowledged before is in them."""

import json
import os
import shlex
import shutil
import threading

import pytest

from hausbote.storage import Range
from support.backup import (
    LARGE,
    BackedUp,
    enter,
    flip,
    furnish,
    logs_in_by_token,
    look,
    restic,
    share,
    wait_for,
)
from support.files import http_
from support.worlds import HAUSBOTE, hausbote

ADDRESS = "127.0.0.81"
SM = "urn:xmpp:sm:3"


@pytest.fixture
def box(tmp_path):
    more = ("limits.kept_bytes_per_hour=0", "upload.account_bytes=0")
    world = BackedUp(tmp_path / "state", tmp_path / "repository", *more, address=ADDRESS)
    yield world
    world.close()


def restored(box, tmp_path, *arguments):
    """The box on an empty machine; the first one stops."""
    box.close()
    other = box.elsewhere(tmp_path / "elsewhere")
    other.backup(
        "restore", *arguments, "--repository", str(box.repository),
        "--password-file", str(box.password),
    )  # fmt: skip
    other.begin()
    box.store, box.process = other.store, other.process  # that is what is closed at the end
    return other


def test_a_restored_box_is_the_same_box(box, tmp_path):
    before, token = furnish(box)
    assert before["files"] == [(200, LARGE), (200, b"a small one")]
    assert len(before["archive"]) == 5
    box.backup("create")
    other = restored(box, tmp_path)
    assert look(other, before["paths"]) == before
    assert logs_in_by_token(other, token)
    hausbote("files", "scrub", state=other.state)
    hausbote("check", "store", state=other.state)
    told = hausbote("status", state=other.state).stdout
    assert "The box was restored on" in told
    other.backup("create")  # with the repository and password that it came from


def test_the_password_is_told_once_and_the_repository_is_of_restic(box, tmp_path):
    told = box.backup("create").stdout
    password = box.password.read_text().strip()
    assert password in told
    assert "without it nothing can be restored" in told
    again = box.backup("create").stdout + box.backup("init").stdout + box.backup("list").stdout
    assert password not in again
    target = tmp_path / "by hand"
    restic(box.repository, box.password, "restore", "latest", "--target", str(target))
    assert (target / "backup" / "box" / "hausbote.toml").read_text() == (
        box.state / "hausbote.toml"
    ).read_text()


def test_what_is_acknowledged_before_a_backup_begins_is_in_it(box, tmp_path):
    for name in ("romeo", "juliet", "nurse"):
        box.add_account(name)
    box.backup("init")
    talker, sender = Talker(box), Uploader(box)
    for one in (talker, sender):
        one.start()
    acknowledged = []
    for _ in range(3):
        talker.wait_for_more()
        sender.wait_for_more()
        acknowledged.append((talker.acknowledged, len(sender.paths)))
        box.backup("create")
    for one in (talker, sender):
        one.stop()
    listed = [json.loads(line) for line in box.backup("list", "--json").stdout.splitlines()]
    assert len(listed) == 3
    messages, files = acknowledged[1]
    other = restored(box, tmp_path, listed[1]["id"])
    assert {str(number) for number in range(messages)} <= archive_of(other)
    for path, content in list(zip(sender.paths, sender.contents, strict=True))[:files]:
        assert http_(other, "GET", path)[::2] == (200, content)
    hausbote("files", "scrub", state=other.state)  # and nothing is named that is not there


def archive_of(box):
    """What romeo's archive has."""
    found = box.store.archives.page("romeo", Range(), 1_000_000)
    return {entry.stanza.decode().partition("<body>")[2].partition("</body>")[0] for entry in found}


class Talker(threading.Thread):
    """Says numbers, and knows how many of them the server has acknowledged (XEP-0198)."""

    def __init__(self, box):
        super().__init__()
        self.client = enter(box, "romeo")
        self.client.send(f"<enable xmlns='{SM}'/>")
        self.client.next()
        self.acknowledged, self._said, self._ends = 0, 0, False

    def run(self):
        while not self._ends:
            for _ in range(10):
                self.client.send(
                    f"<message to='juliet@h' type='chat'><body>{self._said}</body></message>"
                )
                self._said += 1
            self.client.send(f"<r xmlns='{SM}'/>")
            while (answer := self.client.next(30)).tag != f"{{{SM}}}a":
                pass
            self.acknowledged = int(answer.get("h"))

    def wait_for_more(self):
        wanted = self.acknowledged + 30
        while self.acknowledged < wanted:
            assert self.is_alive()

    def stop(self):
        self._ends = True
        self.join()
        self.client.leaves()


class Uploader(threading.Thread):
    """Sends files, of which the box deletes the oldest when there are too many."""

    def __init__(self, box):
        super().__init__()
        self.box, self.client = box, enter(box, "nurse")
        self.paths, self.contents, self._ends = [], [], False

    def run(self):
        while not self._ends:
            content = f"{len(self.paths)}".encode() * 20_000
            self.paths.append(share(self.box, self.client, content))
            self.contents.append(content)

    def wait_for_more(self):
        wanted = len(self.paths) + 3
        while len(self.contents) < wanted:
            assert self.is_alive()

    def stop(self):
        self._ends = True
        self.join()


@pytest.fixture
def before_backup(tmp_path, monkeypatch):
    """What is to happen when restic begins to read: a line for the shell."""

    def before(line):
        program = tmp_path / "bin" / "restic"
        program.parent.mkdir()
        real = shutil.which("restic")
        program.write_text(
            f'#!/bin/sh\ncase " $* " in *" backup "*) {line} ;; esac\nexec {real} "$@"\n'
        )
        program.chmod(0o700)
        monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")

    return before


def test_a_file_that_is_deleted_while_a_backup_is_made_is_in_it(box, tmp_path, before_backup):
    """Its row is in the copy of the database, which was made before."""
    box.add_account("romeo")
    romeo = enter(box, "romeo")
    path = share(box, romeo, LARGE)
    file = box.state / "uploads" / path.split("/")[1][:2] / path.split("/")[1]
    box.backup("init")
    box.stop()
    delete = shlex.join([*HAUSBOTE, "--state", str(box.state), "files", "delete", "romeo@h"])
    before_backup(f"{delete} >&2")
    box.backup("create")
    assert file.exists()
    box.start()
    assert http_(box, "GET", path)[0] == 404
    wait_for(lambda: not file.exists())
    other = restored(box, tmp_path)
    assert http_(other, "GET", path)[::2] == (200, LARGE)


def test_a_file_that_comes_while_a_backup_is_made_is_nobodys_and_is_not_restored(
    box, tmp_path, before_backup
):
    file = box.state / "uploads" / "ab" / f"ab{'0' * 30}"
    box.backup("init")
    before_backup(f"echo more > {shlex.quote(str(file))}")
    box.backup("create")
    other = restored(box, tmp_path)
    hausbote("files", "scrub", state=other.state)
    assert not list((other.state / "uploads" / "ab").glob("*"))


def test_a_flipped_byte_of_the_repository_is_found(box):
    furnish(box)
    box.backup("create")
    packs = sorted((box.repository / "data").glob("*/*"), key=lambda path: path.stat().st_size)
    for pack, at in ((packs[-1], 1_000), (packs[0], 20)):
        flip(pack, at)
        done = box.backup("verify", check=False)
        assert done.returncode == 1
        assert "is damaged" in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert "is damaged" in hausbote("status", state=box.state).stdout
        flip(pack, at)
        box.backup("verify")
    assert "failed" not in hausbote("status", state=box.state).stdout


def test_a_flipped_byte_of_what_only_an_older_backup_has_is_found(box):
    before, _ = furnish(box)
    box.backup("create")
    pack = max((box.repository / "data").glob("*/*"), key=lambda path: path.stat().st_size)
    id = before["paths"][0].split("/")[1]
    hausbote("files", "delete", "romeo@h", "--file", id, state=box.state)
    wait_for(lambda: not (box.state / "uploads" / id[:2] / id).exists())
    box.backup("create")
    flip(pack, pack.stat().st_size // 2)
    done = box.backup("verify", check=False)
    assert done.returncode == 1
    assert "is damaged" in done.stderr


def test_a_file_that_rots_in_the_box_is_told(box):
    before, _ = furnish(box)
    box.backup("create")
    id = before["paths"][0].split("/")[1]
    flip(box.state / "uploads" / id[:2] / id, 5)
    done = box.backup("create", check=False)
    assert done.returncode == 1
    assert f"The file {id} is not what was uploaded." in done.stderr
