"""A page of the portal logs in by a token (RFC 7628), and is the browser's among the clients."""

import time

import pytest

from hausbote.webchat import SECONDS
from support.client import SASL
from support.sasl2_client import (
    BIND2,
    SASL2,
    authenticate,
    bind2,
    failure_of,
    request_token,
    succeeded,
    token_of,
    user_agent,
)
from support.scram_client import ScramClient
from support.webchat import (
    BROWSER,
    HEARD,
    condition_of,
    first_message,
    is_in,
    mechanisms_of,
    opened,
    page_of,
    remember_browser,
    show,
    token_for,
)
from support.worlds import KEYS, PASSWORD

CAM = "urn:xmpp:cam:0"
BEARER = "OAUTHBEARER"


@pytest.fixture
def verona(cast):
    """The world with romeo, who is logged in to the portal, and juliet."""
    cast.account("romeo", "juliet")
    remember_browser(cast.world, "romeo")
    return cast.world


@pytest.fixture
def opens(cast, verona):
    """Opens a page that is logged in as romeo."""

    def open(resource=None, **how):
        client = opened(verona, token_for(verona, "romeo"), resource, **how)
        cast.clients.append(client)
        return client

    return open


def entry_of(client):
    client.sends(f"<iq type='get' id='c'><list xmlns='{CAM}'/></iq>")
    entries = client.receives("<iq type='result' id='c'/>").iter(f"{{{CAM}}}client")
    (found,) = [one for one in entries if one.findtext(f".//{{{CAM}}}software") == "Browser"]
    return found


def test_a_page_logs_in_and_talks(cast, opens):
    juliet, page = cast("juliet"), opens("page")
    assert page.jid == "romeo@h/page"
    page.sends("<message to='juliet@h' type='chat'><body>Hark!</body></message>")
    juliet.receives("<message from='romeo@h/page' type='chat'><body>Hark!</body></message>")


def test_over_bosh_too(running):
    running.account("romeo")
    remember_browser(running.world, "romeo")
    client = opened(running.world, token_for(running.world, "romeo"), "page", way="bosh")
    assert client.jid == "romeo@h/page"
    client.wire.cut()


def test_it_is_offered_to_pages_of_the_box_and_to_nobody_else(verona):
    assert BEARER in mechanisms_of(page_of(verona).secure())
    for client in (page_of(verona, origin="https://other.example"), verona.client()):
        assert BEARER not in mechanisms_of(client.secure())
        answer, _ = show(client, token_for(verona, "romeo"))
        assert condition_of(answer) == "invalid-mechanism"
        client.wire.cut()


def test_without_a_chat_it_is_not_offered(own_cast):
    for off in ({"web": {"chat": "no"}}, {"ports": {"portal": 0}}, {"ports": {"web": 0}}):
        world = own_cast(**off).world
        assert BEARER not in mechanisms_of(page_of(world).secure())


def test_a_token_is_good_once(verona):
    token = token_for(verona, "romeo")
    for good in (True, False, False):
        client = page_of(verona)
        client.secure()
        answer, told = show(client, token)
        assert is_in(answer) == good
        assert good or (condition_of(answer), told) == (
            "not-authorized",
            {"status": "invalid_token"},
        )
        client.wire.cut()


@pytest.mark.parametrize("late", [SECONDS + 1, 10 * SECONDS])
def test_a_token_is_good_for_a_minute(verona, late):
    client = page_of(verona)
    client.secure()
    answer, told = show(client, token_for(verona, "romeo", now=time.time() - late))
    assert (condition_of(answer), told) == ("not-authorized", {"status": "invalid_token"})


def test_after_a_token_that_is_over_a_fresh_one_is_good(verona):
    client = page_of(verona)
    client.secure()
    answer, _ = show(client, token_for(verona, "romeo", now=1))
    assert not is_in(answer)
    answer, _ = show(client, token_for(verona, "romeo"))
    assert is_in(answer)


def test_who_shows_rubbish_keeps_nobody_out(cast, verona):
    for _ in range(6):
        client = page_of(verona)
        client.secure()
        for _ in range(4):
            answer, _ = show(client, "rubbish")
            assert condition_of(answer) == "not-authorized"
        assert client.next().tag.endswith("}error")  # four are enough for one stream
        client.wire.cut()
    cast("romeo")


def test_a_token_is_nobody_elses(verona):
    for name in ("juliet@h", "romeo@elsewhere", "romeo@h/page"):
        client = page_of(verona)
        client.secure()
        answer, _ = show(client, token_for(verona, "romeo"), name)
        assert condition_of(answer) == "invalid-authzid"
        client.wire.cut()
    client = page_of(verona)
    client.secure()
    answer, _ = show(client, token_for(verona, "romeo"), "romeo@h")
    assert is_in(answer)


def test_it_may_be_asked_for_first(verona):
    client = page_of(verona)
    client.secure()
    client.send(f"<auth xmlns='{SASL}' mechanism='{BEARER}'/>")
    assert client.next().tag == f"{{{SASL}}}challenge"
    answer = client.send(f"<response xmlns='{SASL}'>not base64</response>") or client.next()
    assert condition_of(answer) == "incorrect-encoding"


def test_the_offer_is_signed_for_who_has_the_password(verona):
    """XEP-0474: the list of mechanisms, which has one more here."""
    client = page_of(verona)
    client.secure()
    scram = ScramClient("romeo", PASSWORD, "SCRAM-SHA-256")
    answer = client.authenticate(scram, "SCRAM-SHA-256")
    assert is_in(answer)


@pytest.mark.parametrize(
    "wanted", ["<username>romeo</username><password>another</password>", "<remove/>"]
)
def test_a_browser_that_was_left_open_takes_no_account_over(cast, opens, wanted):
    """In the portal both take the password."""
    page = opens()
    page.sends(f"<iq type='set' id='p'><query xmlns='jabber:iq:register'>{wanted}</query></iq>")
    page.receives("<iq type='error' id='p'><error type='cancel'><not-allowed"
        " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>")  # fmt: skip
    cast("romeo/desk")


# -- among the clients -------------------------------------------------------------------------


def test_the_page_is_the_browsers_session(cast, opens):
    desk, page = cast("romeo/desk"), opens()
    entry = entry_of(desk)
    assert entry.get("connected") == "true"
    assert entry.findtext(f".//{{{CAM}}}device") == "Firefox"
    assert entry.find(f".//{{{CAM}}}password") is None
    page.leaves()


def test_two_tabs_are_two_sessions_of_one_browser(cast, opens):
    first, second = opens(), opens()
    assert first.jid != second.jid
    first.sends("<presence/>")
    first.forget()
    second.sends(f"<message to='{first.jid}' type='chat'><body>here?</body></message>")
    first.receives("<message type='chat'><body>here?</body></message>")
    entry_of(cast("romeo/desk"))


def test_revoking_the_browser_ends_its_pages_and_its_tokens(cast, verona, opens):
    desk, pages, token = cast("romeo/desk"), (opens(), opens()), token_for(verona, "romeo")
    id = entry_of(desk).get("id")
    desk.sends(f"<iq type='set' id='r'><revoke xmlns='{CAM}' id='{id}'/></iq>")
    desk.receives("<iq type='result' id='r'/>")
    for page in pages:
        assert page.next().tag.endswith("}error")
        assert page.next() is None
    client = page_of(verona)
    client.secure()
    answer, _ = show(client, token)
    assert condition_of(answer) == "not-authorized"
    assert token_for(verona, "romeo") is None


def test_a_page_whose_browser_was_revoked_meanwhile_gets_no_resource(verona):
    client = page_of(verona)
    client.secure()
    answer, _ = show(client, token_for(verona, "romeo"))
    assert is_in(answer)
    client.open()
    verona.store.clients.revoke("romeo", verona.store.clients.get("romeo", BROWSER).ref)
    client.send("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
    assert client.next().tag.endswith("}error")


@pytest.mark.parametrize("change", ["password", "locked"])
def test_another_password_and_a_lock_end_tokens(verona, change):
    token = token_for(verona, "romeo")
    if change == "password":
        verona.store.accounts.set_keys("romeo", KEYS)
    else:
        verona.store.accounts.set_locked("romeo", True)
    client = page_of(verona)
    client.secure()
    answer, _ = show(client, token)
    assert condition_of(answer) == "not-authorized"
    verona.store.accounts.set_locked("romeo", False)


def test_a_page_comes_back_to_its_session_with_another_token(cast, verona, opens):
    """XEP-0198: so nothing is lost when the browser changes its network."""
    page = opens()
    page.sends("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
    previous = page.next().get("id")
    page.wire.cut()
    again = page_of(verona)
    cast.clients.append(again)
    again.secure()
    answer, _ = show(again, token_for(verona, "romeo"))
    assert is_in(answer)
    again.open()
    again.send(f"<resume xmlns='urn:xmpp:sm:3' previd='{previous}' h='0'/>")
    assert again.next().tag == "{urn:xmpp:sm:3}resumed"


# -- SASL2 -------------------------------------------------------------------------------------


def test_by_sasl2_too(verona):
    """Two tabs that say to be of one installation are two sessions all the same."""
    names = set()
    for page in (page_of_secured(verona), page_of_secured(verona)):
        initial = first_message(token_for(verona, "romeo"))
        answer = authenticate(page, BEARER, initial, user_agent(), bind2(), request_token())
        assert succeeded(answer)
        assert answer.find(f"{{{BIND2}}}bound") is not None
        assert token_of(answer) is None  # the browser has the portal for that
        names.add(answer.findtext(f"{{{SASL2}}}authorization-identifier"))
    assert len(names) == 2
    assert not any("None" in name for name in names)


def test_by_sasl2_a_wrong_token_fails(verona):
    page = page_of_secured(verona)
    assert authenticate(page, BEARER, first_message("rubbish")).tag == f"{{{SASL2}}}challenge"
    page.send(f"<response xmlns='{SASL2}'>{HEARD}</response>")
    assert failure_of(page.next()) == "not-authorized"


def page_of_secured(verona):
    page = page_of(verona)
    page.secure()
    return page
