"""The STUN with which a relay is tried: RFC 8489 and its test vectors (RFC 5769)."""

import hashlib
import hmac
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hausbote.turn.stun import NotStun, Trial, size_of

COOKIE = bytes.fromhex("2112a442")


def attribute(type, value):
    return struct.pack("!HH", type, len(value)) + value + bytes(-len(value) % 4)


def answer(request, kind, *attributes):
    """What a server says to a request."""
    body = b"".join(attributes)
    return struct.pack("!HH", kind, len(body)) + request[4:20] + body


def challenged(nonce=b"nonce"):
    """A client that was told what to sign with."""
    trial = Trial("5:romeo", "secret")
    error = attribute(0x0009, b"\0\0\x04\x01")
    told = trial.read(
        answer(trial.allocate(), 0x0113, error, attribute(0x0014, b"h"), attribute(0x0015, nonce))
    )
    assert told.error == 401
    return trial


def attributes(message):
    found, at = [], 20
    while at < len(message):
        type, size = struct.unpack_from("!HH", message, at)
        found.append((type, message[at + 4 : at + 4 + size], at))
        at += 4 + size + -size % 4
    return found


def test_the_first_request_is_not_signed():
    request = Trial("5:romeo", "secret").allocate()
    assert request[:8] == bytes.fromhex("0003 0008") + COOKIE
    assert request[20:] == bytes.fromhex("0019 0004 11000000")


def test_further_ones_are_signed_as_the_server_wants():
    request = challenged().allocate()
    assert size_of(request) == len(request)
    *signed, (kind, digest, at) = attributes(request)
    assert [one[:2] for one in signed[1:]] == [(6, b"5:romeo"), (0x14, b"h"), (0x15, b"nonce")]
    key = hashlib.md5(b"5:romeo:h:secret").digest()
    assert (kind, digest) == (8, hmac.digest(key, request[:at], "sha1"))


def test_the_address_of_the_standards_own_example_is_read():
    """RFC 5769 §2.2: 192.0.2.1, masked with the cookie."""
    trial = Trial()
    mapped = attribute(0x0020, bytes.fromhex("0001a147e112a643"))
    assert trial.read(answer(trial.bind(), 0x0101, mapped)).mapped == "192.0.2.1"


def test_an_ipv6_address_is_masked_with_the_transaction_too():
    trial = Trial()
    request = trial.bind()
    mask = COOKIE + request[8:20]
    raw = bytes(
        a ^ b for a, b in zip(bytes.fromhex("20010db8" + "00" * 11 + "05"), mask, strict=True)
    )
    assert (
        trial.read(answer(request, 0x0101, attribute(0x0020, b"\0\x02\0\0" + raw))).mapped
        == "2001:db8::5"
    )


@pytest.mark.parametrize(("peer", "family"), [("192.168.0.1", 1), ("fe80::1", 2)])
def test_a_permission_names_its_peer(peer, family):
    trial = challenged()
    request = trial.permit(peer)
    (kind, value, _), *_ = attributes(request)
    assert (kind, value[1]) == (0x12, family)
    echoed = answer(request, 0x0101, attribute(0x0020, value))
    assert trial.read(echoed).mapped == peer


def test_an_error_is_its_number():
    trial = challenged()
    error = attribute(0x0009, b"\0\0\x04\x03Forbidden IP")
    assert trial.read(answer(trial.permit("10.0.0.1"), 0x0118, error)).error == 403


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d[:19],
        lambda d: d[:0],
        lambda d: d[:8] + bytes(12) + d[20:],
        lambda d: d[:4] + bytes(4) + d[8:],
        lambda d: d[:-1],
    ],
)
def test_what_is_not_the_answer_is_refused(spoil):
    trial = Trial()
    good = answer(trial.bind(), 0x0101, attribute(0x0020, bytes.fromhex("0001a147e112a643")))
    with pytest.raises(NotStun):
        trial.read(spoil(good))


@given(st.binary(max_size=200))
def test_any_body_is_read_or_refused(body):
    trial = Trial()
    request = trial.bind()
    try:
        trial.read(struct.pack("!HH", 0x0101, len(body)) + request[4:20] + body)
        trial.read(body)
    except NotStun:
        pass
