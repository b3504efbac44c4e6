"""Who is behind a domain."""

import subprocess
import sys

import pytest

from hausbote.base.domains import party_of, registrable_domain
from hausbote.base.jid import JID


@pytest.mark.parametrize(
    ("domain", "registrable"),
    [
        ("example.org", "example.org"),
        ("a.b.Example.org.", "example.org"),
        ("a.b.example.co.uk", "example.co.uk"),
        ("co.uk", "co.uk"),
        ("a.me.dyndns.org", "me.dyndns.org"),  # everybody may have a name there
        ("_xmpp-server._tcp.chat.example.org", "example.org"),
        ("chat.食狮.公司.cn", "食狮.公司.cn"),
        ("chat.xn--85x722f.xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn"),
        ("a.b.nosuchsuffix", "b.nosuchsuffix"),
        ("localhost", "localhost"),
        ("192.0.2.7", "192.0.2.7"),
        ("[2001:db8:1:2::7]", "2001:db8:1::/48"),
        ("a..b", "a..b"),
        ("", ""),
    ],
)
def test_names_below_a_registered_one_count_together(domain, registrable):
    assert registrable_domain(domain) == registrable


def test_people_of_the_box_have_shares_of_their_own_and_other_servers_one_each():
    parties = [
        party_of(JID.parse(text), "box.example.org")
        for text in (
            "romeo@box.example.org/a",
            "anybody@bridge.box.example.org",
            "tybalt@example.org",
            "paris@x1.evil.example",
            "paris2@x2.evil.example/b",
        )
    ]
    assert parties == [
        "romeo@box.example.org",
        "bridge.box.example.org",
        "example.org",
        "evil.example",
        "evil.example",
    ]


def test_the_list_is_loaded_only_where_it_is_needed():
    program = "import sys, hausbote.c2s.service as s; print('publicsuffixlist' in sys.modules)"
    out = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == "False"
