"""A box of which the firewall lets one port through, 443, and the world outside of it.

Montague's box is behind that firewall, Capulet's is in the world, and has no other port open either.
Everybody finds them by the DNS records that `hausbote check records` prints.
"""

import base64
import hashlib
import hmac
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hausbote.base.settings import Settings
from hausbote.turn.secrets import secrets_of
from support.internet import BOX, BOX6, NEIGHBOUR, PEER, PEER6, Internet, Unavailable
from support.nameserver import NameServer
from support.worlds import HAUSBOTE, PASSWORD, hausbote

TESTS = Path(__file__).parent.parent
OURS, THEIRS = "montague.example", "capulet.example"
NEIGHBOUR6 = "2620:4f:8000::254"
FIREWALL = """
nft -f - <<END
table inet house {
  chain input {
    type filter hook input priority 0; policy drop;
    iif lo accept
    ct state established,related accept
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert } accept
    tcp dport 443 accept
  }
}
END
"""
SAID = "Hark & <b> \"é\" 'x' \U0001f339"


class WorldNames(NameServer):
    """For everybody in the namespaces."""

    def __init__(self, directory, world, records):
        self.address, self.port = PEER, 53
        self._world, self._directory = world, directory
        self._more = "  access-control: 0.0.0.0/0 allow"
        self.records = records
        self.start()

    def start(self):
        config = self._directory / "unbound.conf"
        config.write_text(self._config())
        command = ["/usr/sbin/unbound", "-d", "-d", "-c", str(config)]
        self._process = self._world.popen(command, stderr=subprocess.PIPE, text=True)
        listening = ["sh", "-c", "ss -Hlnu | grep -q ':53 '"]
        deadline = time.monotonic() + 20
        while self._world.run(listening).returncode:
            assert time.monotonic() < deadline, "unbound does not start"
            time.sleep(0.05)


class House:
    """A box with the front as the only way in, in a namespace."""

    def __init__(self, side, state, domain, trusts, *options):
        self.side, self.state, self.domain = side, state, domain
        trusted = json.dumps([str(state / "certs/ca.pem"), str(trusts / "certs/ca.pem")])
        chosen = [
            "front.run=here",
            "front.ports=https",
            f"dns.server={PEER}:53",
            "tls.authorities=''",
            f"tls.trust={trusted}",
            *options,
        ]
        settings = [word for one in chosen for word in ("--set", one)]
        hausbote("init", "--domain", domain, *settings, state=state)
        for name in ("romeo", "juliet"):
            one = f"{name}@{domain}"
            hausbote("user", "add", one, "--password-stdin", state=state, input=PASSWORD)
        self.ca = state / "certs" / "ca.pem"

    def start(self):
        command = [*HAUSBOTE, "--state", str(self.state), "run"]
        self.process = self.side.popen(command, stdout=subprocess.PIPE, text=True)
        self.said = []
        for line in self.process.stdout:
            self.said.append(line)
            if line.startswith("Ctrl-C"):
                return
        raise AssertionError("the box does not start: " + "".join(self.said))

    def hausbote(self, *arguments):
        return self.side.run([*HAUSBOTE, "--state", str(self.state), *arguments])

    def close(self):
        self.process.terminate()
        self.process.wait(30)


class Stage:
    """Both boxes, DNS, and somebody in the world who looks around."""

    def __init__(self, directory, internet):
        self.directory, self.internet = directory, internet
        ours, theirs = directory / "montague", directory / "capulet"
        limits = "limits.login_attempts=2"
        self.house = House(internet.box, ours, OURS, theirs, limits)
        self.other = House(internet.world, theirs, THEIRS, ours, "relay.run=off")
        internet.box.script(FIREWALL)
        records = self.house.hausbote("check", "records").stdout.splitlines()
        self.records = records
        records = [*records, f"{THEIRS}. 60 IN A {PEER}", f"{THEIRS}. 60 IN AAAA {PEER6}"]
        for service in ("client", "server"):
            records.append(f"_xmpps-{service}._tcp.{THEIRS}. 60 IN SRV 0 0 443 {THEIRS}.")
        self.names = WorldNames(directory, internet.world, records)
        (directory / "resolv.conf").write_text(f"nameserver {PEER}\n")
        self.cas = directory / "cas.pem"
        self.cas.write_bytes(self.house.ca.read_bytes() + self.other.ca.read_bytes())
        self.house.start()
        self.other.start()

    def outside(self, *command, input=None, **more):
        """What somebody in the world gets who knows nothing but its DNS."""
        resolve = f'mount --bind {self.directory}/resolv.conf /etc/resolv.conf && exec "$@"'
        wrapped = ["unshare", "--mount", "sh", "-c", resolve, "sh", *map(str, command)]
        path = os.pathsep.join([str(TESTS), *sys.path])
        environment = os.environ | {"PYTHONPATH": path, "SSL_CERT_FILE": str(self.cas)} | more
        done = self.internet.world.run(wrapped, env=environment, input=input, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def script(self, name, *arguments, **more):
        return self.outside(sys.executable, TESTS / "support" / name, *arguments, **more)

    def logins(self, source, target, *passwords):
        said = self.script("logs_in_from.py", source, target, self.house.ca, OURS, *passwords)
        return json.loads(said)

    def close(self):
        self.house.close()
        self.other.close()
        self.names.stop()


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    try:
        internet = Internet()
    except (Unavailable, FileNotFoundError) as problem:
        pytest.fail(f"network namespaces cannot be made here: {problem}; run the tests as root")
    try:
        stage = Stage(tmp_path_factory.mktemp("one-port"), internet)
        yield stage
        stage.close()
    finally:
        internet.close()


@pytest.fixture(scope="module")
def evening(stage):
    picture = stage.directory / "orchard.jpg"
    picture.write_bytes(os.urandom(3_000_000))
    return json.loads(stage.script("one_port_people.py", stage.cas, picture))


def test_the_firewall_lets_nothing_else_through(stage):
    knock = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 2)"
    for port in ("80", "5222", "5269", "5349"):
        done = stage.internet.world.run([sys.executable, "-c", knock, BOX, port])
        assert "TimeoutError" in done.stderr
    assert stage.internet.world.run([sys.executable, "-c", knock, BOX, "443"]).returncode == 0
    assert stage.internet.world.run([sys.executable, "-c", knock, BOX6, "443"]).returncode == 0


def test_people_of_two_servers_talk(evening):
    """They log in by direct TLS, which DNS tells them of, and so do the servers."""
    assert (evening["juliet"], evening["romeo"]) == ("But soft!", "Ay me!")


def test_a_picture_goes_up_and_down(evening):
    assert evening["url"].startswith(f"https://upload.{OURS}/")
    assert evening["same"]


def test_web_clients_are_told_of_no_other_port(evening):
    assert evening["links"] == [
        f"https://{OURS}/http-bind",
        f"wss://{OURS}/xmpp-websocket",
    ]


def test_the_relay_that_people_are_told_of_is_behind_that_port(evening):
    (relay,) = evening["services"]
    assert (relay["type"], relay["host"], relay["port"]) == ("turns", f"relay.{OURS}", "443")


@pytest.fixture
def echo(stage):
    peer = stage.internet.world.popen(["turnutils_peer", "-L", PEER], stdout=subprocess.DEVNULL)
    time.sleep(0.5)
    yield
    peer.terminate()
    peer.wait()


def signed(secret, number):
    name = f"{int(time.time()) + 600}:{number}"
    digest = hmac.digest(secret.encode(), name.encode(), hashlib.sha1)
    return name, base64.b64encode(digest).decode()


@pytest.mark.usefixtures("echo")
def test_a_call_goes_through_the_relay(stage, evening):
    """Romeo has what the server told him; both reach the relay by its name, at port 443."""
    (relay,) = evening["services"]
    (secret, *_) = secrets_of(Settings.load(stage.house.state)).all()
    people = [(relay["username"], relay["password"]), signed(secret, 1)]
    where = (relay["host"], relay["port"], stage.house.ca, PEER)
    said = stage.script("calls_by_tls.py", *where, input=json.dumps(people))
    assert json.loads(said) == ["But soft!", "She speaks", "O Romeo"]


@pytest.mark.parametrize("way", ["websocket", "bosh"])
def test_a_web_client_talks(stage, node, way):
    url = {"websocket": f"wss://{OURS}/xmpp-websocket", "bosh": f"https://{OURS}/http-bind"}[way]
    said = stage.outside(
        "node", node / "stanza.js", OURS, PASSWORD, way, url, NODE_EXTRA_CA_CERTS=str(stage.cas)
    )
    assert said.splitlines()[-1] == "done"
    assert f"romeo@{OURS}/stanza said {SAID}" in said.splitlines()


@pytest.mark.parametrize(
    ("target", "thief", "owner"), [(BOX, PEER, NEIGHBOUR), (BOX6, PEER6, NEIGHBOUR6)]
)
def test_who_guesses_is_known_by_their_own_address(stage, target, thief, owner):
    assert stage.logins(owner, target, PASSWORD) == ["success"]
    assert stage.logins(thief, target, "wrong", "wrong", "wrong") == [
        "not-authorized",
        "not-authorized",
        "temporary-auth-failure",
    ]
    assert stage.logins(owner, target, PASSWORD) == ["success"]


def test_check_sees_all_of_it_and_has_nothing_to_change(stage):
    said = stage.house.hausbote("check").stdout
    assert {line[:4].strip() for line in said.splitlines()} == {"good"}, said
    for subject in (
        f"SRV _xmpps-client._tcp.{OURS}: {OURS}:443",
        f"SRV _xmpp-client._tcp.{OURS}: none, for no port is open for it",
        f"clients at {OURS}:443: reachable, TLS from the first byte",
        f"servers at {OURS}:443: reachable, TLS from the first byte",
        f"host-meta of {OURS}: wss://{OURS}/xmpp-websocket",
        f"uploads at upload.{OURS}:443: reachable",
        f"relay at relay.{OURS}:443: reachable",
        f"http at {OURS}:80: leads to TLS",
        f"names.rooms rooms.{OURS}: is found",
    ):
        assert subject in said, said


def test_others_see_it_as_well(stage):
    said = stage.other.hausbote("check", OURS).stdout
    assert f"servers at {OURS}:443: reachable, TLS from the first byte" in said, said
    assert "accepts our certificate" in said


def test_nothing_but_tls_enters(stage):
    ask = "import socket,sys; s=socket.create_connection((sys.argv[1],443),10); "
    ask += "s.sendall(b'GET / HTTP/1.0\\r\\n\\r\\n'); print(s.recv(100))"
    assert stage.outside(sys.executable, "-c", ask, BOX) == "b''\n"


def test_who_names_nothing_gets_the_web(stage):
    """No protocol and no name in TLS: a browser by address, or a tool."""
    ask = "import socket,ssl,sys; c=ssl._create_unverified_context(); "
    ask += "s=c.wrap_socket(socket.create_connection((sys.argv[1],443),10)); "
    ask += "s.sendall(b'GET / HTTP/1.0\\r\\nHost: 127.0.0.1\\r\\n\\r\\n'); print(s.recv(100)[:12])"
    assert stage.outside(sys.executable, "-c", ask, BOX) == "b'HTTP/1.1 303'\n"
