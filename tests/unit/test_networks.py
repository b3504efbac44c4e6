"""What limits per address count by."""

import pytest

from hausbote.base.networks import network_of, site_of


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
