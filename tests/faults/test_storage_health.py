"""A box whose disk goes bad in one way or another: its owner is told, and at once where it can be."""

import shutil
import time
from pathlib import Path

import pytest

from support.alone import Alone
from support.disks import ext4_disk
from support.smart import Program, ata
from support.worlds import PASSWORD
from support.wrong_clock import BoxWithClock

MB = 1 << 20
HURRIED = 3_700  # seconds: whatever is done every hour


class Box(BoxWithClock):
    """One with an administrator who is there, on a disk that tells what the test says."""

    def __init__(self, directory, disk):
        self.disk, self.program = disk, Program(directory)
        self.elsewhere = directory / "clock.word"
        self.program.says(ata())
        command = f"health.smartctl={self.program.command}"
        super().__init__(disk.place / "state", command, address="127.0.0.88")
        for name in ("nurse", "juliet"):
            self.add_account(name)
        self.store.accounts.set_admin("nurse", True)

    def prepare(self):
        """What the test says to the clock is not on a disk that cannot be written."""
        super().prepare()
        self.word = Path(shutil.move(self.word, self.elsewhere))
        self._environment[self.variable] = str(self.word)

    def comes(self, name):
        client = self.client().log_in(name, PASSWORD)
        client.sends("<presence/>")
        client.settle()
        client.forget()
        return client

    def has_looked(self, *here):
        """An hour is over, and those who are here have not been silent for as long."""
        before = len(self.program.asked)
        for client in here:
            client.settle()
        self.hurries(HURRIED)
        eventually(lambda: len(self.program.asked) > before)
        eventually(lambda: not children(self.pid("c2s")))


@pytest.fixture
def box(tmp_path):
    with ext4_disk(tmp_path / "disk", 192 * MB) as disk:
        box = Box(tmp_path, disk)
        yield box
        box.close()


def children(pid):
    """Also those that have ended, until their parent knows."""
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def eventually(happens):
    deadline = time.monotonic() + 60
    while not happens():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.1)


def told(client):
    """The next message of the server: its type and what it says."""
    while (stanza := client.next(60)) is not None:
        if stanza.tag.endswith("}message"):
            return stanza.get("type"), "".join(stanza.itertext())
    raise AssertionError("nobody said anything")


def test_administrators_hear_of_a_dying_disk_by_xmpp(box):
    nurse, juliet = box.comes("nurse"), box.comes("juliet")
    box.has_looked(nurse, juliet)
    assert "SMART" not in box.command("status").stdout
    box.program.says(ata(_197=8))
    box.has_looked(nurse, juliet)
    type, sentence = told(nurse)
    assert type == "normal"
    assert "has 8 sectors that it cannot read: make a backup" in sentence
    assert sentence in box.command("status").stdout
    assert "storage-trouble what=smart:unreadable level=4" in box.log("c2s")
    box.kill("c2s")  # and what comes next does not say it again
    box.pid("c2s")
    nurse, juliet = box.comes("nurse"), box.comes("juliet")
    box.has_looked(nurse, juliet)
    box.program.says(ata(_197=8, passed=False))
    box.has_looked(nurse, juliet)
    assert "says that it is failing" in told(nurse)[1]
    for client in (nurse, juliet):
        assert client.next(1) is None
    assert "bug" not in box.log("c2s")


def test_they_hear_of_errors_in_the_file_system_and_that_it_became_read_only(box):
    nurse = box.comes("nurse")
    box.disk.has_an_error()
    box.has_looked(nurse)
    type, sentence = told(nurse)
    assert type == "normal"
    assert "has noted 1 error, the last one at 20" in sentence
    assert sentence in box.command("status").stdout
    box.disk.becomes_read_only()
    box.has_looked(nurse)
    said = [told(nurse)]
    while "has become read-only" not in said[-1][1]:  # that it cannot be written is told, too
        said.append(told(nurse))
    assert said[-1][0] == "headline"
    assert "has become read-only" in box.command("status").stdout
    box.close()
    box.disk.is_mended()
    box.start()
    assert "file system" not in box.command("status").stdout


def test_in_a_container_c2s_does_it(tmp_path, monkeypatch):
    """As `hausbote run --only c2s`."""
    with ext4_disk(tmp_path / "disk", 192 * MB) as disk:
        box = Box(tmp_path, disk)
        box.stop()
        before = len(box.program.asked)
        shutil.rmtree(box.settings.health_dir, ignore_errors=True)
        with box._preloading():
            alone = Alone(box.state, tmp_path / "run", "c2s")
        alone.starts()
        nurse = box.comes("nurse")
        box.program.says(ata(passed=False))
        box.hurries(HURRIED)
        eventually(lambda: len(box.program.asked) > before)
        assert "says that it is failing" in told(nurse)[1]
        assert "says that it is failing" in alone.status().stdout
        nurse.wire.cut()
        alone.stop()
        box.store.close()
