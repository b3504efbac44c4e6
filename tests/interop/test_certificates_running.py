"""Running boxes with real certbot and pebble: the first certificate, later ones, and who stays."""

import json
import os
import socket
import ssl
import time
from pathlib import Path

import pytest

from hausbote.certs.deployment import deploy
from hausbote.core.bus import notify
from support import files
from support.authority import Authority
from support.certificates import certificate, shown, told
from support.foreign import Federating, Names
from support.pebble import Pebble
from support.ports import free_ports
from support.worlds import RunningWorld, hausbote

ADDRESS = "127.0.0.75"
DOMAIN = "house.example"
SIZE = 9_000_000  # of a file that is uploaded meanwhile


@pytest.fixture(scope="module")
def pebble(tmp_path_factory):
    with Pebble(tmp_path_factory.mktemp("pebble")) as pebble:
        yield pebble


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


def test_a_box_behind_its_front_is_proven_by_http_and_renewed(pebble, tmp_path):
    https = free_ports(ADDRESS, 1)[0]
    pebble.tell_dns("set-default-ipv4", ip=ADDRESS)
    try:
        house = Asking(
            tmp_path / "state", pebble, "front.run=here", "front.ports=https",
            f"ports.https={https}", "certificates.address=",
        )  # fmt: skip
        try:
            house.wait_for(lambda: told(house.state)["shown"]["own"] is False)
            house.signal("c2s", "SIGHUP")
            house.wait_for(lambda: _reloads(house, "c2s"))
            first = shown(ADDRESS, https, DOMAIN, pebble.root)
            certificate("renew", "--force", state=house.state)
            house.signal("c2s", "SIGHUP")
            house.wait_for(lambda: _reloads(house, "c2s") >= 2)
            assert shown(ADDRESS, https, DOMAIN, pebble.root) != first
        finally:
            house.close()
    finally:
        pebble.tell_dns("set-default-ipv4", ip=pebble.address)


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
