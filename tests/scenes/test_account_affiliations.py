"""What somebody is to the server: XEP-0489."""

import pytest

from conftest import Cast
from support.federation import log_in
from support.rooms import MUC, Room, condition
from support.worlds import MemoryWorld

RAA = "urn:xmpp:raa:0"
QUERY = f"<query xmlns='{RAA}'/>"


def ask(client, address="juliet@h"):
    client.sends(f"<iq type='get' id='raa' to='{address}'>{QUERY}</iq>")
    return client.answer("raa")


def told(answer):
    assert answer.get("type") == "result", condition(answer)
    return dict(answer[0].attrib)


def test_the_server_says_that_it_can(cast):
    romeo = cast("romeo")
    romeo.sends(
        "<iq type='get' id='d' to='h'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
    )
    assert RAA in {one.get("var") for one in romeo.answer("d").iterfind(".//{*}feature")}


def test_who_may_see_somebody_is_told_and_nobody_else(cast):
    romeo, juliet = cast("romeo", "juliet")
    for address in ("juliet@h", "nobody@h"):
        assert condition(ask(romeo, address)) == ("service-unavailable", "cancel")
    assert told(ask(juliet)) == {"affiliation": "member"}
    cast.befriend(romeo, juliet)
    assert told(ask(romeo)) == {"affiliation": "member"}


def test_an_admin_is_one_to_themselves_only(cast):
    romeo, juliet = cast("romeo", "juliet")
    cast.befriend(romeo, juliet)
    cast.world.store.accounts.set_admin("juliet", True)
    assert told(ask(juliet)) == {"affiliation": "admin"}
    assert told(ask(romeo)) == {"affiliation": "member"}


def test_a_service_of_the_box_is_told(cast, bridge):
    cast.account("juliet")
    for address, wanted in (("juliet@h", "result"), ("nobody@h", "error")):
        bridge.sends(f"<iq type='get' id='raa' from='x@bridge.h' to='{address}'>{QUERY}</iq>")
        answer = bridge.next()
        assert answer.get("type") == wanted
        if wanted == "error":
            assert condition(answer) == ("service-unavailable", "cancel")


def test_another_server_is_told_where_somebody_goes_and_may_ask_then(houses):
    """Whatever the client says of itself."""
    juliet, romeo = log_in(houses[0], "juliet"), log_in(houses[1], "romeo")
    assert condition(ask(romeo, juliet.bare)) == ("service-unavailable", "cancel")
    claim = f"<info xmlns='{RAA}' affiliation='admin'/>"
    juliet.sends(f"<presence to='{romeo.bare}'>{claim}<status>hi</status></presence>")
    seen = romeo.receives(f"<presence from='{juliet.jid}'><status>hi</status></presence>")
    assert [dict(one.attrib) for one in seen.findall(f"{{{RAA}}}info")] == [
        {"affiliation": "member"}
    ]
    assert told(ask(romeo, juliet.bare)) == {"affiliation": "member"}
    juliet.sends(f"<presence type='unavailable' to='{romeo.bare}'/>")
    romeo.receives("<presence type='unavailable'/>")
    assert condition(ask(romeo, juliet.bare)) == ("service-unavailable", "cancel")


def test_contacts_and_the_box_itself_get_no_such_presence(cast):
    romeo, juliet = cast("romeo", "juliet")
    cast.befriend(romeo, juliet)
    claim = f"<info xmlns='{RAA}' affiliation='admin'/>"
    for to in ("", f" to='{juliet.jid}'"):
        romeo.sends(f"<presence{to}>{claim}</presence>")
        assert juliet.receives("<presence/>").find(f"{{{RAA}}}info") is None


@pytest.fixture
def open_house(tmp_path):
    world = MemoryWorld(tmp_path, registration="open")
    people = Cast(world)
    yield people
    for client in people.clients:
        client.wire.cut()
    world.close()


def test_where_everybody_may_register_people_are_no_more_than_registered(open_house):
    juliet = open_house("juliet")
    found = told(ask(juliet))
    assert found.pop("since").endswith("T00:00:00.000Z")
    assert found == {"affiliation": "registered"}


def test_what_people_claim_to_be_does_not_come_through_a_room(cast):
    romeo, juliet = cast("romeo", "juliet")
    room = Room().make(romeo, "romeo")
    claim = f"<info xmlns='{RAA}' affiliation='admin'/>"
    juliet.sends(f"<presence to='{room.nick('juliet')}'><x xmlns='{MUC}'/>{claim}</presence>")
    presence = romeo.receives(f"<presence from='{room.nick('juliet')}'/>")
    assert presence.find(f"{{{RAA}}}info") is None
    room.says(juliet, "I am the admin", inside=claim)
    assert romeo.receives("<message type='groupchat'/>").find(f"{{{RAA}}}info") is None
