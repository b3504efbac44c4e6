"""Frames of the bus on the wire."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hausbote.core.bus.frame import MAX_PAYLOAD, Frame, FrameError, FrameReader, encode

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
frames = st.builds(
    Frame,
    id=text,
    kind=text,
    sender=text,
    recipients=st.lists(text).map(tuple),
    payload=st.binary(),
)


@given(st.lists(frames, max_size=5), st.lists(st.integers(1, 50)))
def test_the_pieces_in_which_bytes_come_do_not_matter(sent, cuts):
    data = b"".join(encode(frame) for frame in sent)
    reader, got, at = FrameReader(), [], 0
    for cut in [*cuts, len(data)]:
        got += reader.feed(data[at : at + cut])
        at += cut
    assert got == sent


@given(st.binary(max_size=200))
def test_garbage_is_refused_or_waited_for(garbage):
    with suppress(FrameError):
        FrameReader().feed(garbage)


@pytest.mark.parametrize(
    "header",
    [
        b"null",
        b"[]",
        b"{}",
        b'["a","b","c"]',
        b'["a","b","c",[1]]',
        b'["a","b","c","d"]',
        b'[1,"b","c",[]]',
        b"\xff",
    ],
)
def test_a_header_of_another_shape_is_refused(header):
    with pytest.raises(FrameError):
        FrameReader().feed(len(header).to_bytes(4) + bytes(4) + header)


def test_a_frame_beyond_the_bounds_is_refused_on_both_sides():
    with pytest.raises(FrameError):
        encode(Frame("", "", "", (), b"x" * (MAX_PAYLOAD + 1)))
    with pytest.raises(FrameError):
        FrameReader().feed((10).to_bytes(4) + (MAX_PAYLOAD + 1).to_bytes(4))
