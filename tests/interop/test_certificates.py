"""A certificate of an authority, with real certbot and a real ACME server: pebble."""

import contextlib
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hausbote.base.acme_record import read_record
from hausbote.base.settings import Settings
from hausbote.certs.renewal import renew
from hausbote.cli.certificate_news import certificate_sentences
from support.authority import Authority
from support.certificates import certificate, pair, told
from support.pebble import ADDRESS as AUTHORITY
from support.pebble import Pebble
from support.ports import free_ports
from support.processes import wait_until_ended
from support.worlds import HAUSBOTE, hausbote

ADDRESS = "127.0.0.72"
DOMAIN = "house.example"
NAMES = [DOMAIN, *[f"{kind}.{DOMAIN}" for kind in ("rooms", "pubsub", "upload", "proxy")]]
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


def refused(*arguments, state):
    """The one sentence of a command that fails."""
    done = certificate(*arguments, state=state, check=False)
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stderr
    (sentence,) = done.stderr.strip().splitlines()
    return sentence


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
    box = state("certificates.challenge=dns-01", "ports.http=0")
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
