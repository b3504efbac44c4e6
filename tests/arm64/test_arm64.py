"""The images for a Raspberry Pi, built and started on another machine: `make test-arm64`.

Every program of theirs is emulated, so this takes a while, and is none of the usual tests.
"""

import json
import os
import platform
import time
from pathlib import Path

import pytest

from support.engine import Engine, missing

ARM = "aarch64"
BINFMT = Path("/proc/sys/fs/binfmt_misc")
KNOWN = Path("/usr/lib/binfmt.d/qemu-aarch64.conf")  # of Debian's qemu-user-static
pytestmark = [
    pytest.mark.timeout(0),
    pytest.mark.skipif("PLATFORM" not in os.environ, reason="make test-arm64"),
]


def emulation_missing():
    """A sentence if this machine cannot run their programs."""
    if platform.machine() == ARM or (BINFMT / "qemu-aarch64").exists():
        return ""
    if not KNOWN.exists():
        return "no emulation here: apt install qemu-user-static"
    if not (BINFMT / "register").exists():
        return f"no emulation here: mount -t binfmt_misc binfmt_misc {BINFMT}"
    return f"no emulation here: cat {KNOWN} > {BINFMT / 'register'}"


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    if reason := missing() or emulation_missing():
        pytest.skip(reason)
    made = Engine(tmp_path_factory.mktemp("engine"))
    try:
        made.make_images("-arm64")
        yield made
    finally:
        made.stop()


def test_a_box_is_made_and_a_service_of_it_serves(engine):
    volume, name = f"arm-{os.getpid()}", f"arm-turn-{os.getpid()}"
    image = "hausbote/{}:latest-arm64"
    run = ("run", "--platform=linux/arm64", "--network=none", "--read-only", "--cap-drop=ALL")
    run += ("--volume", f"{volume}:/var/lib/hausbote", "--tmpfs=/tmp:mode=1777")
    run += ("--tmpfs=/run/hausbote:mode=0700,uid=10000,gid=10000",)
    try:
        machine = engine.docker(*run, "--rm", "--entrypoint=uname", image.format("turn"), "-m")
        assert machine == ARM
        engine.docker(*run, "--rm", image.format("c2s"), "init", "--domain", "h")
        engine.docker(*run, "--detach", "--name", name, image.format("turn"))
        while engine.try_docker(
            "exec", name, "python3", "-m", "hausbote.core.health", "turn"
        ).stdout:
            assert json.loads(engine.docker("inspect", name))[0]["State"]["Running"]
            time.sleep(0.5)
        assert "version" in engine.docker("exec", name, "hausbote", "--version")
    finally:
        engine.try_docker("rm", "--force", name)
        engine.try_docker("volume", "rm", volume)
