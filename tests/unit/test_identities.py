"""Names in certificates against a server's domain (RFC 9525, RFC 6120 §13.7.1.2)."""

import ipaddress

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from hausbote.base.jid import a_label
from hausbote.net.identities import Identities, _text, identities, matches
from support.authority import SRV_NAME, XMPP_ADDR, Shelf, ip_name, self_signed, srv_name, xmpp_addr

DOMAIN = "chat.capulet.example"


def presented(*dns, names=()):
    """The identities of a certificate with these names."""
    return identities(self_signed(*dns, more=names).certificate)


@pytest.mark.parametrize("kind", ["srv-name", "xmpp-addr", "server", "wildcard", "upper-case"])
def test_every_kind_of_name_will_do(authority, kind):
    certificate = Shelf(authority, DOMAIN).good()[kind].certificate
    assert matches(identities(certificate), DOMAIN)


def test_nothing_that_comes_near_will_do(authority):
    for kind, identity in Shelf(authority, DOMAIN).wrong_names().items():
        assert not matches(identities(identity.certificate), DOMAIN), kind


def test_hundreds_of_addresses_are_not_all_looked_at():
    many = [xmpp_addr(f"x{number}.example") for number in range(150)]
    assert matches(presented(names=many), "x99.example")
    assert not matches(presented(names=many), "x100.example")


def test_international_names_are_compared_as_certificates_have_them():
    assert matches(presented("xn--bcher-kva.example"), "bücher.example")
    assert matches(presented(names=[xmpp_addr("bücher.example")]), "bücher.example")
    assert matches(presented(names=[srv_name("xn--bcher-kva.example")]), "bücher.example")
    assert matches(presented("*.bcher.example"), "xn--bcher-kva.bcher.example")
    assert not matches(presented("bcher.example"), "bücher.example")


def test_a_name_like_another_to_the_eye_is_another():
    assert not matches(presented("capulet.example"), "сapulet.example")  # Cyrillic


def test_a_wildcard_is_not_for_everybody_below_a_top_level_domain():
    assert not matches(presented("*.example"), "capulet.example")


def test_addresses_have_names_of_their_own():
    named = presented(names=[ip_name("192.0.2.1"), ip_name("2001:db8::1")])
    assert matches(named, "192.0.2.1")
    assert matches(named, "[2001:db8::1]")
    assert not matches(named, "192.0.2.2")
    assert not matches(presented("192.0.2.1"), "192.0.2.1")


def test_persons_are_not_told():
    named = presented("capulet.example", names=[xmpp_addr("romeo@capulet.example")])
    assert named.told == ["capulet.example"]


@pytest.mark.parametrize(
    "value",
    [
        b"", b"\x0c", b"\x0c\x05abc", b"\x0c\x84\xff\xff\xff\xff", b"\x0c\x80", b"\x13\x03a.b",
        b"\x0c\x03a\xffb", b"\x0c\x00", b"\x0c\x0fcapulet.example\x00", b"\x16\x03a.b",
    ],
)  # fmt: skip
def test_rubbish_in_a_name_is_no_name(value):
    assert _text(x509.OtherName(XMPP_ADDR, value), 0x0C) == ""


@given(st.binary(max_size=300))
def test_nothing_in_a_name_is_a_fault(value):
    _text(x509.OtherName(SRV_NAME, value), 0x16)


def test_a_long_name_is_read():
    name = "a." * 80 + "example"
    value = bytes([0x16, 0x81, len(name)]) + name.encode()
    assert _text(x509.OtherName(SRV_NAME, value), 0x16) == name


def test_a_certificate_without_the_extension_has_no_names(authority):
    certificate = Shelf(authority, DOMAIN).bad()["nameless"].certificate
    assert not any(identities(certificate))


labels = st.text("abcdefghijklmnopqrstuvwxyz0123456789-*", min_size=1, max_size=8)


@given(st.lists(labels, min_size=1, max_size=4).map(".".join), st.text(max_size=30))
def test_only_equals_and_one_whole_label_match(name, domain):
    """The rule said another way: the same, or the same behind a star that is the first label."""
    named = Identities(frozenset([name]), frozenset(), frozenset(), frozenset())
    try:
        wanted = a_label(domain)
    except ValueError:
        wanted = None
    rest = (wanted or "").partition(".")[2]
    expected = wanted is not None and (
        name == wanted or (name == f"*.{rest}" and rest.count(".") >= 1)
    )
    assert matches(named, domain) == expected or _is_address(domain)


def _is_address(domain):
    try:
        ipaddress.ip_address(domain.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True
