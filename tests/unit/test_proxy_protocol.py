"""The PROXY protocol's header, as bytes: what it names, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hausbote.net.proxy_protocol import FIXED, SIGNATURE, NotProxied, Peer, peer_of, rest_of

V4 = bytes([192, 0, 2, 7, 10, 0, 0, 1]) + (50_000).to_bytes(2) + (443).to_bytes(2)
V6 = bytes.fromhex("20010db8000000000000000000000007") + bytes(16) + V4[8:]


def read(data):
    """What a reader makes of it that reads no more than it must, and how much it has read."""
    fixed = data[:FIXED]
    size = rest_of(fixed)
    return peer_of(fixed, data[FIXED : FIXED + size]), FIXED + size


def header(command, family, rest, size=None):
    length = len(rest) if size is None else size
    return SIGNATURE + bytes([command, family]) + length.to_bytes(2) + rest


def test_a_client_by_ipv4():
    assert read(header(0x21, 0x11, V4) + b"<?xml") == (Peer("192.0.2.7", 50_000), FIXED + 12)


def test_a_client_by_ipv6():
    assert read(header(0x21, 0x21, V6) + b"<?xml") == (Peer("2001:db8::7", 50_000), FIXED + 36)


def test_what_the_proxy_notes_behind_the_addresses_is_skipped():
    notes = b"\x01\0\x0bxmpp-client" + b"\x02\0\x01h"
    assert read(header(0x21, 0x11, V4 + notes) + b"<?xml") == (
        Peer("192.0.2.7", 50_000),
        FIXED + 12 + len(notes),
    )


@pytest.mark.parametrize("rest", [b"", V4, b"?" * 200])
def test_the_proxy_itself_names_nobody_whatever_it_says_besides(rest):
    assert read(header(0x20, 0x00, rest)) == (None, FIXED + len(rest))
    assert read(header(0x20, 0x11, rest)) == (None, FIXED + len(rest))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"PROXY TCP4 192.0.2.7 10.0.0.1 50000 443\r\n", "no header"),
        (b"<?xml version='1.0'?><stream:stream>", "no header"),
        (header(0x11, 0x11, V4), "neither PROXY nor LOCAL"),
        (header(0x31, 0x11, V4), "neither PROXY nor LOCAL"),
        (header(0x22, 0x11, V4), "neither PROXY nor LOCAL"),
        (header(0x21, 0x00, b""), "neither TCP"),
        (header(0x21, 0x12, V4), "neither TCP"),
        (header(0x21, 0x22, V6), "neither TCP"),
        (header(0x21, 0x31, b"/" * 216), "neither TCP"),
        (header(0x21, 0x41, V4), "neither TCP"),
        (header(0x21, 0x11, V4[:-1]), "too short"),
        (header(0x21, 0x21, V4), "too short"),
        (header(0x21, 0x11, V4, size=65_535), "too long"),
        (header(0x20, 0x00, b"", size=1_025), "too long"),
    ],
)
def test_nothing_else_is_understood(data, why):
    with pytest.raises(NotProxied, match=why):
        read(data)


@given(st.binary(min_size=FIXED - 12, max_size=60))
def test_no_header_is_anything_else_than_an_address_or_a_refusal(rest):
    try:
        peer, _ = read(SIGNATURE + rest)
    except NotProxied:
        return
    assert peer is None or (
        0 <= peer.port <= 65_535 and peer.address.strip("0123456789abcdef:.") == ""
    )
