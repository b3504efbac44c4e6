"""SOCKS5 as far as bytestreams need it: bytes in, bytes out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hausbote.upload.socks import Handshake, Reply, SocksError

ADDRESS = b"0123456789abcdef0123456789abcdef01234567"
GREETING = b"\x05\x01\x00"
REQUEST = b"\x05\x01\x00\x03\x28" + ADDRESS + b"\x00\x00"


def test_a_stream_is_asked_for():
    handshake = Handshake()
    assert handshake.feed(GREETING) == b"\x05\x00"
    assert handshake.feed(REQUEST) == b""
    assert handshake.address == ADDRESS.decode()
    assert handshake.reply(Reply.GRANTED) == b"\x05\x00\x00\x03\x28" + ADDRESS + b"\x00\x00"


@pytest.mark.parametrize("size", [1, 2, 3, 50])
def test_the_pieces_do_not_matter_and_nothing_behind_the_request_is_touched(size):
    handshake, data, answer = Handshake(), GREETING + REQUEST + b"the file", b""
    while not handshake.address:
        take = min(size, handshake.missing)
        answer += handshake.feed(data[:take])
        data = data[take:]
    assert answer == b"\x05\x00"
    assert data == b"the file"


def test_a_greeting_may_offer_more():
    assert Handshake().feed(b"\x05\x03\x02\x01\x00") == b"\x05\x00"


def feed_all(handshake, data):
    while data:
        take = max(handshake.missing, 1)
        handshake.feed(data[:take])
        data = data[take:]


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (b"\x04\x01\x00", b""),
        (b"GET / HTTP/1.1\r\n", b""),
        (b"\x05\x01\x02", b"\x05\xff"),
        (b"\x05\x00", b"\x05\xff"),
        (GREETING + b"\x04\x01\x00\x03\x28" + ADDRESS + b"\0\0", b""),
        (GREETING + b"\x05\x02\x00\x03\x28" + ADDRESS + b"\0\0", b"\x05\x07\x00\x01\0\0\0\0\0\0"),
        (GREETING + b"\x05\x03\x00\x03\x28" + ADDRESS + b"\0\0", b"\x05\x07\x00\x01\0\0\0\0\0\0"),
        (GREETING + b"\x05\x01\x00\x01\x7f\0\0\x01\0\x16", b"\x05\x08\x00\x01\0\0\0\0\0\0"),
        (GREETING + b"\x05\x01\x00\x04" + b"\0" * 18, b"\x05\x08\x00\x01\0\0\0\0\0\0"),
        (GREETING + b"\x05\x01\x00\x03\x09localhost\0\x16", b"\x05\x08\x00\x01\0\0\0\0\0\0"),
        (GREETING + b"\x05\x01\x00\x03\x00\0\0", b"\x05\x08\x00\x01\0\0\0\0\0\0"),
    ],
)
def test_everything_else_is_refused(data, answer):
    with pytest.raises(SocksError) as no:
        feed_all(Handshake(), data)
    assert no.value.answer == answer


@given(st.lists(st.binary(max_size=60), max_size=10))
def test_whatever_comes_is_refused_or_waited_for(pieces):
    handshake = Handshake()
    try:
        for piece in pieces:
            if not handshake.address:
                handshake.feed(piece)
                assert handshake.address or handshake.missing != 0
    except SocksError:
        pass
