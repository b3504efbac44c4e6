"""The pages of standards say what the features declare."""

from pathlib import Path

import pytest
from lxml import etree

from hausbote.cli import standards
from hausbote.core.feature import Feature

DOCS = Path(__file__).parents[2] / "docs"
DOAP = "http://usefulinc.com/ns/doap#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XMPP = "https://linkmauve.fr/ns/xmpp-doap#"


def test_the_page_is_up_to_date():
    assert (DOCS / "xeps.md").read_text() == standards.page(), "run make docs"


def test_the_doap_file_is_up_to_date():
    assert (DOCS / "hausbote.doap").read_text() == standards.doap(), "run make docs"


def test_every_standard_of_a_feature_is_in_both_with_its_title():
    numbers = [one.number for one in standards.standards()]
    assert {"0191", "0114", "0368", "0030"} <= set(numbers)
    assert set(numbers) <= set(standards.TITLES), "cli/xep_titles.py"
    tree = etree.fromstring(standards.doap().encode())
    xeps = tree.findall(f".//{{{XMPP}}}SupportedXep")
    urls = [one.find(f"{{{XMPP}}}xep").get(f"{{{RDF}}}resource") for one in xeps]
    assert urls == [f"https://xmpp.org/extensions/xep-{number}.html" for number in numbers]
    assert all(one.findtext(f"{{{XMPP}}}status") in ("complete", "partial") for one in xeps)
    assert tree.find(f"{{{DOAP}}}Project/{{{DOAP}}}name").text == "Hausbote"


def test_what_is_missing_is_said(monkeypatch):
    monkeypatch.setattr(
        standards, "SERVICES", {"c2s": [Feature("x", {"0191": "1.3"}, {"0191": "the <rest>"})]}
    )
    assert "x (in part: the <rest>)" in standards.page()
    tree = etree.fromstring(standards.doap().encode())
    assert tree.findtext(f".//{{{XMPP}}}status") == "partial"
    assert tree.findtext(f".//{{{XMPP}}}note") == "the <rest>"


def test_two_versions_of_one_standard_are_a_mistake(monkeypatch):
    features = [Feature("x", {"0191": "1.3"}), Feature("y", {"0191": "1.2"})]
    monkeypatch.setattr(standards, "SERVICES", {"c2s": features})
    with pytest.raises(ValueError, match="XEP-0191"):
        standards.page()
