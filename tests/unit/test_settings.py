"""Settings: right ones are typed, wrong ones are all named."""

from dataclasses import FrozenInstanceError
from datetime import date
from pathlib import Path

import pytest

from hausbote.base.settings import (
    Settings,
    SettingsError,
    flat,
    nested,
    parse_override,
)
from hausbote.base.settings_sections import documented
from hausbote.c2s.components import SecretMissing
from hausbote.c2s.components.server import secrets
from hausbote.cli.settings_text import settings_page, toml_file

STATE = Path("/box")


def settings(**raw):
    return Settings.from_dict({"domain": "house.example"} | raw, STATE)


def problems(**raw):
    with pytest.raises(SettingsError) as caught:
        settings(**raw)
    return caught.value.problems


def test_defaults_follow_the_domain():
    box = settings()
    assert box.names.rooms == "rooms.house.example"
    assert box.names.pubsub == "pubsub.house.example"
    assert box.address == "::"
    assert box.registration == "closed"
    assert (box.ports.c2s, box.ports.c2s_tls, box.ports.proxy) == (5222, 5223, 5000)
    assert box.database_url == "sqlite:////box/hausbote.db"
    assert box.bus_url == "unix:/box/run"


def test_localhost_stays_at_home():
    assert Settings.from_dict({"domain": "localhost"}, STATE).address == "127.0.0.1"


def test_settings_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        settings().domain = "x"


def test_every_problem_is_told_at_once():
    found = problems(
        registration="maybe",
        ports={"c2s": "many", "c2s_tls": -1},
        limits={"stanza_bytes": 5},
        log={"level": 3},
        tls={"trust": "x"},
    )
    assert len(found) == 6
    for name in (
        "registration", "ports.c2s", "ports.c2s_tls", "limits.stanza_bytes", "log.level", "tls.trust"
    ):  # fmt: skip
        assert any(one.startswith(name + ":") for one in found)


def test_a_problem_comes_with_the_settings_documentation():
    (found,) = problems(limits={"stanza_bytes": 5})
    assert "Size of the largest stanza" in found


@pytest.mark.parametrize(
    ("raw", "hint"),
    [
        ({"domian": "x"}, "domain"),
        ({"limits": {"burst": 1}}, "limits.burst_bytes"),
        ({"ports": {"c2stls": 1}}, "ports.c2s_tls"),
        ({"stanza_bytes": 20000}, "limits.stanza_bytes"),
    ],
)
def test_an_unknown_setting_is_refused_with_the_nearest_known_name(raw, hint):
    (found,) = problems(**raw)
    assert f"did you mean {hint}?" in found


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        ({"ports": {"c2s": 5223}}, "ports.c2s_tls"),
        ({"ports": {"c2s": 70000}}, "ports.c2s"),
        ({"names": {"rooms": "house.example"}}, "names.rooms"),
        ({"names": {"rooms": "Rooms.House.example"}}, "names.rooms"),
        ({"names": {"rooms": "a b"}}, "names.rooms"),
        ({"domain": "a b"}, "domain"),
        ({"address": "example.com"}, "address"),
        ({"database": "mysql://x"}, "database"),
        ({"bus": "carrier-pigeon:"}, "bus"),
        ({"bus": "unix:"}, "bus"),
        ({"database": "sqlite:///"}, "database"),
        ({"domain": "192.168.1.5"}, "domain"),
        ({"domain": "[::1]"}, "domain"),
        ({"language": "a language"}, "language"),
        ({"tls": {"key": "a\x7fb"}}, "tls.key"),
        ({"dns": {"server": "127.0.0.1"}}, "dns.server"),
        ({"dns": {"server": "127.0.0.1:70000"}}, "dns.server"),
        ({"dns": {"server": "one.one:53"}}, "dns.server"),
        ({"limits": 5}, "limits"),
        ({"health": {"smartctl": "sudo 'smartctl"}}, "health.smartctl"),
    ],
)
def test_contradictions_are_named(raw, key):
    assert any(one.startswith(f"{key}:") for one in problems(**raw))


def test_contradictions_are_told_together_with_wrong_types_and_documentation():
    found = problems(registration=5, ports={"c2s": 5223}, address="x", limits={"roster_items": -1})
    assert len(found) == 4
    assert any("ports.c2s_tls: 5223" in one and "TLS from the first byte" in one for one in found)


def test_a_wrong_domain_is_told_once_and_not_for_every_name_below_it():
    assert [one.partition(":")[0] for one in problems(domain="a b")] == ["domain"]


@pytest.mark.parametrize("server", ["127.0.0.1:53", "[::1]:5353", ""])
def test_a_resolver_is_an_address_and_a_port(server):
    assert settings(dns={"server": server}).dns.server == server


def test_paths_may_be_absolute():
    box = settings(database="sqlite:////data/h.db", bus="unix:/run/hausbote")
    assert box.database_url == "sqlite:////data/h.db"
    assert box.bus_url == "unix:/run/hausbote"
    assert box.bus_dir == Path("/run/hausbote")


def test_ports_that_are_off_do_not_collide():
    assert settings(ports={"c2s": 0, "c2s_tls": 0}).ports.c2s == 0


def test_a_missing_domain_is_told():
    with pytest.raises(SettingsError) as caught:
        Settings.from_dict({}, STATE)
    assert "domain" in caught.value.problems[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ports.c2s=5333", ("ports.c2s", 5333)),
        ("registration=open", ("registration", "open")),
        ('tls.trust=["a"]', ("tls.trust", ["a"])),
        ("names.rooms=talk.example", ("names.rooms", "talk.example")),
    ],
)
def test_overrides(text, expected):
    assert parse_override(text) == expected


def test_a_whole_section_is_the_same_as_its_settings():
    assert flat({"names": {"rooms": "talk.h"}, "domain": "h"}) == {
        "names.rooms": "talk.h",
        "domain": "h",
    }


def test_an_override_needs_a_value():
    with pytest.raises(SettingsError):
        parse_override("registration")


def test_the_file_of_a_new_box_says_what_was_chosen(tmp_path):
    chosen = {"domain": "house.example", "ports.c2s": 5333, "registration": "open"}
    (tmp_path / "hausbote.toml").write_text(toml_file(chosen))
    loaded = Settings.load(tmp_path)
    assert loaded == Settings.from_dict(nested(chosen), tmp_path)
    for _, option in documented(Settings):
        assert option.metadata["doc"] in toml_file(chosen)


@pytest.mark.parametrize("text", ["domain = ", "= x", "[domain", "\x00"])
def test_a_file_that_is_no_toml_is_told(tmp_path, text):
    (tmp_path / "hausbote.toml").write_text(text)
    with pytest.raises(SettingsError, match="is not TOML"):
        Settings.load(tmp_path)


def test_a_missing_file_is_told_with_what_to_do(tmp_path):
    with pytest.raises(SettingsError, match="hausbote init"):
        Settings.load(tmp_path)


def test_the_settings_page_is_up_to_date():
    page = Path(__file__).parents[2] / "docs" / "settings.md"
    assert page.read_text("utf-8") == settings_page(), "run 'make docs'"


def component_settings(tmp_path, *secrets):
    raw = {"domain": "h", "components": {"secrets": list(secrets)}}
    return Settings.from_dict(raw, tmp_path)


def test_components_have_a_secret_each_or_a_file_with_one(tmp_path):
    (tmp_path / "bot.secret").write_text("from a file\n")
    settings = component_settings(tmp_path, "bridge.h = a=b ", "bot.h=file:bot.secret")
    assert secrets(settings) == {"bridge.h": "a=b", "bot.h": "from a file"}
    with pytest.raises(SecretMissing, match=r"bot\.h"):
        secrets(component_settings(tmp_path, "bot.h=file:nothing.secret"))


@pytest.mark.parametrize(
    "entry", ["bridge.h", "bridge.h= ", "h=x", "rooms.h=x", "Bridge.h=x", "a b=x"]
)
def test_a_component_that_cannot_be_is_told_without_its_secret(tmp_path, entry):
    with pytest.raises(SettingsError) as caught:
        component_settings(tmp_path, f"{entry}confidential" if entry.endswith("=x") else entry)
    assert "components.secrets" in caught.value.problems[0]
    assert "confidential" not in str(caught.value)


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("contact", "abuse", ["me@example.org"]),
        ("contact", "status", ["https://a b"]),
        ("policy", "terms", "terms.html"),
        ("policy", "access", []),
        ("policy", "access", ["none", "admins"]),
        ("policy", "access", ["everybody"]),
        ("components", "address", "localhost"),
    ],
)
def test_values_that_nobody_could_use_are_told(tmp_path, section, key, value):
    with pytest.raises(SettingsError, match=rf"^{section}\.{key}: "):
        Settings.from_dict({"domain": "h", section: {key: value}}, tmp_path)


# -- federation --------------------------------------------------------------------------------

PRINT = "AB:" * 31 + "AB"


def test_a_pin_is_a_fingerprint_and_a_day():
    box = settings(federation={"pins": [f"friend.example={PRINT} 2030-12-31"]})
    found = box.federation.pins_by_domain
    assert found == {"friend.example": [("ab" * 32, date(2030, 12, 31))]}


@pytest.mark.parametrize(
    "federation",
    [
        {"pins": ["friend.example"]},
        {"pins": [f"friend.example={PRINT}"]},
        {"pins": [f"friend.example={PRINT} 2030-02-30"]},
        {"pins": ["friend.example=AB:CD 2030-12-31"]},
        {"pins": [f"a b={PRINT} 2030-12-31"]},
        {"allow": ["Friend.example"]},
        {"deny": ["192.0.2.1"]},
        {"dialback": [""]},
        {"allow": ["a.example"], "deny": ["a.example"]},
        {"enabled": "perhaps"},
    ],
)
def test_what_cannot_be_about_other_servers_is_told(federation):
    (found,) = problems(federation=federation)
    assert found.startswith("federation.")
