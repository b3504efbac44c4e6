"""Which pages are the box's own."""

import pytest

from hausbote.base.settings import Settings, SettingsError
from hausbote.base.ways import WEB, foreign
from hausbote.c2s.origins import Origins


def origins(tmp_path, **raw):
    return Origins(Settings.from_dict({"domain": "house.example"} | raw, tmp_path))


def test_the_boxs_own_pages(tmp_path):
    found = origins(tmp_path, web={"url": "https://Web.house.example:443/chat/"})
    own = ["", ":5281", ":8443"]
    for origin in [f"https://house.example{port}" for port in own] + ["https://web.house.example"]:
        assert found.way(origin) == WEB


@pytest.mark.parametrize(
    "origin",
    [
        "http://house.example",
        "https://house.example.evil.example",
        "https://house.example:5282",
        "https://evil.example",
        "null",
        "",
    ],
)
def test_other_pages_are_foreign(tmp_path, origin):
    assert origins(tmp_path).way(origin) == foreign(origin)
    assert origins(tmp_path).admits(origin)
    listing = origins(tmp_path, web={"origins": ["https://chat.example"]})
    assert not listing.admits(origin)
    assert listing.admits("https://chat.example")
    assert listing.way("https://chat.example") == WEB


def test_a_domain_of_other_letters_is_as_browsers_write_it(tmp_path):
    assert (
        origins(tmp_path, domain="häuschen.example").way("https://xn--huschen-5wa.example") == WEB
    )


@pytest.mark.parametrize("origin", ["chat.example", "https://chat.example/", "*", ""])
def test_what_is_no_origin_is_told(tmp_path, origin):
    with pytest.raises(SettingsError, match=r"web\.origins"):
        origins(tmp_path, web={"origins": [origin]})
