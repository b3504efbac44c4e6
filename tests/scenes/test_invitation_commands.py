"""Invitations that people make from their clients (XEP-0401)."""

import re
import time
from datetime import datetime

import pytest

from hausbote.storage import Kind
from support.commands import COMMANDS, DATA, command, errors, field
from support.worlds import PASSWORD

INVITE = "urn:xmpp:invite#invite"
CREATE = "urn:xmpp:invite#create-account"
RESULT = "urn:xmpp:invite#invitation"
DISCO_ITEMS = "http://jabber.org/protocol/disco#items"
TOKEN = "[a-z2-7]{32}"


def run(client, node, values=None):
    """The last answer's <command/>, or the condition of a refusal."""
    client.sends(command(node))
    answer = client.answer("c")
    if answer.get("type") == "error":
        return answer.find("{*}error")[0].tag.partition("}")[2]
    if values is None:
        return answer[0]
    assert answer[0].get("status") == "executing"
    client.sends(command(node, "complete", answer[0].get("sessionid"), values))
    answer = client.answer("c")
    if answer.get("type") == "error":
        return answer.find("{*}error")[0].tag.partition("}")[2]
    return answer[0]


def link(done, pattern):
    """The token in the link of a result, which is of that form."""
    assert done.get("status") == "completed"
    assert field(done, "FORM_TYPE") == [RESULT]
    (uri,) = field(done, "uri")
    found = re.fullmatch(pattern.replace("TOKEN", f"({TOKEN})"), uri)
    assert found, uri
    return found[1]


def offered(client):
    client.sends(
        f"<iq type='get' id='d' to='h'><query xmlns='{DISCO_ITEMS}' node='{COMMANDS}'/></iq>"
    )
    return {item.get("node") for item in client.answer("d")[0]}


@pytest.fixture
def invited(own_cast):
    """A box where administrators invite people; the nurse is one."""
    cast = own_cast(registration="invite")
    cast.account("nurse")
    cast.world.store.accounts.set_admin("nurse", True)
    return cast


def test_people_invite_their_contacts_from_a_box_that_is_closed(cast):
    romeo = cast("romeo")
    assert INVITE in offered(romeo)
    assert CREATE not in offered(romeo)
    done = run(romeo, INVITE)
    token = link(done, r"xmpp:romeo@h\?roster;preauth=TOKEN")
    kept = cast.world.store.invitations.look(token)
    assert (kept.kind, kept.inviter, kept.times) == (Kind.CONTACT, "romeo", 1)
    (until,) = field(done, "expire")
    week = datetime.fromisoformat(until).timestamp() - time.time()
    assert 6.9 * 86_400 < week <= 7 * 86_400
    (url,) = field(done, "landing-url")
    assert url.startswith("https://h")
    assert url.endswith(f"/invite/{token}")
    assert run(romeo, CREATE) == "forbidden"


def test_a_box_without_pages_has_no_landing_page(own_cast):
    romeo = own_cast(ports={"portal": 0})("romeo")
    done = run(romeo, INVITE)
    link(done, r"xmpp:romeo@h\?roster;preauth=TOKEN")
    assert field(done, "landing-url") is None


def test_an_administrators_contact_can_get_an_account(invited):
    romeo, nurse = invited("romeo", "nurse")
    link(run(romeo, INVITE), r"xmpp:romeo@h\?roster;preauth=TOKEN")
    token = link(run(nurse, INVITE), r"xmpp:nurse@h\?roster;preauth=TOKEN;ibr=y")
    assert invited.world.store.invitations.look(token).kind is Kind.FRIEND


def test_members_invite_to_accounts_if_they_may(own_cast):
    cast = own_cast(registration="invite", invitations={"by": "members"})
    romeo = cast("romeo")
    assert {INVITE, CREATE} <= offered(romeo)
    link(run(romeo, INVITE), r"xmpp:romeo@h\?roster;preauth=TOKEN;ibr=y")
    values = {"username": [], "roster-subscription": ["false"]}
    link(run(romeo, CREATE, values), r"xmpp:h\?register;preauth=TOKEN")


def test_only_administrators_invite_to_accounts_if_not(invited):
    romeo, nurse = invited("romeo", "nurse")
    assert CREATE not in offered(romeo)
    assert CREATE in offered(nurse)
    assert run(romeo, CREATE) == "forbidden"


def test_a_name_may_be_given(invited):
    nurse = invited("nurse")
    values = {"username": ["Paris"], "roster-subscription": ["1"]}
    token = link(run(nurse, CREATE, values), r"xmpp:paris@h\?register;preauth=TOKEN")
    kept = invited.world.store.invitations.look(token)
    assert (kept.kind, kept.name, kept.inviter) == (Kind.FRIEND, "paris", "nurse")
    assert not invited.world.store.accounts.exists("paris")
    assert errors(run(nurse, CREATE, values)) == ["This name is taken."]


@pytest.mark.parametrize("name", ["nurse", "a b", "x@h", "x" * 1100])
def test_impossible_names_are_told(invited, name):
    done = run(invited("nurse"), CREATE, {"username": [name]})
    assert len(errors(done)) == 1
    assert invited.world.store.invitations.all() == []


def test_what_a_name_is_taken_for(own_cast):
    """Administrators are told; members hear what strangers do."""
    cast = own_cast(registration="invite", invitations={"by": "members"})
    cast.account("nurse")
    cast.world.store.accounts.set_admin("nurse", True)
    romeo, nurse = cast("romeo", "nurse")
    for name in ("abuse", "rorneo"):
        assert len(errors(run(romeo, CREATE, {"username": [name]}))) == 1
        done = run(nurse, CREATE, {"username": [name]})
        link(done, rf"xmpp:{name}@h\?register;preauth=TOKEN")
        notes = [note.text for note in done.findall(f"{{{COMMANDS}}}note")]
        assert len(notes) == 1


def test_no_form_but_a_good_one(invited):
    nurse = invited("nurse")
    assert run(nurse, CREATE, {"roster-subscription": ["perhaps"]}) == "bad-request"


def test_an_account_has_only_so_many(own_cast):
    cast = own_cast(limits={"invitations": 2})
    romeo, juliet = cast("romeo", "juliet")
    for _ in range(2):
        link(run(romeo, INVITE), r"xmpp:romeo@h\?roster;preauth=TOKEN")
    assert run(romeo, INVITE) == "resource-constraint"
    link(run(juliet, INVITE), r"xmpp:juliet@h\?roster;preauth=TOKEN")


def test_nobody_invites_for_others(cast):
    romeo, _ = cast("romeo", "juliet")
    romeo.sends(command(INVITE, to="juliet@h"))
    assert romeo.answer("c").get("type") == "error"
    romeo.sends(command(INVITE, to="romeo@h"))
    link(romeo.answer("c")[0], r"xmpp:romeo@h\?roster;preauth=TOKEN")


def test_somebody_of_another_server_invites_nobody(houses):
    from support.federation import log_in

    romeo = log_in(houses[1], "romeo")
    romeo.sends(command(INVITE, to="capulet.example"))
    assert romeo.answer("c").get("type") == "error"
    assert houses[0].store.invitations.all() == []


def test_a_link_from_a_client_brings_a_friend(invited):
    """All of it: the link, the account, the contact."""
    nurse = invited("nurse")
    nurse.sends("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>")
    nurse.answer("r")
    token = link(run(nurse, INVITE), r"xmpp:nurse@h\?roster;preauth=TOKEN;ibr=y")
    client = invited.world.client()
    client.secure()
    client.sends(
        f"<iq type='set' id='p'><preauth xmlns='urn:xmpp:pars:0' token='{token}'/></iq>",
    )
    client.receives("<iq type='result' id='p'/>")
    client.sends(
        "<iq type='set' id='r'><query xmlns='jabber:iq:register'><username>paris</username>"
        f"<password>{PASSWORD}</password></query></iq>"
    )
    client.receives("<iq type='result' id='r'/>")
    nurse.receives(
        "<iq type='set'><query xmlns='jabber:iq:roster'>"
        "<item jid='paris@h' subscription='both'/></query></iq>"
    )


def test_the_form_is_marked_as_what_it_is(invited):
    nurse = invited("nurse")
    nurse.sends(command(CREATE))
    form = nurse.answer("c")[0].find(f"{{{DATA}}}x")
    fields = {one.get("var"): one.get("type") for one in form.findall(f"{{{DATA}}}field")}
    assert fields["username"] == "text-single"
    assert fields["roster-subscription"] == "boolean"
