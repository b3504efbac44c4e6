"""Which disks are below a directory, as Linux tells in /sys and /proc (sysfs(5), proc(5))."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

SYS: Final = Path("/sys")
_MOUNTS: Final = Path("/proc/self/mountinfo")
_ESCAPED: Final = re.compile(r"\\([0-7]{3})")
_DEEPEST: Final = 8  # layers of LVM, encryption and RAID below a file system


class Disk(NamedTuple):
    """A whole disk: its name, its directory in /sys, and its device."""

    name: str
    place: Path
    device: Path


class Volume(NamedTuple):
    """What a file system is on: the name that the kernel gives it ("" if that is no device), and
    the disks below."""

    name: str
    disks: tuple[Disk, ...]


class Mount(NamedTuple):
    """What was mounted, which need be no file, and its options."""

    source: str
    options: frozenset[str]


def volume_of(directory: Path, sys: Path = SYS) -> Volume:
    """Of the file system that the directory is in."""
    numbers = _numbers(directory)
    try:
        place = (sys / "dev" / "block" / numbers).resolve(strict=True) if numbers else None
    except OSError:
        place = None
    if place is None:
        return Volume("", ())
    return Volume(place.name, tuple(dict.fromkeys(_disks(place, _DEEPEST))))


def _disks(place: Path, depth: int) -> Iterator[Disk]:
    """A partition is on its disk, and what is made of other devices is on these."""
    if (place / "partition").exists():
        yield from _disks(place.parent, depth)
        return
    below = sorted((place / "slaves").glob("*")) if depth else []
    for one in below:
        yield from _disks(one.resolve(), depth - 1)
    if not below:
        yield Disk(place.name, place, Path("/dev") / place.name.replace("!", "/"))


def _numbers(directory: Path) -> str:
    """Of the device, as /sys writes them; "" if there is none.

    File systems like btrfs have no device by that name, but were mounted from one.
    """
    device = directory.stat().st_dev
    if os.major(device) == 0:
        try:
            device = os.stat(mount_of(directory).source).st_rdev
        except OSError:
            return ""
    return f"{os.major(device)}:{os.minor(device)}" if device else ""


def mount_of(directory: Path) -> Mount:
    """The one that the directory is in: the last of those that are deepest."""
    directory = directory.resolve()
    found, depth = Mount("", frozenset()), -1
    for line in _MOUNTS.read_text("utf-8", "surrogateescape").splitlines():
        mount, _, rest = line.partition(" - ")
        _id, _parent, _numbers, _root, target, here, *_ = mount.split(" ")
        _kind, source, everywhere = rest.split(" ")[:3]
        place = Path(_plain(target))
        if directory.is_relative_to(place) and len(place.parts) >= depth:
            options = frozenset([*here.split(","), *everywhere.split(",")])
            found, depth = Mount(_plain(source), options), len(place.parts)
    return found


def _plain(text: str) -> str:
    """Spaces and the like are written as octal numbers."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 8)), text)
