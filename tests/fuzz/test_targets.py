"""The fuzz targets over bytes that hypothesis makes: the part of fuzzing that every run does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz.seeds import PIECES, SEEDS
from fuzz.targets import TARGETS


def documents(target):
    """Seeds, pieces of them, and noise, joined in any order behind the byte that sets the scene."""
    piece = st.one_of(
        st.sampled_from(PIECES[target]),
        st.sampled_from([seed[1:] for seed in SEEDS[target]]),
        st.binary(max_size=8),
    )
    body = st.lists(piece, max_size=12).map(b"".join)
    return st.tuples(st.binary(min_size=1, max_size=1), body).map(b"".join)


@pytest.mark.parametrize("target", TARGETS)
def test_every_seed_is_handled(target):
    for seed in SEEDS[target]:
        TARGETS[target](seed)


@given(documents("jid"))
def test_addresses_and_passwords_out_of_noise(data):
    TARGETS["jid"](data)


@given(documents("sasl"))
def test_logins_out_of_noise(data):
    TARGETS["sasl"](data)


@given(documents("stream"))
def test_streams_out_of_noise(data):
    TARGETS["stream"](data)


@given(documents("frames"))
def test_frames_out_of_noise(data):
    TARGETS["frames"](data)


@given(documents("body"))
def test_bodies_out_of_noise(data):
    TARGETS["body"](data)
