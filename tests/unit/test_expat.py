"""The version of the XML parser is told if it is an old one."""

import pyexpat

import pytest

from hausbote.xmpp.expat import advice, outdated


@pytest.mark.parametrize(
    ("version", "told"),
    [((2, 5, 0), "2.5.0"), ((2, 4, 9), "2.4.9"), ((2, 6, 0), ""), ((2, 7, 1), ""), ((3, 0, 0), "")],
)
def test_what_is_older_than_2_6_is_told(version, told):
    assert outdated(version) == told


def test_it_is_the_parser_that_reads_streams():
    assert outdated() in ("", pyexpat.EXPAT_VERSION.removeprefix("expat_"))
    assert "2.5.0" in advice("2.5.0")
