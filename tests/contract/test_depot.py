"""What lies on the disk: whole files or none, whatever happens to whoever writes them."""

import hashlib
import os
import signal
import subprocess
import sys

import pytest

from hausbote.upload.depot import Depot, DiskFull, is_id
from support.disks import small_disk

ID, OTHER = "0f" * 16, "a0" * 16
WRITES = """
import sys
from pathlib import Path
from hausbote.upload.depot import Depot
depot = Depot(Path(sys.argv[1]))
depot.prepare(lambda _id: False)
file = depot.begin("0f" * 16, 1 << 20)
while True:
    file.write(b"x" * 1000)
    print("more", flush=True)
"""


@pytest.fixture
def depot(tmp_path):
    depot = Depot(tmp_path / "uploads")
    depot.prepare(lambda _id: False)
    return depot


def put(depot, id, content):
    file = depot.put(id, content)
    file.settle()
    return file.digest


def content_of(depot, id):
    with open(depot.open(id), "rb") as file:
        return file.read()


def files(directory):
    return [path for path in directory.rglob("*") if path.is_file()]


def test_a_file_comes_back_with_its_digest(depot):
    file = depot.begin(ID, 9)
    file.write(b"But ")
    file.write(memoryview(b"soft!"))
    file.finish()
    assert content_of(depot, ID) == b"But soft!"
    file.settle()
    assert file.digest == hashlib.sha256(b"But soft!").digest()
    assert depot.digest(ID) == (9, file.digest)
    assert list(depot.ids()) == [ID]


def test_only_their_owner_may_read_files(depot, tmp_path):
    put(depot, ID, b"x")
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "uploads").rglob("*")} == {0}


def test_nothing_is_in_its_place_before_it_is_whole(depot):
    file = depot.begin(ID, 1)
    file.write(b"x")
    with pytest.raises(FileNotFoundError):
        depot.open(ID)
    with pytest.raises(FileExistsError):
        depot.begin(ID, 1)
    file.discard()
    put(depot, ID, b"y")
    assert content_of(depot, ID) == b"y"


def test_what_is_discarded_leaves_nothing(depot, tmp_path):
    file = depot.begin(ID, 200_000)
    file.write(b"x" * 100_000)
    file.discard()
    assert files(tmp_path / "uploads") == []


def test_a_finished_file_is_discarded_like_another(depot, tmp_path):
    depot.put(ID, b"x").discard()
    assert files(tmp_path / "uploads") == []


def test_a_file_that_is_there_is_never_replaced(depot):
    put(depot, ID, b"x")
    with pytest.raises(FileExistsError):
        put(depot, ID, b"y")
    assert content_of(depot, ID) == b"x"
    assert list(depot.unfinished()) == []


def test_a_file_is_removed_and_that_it_is_gone_is_no_fault(depot, tmp_path):
    put(depot, ID, b"x")
    put(depot, OTHER, b"x")
    depot.remove(ID)
    depot.remove(ID)
    assert list(depot.ids()) == [OTHER]


@pytest.mark.parametrize(
    "id", ["", ".", "../" + "0" * 29, ID.upper(), ID + "0", "/etc/passwd", ID + "\n"]
)
def test_nothing_else_becomes_a_path(depot, id):
    assert not is_id(id)
    for step in (lambda id: depot.begin(id, 1), depot.open, depot.remove):
        with pytest.raises(ValueError, match="not an id"):
            step(id)


def test_a_link_in_the_place_of_a_file_is_not_followed(depot, tmp_path):
    put(depot, ID, b"x")
    place = next(path for path in files(tmp_path / "uploads"))
    place.unlink()
    place.symlink_to("/etc/passwd")
    with pytest.raises(OSError, match="symbolic"):
        depot.open(ID)


def test_a_killed_upload_leaves_nothing_behind(tmp_path):
    directory = tmp_path / "uploads"
    writer = subprocess.Popen([sys.executable, "-c", WRITES, directory], stdout=subprocess.PIPE)
    for _ in range(5):
        writer.stdout.readline()
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    assert len(files(directory)) == 1
    again = Depot(directory)
    again.prepare(lambda _id: False)
    assert files(directory) == []


def test_what_was_killed_before_it_had_a_row_goes_and_what_has_one_stays(tmp_path):
    directory = tmp_path / "uploads"
    before = Depot(directory)
    before.prepare(lambda _id: False)
    for id in (ID, OTHER):
        before.put(id, b"whole")
    assert sorted(before.unfinished()) == [ID, OTHER]
    again = Depot(directory)
    again.prepare(lambda id: id == ID)
    assert list(again.ids()) == [ID]
    assert list(again.unfinished()) == []
    assert content_of(again, ID) == b"whole"


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path):
    with small_disk(tmp_path / "small", 1 << 20) as place:
        depot = Depot(place)
        depot.prepare(lambda _id: False)
        assert not depot.has_room(2 << 20, 0)
        assert not depot.has_room(1000, 1 << 20)
        with pytest.raises(DiskFull):
            depot.begin(ID, 2_000_000)
        assert files(place) == []
        file = depot.begin(ID, 1)
        with pytest.raises(DiskFull):
            file.write(b"x" * 2_000_000)
        file.discard()
        with pytest.raises(DiskFull):
            put(depot, ID, b"x" * 2_000_000)
        assert files(place) == []
        put(depot, OTHER, b"x" * 500_000)
        assert list(depot.ids()) == [OTHER]
