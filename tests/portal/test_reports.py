"""What people have reported, for administrators."""

import pytest

from support.portal import DOMAIN, heading, words
from support.worlds import PASSWORD

BLOCKING, REPORTING = "urn:xmpp:blocking", "urn:xmpp:reporting:1"


@pytest.fixture
def owner(portal):
    return portal.browser_of("juliet")


def report(portal, whom, reason="abuse", text=""):
    romeo = portal.client().log_in("romeo", PASSWORD, "orchard")
    inner = f"<text>{text}</text>" if text else ""
    romeo.sends(
        f"<iq type='set' id='b'><block xmlns='{BLOCKING}'><item jid='{whom}'>"
        f"<report xmlns='{REPORTING}' reason='urn:xmpp:reporting:{reason}'>{inner}</report>"
        "</item></block></iq>"
    )
    assert romeo.answer("b").get("type") == "result"
    romeo.leaves()
    portal.store.settle()


def test_a_report_waits_until_somebody_has_seen_to_it(portal, owner):
    assert heading(owner.get("/reports")) == "Nobody has reported anybody"
    report(portal, "tybalt@evil.example", "spam", "Buy &lt;b&gt; swords!")
    report(portal, f"juliet@{DOMAIN}")
    page = owner.get("/")
    assert "There are 2 reports of people." in words(page)
    page = owner.get("/reports")
    assert heading(page) == "Two reports wait for you"
    text = words(page)
    assert "romeo reports them for advertising, today." in text
    assert "romeo reports them for bad behaviour, today." in text
    assert "Buy &lt;b&gt; swords!" in page.text
    assert '"/people/juliet"' in page.text
    (first, second) = portal.store.abuse_reports.newest(9)
    assert owner.post(f"/reports/{second.id}/done", seal="").status_code == 403
    owner.get("/reports")
    assert owner.post(f"/reports/{second.id}/done").headers["Location"] == "/reports"
    assert "tybalt" not in owner.get("/reports").text
    assert owner.post(f"/reports/{second.id}/done").status_code == 404
    assert owner.post("/reports/x/done").status_code == 404
    assert portal.store.abuse_reports.newest(9) == [first]


def test_reports_go_with_who_made_them(portal, owner):
    report(portal, "tybalt@evil.example")
    portal.store.accounts.delete("romeo", f"romeo@{DOMAIN}")
    assert heading(owner.get("/reports")) == "Nobody has reported anybody"


def test_one_person_fills_the_list_for_nobody_else(portal, monkeypatch):
    monkeypatch.setattr("hausbote.storage.abuse_reports.MOST_OF_ONE", 2)
    reports = portal.store.abuse_reports
    reports.add("juliet", 1.0, "a@x.example", "", "")
    for number in range(4):
        reports.add("romeo", 2.0, f"{number}@x.example", "", "").wait()
    assert [one.jid for one in reports.newest(9)] == ["3@x.example", "2@x.example", "a@x.example"]
    monkeypatch.setattr("hausbote.storage.abuse_reports.MOST_REPORTS", 1)
    reports.add("juliet", 3.0, "b@x.example", "", "").wait()
    assert [one.jid for one in reports.newest(9)] == ["b@x.example"]
