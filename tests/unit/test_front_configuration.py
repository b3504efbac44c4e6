"""haproxy.cfg and the records of DNS, made of the settings: HAProxy itself reads the one.

What HAProxy makes of it is in interop/test_one_port.py.
"""

import re
import subprocess

import pytest

from hausbote.base.front import backends
from hausbote.base.settings import Settings, SettingsError
from hausbote.cli.haproxy import configuration
from hausbote.cli.supervision import found
from hausbote.inspection.records import records
from hausbote.turn.offers import offers

HERE = {"run": "here"}


def settings(tmp_path, front=HERE, **raw):
    return Settings.from_dict({"domain": "h.example", "front": front} | raw, tmp_path)


def srv(box, kind):
    """Ports that DNS should tell, in the order to try."""
    found = [line.split() for line in records(box) if line.startswith(f"{kind}.")]
    return [int(one[6]) for one in sorted(found, key=lambda one: int(one[4]))]


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"front": {"run": "here", "ports": "https"}},
        {"front": {"run": "here", "connections": 50}},
        {"address": "192.0.2.1", "ports": {"https": 8_444, "http": 8_081}},
        {"address": "2001:db8::1", "federation": {"enabled": "no"}},
        {"relay": {"run": "off"}, "limits": {"connections_per_address": 0, "idle_seconds": 0}},
        {"domain": "bücher.example", "ports": {"http": 0, "proxy": 0}},
    ],
)
def test_haproxy_takes_it_without_a_word(tmp_path, raw):
    box = settings(tmp_path, **raw)
    file = tmp_path / "front.conf"
    file.write_text(configuration(box))
    done = subprocess.run(
        [found("haproxy"), "-c", "-f", file], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not re.search("WARNING|ALERT", done.stdout + done.stderr), done.stderr


def test_haproxy_of_ones_own_finds_the_doors_from_anywhere(tmp_path):
    box = settings(tmp_path, front={"run": "elsewhere"})
    made = configuration(box, box.front_dir)
    for backend in backends(box):
        assert f"unix@{tmp_path}/run/front/{backend.name}.sock send-proxy-v2" in made


def test_it_stands_on_the_ports_that_are_open_and_no_others(tmp_path):
    def ports(box):
        return {int(one) for one in re.findall(r"bind 0\.0\.0\.0:(\d+)", configuration(box))}

    everything = {443, 80, 5222, 5223, 5269, 5270, 5281, 5443, 5000}
    assert ports(settings(tmp_path)) == everything
    assert ports(settings(tmp_path, ports={"c2s": 0, "proxy": 0})) == everything - {5222, 5000}
    assert ports(settings(tmp_path, federation={"enabled": "no"})) == everything - {5269, 5270}
    assert ports(settings(tmp_path, front={"run": "here", "ports": "https"})) == {443, 80}


def test_addresses_of_files_and_web_clients_follow(tmp_path):
    box = settings(tmp_path)
    assert (box.web_url, box.upload_url) == ("https://h.example", "https://upload.h.example")
    box = settings(tmp_path, ports={"https": 8_444})
    assert (box.web_url, box.upload_url) == (
        "https://h.example:8444",
        "https://upload.h.example:8444",
    )
    box = settings(tmp_path, upload={"url": "https://files.example"})
    assert box.upload_url == "https://files.example"
    box = settings(tmp_path, front={"run": "no"})
    assert box.upload_url == "https://upload.h.example:5443"


def test_dns_tells_what_is_open(tmp_path):
    box = settings(tmp_path)
    assert srv(box, "_xmpps-client._tcp.h.example") == [443, 5_223]
    assert srv(box, "_xmpp-client._tcp.h.example") == [5_222]
    assert srv(box, "_xmpps-server._tcp.rooms.h.example") == [443, 5_270]
    assert srv(box, "_turns._tcp.h.example") == [443, 5_349]
    box = settings(tmp_path, front={"run": "here", "ports": "https"})
    assert srv(box, "_xmpps-client._tcp.h.example") == [443]
    assert srv(box, "_xmpp-client._tcp.h.example") == []
    assert srv(box, "_xmpps-server._tcp.h.example") == [443]
    assert srv(box, "_turns._tcp.h.example") == [443]
    assert srv(box, "_turn._udp.h.example") == []
    box = settings(tmp_path, front={"run": "no"})
    assert srv(box, "_xmpps-client._tcp.h.example") == [5_223]
    assert srv(box, "_turns._tcp.h.example") == [5_349]


def test_clients_are_told_of_the_relay_at_the_front(tmp_path):
    def told(box):
        return {(one.type, one.host, one.port) for one in offers(box)}

    host = "relay.h.example"
    assert {("turns", host, 443), ("turns", host, 5_349), ("turn", host, 3_478)} <= told(
        settings(tmp_path)
    )
    only = settings(tmp_path, front={"run": "here", "ports": "https"})
    assert told(only) == {("turns", host, 443)}
    elsewhere = settings(tmp_path, relay={"run": "elsewhere", "host": "relay.example"})
    assert ("turns", "relay.example", 443) not in told(elsewhere)


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ({"ports": {"https": 0}}, "front.run: a front needs ports.https"),
        ({"ports": {"web": 443}}, "443 is already ports.web"),
        ({"front": {"run": "yes"}}, "front.run: must be one of no, here, elsewhere"),
        ({"front": {"run": "here", "connections": 3}}, "front.connections: must be 0 or at least"),
    ],
)
def test_what_cannot_be_is_told(tmp_path, raw, problem):
    with pytest.raises(SettingsError) as caught:
        settings(tmp_path, **raw)
    assert any(problem in one for one in caught.value.problems), caught.value.problems


def test_without_a_front_its_ports_are_nobodys(tmp_path):
    box = settings(tmp_path, front={"run": "no"}, ports={"web": 443})
    assert (box.ports.web, box.ports.https, box.ports.http) == (443, 0, 0)
    assert box.web_url == "https://h.example"
