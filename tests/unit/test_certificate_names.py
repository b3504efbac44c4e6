"""For which names a box asks a certificate: those that are in use."""

import pytest

from hausbote.base.settings import Settings, SettingsError
from hausbote.certs.names import wanted_names

ALL = ["h.example", *[f"{kind}.h.example" for kind in ("rooms", "pubsub", "upload", "proxy")]]


def names(state, **raw):
    return wanted_names(Settings.from_dict({"domain": "h.example"} | raw, state))


def test_all_of_them(tmp_path):
    assert names(tmp_path) == ALL


@pytest.mark.parametrize(
    ("raw", "gone"),
    [
        ({"ports": {"upload": 0}}, {"upload.h.example"}),
        ({"ports": {"proxy": 0}}, {"proxy.h.example"}),
        ({"federation": {"enabled": "no"}}, {"rooms.h.example", "pubsub.h.example"}),
    ],
)
def test_what_is_turned_off_is_not_asked_for(tmp_path, raw, gone):
    assert set(names(tmp_path, **raw)) == set(ALL) - gone


def test_names_of_the_relay_and_of_the_web_are_among_them(tmp_path):
    raw = {
        "relay": {"host": "calls.example"},
        "web": {"url": "https://chat.example:443"},
        "upload": {"url": "https://files.example/"},
    }
    assert names(tmp_path, **raw) == [
        *ALL[:4],
        "files.example",
        ALL[4],
        "chat.example",
        "calls.example",
    ]
    assert "calls.example" not in names(
        tmp_path, relay={"host": "calls.example", "run": "elsewhere"}
    )
    assert "calls.example" not in names(tmp_path, **raw, ports={"relay_tls": 0})


def test_addresses_are_no_names(tmp_path):
    assert names(tmp_path, relay={"host": "192.0.2.1"}, web={"url": "https://[2001:db8::1]"}) == ALL


def test_they_are_written_as_dns_has_them(tmp_path):
    assert names(tmp_path, domain="bücher.example")[0] == "xn--bcher-kva.example"


def test_a_name_with_a_certificate_of_its_own_needs_no_other(tmp_path):
    (tmp_path / "certs").mkdir()
    (tmp_path / "certs" / "proxy.h.example.pem").write_text("")
    assert names(tmp_path) == ALL[:4]


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ({"tls": {"certificate": "certs/mine.pem"}}, "leave these as they were"),
        ({"ports": {"http": 0}}, "http-01 needs a port"),
        ({"certificates": {"server": "http://ca.example/"}}, "is not https://"),
        ({"certificates": {"address": "here"}}, "is not an IP address"),
        ({"certificates": {"challenge": "tls-alpn-01"}}, "must be one of http-01, dns-01"),
    ],
)
def test_settings_that_cannot_be_are_told(tmp_path, raw, told):
    chosen = {"certificates": {"acme": "yes"} | raw.pop("certificates", {})}
    with pytest.raises(SettingsError, match=told):
        Settings.from_dict({"domain": "h.example"} | chosen | raw, tmp_path)
