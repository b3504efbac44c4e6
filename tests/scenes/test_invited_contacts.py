"""Contacts by invitation: a request that shows a token is granted by the server (XEP-0379)."""

import time

import pytest

from hausbote.storage import Invitation, Kind, RosterItem
from support.federation import log_in, wait_until

ROSTER = "jabber:iq:roster"
PARS = "urn:xmpp:pars:0"
DAY = 86_400


def invite(world, kind=Kind.CONTACT, days=7, inviter="romeo", **fields):
    now = int(time.time())
    made = Invitation(kind=kind, made=now, until=now + days * DAY, inviter=inviter, **fields)
    return world.store.invitations.create(made)[1]


def asks(client, to, token):
    client.sends(
        f"<presence type='subscribe' to='{to}'><preauth xmlns='{PARS}' token='{token}'/></presence>"
    )


def interested(client):
    client.sends(f"<iq type='get' id='r'><query xmlns='{ROSTER}'/></iq>")
    client.answer("r")
    client.forget()


def push(item):
    return f"<iq type='set'><query xmlns='{ROSTER}'>{item}</query></iq>"


def is_friend(house, local, jid):
    item = house.store.rosters.load(local).items.get(jid)
    return item is not None and item.subscription == "both"


def subscriptions(world, one, other):
    """What the two are in each other's roster."""
    rosters = world.store.rosters
    items = rosters.load(one).items.get(f"{other}@h"), rosters.load(other).items.get(f"{one}@h")
    return tuple(item.subscription if item is not None else None for item in items)


@pytest.fixture
def pair(cast):
    romeo, juliet = cast("romeo/orchard", "juliet/balcony")
    interested(romeo)
    interested(juliet)
    return romeo, juliet


@pytest.mark.parametrize("kind", [Kind.CONTACT, Kind.FRIEND])
def test_both_see_each_other_and_nobody_was_asked(cast, pair, kind):
    romeo, juliet = pair
    asks(juliet, "romeo@h", invite(cast.world, kind))
    romeo.receives_any_order(
        push("<item jid='juliet@h' subscription='from' ask='subscribe'/>"),
        push("<item jid='juliet@h' subscription='both'/>"),
        "<presence type='subscribed' from='juliet@h'/>",
        "<presence from='juliet@h/balcony'/>",
    )
    romeo.receives_nothing()
    assert not [one for one in juliet.came() if one.get("type") == "subscribe"]
    assert subscriptions(cast.world, "romeo", "juliet") == ("both", "both")
    romeo.sends("<presence><show>away</show></presence>")
    juliet.receives("<presence from='romeo@h/orchard'><show>away</show></presence>")


def test_the_inviter_need_not_be_there(cast):
    cast.account("romeo")
    juliet = cast("juliet")
    asks(juliet, "romeo@h", invite(cast.world))
    juliet.settle()
    assert subscriptions(cast.world, "romeo", "juliet") == ("both", "both")


def test_a_token_is_used_up(cast, pair):
    token = invite(cast.world)
    romeo, juliet = pair
    nurse = cast("nurse")
    asks(juliet, "romeo@h", token)
    juliet.settle()
    romeo.forget()
    asks(nurse, "romeo@h", token)
    romeo.receives("<presence type='subscribe' from='nurse@h'/>")
    assert subscriptions(cast.world, "romeo", "nurse") == (None, "none")


def test_what_is_no_good_invitation_is_a_request_as_any_other(cast, pair):
    """And goes to the clients with its token, which may be one of theirs (XEP-0379 §4.1)."""
    romeo, _ = pair
    cast.account("nurse")
    cast.account("paris")
    expired, of_nurse = invite(cast.world, days=-1), invite(cast.world, inviter="nurse")
    withdrawn = invite(cast.world)
    cast.world.store.invitations.withdraw(cast.world.store.invitations.look(withdrawn).id)
    account = invite(cast.world, Kind.ACCOUNT)
    for number, token in enumerate((expired, withdrawn, of_nurse, account, "made-by-a-client", "")):
        guest = cast(f"guest-{number}")
        asks(guest, "romeo@h", token)
        romeo.receives(
            f"<presence type='subscribe' from='guest-{number}@h'>"
            f"<preauth xmlns='{PARS}' token='{token}'/></presence>"
        )
    asks(guest, "nurse@h", of_nurse)
    guest.settle()
    assert subscriptions(cast.world, "nurse", "guest-5") == ("both", "both")


def test_a_request_that_waited_is_answered_by_an_invitation(cast, pair):
    romeo, juliet = pair
    juliet.sends("<presence type='subscribe' to='romeo@h'/>")
    romeo.receives("<presence type='subscribe' from='juliet@h'/>")
    asks(juliet, "romeo@h", invite(cast.world))
    juliet.settle()
    assert subscriptions(cast.world, "romeo", "juliet") == ("both", "both")
    assert not cast.world.store.rosters.has_request("romeo", "juliet@h")


def test_who_sees_the_inviter_already_uses_nothing_up(cast, pair):
    romeo, juliet = pair
    cast.befriend(romeo, juliet)
    token = invite(cast.world)
    asks(juliet, "romeo@h", token)
    juliet.settle()
    assert cast.world.store.invitations.look(token).used == 0


def test_a_name_and_groups_of_the_contact_stay(cast, pair):
    romeo, juliet = pair
    romeo.sends(
        f"<iq type='set' id='s'><query xmlns='{ROSTER}'><item jid='juliet@h' name='J'>"
        "<group>Verona</group></item></query></iq>"
    )
    romeo.answer("s")
    asks(juliet, "romeo@h", invite(cast.world))
    juliet.settle()
    item = cast.world.store.rosters.load("romeo").items["juliet@h"]
    assert item == RosterItem("juliet@h", "J", "both", groups=("Verona",))


def test_the_blocked_are_not_let_in_by_an_invitation(cast, pair):
    romeo, juliet = pair
    romeo.sends(
        "<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='juliet@h'/></block></iq>"
    )
    romeo.answer("b")
    token = invite(cast.world)
    asks(juliet, "romeo@h", token)
    juliet.settle()
    assert cast.world.store.invitations.look(token).used == 0
    assert subscriptions(cast.world, "romeo", "juliet")[0] is None


def test_a_full_roster_takes_nobody_by_invitation(own_cast):
    cast = own_cast(limits={"roster_items": 1})
    cast.account("romeo")
    cast.world.store.rosters.put("romeo", RosterItem("nurse@h"))
    romeo, juliet = cast("romeo", "juliet")
    token = invite(cast.world)
    asks(juliet, "romeo@h", token)
    juliet.settle()
    assert cast.world.store.invitations.look(token).used == 0
    romeo.receives("<presence type='subscribe' from='juliet@h'/>")


def test_somebody_of_another_server_follows_an_invitation(houses):
    """By its standard the guest's server or client grants the inviter's request (§3.5)."""
    verona, mantua = houses
    juliet, romeo = log_in(verona, "juliet"), log_in(mantua, "romeo")
    interested(juliet)
    token = invite(verona, inviter="juliet")
    romeo.sends(f"<presence type='subscribed' to='{juliet.bare}'/>")
    asks(romeo, juliet.bare, token)
    romeo.settle()
    for house, local, other in ((verona, "juliet", romeo.bare), (mantua, "romeo", juliet.bare)):
        wait_until(lambda house=house, local=local, other=other: is_friend(house, local, other))
    assert not [one for one in juliet.came() if one.get("type") == "subscribe"]
    assert verona.store.invitations.look(token).used == 1
    asks(romeo, juliet.bare, token)
    romeo.settle()
    assert verona.store.invitations.look(token).used == 1
