"""The contact list: RFC 6121 §2."""

import pytest

from support.patterns import shown

ROSTER = "jabber:iq:roster"


def roster_set(item, id="s1"):
    return f"<iq type='set' id='{id}'><query xmlns='{ROSTER}'>{item}</query></iq>"


def roster_get(ver=None):
    attribute = "" if ver is None else f" ver='{ver}'"
    return f"<iq type='get' id='g1'><query xmlns='{ROSTER}'{attribute}/></iq>"


def push(item):
    return f"<iq type='set' id='*'><query xmlns='{ROSTER}' ver='*'>{item}</query></iq>"


def refusal(condition):
    return (
        f"<iq type='error' id='s1'><error>"
        f"<{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    )


def version_of(client):
    client.sends(roster_get())
    return client.receives("<iq type='result' id='g1'/>")[0].get("ver")


def test_a_new_contact_is_pushed_to_clients_that_asked_for_the_roster(cast):
    phone, desk, lamp = cast("juliet/phone", "juliet/desk", "juliet/lamp")
    for client in (phone, desk):
        client.forget()
        client.sends(roster_get())
        client.receives(f"<iq type='result' id='g1'><query xmlns='{ROSTER}'/></iq>")
    lamp.forget()
    phone.sends(roster_set("<item jid='romeo@h' name='R.'><group>Friends</group></item>"))
    item = "<item jid='romeo@h' name='R.' subscription='none'><group>Friends</group></item>"
    phone.receives_any_order(push(item), "<iq type='result' id='s1'/>")
    desk.receives(push(item))
    lamp.receives_nothing()
    lamp.sends(roster_get())
    lamp.receives(f"<iq type='result' id='g1'><query xmlns='{ROSTER}'>{item}</query></iq>")


def test_renaming_keeps_the_subscription(cast):
    romeo, juliet = cast("romeo", "juliet")
    cast.befriend(romeo, juliet)
    juliet.sends(roster_set("<item jid='romeo@h' name='My only love'/>"), roster_get())
    juliet.receives(
        "<iq type='result' id='s1'/>",
        f"<iq type='result' id='g1'><query xmlns='{ROSTER}'>"
        "<item jid='romeo@h' name='My only love' subscription='both'/></query></iq>",
    )


def test_a_removed_contact_is_gone_and_both_subscriptions_with_it(cast):
    romeo, juliet = cast("romeo/orchard", "juliet/balcony")
    cast.befriend(romeo, juliet)
    for client in (romeo, juliet):
        client.sends(roster_get())
        client.receives("<iq type='result'/>")
    juliet.sends(roster_set("<item jid='romeo@h' subscription='remove'/>"))
    juliet.receives_any_order(
        push("<item jid='romeo@h' subscription='remove'/>"),
        "<iq type='result' id='s1'/>",
        "<presence type='unavailable' from='romeo@h/orchard'/>",
    )
    romeo.receives_any_order(
        "<presence type='unavailable' from='juliet@h/balcony'/>",
        "<presence type='unsubscribe' from='juliet@h'/>",
        "<presence type='unsubscribed' from='juliet@h'/>",
        push("<item jid='juliet@h' subscription='to'/>"),
        push("<item jid='juliet@h' subscription='none'/>"),
    )
    juliet.sends("<presence><show>away</show></presence>")
    juliet.receives("<presence from='juliet@h/balcony'/>")
    romeo.receives_nothing()


def test_removing_somebody_who_is_not_there_is_refused(cast):
    juliet = cast("juliet")
    juliet.sends(roster_set("<item jid='romeo@h' subscription='remove'/>"))
    juliet.receives(refusal("item-not-found"))


@pytest.mark.parametrize(
    ("item", "condition"),
    [
        ("", "bad-request"),
        ("<item jid='a@h'/><item jid='b@h'/>", "bad-request"),
        ("<item/>", "bad-request"),
        ("<item jid='@h'/>", "bad-request"),
        ("<item jid='a@h'><group>x</group><group>x</group></item>", "bad-request"),
        ("<item jid='a@h'><group/></item>", "not-acceptable"),
        (f"<item jid='a@h'><group>{'x' * 1100}</group></item>", "not-acceptable"),
        (f"<item jid='a@h' name='{'x' * 1100}'/>", "not-acceptable"),
        ("<item jid='juliet@h'/>", "not-allowed"),
    ],
)
def test_a_bad_item_is_refused_and_changes_nothing(cast, item, condition):
    juliet = cast("juliet")
    juliet.sends(roster_set(item), roster_get())
    juliet.receives(refusal(condition))
    result = juliet.receives("<iq type='result' id='g1'/>")
    assert len(result[0]) == 0, shown(result)


def test_another_accounts_roster_is_nobodys_business(cast):
    romeo, _ = cast("romeo", "juliet")
    romeo.sends(f"<iq type='get' id='s1' to='juliet@h'><query xmlns='{ROSTER}'/></iq>")
    romeo.receives(refusal("forbidden"))
    romeo.sends(
        f"<iq type='set' id='s1' to='juliet@h'><query xmlns='{ROSTER}'><item jid='a@h'/></query></iq>"
    )
    romeo.receives(refusal("forbidden"))


def test_a_client_that_knows_the_version_gets_only_what_changed(cast):
    juliet = cast("juliet")
    juliet.sends(roster_set("<item jid='a@h'/>"), roster_set("<item jid='b@h'/>"))
    juliet.receives("<iq type='result'/>", "<iq type='result'/>")
    known = version_of(juliet)
    juliet.sends(roster_get(known))
    assert len(juliet.receives("<iq type='result' id='g1'/>")) == 0
    juliet.receives_nothing()
    juliet.sends(roster_set("<item jid='c@h'/>"))
    juliet.receives_any_order(push("<item jid='c@h'/>"), "<iq type='result' id='s1'/>")
    juliet.sends(roster_set("<item jid='a@h' subscription='remove'/>"))
    juliet.receives_any_order(
        push("<item jid='a@h' subscription='remove'/>"), "<iq type='result' id='s1'/>"
    )
    again = cast("juliet/again")
    again.sends(roster_get(known))
    assert len(again.receives("<iq type='result' id='g1'/>")) == 0
    again.receives(
        push("<item jid='c@h' subscription='none'/>"),
        push("<item jid='a@h' subscription='remove'/>"),
    )
    again.receives_nothing()


@pytest.mark.parametrize("ver", ["", "nonsense", "999999", "9" * 40])
def test_an_unknown_version_brings_the_whole_roster(cast, ver):
    juliet = cast("juliet")
    juliet.sends(roster_set("<item jid='a@h'/>"))
    juliet.receives("<iq type='result'/>")
    juliet.sends(roster_get(ver))
    juliet.receives(
        f"<iq type='result' id='g1'><query xmlns='{ROSTER}'><item jid='a@h'/></query></iq>"
    )


def test_a_roster_survives_its_sessions(cast):
    juliet = cast("juliet")
    juliet.sends(roster_set("<item jid='romeo@h' name='R'/>"))
    juliet.receives("<iq type='result'/>")
    juliet.leaves()
    again = cast("juliet")
    again.sends(roster_get())
    again.receives(
        f"<iq type='result'><query xmlns='{ROSTER}'><item jid='romeo@h' name='R'/></query></iq>"
    )
