"""What limits per address count by, and what is of the internet."""

import ipaddress
import random

import pytest

from hausbote.base.networks import is_public, network_of, site_of

# IANA's registries of special-purpose addresses as of 2025, and of multicast: with what is outside.
SPECIAL = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.0.0/29",
    "192.0.0.8/32",
    "192.0.0.9/32",
    "192.0.0.10/32",
    "192.0.0.170/32",
    "192.0.0.171/32",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.88.99.2/32",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "232.0.0.0/8",
    "239.0.0.0/8",
    "240.0.0.0/4",
    "255.255.255.255/32",
    "::/128",
    "::1/128",
    "::/96",
    "::ffff:0:0:0/96",
    "64:ff9b:1::/48",
    "100::/64",
    "100:0:0:1::/64",
    "2001::/23",
    "2001::/32",
    "2001:1::1/128",
    "2001:1::2/128",
    "2001:1::3/128",
    "2001:2::/48",
    "2001:3::/32",
    "2001:4:112::/48",
    "2001:10::/28",
    "2001:20::/28",
    "2001:30::/28",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
]
WITHIN = [  # the same IPv4 address in all of its IPv6 clothes
    "::ffff:{}", "64:ff9b::{}", "::{}", "::ffff:0:{}", "64:ff9b:1::{}", "2a00:1:2:3:0:5efe:{}",
    "2a00:1:2:3:200:5efe:{}", "fe80::5efe:{}",
]  # fmt: skip


@pytest.mark.parametrize(
    ("address", "network", "site"),
    [
        ("192.0.2.7", "192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/64", "fe80::/48"),
    ],
)
def test_addresses_of_one_network_count_together(address, network, site):
    assert network_of(address) == network
    assert site_of(address) == site
    assert site_of(network_of(address)) == site


@pytest.mark.parametrize("text", SPECIAL)
def test_special_networks_are_not_the_internet(text):
    network = ipaddress.ip_network(text)
    inside = [network[0], network[-1], network[random.randrange(network.num_addresses)]]
    assert [one for one in inside if is_public(one) or is_public(str(one))] == []


@pytest.mark.parametrize(
    "text",
    [
        "1.0.0.0",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "191.255.255.255",
        "192.0.1.0",
        "192.0.3.0",
        "192.31.196.1",
        "192.52.193.1",
        "192.88.98.255",
        "192.88.100.0",
        "192.167.255.255",
        "192.169.0.0",
        "192.175.48.1",
        "198.17.255.255",
        "198.20.0.0",
        "198.51.99.255",
        "198.51.101.0",
        "203.0.112.255",
        "203.0.114.0",
        "223.255.255.255",
        "2001:200::1",
        "2001:db7:ffff::1",
        "2001:db9::1",
        "2003::1",
        "2620:4f:8000::1",
        "2620:fe::fe",
        "2a00::1",
        "3ffe:ffff::1",
    ],
)
def test_their_neighbours_are(text):
    assert is_public(text)


@pytest.mark.parametrize("form", WITHIN)
@pytest.mark.parametrize("inside", ["10.0.0.1", "127.0.0.1", "169.254.169.254", "224.0.0.1"])
def test_no_clothes_make_a_private_address_public(form, inside):
    assert not is_public(form.format(inside))


@pytest.mark.parametrize("inside", ["7f00:1", "808:808"])
def test_tunnels_lead_to_nobody_any_more(inside):
    assert not is_public(f"2002:{inside}::1")
    assert not is_public(f"2001:0:{inside}::1")


@pytest.mark.parametrize("form", ["::ffff:{}", "64:ff9b::{}", "2a00::200:5efe:{}"])
def test_a_public_address_may_be_translated(form):
    assert is_public(form.format("9.9.9.9"))


def test_what_the_standard_library_calls_private_is_not_public():
    fresh = random.Random(1)
    for kind, bits in ((ipaddress.IPv4Address, 32), (ipaddress.IPv6Address, 128)):
        for _ in range(5000):
            ip = kind(fresh.getrandbits(bits))
            special = not ip.is_global or ip.is_multicast or ip.is_reserved or ip.is_unspecified
            assert not (special and is_public(ip)), ip


def test_a_scope_does_not_matter():
    assert not is_public("fe80::1%eth0")
