"""Disks of a few bytes."""

import os
import subprocess
from contextlib import contextmanager

import pytest


@contextmanager
def small_disk(place, size):
    """A disk of that many bytes; only root can make one."""
    place.mkdir(exist_ok=True)
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place])
    if made.returncode:
        pytest.fail("only root can mount a small disk: run the tests as root")
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


def free(place):
    disk = os.statvfs(place)
    return disk.f_bavail * disk.f_frsize


def fill(place, leave=0):
    """Something else takes all that is free but so many bytes; returns the file that does."""
    file = place / "something else"
    with open(file, "ab") as output:
        os.posix_fallocate(output.fileno(), 0, output.tell() + free(place) - leave)
    return file
