"""The relay for calls: coturn as `hausbote run` starts it, with coturn's own client.

The box has public addresses in a network of the test's own, so that everything is as it would be
out there: who talks to whom, and what the relay must not reach.
"""

import base64
import hashlib
import hmac
import itertools
import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from hausbote.base.settings import Settings
from hausbote.core.bus import notify
from hausbote.turn.secrets import secrets_of
from support.alone import Alone
from support.internet import BOX, BOX6, INSIDE, NEIGHBOUR, PEER, PEER6, Internet, Unavailable
from support.worlds import DOMAIN, HAUSBOTE, PASSWORD, hausbote

TESTS = Path(__file__).parent.parent
CALLS = [sys.executable, str(TESTS / "support" / "calls_by_tls.py")]
ASKS = [sys.executable, str(TESTS / "support" / "asks_for_relay.py")]
MOVED = "2620:4f:8003"
_numbers = itertools.count()
QUICK = ["-n", "2", "-m", "1", "-c"]


class House:
    """A box in the namespace, with the ports that boxes have."""

    def __init__(self, state, internet):
        self.state = state
        self.internet = internet
        options = [
            "ports.web=0",
            "ports.c2s_tls=0",
            "relay.connections_per_account=6",
            f"relay.host={BOX}",
        ]
        chosen = [word for one in options for word in ("--set", one)]
        hausbote("init", "--domain", DOMAIN, *chosen, state=state)
        for name in ("romeo", "juliet"):
            one = f"{name}@{DOMAIN}"
            hausbote("user", "add", one, "--password-stdin", state=state, input=PASSWORD)
        self.process = internet.box.popen(
            [*HAUSBOTE, "--state", str(state), "run"], stdout=subprocess.PIPE, text=True
        )
        self.said = []
        for line in self.process.stdout:
            self.said.append(line)
            if line.startswith("Ctrl-C"):
                break
        self.wait_for_relay()

    def wait_for_relay(self):
        deadline = time.monotonic() + 20
        listening = ["sh", "-c", "ss -Hlnut | grep -c ':3478 '"]
        while self.internet.box.run(listening).stdout.strip() < "4":
            assert time.monotonic() < deadline, "the relay does not start"
            time.sleep(0.1)

    def services(self, who="romeo"):
        """What a client is told, by type and transport."""
        ask = [*ASKS, BOX, "5222", str(self.state / "certs" / "ca.pem"), who]
        done = self.internet.world.run(
            ask, env=os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])}
        )
        assert done.returncode == 0, done.stderr
        return {(one["type"], one["transport"]): one for one in json.loads(done.stdout)}

    def credentials(self):
        turn = self.services()["turn", "udp"]
        return turn["username"], turn["password"]

    def somebody(self):
        """Good credentials of somebody who has no connection yet: broken ones stay for minutes."""
        (secret, *_) = secrets_of(Settings.load(self.state)).all()
        return signed(secret, f"{int(time.time()) + 600}:{next(_numbers)}")

    def call(self, user, password, *options, at=BOX):
        """What coturn's client says when it sends messages by the relay and wants them back."""
        command = ["turnutils_uclient", *QUICK, "-u", user, "-w", password, *options, at]
        done = self.internet.world.run(command)
        return done.stdout + done.stderr

    def close(self):
        self.process.terminate()
        self.process.wait(30)


@pytest.fixture(scope="module")
def internet():
    try:
        internet = Internet()
    except (Unavailable, FileNotFoundError) as problem:
        pytest.fail(f"network namespaces cannot be made here: {problem}; run the tests as root")
    yield internet
    internet.close()


@pytest.fixture(scope="module")
def house(internet, tmp_path_factory):
    """In a place whose name is full of punctuation."""
    house = House(tmp_path_factory.mktemp("house") / 'our "box" 100% ; #1', internet)
    yield house
    house.close()


@pytest.fixture(scope="module", autouse=True)
def echo(internet):
    """Peers that send back what they get: on the internet, and where calls have no business."""
    peers = [
        internet.world.popen(["turnutils_peer", "-L", one], stdout=subprocess.DEVNULL)
        for one in (PEER, PEER6, NEIGHBOUR)
    ]
    peers += [
        internet.box.popen(["turnutils_peer", "-L", one], stdout=subprocess.DEVNULL)
        for one in (*INSIDE, "127.0.0.1", "::1")
    ]
    time.sleep(0.5)
    yield
    for peer in peers:
        peer.terminate()
        peer.wait()


def signed(secret, name):
    digest = hmac.digest(secret.encode(), name.encode(), hashlib.sha1)
    return name, base64.b64encode(digest).decode()


def arrived(said):
    return "Total lost packets 0 (0.000000%)" in said and "tot_recv_msgs=2" in said


def test_what_a_client_sends_by_the_relay_arrives_and_comes_back(house):
    assert arrived(house.call(*house.credentials(), "-e", PEER))


def test_it_does_over_tcp(house):
    assert arrived(house.call(*house.credentials(), "-e", PEER, "-t"))


def test_it_does_over_ipv6(house):
    assert arrived(house.call(*house.credentials(), "-x", "-e", PEER6, at=BOX6))


def test_two_people_who_both_need_the_relay_reach_each_other(house):
    assert "Total lost packets 0 (0.000000%)" in house.call(*house.credentials(), "-y")


@pytest.mark.parametrize(("version", "good"), [("1_2", True), ("1_1", False)])
def test_its_tls_is_of_today_and_has_the_certificate_of_the_box(house, version, good):
    service = house.services()["turns", "tcp"]
    command = ["timeout", "3", "openssl", "s_client", "-brief", f"-tls{version}"]
    command += ["-connect", f"{BOX}:{service['port']}", "-servername", DOMAIN]
    command += ["-verify_return_error", "-verify_hostname", DOMAIN]
    command += ["-CAfile", str(house.state / "certs" / "ca.pem")]
    done = house.internet.world.run(command, stdin=subprocess.DEVNULL)
    assert ("Verification: OK" in done.stderr) is good


def test_a_call_goes_by_tls_from_end_to_end(house):
    """Credentials over XMPP, and both have a network that lets nothing else out.

    Not with coturn's own client: that of 4.6.1 waits for ever in TLS 1.3, and in TLS 1.2 at its
    second connection, while OpenSSL's and aioice come through at the same time.
    """
    found = [house.services(who)["turns", "tcp"] for who in ("romeo", "juliet")]
    people = json.dumps([(one["username"], one["password"]) for one in found])
    call = [*CALLS, BOX, found[0]["port"], str(house.state / "certs" / "ca.pem"), PEER]
    done = house.internet.world.run(call, input=people)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["But soft!", "She speaks", "O Romeo"]


# -- whom it does not serve --------------------------------------------------------------------


def refused(said):
    return "Cannot complete Allocation" in said and "tot_recv_msgs" not in said


def test_credentials_that_are_over_are_refused(house):
    name, _ = house.credentials()
    past = f"{int(time.time()) - 2}:{name.partition(':')[2]}"
    (secret,) = secrets_of(Settings.load(house.state)).all()
    assert refused(house.call(*signed(secret, past), "-e", PEER))


def test_credentials_that_somebody_changed_are_refused(house):
    name, password = house.credentials()
    later = f"{int(time.time()) + 100_000}:{name.partition(':')[2]}"
    for changed in ((later, password), (f"{name}x", password), (name, password[::-1]), (name, "")):
        assert refused(house.call(*changed, "-e", PEER))


def test_credentials_of_another_box_are_refused(house):
    name = f"{int(time.time()) + 600}:somebody"
    assert refused(house.call(*signed("another secret", name), "-e", PEER))
    assert refused(house.call("romeo", PASSWORD, "-e", PEER))


def test_one_account_gets_so_many_connections_and_no_more(house):
    somebody = house.somebody()
    assert "Allocation Quota" not in house.call(*somebody, "-e", PEER, "-m", "2")
    assert "Allocation Quota Reached" in house.call(*somebody, "-e", PEER, "-m", "12")
    assert arrived(house.call(*house.somebody(), "-e", PEER))


# -- whom calls do not reach -------------------------------------------------------------------


@pytest.mark.parametrize(
    "peer",
    [
        "127.0.0.1", "192.168.0.1", "10.0.0.1", "172.16.0.1", "169.254.1.1", "100.64.0.1", "0.0.0.0",
        "198.18.0.1", "192.0.2.1", "224.0.0.251", "255.255.255.255", NEIGHBOUR, "192.31.196.254",
    ],
)  # fmt: skip
def test_calls_do_not_reach_what_is_not_the_internet(house, peer):
    assert forbidden(house.call(*house.somebody(), "-e", peer))


@pytest.mark.parametrize(
    "peer",
    [
        "::1", "::", "fe80::1", "fd00::1", "fec0::1", "ff02::1", "::ffff:192.168.0.1", "::192.168.0.1",
        "::ffff:0:192.168.0.1", "64:ff9b::c0a8:1", "2002:c0a8:1::1", "2001::1", "2001:db8::1", "4000::1",
        "2620:4f:8000::254",
    ],
)  # fmt: skip
def test_nor_over_ipv6(house, peer):
    assert forbidden(house.call(*house.somebody(), "-x", "-e", peer, at=BOX6))


def forbidden(said):
    return "error 403 (Forbidden IP)" in said and "tot_recv_msgs" not in said


def test_there_is_no_relay_for_tcp(house):
    said = house.call(*house.somebody(), "-T", "-e", PEER)
    assert "tot_recv_msgs" not in said


def test_nobody_else_listens(house):
    """No command line of coturn, no web page of it."""
    listening = house.internet.box.run(["ss", "-Hlntup"]).stdout.splitlines()
    ports = {int(line.split()[4].rpartition(":")[2]) for line in listening if "turnserver" in line}
    assert {port for port in ports if port not in range(49_160, 49_260)} == {3478, 5349}


# -- its secret --------------------------------------------------------------------------------


def test_the_secret_changes_while_calls_go_on(house):
    before = house.credentials()
    hausbote("relay", "rotate", state=house.state)
    after = house.credentials()
    assert before[0].partition(":")[2] != after[0].partition(":")[2]
    for credentials in (before, after):
        assert arrived(house.call(*credentials, "-e", PEER))


def test_all_credentials_can_be_voided_at_once(house):
    before = house.credentials()
    hausbote("relay", "rotate", "--now", state=house.state)
    assert refused(house.call(*before, "-e", PEER))
    assert arrived(house.call(*house.credentials(), "-e", PEER))


# -- its life ----------------------------------------------------------------------------------


def test_the_owner_is_told_what_runs(house):
    assert any("relay for calls" in line for line in house.said)
    status = json.loads(hausbote("status", "--json", state=house.state).stdout)
    assert {one["service"]: one["state"] for one in status}["relay"] == "running"


def test_a_relay_that_dies_comes_back(house):
    status = json.loads(hausbote("status", "--json", state=house.state).stdout)
    os.kill(next(one["pid"] for one in status if one["service"] == "relay"), 9)
    time.sleep(0.2)
    house.wait_for_relay()
    assert arrived(house.call(*house.credentials(), "-e", PEER))


def test_a_network_that_is_the_boxs_own_from_now_on_is_not_reached_any_more(house):
    """As when the provider gives a household another prefix."""
    box, peer = house.internet.box, f"{MOVED}::2"
    assert not forbidden(house.call(*house.somebody(), "-x", "-e", peer, at=BOX6))
    with moved(box):
        assert notify(house.state / "run", "turn", {})
        time.sleep(1)
        house.wait_for_relay()
        assert forbidden(house.call(*house.somebody(), "-x", "-e", peer, at=BOX6))
        assert "relay-moved" in (house.state / "log" / "turn.log").read_text()
        supervised = (house.state / "log" / "supervisor.log").read_text()
        assert "stopped: relay" in supervised
        assert "exited: relay (terminated by SIGTERM" not in supervised  # as by accident


@contextmanager
def moved(box):
    """The box is in one more network meanwhile."""
    box.script(
        "ip link add lan type veth peer name switch; ip link set lan up; ip link set switch up"
    )
    box.script(f"ip -6 addr add {MOVED}::1/64 dev lan nodad")
    try:
        yield
    finally:
        box.script("ip link del lan")


def test_the_relay_of_a_container_is_started_anew_when_the_box_is_in_another_network(
    internet, tmp_path
):
    """Which its own supervisor finds out within a minute: `turn` has no network there."""
    state, run_dir = tmp_path / "state", tmp_path / "run"
    options = ["ports.relay=3496", "ports.relay_tls=3497", "relay.first_port=49300"]
    options.append("relay.last_port=49310")
    chosen = [word for one in options for word in ("--set", one)]
    hausbote("init", "--domain", DOMAIN, *chosen, state=state)
    relay = Alone(state, run_dir, "relay", within=internet.box.enter)
    try:
        config, pid = run_dir / "relay.conf", run_dir / "relay.pid"
        while relay.health("relay"):
            time.sleep(0.2)
        before = pid.read_text()
        assert MOVED not in config.read_text()
        with moved(internet.box):
            relay.says("relay-moved")
            assert f"denied-peer-ip={MOVED}::-" in config.read_text()
            while not pid.exists() or pid.read_text() == before or relay.health("relay"):
                time.sleep(0.2)
        os.kill(int(pid.read_text()), 9)
        relay.says("relay ended and was started again (times: 1)")  # but this was an accident
        assert not any("was started again" in line for line in relay.said[:-1])
    finally:
        relay.stop()


@contextmanager
def elsewhere(internet, state, place, port):
    """A coturn that nobody looks after, with what the box at `state` prints for it."""
    command = [*HAUSBOTE, "--state", str(state), "relay", "config"]
    text = (
        internet.box.run(command)
        .stdout.replace("=3478", f"={port}")
        .replace("=5349", f"={port + 1}")
    )
    (place / "turnserver.conf").write_text(text + f"pidfile={place}/pid\n")
    relay = internet.box.popen(
        ["turnserver", "-c", str(place / "turnserver.conf")], stdout=subprocess.DEVNULL
    )
    try:
        time.sleep(1)
        yield
    finally:
        relay.terminate()
        relay.wait()


def test_a_relay_elsewhere_works_with_what_the_box_prints(house, tmp_path):
    with elsewhere(house.internet, house.state, tmp_path, 3490):
        assert arrived(house.call(*house.credentials(), "-e", PEER, "-p", "3490"))


@pytest.mark.parametrize(
    ("external", "good", "told"),
    [(PEER, True, f"calls come from {PEER}"), ("", False, "which the internet does not reach")],
)
def test_a_relay_behind_nat_tells_the_address_that_the_internet_sees(
    internet, tmp_path, external, good, told
):
    options = [
        "relay.run=elsewhere",
        "relay.address=10.0.0.1",
        "relay.host=10.0.0.1",
        f"relay.external={external}",
    ]
    options += ["ports.relay=3492", "ports.relay_tls=3493"]
    chosen = [word for one in options for word in ("--set", one)]
    hausbote("init", "--domain", DOMAIN, *chosen, state=tmp_path / "state")
    with elsewhere(internet, tmp_path / "state", tmp_path, 3492):
        done = internet.box.run([*HAUSBOTE, "--state", str(tmp_path / "state"), "relay", "check"])
    assert (done.returncode == 0) is good, done.stdout
    assert done.stdout.count(told) == 3


def test_a_port_that_is_closed_is_told(internet, tmp_path):
    options = [
        "relay.run=elsewhere",
        "relay.address=10.0.0.1",
        "relay.host=10.0.0.1",
        "ports.relay=3494",
    ]
    chosen = [word for one in options for word in ("--set", one)]
    hausbote("init", "--domain", DOMAIN, *chosen, state=tmp_path / "state")
    done = internet.box.run([*HAUSBOTE, "--state", str(tmp_path / "state"), "relay", "check"])
    assert done.returncode == 1
    assert done.stdout.count("no answer") == 5
    assert "Traceback" not in done.stderr


def test_neither_log_names_anybody(house):
    """Nor does the relay have one."""
    logs = "".join(path.read_text() for path in (house.state / "log").iterdir())
    assert BOX not in logs
    assert PEER not in logs
    assert house.credentials()[0].partition(":")[2] not in logs


# -- trying it ---------------------------------------------------------------------------------


def test_the_owner_can_try_it(house):
    done = house.internet.box.run([*HAUSBOTE, "--state", str(house.state), "relay", "check"])
    assert done.returncode == 0, done.stdout + done.stderr
    told = done.stdout.splitlines()
    assert [line.split()[0] for line in told] == ["stun", "stun", "turn", "turn", "turns"]
    assert all(f"it sees this machine as {BOX}" in line for line in told[:2])
    assert all(f"calls come from {BOX}, and reach nothing inside" in line for line in told[2:])


def test_trying_leaves_no_connections_behind(house):
    """Else an owner who tries often would stand in their own way."""
    for _ in range(3):
        done = house.internet.box.run([*HAUSBOTE, "--state", str(house.state), "relay", "check"])
        assert done.returncode == 0, done.stdout
