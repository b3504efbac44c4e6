"""A box in containers, from the images on: what its people and its owner see."""

import asyncio
import hashlib
import json
import os
import re
import ssl
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

from hausbote.base.services import SERVICES
from support.audit import audit, missing_files
from support.foreign import enter
from support.kill_people import Listener, Talker, Uploader
from support.people import Person, people
from support.worlds import HAUSBOTE

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "compose"
TRIXIE = ROOT / "build" / "trixie"  # Debian 13: `make trixie`
NAMES = [service.name for service in SERVICES]
IDLE = ("certs", "front")  # what the box does without, by its settings
WANTED = [name for name in NAMES if name not in IDLE]
OURS = [service.name for service in SERVICES if service.is_ours and service.name in WANTED]


class Sharer(Person):
    """Knows about files, too."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.register_plugin("xep_0363")


def test_two_people_chat_and_share_a_file(box, tmp_path, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(box.ca))
    for name in ("romeo", "juliet"):
        box.add_account(name)
    content = os.urandom(500_000)
    picture = tmp_path / "garden.jpg"
    picture.write_bytes(content)

    def download(url):
        context = ssl.create_default_context(cafile=str(box.ca))
        with urllib.request.urlopen(url, context=context) as answer:
            return answer.read()

    async def evening():
        names = ("romeo/orchard", "juliet/balcony")
        async with people(box, *names, kind=Sharer) as (romeo, juliet):
            romeo.send_message("juliet@h", "But soft!", mtype="chat")
            assert (await juliet.hears())["body"] == "But soft!"
            url = await romeo.plugin["xep_0363"].upload_file(picture, domain="h", timeout=20)
            romeo.send_message("juliet@h", url, mtype="chat")
            got = await asyncio.to_thread(download, (await juliet.hears())["body"])
            assert hashlib.sha256(got).digest() == hashlib.sha256(content).digest()
        return True

    assert asyncio.run(evening())


def test_every_container_is_restarted_while_people_talk_and_nothing_is_lost(box):
    for name in ("talker", "listener", "sender"):
        box.add_account(name)
    talker, listener = Talker(box, "talker", box), Listener(box, "listener")
    uploader = Uploader(box, "sender")
    everybody = (listener, talker, uploader)
    for one in everybody:
        one.start()
    for service in box.services():
        said = talker.sent
        box.engine.docker("restart", "--time", "10", box.container(service))
        box.until_well(service)
        while talker.sent < said + 60:  # and people go on
            time.sleep(0.1)
    for one in everybody:
        one.stop()
    for one in everybody:
        one.join()
    box.until_serving()
    assert len(talker.acknowledged()) > 60 * len(NAMES) / 2
    assert uploader.confirmed
    problems = [*audit(talker), *listener.twice, *talker.twice, *missing_files(uploader)]
    assert not problems, "\n".join(problems[:40])


def test_the_status_is_that_of_all_containers(box):
    found = box.until_serving()
    assert sorted(found) == sorted(WANTED)
    assert all(found[name]["memory"] > 1_000_000 for name in OURS)
    shown = box.hausbote("status", service="rooms")
    for service in NAMES:
        assert (f"{service} " in shown) == (service in WANTED)
        health = ("exec", box.container(service), "python3", "-m", "hausbote.core.health", service)
        assert box.engine.docker(*health) == ""


@pytest.mark.parametrize("service", NAMES)
def test_a_container_may_do_nothing_that_it_need_not(box, service):
    told = box.inspect(service)
    host = told["HostConfig"]
    assert told["Config"]["User"] == "10000:10000"
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    low_ports = service == "front"  # its program has the one capability that they need
    assert host["CapAdd"] == (["NET_BIND_SERVICE"] if low_ports else None)
    assert host["SecurityOpt"] == (None if low_ports else ["no-new-privileges:true"])
    assert host["Memory"] > 0
    assert host["PidsLimit"] == 64
    assert told["Config"]["Healthcheck"]["Test"][-1] == service
    status = box.engine.docker("exec", box.container(service), "cat", "/proc/1/status")
    assert re.search(r"^Uid:\s+10000\s+10000\s+10000\s+10000$", status, re.MULTILINE)
    for capabilities in ("CapPrm", "CapEff", *(() if low_ports else ("CapBnd",)), "CapAmb"):
        assert re.search(rf"^{capabilities}:\s+0+$", status, re.MULTILINE)


@pytest.mark.parametrize("service", ["rooms", "turn"])
def test_who_needs_no_network_has_none(box, service):
    interfaces = box.engine.docker("exec", box.container(service), "ls", "/sys/class/net")
    assert "eth" not in interfaces
    assert box.inspect(service)["HostConfig"]["NetworkMode"] == "none"


def test_no_image_has_a_program_that_gives_rights(engine):
    for name in ("base", *NAMES):
        find = ("/", "-xdev", "-perm", "/6000", "-type", "f")
        run = ("run", "--rm", "--network=none", "--entrypoint=find", f"hausbote/{name}", *find)
        assert engine.try_docker(*run).stdout == ""


@pytest.mark.parametrize("service", NAMES)
def test_a_container_ends_by_itself_when_it_is_told_to(box, service):
    box.engine.docker("stop", "--time", "10", box.container(service))
    assert box.inspect(service)["State"]["ExitCode"] == 0  # 137: it had to be killed
    box.engine.docker("start", box.container(service))
    box.until_serving()


def test_a_service_that_dies_comes_back_without_its_container(box):
    before = box.until_serving()["rooms"]["pid"]
    container = box.container("rooms")
    python = f"import os; os.kill({before}, 9)"
    box.engine.docker("exec", container, "python3", "-c", python)
    box.wait_for("rooms", "rooms ended and was started again (times: 1)")
    box.until_serving()
    assert box.inspect("rooms")["RestartCount"] == 0


def test_a_second_stack_on_the_same_volume_waits_and_disturbs_nobody(box):
    name = f"{box.name}-second"
    box.engine.docker(
        "run", "--detach", "--name", name, "--network=none", "--read-only",
        "--tmpfs=/run/hausbote:mode=0700,uid=10000,gid=10000",
        "--volume", f"{box.volume}:/var/lib/hausbote", "hausbote/rooms",
    )  # fmt: skip
    try:
        while "two boxes must not share a volume" not in box.engine.try_docker("logs", name).stdout:
            time.sleep(0.1)
        assert json.loads(box.engine.docker("inspect", name))[0]["State"]["Running"]
        box.until_serving()
    finally:
        box.engine.docker("rm", "--force", name)


def test_the_images_together_are_small(engine):
    sizes = {
        name: int(engine.docker("image", "inspect", "--format", "{{.Size}}", f"hausbote/{name}"))
        for name in ("base", "certs", "front", *NAMES)
    }
    assert sizes["base"] + sum(size - sizes["base"] for size in sizes.values()) <= 250e6


def told_by(*command):
    """What it says of a box for the domain h."""
    environment = os.environ | {"HAUSBOTE_DOMAIN": "h"}
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.parametrize("program", ["docker-compose", "docker compose"])
def test_the_compose_file_is_understood_by(program):
    where = [] if program == "docker-compose" else enter(TRIXIE, COMPOSE)
    told = told_by(*where, *program.split(), "--file", COMPOSE / "compose.yaml", "config")
    for name in NAMES:
        assert f"hausbote/{name}:latest" in told
    assert "${" not in told


def test_podman_compose_starts_every_service_in_the_network_that_it_wants():
    """Podman refuses a container with two, which podman-compose 1.0 would have."""
    program = [*enter(TRIXIE, COMPOSE), "podman-compose", "--verbose", "--dry-run"]
    told = told_by(*program, "--file", COMPOSE / "compose.yaml", "up", "--detach")
    networks = {
        re.search(r"hausbote/(\w+):latest", line)[1]: re.findall(r"--net(?:work)?[ =](\S+)", line)
        for line in told.splitlines()
        if "podman run " in line
    }
    assert networks == {one.name: ["host" if one.network else "none"] for one in SERVICES}


def test_the_compose_file_is_that_of_the_table():
    command = [HAUSBOTE[0], "-m", "hausbote.cli.compose_file"]
    made = subprocess.run(command, capture_output=True, text=True, check=True)
    assert made.stdout == (COMPOSE / "compose.yaml").read_text("utf-8")


def test_everything_that_can_be_chosen_is_in_the_example():
    used = {"COMPOSE_PROJECT_NAME"} | set(
        re.findall(r"\$\{(\w+)", (COMPOSE / "compose.yaml").read_text("utf-8"))
    )
    example = (COMPOSE / ".env.example").read_text("utf-8")
    assert used == set(re.findall(r"^#?(\w+)=", example, re.MULTILINE))
