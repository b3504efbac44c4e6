"""Processes of a box, seen from outside."""

import time
from pathlib import Path


def has_ended(pid: int) -> bool:
    """Whether a process is gone, or waits for nothing but a parent that collects it."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def wait_until_ended(pid: int) -> None:
    """For as long as it takes; tests have a time limit of their own."""
    while not has_ended(pid):
        time.sleep(0.05)
