"""Asking disks by smartctl, which not everybody may: `health.smartctl` says how it is called."""

import os
import shlex
import shutil
import subprocess
from typing import Final

from hausbote.base.settings import Settings
from hausbote.health.disks import Disk
from hausbote.health.smart import Answer, understood

_PATIENCE: Final = 60.0  # seconds that a disk may take to answer
# Identity, verdict and attributes; a disk that sleeps is let sleep.
_QUESTION: Final = ("--json", "-i", "-H", "-A", "-n", "standby")


def ask(settings: Settings, disk: Disk) -> Answer:
    """What the disk says of itself; it may take a minute."""
    command = shlex.split(settings.health.smartctl)
    if not command:
        return Answer("", why="health.smartctl names no program that asks it")
    # Not everybody looks where Debian has it.
    program = shutil.which(command[0], path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if program is None:
        why = f"{command[0]} is not there"
        return Answer("", why=why, change="apt install smartmontools, if it has SMART")
    try:
        done = subprocess.run(
            [program, *command[1:], *_QUESTION, str(disk.device)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE,
            check=False,  # its code says how the disk is
        )
    except subprocess.TimeoutExpired:
        return Answer("", why="it did not answer within a minute")
    except OSError as error:
        return Answer("", why=f"{program}: {error.strerror}")
    return understood(disk.name, done.stdout.decode("utf-8", "replace"))
