"""Backups of a box in containers: by hand, by itself, and put back while it is down."""

import json
import os
import time

import pytest

from support.certificates import shown
from support.engine import ContainerBox

# Then the box does not know that it has made one, and it is time.
FORGET = "import pathlib; pathlib.Path('backup/record.json').unlink(missing_ok=True)"
NEW_PAIR = """
import tempfile
from pathlib import Path
from hausbote.certs.deployment import deploy
from hausbote.certs.authority import make_certificates
with tempfile.TemporaryDirectory() as name:
    made = Path(name)
    make_certificates(made, ["h"], ["{address}"])
    deploy(Path("certs"), (made / "box.pem").read_bytes(), (made / "box.key").read_bytes())
    print((made / "ca.pem").read_text())
"""


@pytest.fixture(scope="module")
def box(engine, tmp_path_factory):
    disk = tmp_path_factory.mktemp("disk")
    os.chown(disk, 10_000, 10_000)
    made = ContainerBox(
        engine, tmp_path_factory.mktemp("box"), "127.0.0.90", HAUSBOTE_BACKUPS=str(disk)
    )
    try:
        made.init("backup.repository=/backups/box")
        made.up()
        made.until_serving()
        yield made
    finally:
        made.down()


def backup(box, *arguments):
    """What it says, as soon as the box makes none by itself."""
    while not (said := box.hausbote("backup", *arguments, check=False)):
        time.sleep(0.5)
    return said


def backups(box):
    return [json.loads(line)["id"] for line in backup(box, "list", "--json").splitlines()]


def test_one_is_made_by_hand_verified_and_put_back_while_the_box_is_down(box):
    box.add_account("romeo")
    assert "Its password is" in backup(box, "init")
    made = backup(box, "create")
    assert "with 1 accounts" in made
    assert backups(box)
    assert "is good" in backup(box, "verify")
    box.add_account("juliet")
    refused = box.compose("run", "--rm", "c2s", "backup", "restore", "--yes", check=False)
    assert "Put back" not in refused
    assert "juliet@h" in box.hausbote("user", "list")
    box.compose("down")
    assert "as it was on" in box.compose("run", "--rm", "c2s", "backup", "restore", "--yes")
    box.up()
    box.until_serving()
    assert box.hausbote("user", "list").split() == ["romeo@h"]
    box.wait_for("c2s", "The box was restored and serves: what was kept from before is removed.")
    find = ("exec", box.container("c2s"), "ls", "restore")
    while box.engine.try_docker(*find).returncode == 0:
        time.sleep(0.2)


def test_the_box_makes_them_by_itself(box):
    before = backups(box)
    box.engine.docker("exec", box.container("c2s"), "python3", "-c", FORGET)
    assert "There is no backup of this box yet" in box.hausbote("status", check=False)
    while "The last good backup is" not in box.hausbote("status", check=False):
        time.sleep(1)
    assert set(backups(box)) > set(before)


def test_one_that_fails_is_told(box):
    program = f"{FORGET}; import os; os.rename('/backups/box', '/backups/away')"
    box.engine.docker("exec", box.container("c2s"), "python3", "-c", program)
    box.compose("restart", "c2s")
    box.wait_for("c2s", "is its disk connected and mounted?")
    assert "is its disk connected" in box.hausbote("status", check=False)


def test_services_in_their_containers_show_a_new_certificate(box, tmp_path):
    program = NEW_PAIR.format(address=box.address)
    authority = box.engine.docker("exec", "-i", box.container("c2s"), "python3", "-c", program)
    ca = tmp_path / "ca.pem"
    ca.write_text(authority)
    box.wait_for("relay", "relay was told that its certificates have changed.")
    box.wait_for("upload", "upload was told that its certificates have changed.")
    for port in (box.relay_tls_port, box.upload_port):
        while not is_shown(box, port, ca):
            time.sleep(0.2)


def is_shown(box, port, ca):
    try:
        return shown(box.address, port, "h", ca)
    except OSError:
        return False
