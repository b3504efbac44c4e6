"""When a certificate is renewed, and which one is never put in its place."""

import pytest

from hausbote.base.settings import Settings
from hausbote.certs.pair import Unusable, is_due, missing_names, read_pair, verify
from hausbote.net.in_use import in_use
from support.authority import DAY, NOW, self_signed

NAMES = ["h.example", "rooms.h.example"]


@pytest.fixture
def settings(authority, tmp_path):
    (tmp_path / "certs").mkdir()
    trust = [str(authority.write(tmp_path))]
    return Settings.from_dict(
        {"domain": "h.example", "tls": {"authorities": "", "trust": trust}}, tmp_path
    )


def pair_of(identity, directory):
    return read_pair(*identity.write(directory, "one"))


@pytest.mark.parametrize(
    ("days", "due"),
    [
        ((-59, 31), False),
        ((-61, 29), True),
        ((-3, 3), False),  # lives of six days are there, too
        ((-5, 1), True),
        ((-90, -1), True),
        ((1, 90), True),  # of a clock that was ahead
    ],
)
def test_it_is_time_when_a_third_of_the_life_is_left(authority, tmp_path, days, due):
    pair = pair_of(authority.issue(*NAMES, days=days), tmp_path)
    assert is_due(pair, NOW.timestamp()) is due


def test_a_name_that_is_missing_is_seen(authority, tmp_path):
    pair = pair_of(authority.issue("h.example"), tmp_path)
    assert missing_names(pair, NAMES) == ["rooms.h.example"]
    assert not missing_names(pair_of(authority.issue("h.example", "*.h.example"), tmp_path), NAMES)


def test_a_good_one_is_taken(authority, tmp_path, settings):
    pair = pair_of(authority.issue(*NAMES), tmp_path)
    assert verify(settings, pair, NAMES, NOW.timestamp()).accepted


def test_what_others_would_refuse_is_not(authority, tmp_path, settings):
    bad = {
        "unknown-authority": self_signed(*NAMES),
        "expired": authority.issue(*NAMES, days=(-90, -1)),
        "not-yet-valid": authority.issue(*NAMES, days=(1, 90)),
        "incomplete": authority.issue(*NAMES, send=False),
        "wrong-name": authority.issue("h.example"),
    }
    for cause, identity in bad.items():
        verdict = verify(settings, pair_of(identity, tmp_path), NAMES, NOW.timestamp())
        assert not verdict.accepted
        assert verdict.cause.value in (cause, "self-signed")


def test_a_key_of_another_certificate_is_seen(authority, tmp_path):
    chain, _ = authority.issue(*NAMES).write(tmp_path, "one")
    _, key = authority.issue(*NAMES).write(tmp_path, "two")
    with pytest.raises(Unusable, match="do not belong together"):
        read_pair(chain, key)


@pytest.mark.parametrize("text", ["", "nonsense", "-----BEGIN CERTIFICATE-----\nx\n"])
def test_nonsense_is_told_in_a_sentence(authority, tmp_path, text):
    chain, key = authority.issue(*NAMES).write(tmp_path, "one")
    chain.write_text(text)
    with pytest.raises(Unusable, match="cannot be read"):
        read_pair(chain, key)


def test_what_is_not_there_is_none(tmp_path):
    assert read_pair(tmp_path / "no.pem", tmp_path / "no.key") is None


@pytest.mark.parametrize(
    ("days", "soon"),
    [((-75, 15), False), ((-77, 13), True), ((-4, 2), False), ((-5, 1), True), ((-90, -1), True)],
)
def test_an_end_is_soon_after_renewing_should_have_gone_well(authority, settings, days, soon):
    authority.issue(*NAMES, days=days).write(settings.state / "certs", "box")
    shown = in_use(settings)
    assert shown.ends_soon(NOW.timestamp() + 60) is soon
    assert not shown.own
    assert set(shown.names) == set(NAMES)


def test_days_are_told_and_an_end_that_is_over(authority, settings):
    authority.issue(*NAMES, days=(-10, 5)).write(settings.state / "certs", "box")
    shown = in_use(settings)
    assert "is good for 5 more days" in shown.told(NOW.timestamp())
    assert "is good for 1 more day," in shown.told((NOW + 4 * DAY).timestamp())
    assert "ended on" in shown.told((NOW + 5 * DAY).timestamp())
