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


class Ext4:
    """A real file system in a file; what the kernel does with it is real, too."""

    def __init__(self, place, device):
        self.place = place
        self.device = device

    def has_an_error(self):
        """As if it had found one in itself."""
        name = self.device.rpartition("/")[2]
        with open(f"/sys/fs/ext4/{name}/trigger_fs_error", "w") as trigger:
            trigger.write("made by a test\n")

    def becomes_read_only(self):
        """As it does by itself when it has found an error, if it was mounted so."""
        subprocess.run(["sync", "-f", self.place], check=True)  # else young files are lost
        self.is_mounted("errors=remount-ro")
        self.has_an_error()

    def is_mounted(self, options):
        """Otherwise than before."""
        subprocess.run(["mount", "-o", f"remount,{options}", self.place], check=True)

    def is_mended(self):
        """By e2fsck, while nobody uses it."""
        subprocess.run(["umount", self.place], check=True)
        done = subprocess.run(["e2fsck", "-f", "-y", self.device], capture_output=True)
        assert done.returncode in (0, 1), done.stdout
        subprocess.run(["mount", self.device, self.place], check=True)


@contextmanager
def ext4_disk(place, size):
    """An ext4 of that many bytes; only root can make one."""
    image = place.with_suffix(".img")
    with open(image, "wb") as file:
        file.truncate(size)
    subprocess.run(["mkfs.ext4", "-q", "-e", "continue", image], check=True)
    place.mkdir(exist_ok=True)
    found = subprocess.run(
        ["losetup", "--find", "--show", image], capture_output=True, text=True, check=False
    )
    if found.returncode:
        pytest.fail("only root can make a loop device: run the tests as root")
    device = found.stdout.strip()
    try:
        subprocess.run(["mount", device, place], check=True)
        try:
            yield Ext4(place, device)
        finally:
            subprocess.run(["umount", place], check=True)
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)
