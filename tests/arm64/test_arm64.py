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
EMULATION = Path("/proc/sys/fs/binfmt_misc/qemu-aarch64")
pytestmark = pytest.mark.timeout(0)


def no_emulation():
    """A sentence if this machine cannot run their programs."""
    if platform.machine() == ARM or EMULATION.exists():
        return ""
    return "no emulation here: python3 tools/setup.py arm64"


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    if reason := missing() or no_emulation():
        pytest.fail(reason, pytrace=False)
    made = Engine(tmp_path_factory.mktemp("engine"))
    try:
        made.make_images(PLATFORM="arm64")
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
