"""Whom somebody knows, and whom they have blocked, as their clients see it at once."""

import pytest

from support.portal import heading, words
from support.worlds import PASSWORD

ROSTER = "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>"
BLOCKLIST = "<iq type='get' id='b'><blocklist xmlns='urn:xmpp:blocking'/></iq>"


@pytest.fixture
def romeo(portal):
    return portal.browser_of("romeo")


@pytest.fixture
def phones(portal):
    """Clients of romeo and juliet, who see each other; his asked for his contacts and blocked."""
    his, hers = (portal.client().log_in(name, PASSWORD) for name in ("romeo", "juliet"))
    for one, other in ((his, hers), (hers, his)):
        one.sends("<presence/>", f"<presence type='subscribe' to='{other.bare}'/>")
        one.settle()
    for one, other in ((his, hers), (hers, his)):
        one.sends(f"<presence type='subscribed' to='{other.bare}'/>")
        one.settle()
    his.sends(ROSTER, BLOCKLIST)
    his.answer("b")
    his.forget()
    hers.forget()
    return his, hers


def test_contacts_are_listed_by_their_names_as_text(portal, romeo, phones):
    his, _ = phones
    his.sends(
        "<iq type='set' id='s'><query xmlns='jabber:iq:roster'>"
        "<item jid='nurse@elsewhere.example' name='&lt;i>Nurse&lt;/i>'/></query></iq>"
    )
    his.settle()
    page = romeo.get("/me/contacts")
    assert heading(page) == "You know two people"
    assert "&lt;i&gt;Nurse&lt;/i&gt;" in page.text
    assert "juliet@box.local" in words(page)


def test_who_is_removed_sees_nothing_more_and_clients_are_told(portal, romeo, phones):
    his, hers = phones
    romeo.get("/me/contacts")
    answer = romeo.post("/me/contacts/remove", jid="juliet@box.local")
    assert answer.headers["Location"] == "/me/contacts"
    his.receives(
        "<iq type='set' id='*'><query xmlns='jabber:iq:roster' ver='*'>"
        "<item jid='juliet@box.local' subscription='remove'/></query></iq>"
    )
    hers.receives(f"<presence from='{his.jid}' type='unavailable'/>")
    assert portal.store.rosters.load("juliet").items["romeo@box.local"].subscription == "none"
    assert heading(romeo.get("/me/contacts")) == "You have no contacts yet"
    assert romeo.post("/me/contacts/remove", jid="juliet@box.local").status_code == 404
    assert romeo.post("/me/contacts/remove", jid="\0" * 50).status_code == 404


def test_who_is_blocked_cannot_write_and_clients_are_told(romeo, phones):
    his, hers = phones
    romeo.get("/me/blocked")
    assert (
        romeo.post("/me/blocked", jid=" Juliet@box.local/balcony ").headers["Location"]
        == "/me/blocked"
    )
    his.receives(
        "<iq type='set' id='*'><block xmlns='urn:xmpp:blocking'><item jid='juliet@box.local'/></block></iq>"
    )
    hers.receives(f"<presence from='{his.jid}' type='unavailable'/>")
    hers.sends(f"<message to='{his.bare}' type='chat' id='m'><body>Romeo?</body></message>")
    hers.receives(
        "<message from='romeo@box.local' type='error' id='m'><error type='cancel'><service-unavailable"
        " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    )
    page = romeo.get("/me/blocked")
    assert heading(page) == "You have blocked one address"
    assert "blocked" in words(romeo.get("/me/contacts"))
    romeo.post("/me/blocked/remove", jid="juliet@box.local")
    his.receives(
        "<iq type='set' id='*'><unblock xmlns='urn:xmpp:blocking'><item jid='juliet@box.local'/></unblock></iq>"
    )
    assert heading(romeo.get("/me/blocked")) == "You have blocked nobody"


@pytest.mark.parametrize(
    "jid", ["", "@", "a b@c", "romeo@box.local", "box.local", "romeo@box.local/x", "x" * 1100]
)
def test_what_cannot_be_blocked_is_said_beside_the_field(romeo, portal, jid):
    romeo.get("/me/blocked")
    answer = romeo.post("/me/blocked", jid=jid)
    assert answer.status_code == 400
    assert 'class="wrong"' in answer.text
    assert portal.store.blocklists.load("romeo") == []


def test_nobody_is_freed_who_is_not_in_the_list(romeo, portal, phones):
    his, _ = phones
    romeo.send("/me/blocked", "/me/blocked", jid="tybalt@elsewhere.example")
    his.forget()
    for jid in ("", "paris@elsewhere.example"):
        romeo.post("/me/blocked/remove", jid=jid)
    his.receives_nothing()
    assert portal.store.blocklists.load("romeo") == ["tybalt@elsewhere.example"]


def test_a_list_has_an_end(tmp_path):
    from support.portal import PortalWorld

    portal = PortalWorld(tmp_path, limits={"blocked": 1})
    try:
        browser = portal.browser_of("romeo")
        browser.send("/me/blocked", "/me/blocked", jid="one.example")
        answer = browser.send("/me/blocked", "/me/blocked", jid="two.example")
        assert answer.status_code == 413
        assert portal.store.blocklists.load("romeo") == ["one.example"]
    finally:
        portal.close()
