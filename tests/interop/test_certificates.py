"""A certificate of an authority, with real certbot and a real ACME server: pebble."""

import contextlib
import json
import os
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hausbote.base.acme_record import read_record
from hausbote.base.settings import Settings
from hausbote.certs.deployment import deploy
from hausbote.certs.pair import read_pair
from hausbote.certs.renewal import renew
from hausbote.cli.certificate_news import certificate_sentences
from hausbote.core.bus import notify
from support import files
from support.authority import Authority
from support.foreign import Federating, Names
from support.pebble import ADDRESS as AUTHORITY
from support.pebble import Pebble
from support.ports import free_ports
from support.processes import wait_until_ended
from support.worlds import HAUSBOTE, RunningWorld, hausbote

ADDRESS = "127.0.0.72"
DOMAIN = "house.example"
NAMES = [DOMAIN, *[f"{kind}.{DOMAIN}" for kind in ("rooms", "pubsub", "upload", "proxy")]]
SIZE = 9_000_000  # of a file that is uploaded meanwhile
FEWER = ["federation.enabled=no", "ports.proxy=0", "ports.upload=0"]  # leaves the domain alone


@pytest.fixture(scope="module")
def pebble(tmp_path_factory):
    with Pebble(tmp_path_factory.mktemp("pebble")) as pebble:
        yield pebble


@pytest.fixture
def state(pebble, tmp_path):
    """A new box that is not running, with one name only: state(*settings)."""

    def make(*settings, trusted=True):
        return a_box(tmp_path / "state", *pebble.settings(*FEWER, *settings, trusted=trusted))

    return make


def a_box(state, *settings, domain=DOMAIN):
    chosen = [word for one in settings for word in ("--set", one)]
    hausbote("init", "--domain", domain, "--address", ADDRESS, *chosen, state=state)
    return state


def certificate(*arguments, state, **how):
    return hausbote("certificate", *arguments, state=state, **how)


def refused(*arguments, state):
    """The one sentence of a command that fails."""
    done = certificate(*arguments, state=state, check=False)
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stderr
    (sentence,) = done.stderr.strip().splitlines()
    return sentence


def pair(state):
    """What services read; it belongs together, or this fails."""
    return read_pair(state / "certs" / "box.pem", state / "certs" / "box.key")


def told(state):
    return json.loads(certificate("status", "--json", state=state, check=False).stdout)


def shown(address, port, name, root):
    """The certificate that a strict client is shown and accepts (DER)."""
    context = ssl.create_default_context(cafile=str(root))
    with (
        socket.create_connection((address, port), timeout=20) as sock,
        context.wrap_socket(sock, server_hostname=name) as tls,
    ):
        return tls.getpeercert(binary_form=True)


# -- asking ------------------------------------------------------------------------------------


def test_a_box_gets_one_certificate_for_all_its_names(pebble, tmp_path):
    state = a_box(tmp_path / "state", *pebble.settings())
    first = pair(state)
    said = certificate("request", state=state).stdout
    assert f"for {', '.join(NAMES)} ..." in said
    got = pair(state)
    assert got.chain != first.chain
    assert sorted(told(state)["shown"]["names"]) == sorted(NAMES)
    assert got.certificates[0].public_key().curve.name == "secp256r1"
    assert stat.S_IMODE((state / "certs" / "box.key").stat().st_mode) == 0o600
    private = list((state / "certs" / "acme").rglob("priv*")) + list(
        (state / "certs" / "acme").rglob("private_key.json")
    )
    assert private
    assert not [path for path in private if path.stat().st_mode & 0o077]
    assert certificate("status", state=state).returncode == 0
    assert told(state)["account"].startswith(f"https://{AUTHORITY}:")


def test_asking_again_keeps_the_certificate_and_force_renews_it_with_the_same_account(
    pebble, state
):
    box = state()
    certificate("request", state=box)
    first, account, orders = pair(box), told(box)["account"], pebble.asked("/order-plz")
    assert "It is not time yet" in certificate("request", state=box).stdout
    assert "It is not time yet" in certificate("renew", state=box).stdout
    assert pair(box) == first
    assert pebble.asked("/order-plz") == orders
    assert 9 < (told(box)["next"] - time.time()) / 3_600 < 15  # twice a day, by lot
    assert "new certificate is in its place" in certificate("renew", "--force", state=box).stdout
    second = pair(box)
    assert second.key != first.key
    assert told(box)["account"] == account


def test_a_certificate_with_a_third_of_its_life_left_is_renewed(pebble, state, authority):
    box = state()
    certificate("request", state=box)
    lineage = next((box / "certs" / "acme").glob("*/config/live/box"))
    chain, key = authority.issue(DOMAIN, days=(-61, 29)).write(lineage.parent, "old")
    (lineage / "fullchain.pem").resolve().write_bytes(chain.read_bytes())
    (lineage / "privkey.pem").resolve().write_bytes(key.read_bytes())
    assert "new certificate is in its place" in certificate("renew", state=box).stdout
    assert told(box)["shown"]["authority"].startswith("Pebble")


def test_a_name_that_the_box_got_since_is_asked_for(pebble, state):
    box = state()
    certificate("request", state=box)
    text = (box / "hausbote.toml").read_text()
    (box / "hausbote.toml").write_text(text.replace('enabled = "no"', 'enabled = "yes"'))
    done = certificate("status", state=box, check=False)
    assert f"not in it: rooms.{DOMAIN}, pubsub.{DOMAIN}" in done.stdout
    assert "new certificate is in its place" in certificate("renew", state=box).stdout
    assert sorted(told(box)["shown"]["names"]) == sorted(NAMES[:3])


AUTH = """#!{python}
import json, os, urllib.request
def tell(what, **data):
    request = urllib.request.Request("http://{dns}/" + what, json.dumps(data).encode())
    urllib.request.urlopen(request).read()
name = "_acme-challenge." + os.environ["CERTBOT_DOMAIN"] + "."
{does}
"""


def hooks(pebble, folder, **programs):
    folder.mkdir()
    dns = f"{AUTHORITY}:{pebble.dns_management}"
    for name, does in programs.items():
        path = folder / name
        path.write_text(AUTH.format(python=sys.executable, dns=dns, does=does))
        path.chmod(0o700)


def test_dns_01_by_the_owners_programs_without_any_port(pebble, state):
    box = state("certificates.challenge=dns-01", "ports.acme=0")
    sentence = refused("request", state=box)
    assert (
        sentence
        == f"{box}/acme-hooks/auth is not there: dns-01 needs the programs auth and cleanup."
    )
    hooks(
        pebble,
        box / "acme-hooks",
        auth="tell('set-txt', host=name, value=os.environ['CERTBOT_VALIDATION'])",
        cleanup="tell('clear-txt', host=name); open('cleaned', 'w')",
    )
    (box / "acme-hooks" / "cleanup").chmod(0o600)
    assert "cannot be run: chmod +x" in refused("request", state=box)
    (box / "acme-hooks" / "cleanup").chmod(0o700)
    certificate("request", state=box)
    assert told(box)["shown"]["authority"].startswith("Pebble")


def test_a_delegated_challenge_is_followed(pebble, state):
    """_acme-challenge leads to a zone that the programs may write (CNAME)."""
    box = state("certificates.challenge=dns-01")
    pebble.tell_dns("set-cname", host=f"_acme-challenge.{DOMAIN}.", target="box.acme.example.")
    hooks(
        pebble,
        box / "acme-hooks",
        auth="tell('set-txt', host='box.acme.example.', value=os.environ['CERTBOT_VALIDATION'])",
        cleanup="tell('clear-txt', host='box.acme.example.')",
    )
    try:
        certificate("request", state=box)
    finally:
        pebble.tell_dns("clear-cname", host=f"_acme-challenge.{DOMAIN}.")
    assert told(box)["shown"]["authority"].startswith("Pebble")


def test_a_program_that_fails_is_told(pebble, state):
    box = state("certificates.challenge=dns-01")
    hooks(pebble, box / "acme-hooks", auth="raise SystemExit(7)", cleanup="")
    assert "auth in certificates.hooks ended with code 7" in refused("request", state=box)


# -- refusals ----------------------------------------------------------------------------------


@contextlib.contextmanager
def unchanged(state):
    before = pair(state)
    yield
    assert pair(state) == before


def test_a_name_that_leads_nowhere(pebble, state):
    box = state()
    pebble.tell_dns("set-servfail", host=f"{DOMAIN}.")
    try:
        with unchanged(box):
            sentence = refused("request", state=box)
    finally:
        pebble.tell_dns("clear-servfail", host=f"{DOMAIN}.")
    assert DOMAIN in sentence
    assert "DNS" in sentence or "cannot reach" in sentence
    assert sentence in certificate("status", state=box, check=False).stdout


def test_a_name_that_leads_to_another_machine(pebble, state):
    box = state()
    pebble.tell_dns("add-a", host=f"{DOMAIN}.", addresses=["127.0.0.73"])
    try:
        with unchanged(box):
            sentence = refused("request", state=box)
        assert f"cannot reach {DOMAIN} at port 80" in sentence
        stranger = socket.create_server(("127.0.0.73", pebble.http_port))
        answer = "import socket,sys\ns=socket.socket(fileno=0)\nwhile 1:\n c=s.accept()[0];c.recv(9999);c.sendall(b'HTTP/1.0 404 No\\r\\n\\r\\n');c.close()"
        other = subprocess.Popen([sys.executable, "-c", answer], stdin=stranger)
        try:
            with unchanged(box):
                sentence = refused("request", state=box)
        finally:
            other.kill()
            other.wait()
            stranger.close()
        assert "something else than the box's proof" in sentence
        assert "do these names lead to this box" in sentence
    finally:
        pebble.tell_dns("clear-a", host=f"{DOMAIN}.")


def test_a_name_that_the_authority_does_not_certify(tmp_path):
    with Pebble(tmp_path / "pebble") as pebble:
        pebble.stop()
        pebble.start(domainBlocklist=["blocked.example"])
        box = a_box(tmp_path / "state", *pebble.settings(*FEWER), domain="blocked.example")
        with unchanged(box):
            assert "does not certify" in refused("request", state=box)


def test_a_port_that_another_program_has(pebble, state):
    box = state()
    with socket.create_server((AUTHORITY, pebble.http_port)), unchanged(box):
        sentence = refused("request", state=box)
    assert f"Port {pebble.http_port} is in use by " in sentence
    assert f"(process {os.getpid()})" in sentence


def test_an_authority_that_cannot_be_reached(state):
    (port,) = free_ports(AUTHORITY, 1)
    box = state(f"certificates.server=https://{AUTHORITY}:{port}/dir")
    with unchanged(box):
        sentence = refused("request", state=box)
    assert f"{AUTHORITY}:{port} cannot be reached" in sentence


def test_an_authority_whose_own_certificate_nobody_trusts(state):
    box = state("tls.trust=['certs/ca.pem']")
    assert "is not trusted here" in refused("request", state=box)


def test_certbot_that_is_missing(pebble, state, tmp_path, monkeypatch):
    box = state()
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.setattr("hausbote.certs.certbot._path", lambda: str(empty))
    assert renew(Settings.load(box)).sentence == "certbot is not there: apt install certbot."


def test_a_clock_that_jumped_and_that_nobody_keeps_right(state, monkeypatch):
    box = state()
    settings = Settings.load(box)
    (box / "clock.mark").write_text("1700000000\n")
    monkeypatch.setattr("hausbote.base.believed_clock.is_synchronised", lambda: False)
    assert "say 'hausbote clock accept'" in renew(settings).sentence
    assert any("hausbote clock accept" in one for one in certificate_sentences(settings))
    assert read_record(settings.acme_record).failures == 0
    hausbote("clock", "accept", state=box)
    certificate("request", state=box)


def test_a_box_that_has_not_agreed_asks_nobody(pebble, state):
    orders = pebble.asked("/sign-me-up")
    box = state("certificates.acme=no")
    assert "is your consent" in refused("request", state=box)
    assert pebble.asked("/sign-me-up") == orders


def test_a_certificate_that_nobody_would_trust_is_not_shown(state):
    box = state(trusted=False)
    with unchanged(box):
        sentence = refused("request", state=box)
    assert "others would refuse" in sentence


def test_a_rehearsal_changes_nothing_and_says_what_comes_next(pebble, state):
    box = state("certificates.staging=yes", trusted=False)
    with unchanged(box):
        said = certificate("request", state=box).stdout
        assert "rehearsal went well" in said
        assert 'certificates.staging = "no"' in said
        orders = pebble.asked("/order-plz")
        certificate("renew", state=box)
        assert pebble.asked("/order-plz") == orders


# -- kills -------------------------------------------------------------------------------------


def test_a_kill_at_any_point_of_asking_is_made_good_by_the_next_try(pebble, state):
    """At points that the authority sees, and after each directory that certbot makes."""
    box = state()
    for point in ("/sign-me-up", "/order-plz", "/chalZ/", "/finalize-order/", "/certZ/"):
        before, seen = pair(box), pebble.asked(point)
        asking = subprocess.Popen(
            [*HAUSBOTE, "--state", str(box), "certificate", "renew", "--force"],
            stdout=subprocess.DEVNULL,
        )
        while pebble.asked(point) == seen and asking.poll() is None:
            time.sleep(0.005)
        certbots = children(asking.pid)
        asking.kill()
        asking.wait()
        for pid in certbots:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            wait_until_ended(pid)
        assert pair(box) == before
        assert told(box)["failures"] > 0
        certificate("request", state=box)
        assert told(box)["shown"]["authority"].startswith("Pebble")
        assert told(box)["problem"] is None


@pytest.mark.parametrize("damage", ["empty conf", "no conf", "mixed", "no key", "no links"])
def test_what_a_kill_leaves_of_certbots_own_files_is_made_good(pebble, state, damage):
    box = state()
    certificate("request", state=box)
    config = next((box / "certs" / "acme").glob("*/config"))
    conf, live = config / "renewal" / "box.conf", config / "live" / "box"
    if damage == "empty conf":
        conf.write_text("")
    elif damage == "no conf":
        conf.unlink()
    elif damage == "mixed":
        Authority().issue(DOMAIN).write(config, "other")
        (live / "privkey.pem").resolve().write_bytes((config / "other.key").read_bytes())
    elif damage == "no key":
        (live / "privkey.pem").resolve().unlink()
    else:
        for link in live.iterdir():
            link.unlink()
    certificate("renew", state=box)
    assert pair(box).chain == (live / "fullchain.pem").read_bytes()
    assert [path.name for path in (config / "renewal").iterdir()] == ["box.conf"]


def children(pid):
    """All processes that it has started."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in task.read_text().split():
                found += [int(child), *children(int(child))]
    return found


# -- a running box -----------------------------------------------------------------------------


class Asking(RunningWorld):
    """A running box that asks pebble."""

    def __init__(self, state, pebble, *settings):
        self.pebble = pebble
        chosen = pebble.settings("ports.upload=0", "ports.proxy=0", *settings)
        super().__init__(state, *chosen, address=ADDRESS, domain=DOMAIN)

    def wait_for(self, condition):
        wait_for(self, condition)


def wait_for(house, condition):
    while not condition():
        assert house.process.poll() is None
        time.sleep(0.2)


def test_a_new_box_starts_with_its_own_certificate_and_soon_has_a_better_one(pebble, tmp_path):
    house = Asking(tmp_path / "state", pebble)
    try:
        line = ""
        while "good certificate now" not in line:
            line = house.process.stdout.readline()
            house.said.append(line)
        assert any("only those trust" in one for one in house.said)
        assert told(house.state)["shown"]["own"] is False
        assert house.status("certs")["pid"] == house.pid("certs")
        house.signal("c2s", "SIGHUP")
        house.wait_for(lambda: "certificate-reloaded" in house.log("c2s"))
        assert shown(ADDRESS, house.tls_port, DOMAIN, pebble.root)
        assert "certificate" not in hausbote("status", state=house.state).stdout
    finally:
        house.close()


def test_a_box_that_fails_goes_on_with_its_own_and_does_not_hammer(pebble, tmp_path):
    pebble.tell_dns("add-a", host=f"{DOMAIN}.", addresses=["127.0.0.74"])
    try:
        house = Asking(tmp_path / "state", pebble)
        try:
            house.wait_for(lambda: told(house.state)["failures"] == 1)
            house.wait_for(lambda: "certificate-failed" in house.log("certs"))
            orders = pebble.asked("/order-plz")
            for _ in range(3):
                house.kill("certs")
                house.wait_for(lambda: (house.status("certs") or {}).get("handled") == 0)
            house.stop()
            house.start()
            house.wait_for(lambda: house.status("certs") is not None)
            said = hausbote("status", state=house.state).stdout
            assert f"cannot reach {DOMAIN} at port 80" in said
            assert "It is time again at" in said
            assert pebble.asked("/order-plz") == orders
            assert house.client().secure() is not None  # by the box's own CA
        finally:
            house.close()
    finally:
        pebble.tell_dns("clear-a", host=f"{DOMAIN}.")


def test_a_box_whose_certificate_has_ended_starts_and_renews_it(pebble, tmp_path, authority):
    house = Asking(tmp_path / "state", pebble)
    house.wait_for(lambda: told(house.state)["shown"]["own"] is False)
    house.stop()
    certs = house.state / "certs"
    old = [
        path.read_bytes() for path in authority.issue(DOMAIN, days=(-90, -1)).write(tmp_path, "o")
    ]
    deploy(certs, *old)
    config = next(certs.glob("acme/*/config"))
    (config / "live" / "box" / "fullchain.pem").resolve().write_bytes(old[0])
    (config / "live" / "box" / "privkey.pem").resolve().write_bytes(old[1])
    try:
        house.start()
        house.wait_for(lambda: told(house.state)["shown"]["authority"].startswith("Pebble"))
    finally:
        house.close()


def test_nobody_is_dropped_by_a_new_certificate(pebble, tmp_path):
    """200 clients, streams with another server, an upload that is under way."""
    names, authority = Names(tmp_path), Authority()
    trust = json.dumps(["certs/ca.pem", str(pebble.root), str(pebble.web_root)])
    house = Federating(
        tmp_path / "house", DOMAIN, "127.0.2.40", names, authority,
        *pebble.settings("ports.proxy=0"), f"tls.trust={trust}", "limits.connections_per_address=1000",
    )  # fmt: skip
    other = Federating(
        tmp_path / "other", "montague.example", "127.0.2.41", names, authority, f"tls.trust={trust}"
    )
    people = []
    try:
        for number in range(20):
            house.add_account(f"p{number}")
            people += [house.log_in(f"p{number}", f"r{each}") for each in range(10)]
        other.add_account("romeo")
        juliet, romeo = people[0], other.log_in("romeo", "home")
        for one in (juliet, romeo):
            one.sends("<presence/>")
            one.forget()
        wait_for(house, lambda: told(house.state)["shown"]["authority"].startswith("Pebble"))
        for service in ("c2s", "s2s", "upload"):
            house.signal(service, "SIGHUP")
            wait_for(house, lambda service=service: _reloads(house, service) >= 1)
        first = shown(house.address, house.tls_port, DOMAIN, pebble.root)
        romeo.sends(f"<message to='{juliet.jid}' id='1' type='chat'><body>1</body></message>")
        juliet.receives("<message id='1'/>")
        juliet.sends(f"<message to='{romeo.jid}' id='2' type='chat'><body>2</body></message>")
        romeo.receives("<message id='2'/>")
        streams = connections(house.pid("s2s"), house.address)
        place, sent = files.slot(juliet, SIZE), SIZE // 10
        web = ssl.create_default_context(cafile=str(pebble.root)).wrap_socket(
            socket.create_connection((house.address, house.upload_port), timeout=30),
            server_hostname=f"upload.{DOMAIN}",
        )
        head = f"PUT {place.path} HTTP/1.1\r\nHost: upload.{DOMAIN}:{house.upload_port}\r\n"
        head += "".join(f"{key}: {value}\r\n" for key, value in place.headers.items())
        web.sendall(f"{head}Content-Length: {SIZE}\r\n\r\n".encode() + b"x" * sent)

        before = {service: _reloads(house, service) for service in ("c2s", "s2s", "upload")}
        certificate("renew", "--force", state=house.state)
        while not all(_reloads(house, service) > before[service] for service in before):
            web.sendall(b"x" * 20_000)  # it goes on, slowly
            sent += 20_000
            time.sleep(0.5)
        second = shown(house.address, house.tls_port, DOMAIN, pebble.root)
        assert second != first
        assert shown(house.address, house.upload_port, f"upload.{DOMAIN}", pebble.root) == second
        web.sendall(b"x" * (SIZE - sent))
        assert web.recv(100).startswith(b"HTTP/1.1 201")
        for client in people:
            client.settle()
        juliet.sends(f"<message to='{romeo.jid}' id='3' type='chat'><body>3</body></message>")
        romeo.receives("<message id='3'/>")
        romeo.sends(f"<message to='{juliet.jid}' id='4' type='chat'><body>4</body></message>")
        juliet.receives("<message id='4'/>")
        assert streams
        assert connections(house.pid("s2s"), house.address) == streams
    finally:
        house.close()
        other.close()
        names.stop()


def _reloads(house, service):
    return house.log(service).count("certificate-reloaded")


def connections(pid, address):
    """The sockets of streams with other servers that a process has open: their inodes."""
    numbers = {os.readlink(one) for one in Path(f"/proc/{pid}/fd").iterdir() if one.is_symlink()}
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {f"socket:[{row[9]}]" for row in rows if row[3] == "01"} & numbers


def test_the_relay_shows_the_new_certificate_and_calls_go_on(pebble, tmp_path):
    relay, tls, low = free_ports(ADDRESS, 3)
    house = Asking(
        tmp_path / "state", pebble, "relay.run=here", f"relay.address={ADDRESS}",
        f"ports.relay={relay}", f"ports.relay_tls={tls}", f"relay.first_port={low}",
        f"relay.last_port={low + 1}",
    )  # fmt: skip
    try:
        house.wait_for(lambda: told(house.state)["shown"]["own"] is False)
        notify(house.state / "run", "turn", {})
        house.wait_for(lambda: _shows(tls, pebble.root))
        first = shown(ADDRESS, tls, DOMAIN, pebble.root)
        coturn = relay_pid(house)
        context = ssl.create_default_context(cafile=str(pebble.root))
        with context.wrap_socket(
            socket.create_connection((ADDRESS, tls), timeout=60), server_hostname=DOMAIN
        ) as call:
            certificate("renew", "--force", state=house.state)
            # As after a minute; coturn itself ends connections that have not begun a call by then.
            notify(house.state / "run", "turn", {})
            question = b"\0\1\0\0\x21\x12\xa4\x42" + bytes(12)  # STUN's Binding request
            while shown(ADDRESS, tls, DOMAIN, pebble.root) == first:
                call.sendall(question)
                assert call.recv(100)[:2] == b"\1\1"
                time.sleep(0.2)
            call.sendall(question)
            assert call.recv(100)[:2] == b"\1\1"
        assert relay_pid(house) == coturn
    finally:
        house.close()


def relay_pid(house):
    return int((house.state / "run" / "relay.pid").read_text())


def _shows(port, root):
    try:
        return shown(ADDRESS, port, DOMAIN, root)
    except OSError:
        return None
