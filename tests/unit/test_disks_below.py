"""Which disks a directory is on, and what an eMMC tells of itself: in a /sys of the test's own."""

import os

import pytest

from hausbote.health.disks import volume_of
from hausbote.health.flash import look_at_flash


class Sys:
    """A tree like /sys; the device of `directory` is put into it by its real number."""

    def __init__(self, root, directory):
        self.root, self._directory = root, directory
        (root / "dev" / "block").mkdir(parents=True)

    def disk(self, name, partition="", **device):
        """A disk, maybe with a partition; `device` are files that its driver has."""
        place = self.root / "devices" / "block" / name
        (place / "device").mkdir(parents=True)
        for file, content in device.items():
            (place / "device" / file).write_text(content + "\n")
        if partition:
            place = place / partition
            place.mkdir()
            (place / "partition").write_text("2\n")
        return place

    def made_of(self, name, *places):
        """LVM, encryption or RAID."""
        made = self.root / "devices" / "virtual" / "block" / name
        (made / "slaves").mkdir(parents=True)
        for place in places:
            (made / "slaves" / place.name).symlink_to(place)
        return made

    def holds(self, place):
        """The directory is on that."""
        device = self._directory.stat().st_dev
        link = self.root / "dev" / "block" / f"{os.major(device)}:{os.minor(device)}"
        link.symlink_to(place)

    def found(self):
        volume = volume_of(self._directory, self.root)
        return volume.name, [disk.name for disk in volume.disks]


@pytest.fixture
def sys(tmp_path):
    if os.major(tmp_path.stat().st_dev) == 0:
        pytest.fail("the tests' directory is on no block device: use --basetemp on a disk")
    return Sys(tmp_path / "sys", tmp_path)


def test_a_partition_is_on_its_disk(sys):
    sys.holds(sys.disk("mmcblk0", "mmcblk0p2"))
    assert sys.found() == ("mmcblk0p2", ["mmcblk0"])


def test_a_whole_disk_is_one(sys):
    sys.holds(sys.disk("vda"))
    assert sys.found() == ("vda", ["vda"])


def test_what_is_made_of_others_is_on_these_each_once(sys):
    raid = sys.made_of("md0", sys.disk("sda", "sda1"), sys.disk("sdb", "sdb1"))
    sys.holds(sys.made_of("dm-1", sys.made_of("dm-0", raid), raid))
    assert sys.found() == ("dm-1", ["sda", "sdb"])


def test_a_circle_ends(sys):
    one = sys.made_of("dm-0")
    two = sys.made_of("dm-1", one)
    (one / "slaves" / "dm-1").symlink_to(two)
    sys.holds(two)
    assert sys.found()[0] == "dm-1"


def test_a_machine_that_tells_nothing(sys):
    assert sys.found() == ("", [])


def look(sys, **device):
    sys.holds(sys.disk("mmcblk0", "mmcblk0p2", **device))
    (disk,) = volume_of(sys._directory, sys.root).disks
    return look_at_flash(disk)


def test_an_emmc_that_is_well(sys):
    part = look(sys, life_time="0x02 0x01", pre_eol_info="0x01")
    assert part.troubles == ()
    assert part.told == "at most 20 % of its life are used"


@pytest.mark.parametrize(
    ("life", "spare", "level", "sentence"),
    [
        ("0x01 0x0a", "0x01", 1, "has used 90 to 100 % of its life"),
        ("0x0b 0x02", "0x01", 2, "has used all of its life"),
        ("0x03 0x03", "0x02", 1, "has used 80 % of its spare blocks"),
        ("0x03 0x03", "0x03", 2, "has used 90 % of its spare blocks"),
    ],
)
def test_an_emmc_whose_life_ends(sys, life, spare, level, sentence):
    (trouble,) = look(sys, life_time=life, pre_eol_info=spare).troubles
    assert sentence in trouble.told
    assert trouble.level == level


@pytest.mark.parametrize(
    "device",
    [{}, {"life_time": "0x00 0x00", "pre_eol_info": "0x00"}, {"life_time": "", "type": "SD"}],
)
def test_a_card_that_tells_nothing(sys, device):
    assert look(sys, **device) is None
