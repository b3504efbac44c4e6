"""What tests with other people's clients share."""

import shutil
import subprocess
from pathlib import Path

import pytest

from support.worlds import RunningWorld

SOURCE = Path(__file__).with_name("node")
BUILD = Path(__file__).parents[2] / "build" / "interop-node"


@pytest.fixture(scope="session")
def node():
    """The folder of the dialogues beside their packages, which npm installs as the lock file says."""
    lock = (SOURCE / "package-lock.json").read_text()
    done = BUILD / "installed"
    BUILD.mkdir(parents=True, exist_ok=True)
    for file in SOURCE.iterdir():
        if file.is_file():
            shutil.copy(file, BUILD / file.name)
    if not done.exists() or done.read_text() != lock:
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        installed = subprocess.run(command, cwd=BUILD, capture_output=True, text=True, check=False)
        assert installed.returncode == 0, installed.stderr
        done.write_text(lock)
    return BUILD


@pytest.fixture(scope="module")
def localhost(tmp_path_factory):
    """A box with a name that this machine can look up."""
    state = tmp_path_factory.mktemp("localhost") / "state"
    world = RunningWorld(state, address="127.0.0.1", domain="localhost")
    for name in ("romeo", "juliet"):
        world.add_account(name)
    yield world
    world.close()
