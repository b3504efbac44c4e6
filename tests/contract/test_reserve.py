"""When a disk counts as full, and the ballast that is given up then."""

import pytest

from hausbote.storage.reserve import Reserve, ballast_of
from support.disks import fill, small_disk

MB = 1 << 20


class Clock:
    """Every look at it is a second later."""

    now = 0.0

    def __call__(self):
        self.now += 1
        return self.now


class Disk:
    """A disk of 100 MB of which 64 are reserved, and a database with `spare` bytes free inside."""

    def __init__(self, place):
        self.place = place
        self.database = place / "hausbote.db"
        self.spare = 0
        self.reserve = Reserve(self.database, 64 * MB, lambda: self.spare, Clock())

    def leave(self, size):
        (self.place / "something else").unlink(missing_ok=True)
        fill(self.place, size)


@pytest.fixture
def disk(tmp_path):
    with small_disk(tmp_path / "disk", 100 * MB) as place:
        yield Disk(place)


def test_a_disk_is_low_before_the_reserve_is_begun(disk):
    assert not disk.reserve.is_low
    disk.leave(80 * MB)
    assert not disk.reserve.is_low
    disk.leave(80 * MB - 4096)  # what is under way has room beside the reserve
    assert disk.reserve.is_low
    disk.leave(88 * MB - 4096)  # what comes and goes does not make it waver
    assert disk.reserve.is_low
    disk.leave(88 * MB)
    assert not disk.reserve.is_low


def test_room_inside_the_database_is_room(disk):
    disk.leave(73 * MB)
    assert disk.reserve.is_low
    disk.spare = 16 * MB
    assert not disk.reserve.is_low
    disk.leave(71 * MB)  # the write-ahead log may still grow
    assert disk.reserve.is_low


def test_without_a_reserve_no_disk_is_low(disk):
    fill(disk.place)
    assert not Reserve(disk.database, 0).is_low


def test_the_ballast_is_made_given_up_once_and_made_again(disk):
    ballast = ballast_of(disk.database)
    disk.leave(79 * MB)
    disk.reserve.restore()
    assert not ballast.exists()
    disk.leave(80 * MB)
    disk.reserve.restore()
    assert ballast.stat().st_size == 16 * MB
    assert ballast.stat().st_blocks * 512 >= 16 * MB
    assert disk.reserve.give_up()
    assert not ballast.exists()
    assert not disk.reserve.give_up()
    disk.reserve.restore()
    assert ballast.exists()


def test_what_little_is_left_becomes_a_ballast_for_the_next_start(disk):
    disk.leave(5 * MB)
    disk.reserve.restore_a_little()
    assert ballast_of(disk.database).stat().st_size > 4 * MB
    disk.reserve.restore_a_little()
    assert ballast_of(disk.database).stat().st_size > 4 * MB
