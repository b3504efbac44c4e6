"""turnserver.conf, and where the box is: what coturn makes of it is in interop/test_coturn.py."""

import ipaddress
import socket
import subprocess

import pytest

from hausbote.base.files import replace_text
from hausbote.base.settings import Settings, SettingsError
from hausbote.turn import place
from hausbote.turn.coturn import configuration
from hausbote.turn.keeper import keep_true, wanted
from hausbote.turn.networks import own_networks, public_address
from hausbote.turn.place import Place


def address(text):
    return ipaddress.ip_address(text)


PUBLIC = Place((address("192.31.196.1"),), None, (ipaddress.ip_network("192.31.196.0/24"),))


def lines(tmp_path, place=PUBLIC, secrets=(), **raw):
    settings = Settings.from_dict({"domain": "h"} | raw, tmp_path)
    return configuration(settings, place, secrets).splitlines()


def test_it_is_locked_down(tmp_path):
    made = lines(tmp_path)
    wanted = {
        "use-auth-secret", "no-tcp-relay", "no-cli", "no-rfc5780", "no-multicast-peers", "no-dtls",
        "no-tlsv1", "no-tlsv1_1", "no-software-attribute", "no-stun-backward-compatibility",
        "fingerprint", "log-file=/dev/null", "realm=h",
    }  # fmt: skip
    assert wanted <= set(made)
    for never in (
        "no-auth",
        "allow-loopback-peers",
        "lt-cred-mech",
        "user=",
        "static-auth-secret=",
    ):
        assert not any(line.startswith(never) for line in made)


def test_the_settings_are_in_it(tmp_path):
    relay = {
        "first_port": 50_000,
        "last_port": 50_010,
        "connections": 7,
        "connections_per_account": 3,
    }
    relay |= {"bytes_per_second": 1_000, "total_bytes_per_second": 5_000, "denied": ["8.8.8.0/24"]}
    made = lines(tmp_path, relay=relay, ports={"relay": 3_500, "relay_tls": 3_501})
    assert {
        "listening-port=3500", "tls-listening-port=3501", "min-port=50000", "max-port=50010", "total-quota=7",
        "user-quota=3", "max-bps=1000", "bps-capacity=5000", "denied-peer-ip=8.8.8.0-8.8.8.255",
        f"cert={tmp_path}/certs/box.pem", f"userdb={tmp_path}/relay/secrets.db",
    } <= set(made)  # fmt: skip


def test_no_limit_is_no_line(tmp_path):
    relay = dict.fromkeys(
        ("connections", "connections_per_account", "bytes_per_second", "total_bytes_per_second"), 0
    )
    made = lines(tmp_path, relay=relay)
    assert not [one for one in made if "quota" in one or "bps" in one]


def test_ports_that_are_off(tmp_path):
    assert {"no-udp", "no-tcp"} <= set(lines(tmp_path, ports={"relay": 0}))
    made = lines(tmp_path, ports={"relay_tls": 0})
    assert "no-tls" in made
    assert not any(line.startswith(("cert=", "pkey=", "tls-listening-port=")) for line in made)


def test_no_range_is_one_that_coturn_takes_for_all_addresses(tmp_path):
    ranges = [line.partition("=")[2] for line in lines(tmp_path) if line.startswith("denied")]
    for first, _, last in (one.partition("-") for one in ranges):
        assert address(first) <= address(last)
        assert int(address(first)) != 0


def test_its_own_network_is_denied_and_itself_is_not(tmp_path):
    made = lines(tmp_path)
    assert "denied-peer-ip=192.31.196.0-192.31.196.255" in made
    assert [line for line in made if line.startswith("allowed")] == ["allowed-peer-ip=192.31.196.1"]


def test_a_private_address_of_its_own_is_not_allowed(tmp_path):
    home = Place((address("192.168.1.5"), address("fe80::5")), address("192.31.196.1"), ())
    made = lines(tmp_path, home)
    assert "external-ip=192.31.196.1/192.168.1.5" in made
    assert {"listening-ip=192.168.1.5", "relay-ip=192.168.1.5"} <= set(made)
    assert not [line for line in made if line.startswith("allowed")]


def test_elsewhere_it_needs_no_database(tmp_path):
    made = lines(tmp_path, secrets=["one", "two"])
    assert {"static-auth-secret=one", "static-auth-secret=two"} <= set(made)
    assert not any(line.startswith("userdb") for line in made)


# -- where it is -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "external", "found"),
    [
        ("192.168.1.5", "dns", "192.31.196.9"),
        ("192.168.1.5", "192.31.196.1", "192.31.196.1"),
        ("192.168.1.5", "", None),
        ("192.31.196.1", "dns", None),
        ("2620:4f:8000::1", "dns", None),
    ],
)
def test_what_the_internet_sees(tmp_path, monkeypatch, own, external, found):
    monkeypatch.setattr(place, "public_address", lambda _: address("192.31.196.9"))
    settings = Settings.from_dict(
        {"domain": "h", "relay": {"address": own, "external": external}}, tmp_path
    )
    here = place.place(settings)
    assert here.addresses == (address(own),)
    assert here.external == (address(found) if found else None)


def test_a_place_is_uncertain_while_dns_does_not_answer(tmp_path, monkeypatch):
    def silent(*_):
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr("socket.getaddrinfo", silent)
    settings = Settings.from_dict({"domain": "h", "relay": {"address": "192.168.1.5"}}, tmp_path)
    assert not place.place(settings).certain
    assert wanted(settings) is None


# -- when it moves -----------------------------------------------------------------------------


class Kept:
    """A box whose relay has a configuration; its process is one of ours."""

    def __init__(self, state):
        self.settings = Settings.from_dict({"domain": "h", "address": "192.31.196.1"}, state)
        self.settings.run_dir.mkdir()
        self.text = wanted(self.settings)
        replace_text(self.settings.relay_config, self.text)
        self.inode = self.settings.relay_config.stat().st_ino

    def is_untouched(self):
        return self.settings.relay_config.stat().st_ino == self.inode


@pytest.fixture
def kept(tmp_path):
    return Kept(tmp_path)


def test_a_configuration_that_is_true_stays(kept):
    keep_true(kept.settings, wanted(kept.settings))
    assert kept.is_untouched()


def test_one_that_nobody_can_check_stays(kept):
    keep_true(kept.settings, None)
    assert kept.is_untouched()


def test_a_relay_that_was_never_started_gets_none(kept):
    kept.settings.relay_config.unlink()
    keep_true(kept.settings, kept.text)
    assert not kept.settings.relay_config.exists()


def test_one_that_is_not_true_is_written_anew_for_its_owners_eyes(kept):
    keep_true(kept.settings, kept.text + "no-udp\n")
    assert kept.settings.relay_config.read_text().endswith("no-udp\n")
    assert kept.settings.relay_config.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("found", ["", "x", "999999999", "self"])
def test_no_process_but_coturn_is_ended(kept, found):
    with subprocess.Popen(["sleep", "60"]) as bystander:
        kept.settings.relay_pid.write_text(str(bystander.pid) if found == "self" else found)
        keep_true(kept.settings, kept.text + "no-udp\n")
        assert bystander.poll() is None
        bystander.kill()


def test_an_address_of_this_side_is_not_what_the_internet_sees():
    assert public_address("localhost") is None
    assert public_address("192.168.1.5") is None
    assert public_address("no" * 40) is None
    assert public_address("192.31.196.9") == address("192.31.196.9")


def test_the_networks_are_those_of_the_kernel(tmp_path):
    (tmp_path / "route").write_text(
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
        "eth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
        "eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
        "ppp0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n"
        "tun0\t0000080A\t0101A8C0\t0003\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
    )
    (tmp_path / "if_inet6").write_text(
        "2620004f800000000000000000000001 02 40 00 80     eth0\n"
        "fe80000000000000021122fffe334455 02 40 20 80     eth0\n"
    )
    found = [str(network) for network in own_networks(tmp_path)]
    assert found == ["192.168.1.0/24", "2620:4f:8000::/64", "fe80::/64"]


def test_a_machine_without_a_version_of_ip_has_no_networks_of_it(tmp_path):
    assert own_networks(tmp_path) == []


# -- settings ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("relay", "named"),
    [
        ({"run": "there"}, "relay.run"),
        ({"host": "a b"}, "relay.host"),
        ({"host": "Relay.h"}, "relay.host"),
        ({"address": "relay.h"}, "relay.address"),
        ({"external": "relay.h"}, "relay.external"),
        ({"external": "2620:4f:8000::1"}, "relay.external"),
        ({"first_port": 50_000, "last_port": 49_999}, "relay.last_port"),
        ({"last_port": 65_536}, "relay.last_port"),
        ({"first_port": 0}, "relay.last_port"),
        ({"first_port": 80}, "relay.first_port"),
        ({"denied": ["203.0.113.7/24"]}, "relay.denied"),
        ({"denied": ["home"]}, "relay.denied"),
        ({"credential_seconds": 3_601}, "relay.credential_seconds"),
        ({"credential_seconds": 0}, "relay.credential_seconds"),
        ({"credential_seconds": 5}, "relay.credential_seconds"),
    ],
)
def test_a_wrong_setting_is_told(tmp_path, relay, named):
    with pytest.raises(SettingsError) as told:
        Settings.from_dict({"domain": "h", "relay": relay}, tmp_path)
    assert [one.partition(":")[0] for one in told.value.problems] == [named]


def test_a_name_is_told_as_dns_writes_it(tmp_path):
    settings = Settings.from_dict({"domain": "straße.example"}, tmp_path)
    assert settings.relay_host == "xn--strae-oqa.example"
    relay = {"host": "relais.straße.example"}
    settings = Settings.from_dict({"domain": "h", "relay": relay}, tmp_path)
    assert settings.relay_host == "relais.xn--strae-oqa.example"


def test_a_relay_without_ports_is_told(tmp_path):
    raw = {"domain": "h", "ports": {"relay": 0, "relay_tls": 0}}
    with pytest.raises(SettingsError, match="needs one of"):
        Settings.from_dict(raw, tmp_path)
    Settings.from_dict(raw | {"relay": {"run": "off"}}, tmp_path)


def test_the_relays_ports_are_nobody_elses(tmp_path):
    with pytest.raises(SettingsError, match="already ports"):
        Settings.from_dict({"domain": "h", "ports": {"relay_tls": 3478}}, tmp_path)
