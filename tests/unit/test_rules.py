"""What the owner decides about other servers."""

from datetime import date
from pathlib import Path

import pytest

from hausbote.base.settings import Settings
from hausbote.net.judge import Pin
from hausbote.s2s.rules import Rule, Rules

PRINT = "ab" * 32


def rules(decided=None, **federation):
    raw = {"domain": "house.example", "federation": federation}
    return Rules(Settings.from_dict(raw, Path("/box")), decided or {})


def test_everybody_is_welcome_who_proves_who_they_are():
    assert rules().for_domain("capulet.example") == Rule(True)


@pytest.mark.parametrize("domain", ["evil.example", "rooms.evil.example", "a.b.evil.example"])
def test_a_denied_domain_is_denied_with_all_below_it(domain):
    rule = rules(deny=["evil.example"]).for_domain(domain)
    assert not rule.allowed
    assert domain in rule.refusal


@pytest.mark.parametrize("domain", ["notevil.example", "example", "evil.example.org"])
def test_names_that_only_look_alike_are_not_denied(domain):
    assert rules(deny=["evil.example"]).for_domain(domain).allowed


def test_the_nearest_name_counts():
    some = rules(deny=["evil.example", "x.good.evil.example"], allow=["good.evil.example"])
    domains = ["evil.example", "good.evil.example", "a.good.evil.example", "x.good.evil.example"]
    assert [some.for_domain(one).allowed for one in domains] == [False, True, True, False]


def test_what_was_decided_counts_more_than_the_settings():
    some = rules(
        {"evil.example": True, "friend.example": False, "x.good.example": False},
        deny=["evil.example"],
        allow=["friend.example", "good.example"],
    )
    domains = [
        "a.evil.example",
        "friend.example",
        "good.example",
        "x.good.example",
        "other.example",
    ]
    assert [some.for_domain(one).allowed for one in domains] == [True, False, True, False, True]
    assert "owner" in some.for_domain("friend.example").refusal
    assert some.for_domain("evil.example").known


def test_only_those_who_are_listed():
    some = rules(only_allowed="yes", allow=["friend.example"])
    assert some.for_domain("friend.example").allowed
    assert some.for_domain("rooms.friend.example").allowed
    rule = some.for_domain("capulet.example")
    assert not rule.allowed
    assert "not in the list" in rule.refusal


def test_nobody_at_all():
    rule = rules(enabled="no", allow=["friend.example"]).for_domain("friend.example")
    assert not rule.allowed
    assert "federation.enabled" in rule.refusal


def test_pins_and_dialback_belong_to_their_domains():
    some = rules(pins=[f"friend.example={PRINT} 2030-12-31"], dialback=["old.example"])
    friend, old = some.for_domain("rooms.friend.example"), some.for_domain("old.example")
    assert friend.pins == (Pin(PRINT, date(2030, 12, 31)),)
    assert not friend.dialback
    assert old.dialback
    assert not old.pins


def test_whom_the_settings_name_is_known():
    some = rules(
        pins=[f"pinned.example={PRINT} 2030-12-31"],
        dialback=["old.example"],
        allow=["friend.example"],
        deny=["evil.example"],
    )
    domains = ["friend.example", "old.example", "pinned.example", "other.example", "evil.example"]
    assert [some.for_domain(f"rooms.{one}").known for one in domains] == [True] * 3 + [False] * 2
