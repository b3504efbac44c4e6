"""Processes of a box that are killed or do not stay: nothing is left behind, and all come back."""

import json
import os
import signal
import time

import pytest

from hausbote.base.files import replace_text
from hausbote.base.settings import Settings
from hausbote.cli.watch import Watch
from support.processes import has_ended
from support.worlds import RunningWorld, hausbote

ADDRESS = "127.0.0.23"


@pytest.fixture
def house(tmp_path):
    """A box whose processes are killed, so it is nobody else's."""
    world = RunningWorld(tmp_path / "state", address=ADDRESS)
    yield world
    world.close()


def pids(house):
    return {service: house.pid(service) for service in ("c2s", "rooms", "upload", "turn")}


def until(reached):
    """Wait for something that takes as long as it takes; tests have a time limit of their own."""
    while not (found := reached()):
        time.sleep(0.1)
    return found


def supervisor(house):
    return int((house.state / "run" / "supervisor.pid").read_text())


def test_services_end_with_a_supervisor_that_is_killed_and_the_box_starts_again(house):
    before = pids(house)
    os.kill(supervisor(house), signal.SIGKILL)
    assert house.process.wait() == 1
    house.start()
    assert all(has_ended(pid) for pid in before.values())
    after = pids(house)
    assert not set(before.values()) & set(after.values())


def test_the_box_ends_with_a_run_that_is_killed(house):
    before = [*pids(house).values(), supervisor(house)]
    house.process.kill()
    house.process.wait()
    house.start()  # and does not say that the box is running already
    assert all(has_ended(pid) for pid in before)


def test_a_service_that_does_not_stay_is_told_and_comes_back_when_it_can(house):
    certificate = house.settings.path(house.settings.tls.certificate)
    pid = house.pid("c2s")
    away = certificate.rename(certificate.with_suffix(".away"))
    os.kill(pid, signal.SIGKILL)
    screen = iter(house.process.stdout.readline, "")
    assert any("c2s ends as soon as it starts" in line for line in screen)
    assert "service-down service=c2s" in house.log("run")
    told = hausbote("status", state=house.state, check=False)
    assert told.returncode == 1
    assert "c2s ends as soon as it starts" in told.stdout
    away.rename(certificate)
    assert any("c2s serves again" in line for line in screen)
    until(lambda: hausbote("status", state=house.state, check=False).returncode == 0)


def test_a_service_that_does_not_answer_is_no_service(house):
    pid = house.pid("rooms")
    os.kill(pid, signal.SIGSTOP)
    try:
        told = hausbote("status", state=house.state, check=False)
        assert told.returncode == 1
        assert "does not answer" in told.stdout
        done = hausbote("status", "--json", state=house.state, check=False)
        serving = {one["service"]: one["serving"] for one in json.loads(done.stdout)}
        assert serving == {"c2s": True, "rooms": False, "turn": True, "upload": True}
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_service_that_ends_now_and_then_is_told(house):
    house.kill("turn")
    assert "turn ended and was started again (times: 1)" in house.process.stdout.readline()
    assert "service-ended service=turn" in house.log("run")


def test_a_relay_that_is_started_anew_to_read_its_configuration_has_had_no_accident(
    tmp_path, capsys
):
    settings = Settings.from_dict({"domain": "h"}, tmp_path)
    settings.log_dir.mkdir()
    settings.relay_config.parent.mkdir(exist_ok=True)
    settings.relay_config.write_text("one")
    watch = Watch(settings)

    def runs(pid):
        watch.look([{"name": "relay", "statename": "RUNNING", "pid": pid}])
        return capsys.readouterr().out

    assert runs(1) == ""
    replace_text(settings.relay_config, "another")
    assert runs(1) == ""  # which does not know it yet
    assert runs(2) == ""
    assert "relay ended and was started again (times: 1)" in runs(3)
