"""Two people with gloox, an old C++ library of bots and games, over its own defaults.

It binds its logins by tls-unique, or not at all.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

from support.worlds import PASSWORD

SOURCE = Path(__file__).with_name("gloox") / "dialogue.cpp"
SAID = "Hark & <b> \"é\" 'x' \U0001f339"


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    made = tmp_path_factory.mktemp("gloox") / "dialogue"
    compiler = shutil.which("g++")
    assert compiler, "apt install g++ libgloox-dev"
    command = [compiler, "-std=c++17", "-o", made, SOURCE, "-lgloox"]
    compiled = subprocess.run(command, capture_output=True, text=True, check=False)
    assert compiled.returncode == 0, compiled.stderr
    return made


def test_two_people_talk(localhost, program):
    command = [program, "localhost", PASSWORD, str(localhost.port)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.splitlines() == [
        "romeo is romeo@localhost/gloox",
        "juliet is juliet@localhost/gloox",
        f"romeo@localhost/gloox said {SAID}",
        "juliet@localhost/gloox said Ay me!",
        "done",
    ], done.stderr
    assert "login-failed" not in localhost.log("c2s")
