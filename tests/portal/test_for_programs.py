"""What programs ask the portal for: health, security.txt, figures."""

import http.client
import json
import socket
import time

import pytest

from hausbote.base.owner_tasks import ask_for, asked_for, restart_of
from support.portal import PortalWorld
from support.ways import ask


def test_a_box_that_runs_is_well_and_one_without_its_services_is_not(box, portal):
    for port in (box.settings.ports.portal, box.web_port):
        answer = ask(box, port, "/health")
        assert (answer.status, json.loads(answer.text)) == (200, {"status": "pass"})
    answer = portal.browser().get("/health")  # its services are in this process, without sockets
    assert (answer.status_code, answer.json) == (503, {"status": "fail"})
    assert "Set-Cookie" not in answer.headers


def test_many_who_ask_make_one_look(portal, monkeypatch):
    looks = []
    monkeypatch.setattr("hausbote.portal.health.query_status", lambda *_: looks.append(1) or {})
    for _ in range(20):
        assert portal.browser().get("/health").status_code == 200
    assert len(looks) == len(portal.box.health.ask())


def test_who_asks_during_the_first_look_hears_of_no_illness(portal, monkeypatch):
    meanwhile = []

    def answers(*_):
        meanwhile.append(portal.box.health.is_well())
        return {}

    monkeypatch.setattr("hausbote.portal.health.query_status", answers)
    assert portal.box.health.is_well()
    assert set(meanwhile) == {True}


@pytest.mark.parametrize("claimed", [True, False])
def test_security_txt_says_whom_to_write_to(tmp_path, claimed):
    whom = ["mailto:safe@box.example", "https://box.example/safe"]
    world = PortalWorld(tmp_path, claimed, contact={"security": whom}, language="de")
    answer = world.browser().get("/.well-known/security.txt")
    world.close()
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    lines = answer.text.splitlines()
    assert lines[:2] == [f"Contact: {one}" for one in whom]
    assert lines[3:] == ["Preferred-Languages: de, en"]
    ends = time.mktime(time.strptime(lines[2], "Expires: %Y-%m-%dT00:00:00Z"))
    assert 30 * 86_400 < ends - time.time() < 365 * 86_400  # a year at most (RFC 9116 §2.5.5)


def test_without_a_contact_there_is_no_security_txt(portal):
    assert portal.browser().get("/.well-known/security.txt").status_code == 404
    assert portal.browser().get("/Xwell-known/security.txt").status_code == 404


def figures(box):
    """By name and service, as Prometheus would read them."""
    connection = http.client.HTTPConnection("box")
    connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.sock.connect(str(box.settings.run_dir / "metrics.sock"))
    connection.request("GET", "/metrics")
    answer = connection.getresponse()
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    text = answer.read().decode()
    assert text.endswith("\n")
    lines = [one for one in text.splitlines() if not one.startswith("#")]
    return {name: float(value) for name, _, value in (one.rpartition(" ") for one in lines)}


def test_figures_are_at_a_socket_for_the_box_itself(box):
    found = figures(box)
    for service in ("c2s", "rooms", "upload", "turn", "portal"):
        assert found[f'hausbote_up{{service="{service}"}}'] == 1
        assert found[f'hausbote_memory_bytes{{service="{service}"}}'] > 1_000_000
    assert found["hausbote_disk_free_bytes"] > 0
    assert found["hausbote_certificate_ends_timestamp_seconds"] > time.time()
    assert (box.settings.run_dir / "metrics.sock").stat().st_mode & 0o777 == 0o600


def test_a_part_is_started_again_and_that_is_no_accident(box):
    before = box.pid("turn")
    ask_for(box.settings.run_dir, restart_of("turn"))
    deadline = time.monotonic() + 30
    while box.pid("turn") == before and time.monotonic() < deadline:
        time.sleep(0.2)
    assert box.pid("turn") != before
    assert asked_for(box.settings.run_dir) == []
    log = box.settings.log_dir / "run.log"
    assert not log.exists() or "service=turn" not in log.read_text()
