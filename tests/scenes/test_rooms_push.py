"""Waking people for what is said in rooms: XEP-0357, as they set by XEP-0492."""

import time

import pytest

from support.push import enable, wants, woken
from support.rooms import Room

SM = "urn:xmpp:sm:3"
PRIVATE = {"membersonly": "1", "persistentroom": "1", "whois": "anyone"}


def sleeps(client):
    """Its connection breaks, and it may come back."""
    client.sends(f"<enable xmlns='{SM}' resume='true'/>")
    assert client.next().tag == f"{{{SM}}}enabled"
    client.wire.cut()
    time.sleep(0.1)


@pytest.fixture
def group(cast, bridge):
    """Romeo's private group, of which Juliet is a member under the name Jule."""
    room, romeo = Room(), cast("romeo")
    cast.account("juliet")
    room.make(romeo, "romeo", **PRIVATE)
    room.admin(romeo, "set", "<item affiliation='member' jid='juliet@h' nick='Jule'/>")
    romeo.forget()
    return room, romeo


def away(cast, group, setting=None):
    """Juliet's telephone, which is not here."""
    phone = cast("juliet/phone")
    enable(phone)
    if setting:
        wants(phone, group[0], setting)
    phone.leaves()


def says(group, body="Hark!", inside=""):
    room, romeo = group
    room.says(romeo, body, inside=inside)
    romeo.settle_with(room)
    romeo.forget()


def test_a_member_who_is_away_is_woken_and_finds_it_later(cast, bridge, group):
    away(cast, group)
    says(group, "but soft")
    woken(bridge)
    phone = cast("juliet/phone")
    answer = group[0].ask(phone, "set", "<query xmlns='urn:xmpp:mam:2'/>")
    assert answer.get("type") == "result"
    assert "but soft" in [one.findtext(".//{jabber:client}body") for one in phone.came()]


@pytest.mark.parametrize(
    ("setting", "wakes"),
    [
        ("<always/>", True),
        ("<never/>", False),
        ("<on-mention/>", False),
        ("<never identity-category='client' identity-type='pc'/><always/>", True),
        ("<never/><always identity-category='client' identity-type='phone'/>", True),
        ("<always/><never identity-category='client'/>", False),
        ("<sometimes/>", True),
    ],
)
def test_what_was_set_in_the_bookmark_counts(cast, bridge, group, setting, wakes):
    away(cast, group, setting)
    says(group)
    if wakes:
        woken(bridge)
    bridge.receives_nothing()


def test_a_setting_counts_from_when_it_was_changed(cast, bridge, group):
    away(cast, group)
    desk = cast("juliet/desk")
    for setting, wakes in (("<never/>", False), ("<always/>", True), ("<on-mention/>", False)):
        wants(desk, group[0], setting)
        says(group)
        if wakes:
            woken(bridge)
        bridge.receives_nothing()


def test_a_bookmark_that_is_gone_says_nothing_any_more(cast, bridge, group):
    """Also if an old client took it away, which knows of lists only."""
    away(cast, group)
    desk = cast("juliet/desk")
    wants(desk, group[0], "<never/>")
    says(group)
    bridge.receives_nothing()
    desk.sends(
        "<iq type='set' id='p'><query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'/></query></iq>"
    )
    assert desk.answer("p").get("type") == "result"
    says(group)
    woken(bridge)


REFERENCE = "<reference xmlns='urn:xmpp:reference:0' type='mention' uri='xmpp:{}'/>"
MENTION = "<mention xmlns='urn:xmpp:mentions:0' {}/>"


@pytest.mark.parametrize(
    ("body", "inside", "wakes"),
    [
        ("jule: come", "", True),
        ("O JULE!", "", True),
        ("and you, Julie?", "", True),
        ("tell juliet@h", "", True),
        ("the jules of this world", "", False),
        ("come", REFERENCE.format("juliet@h"), True),
        ("come", REFERENCE.format("{room}/Jule"), True),
        ("come", REFERENCE.format("nurse@h"), False),
        ("come", REFERENCE.format("juliet@h").replace("mention", "data"), False),
        ("come", "<reply xmlns='urn:xmpp:reply:0' to='{room}/Jule' id='1'/>", True),
        ("come", MENTION.format("jid='juliet@h'"), True),
        ("come", MENTION.format("mentions='urn:xmpp:mentions:0#channel'"), True),
        ("come", MENTION.format("occupantid='nobody'"), False),
        (
            "come",
            "<mention xmlns='urn:xmpp:mentions:0' jid='juliet@h'><noping/></mention>",
            False,
        ),
        ("a secret", "<encrypted xmlns='eu.siacs.conversations.axolotl'/>", True),
    ],
)
def test_who_wants_to_hear_of_mentions_is_woken_by_them(cast, bridge, group, body, inside, wakes):
    away(cast, group, "<on-mention/>")
    says(group, body, inside.replace("{room}", group[0].jid))
    if wakes:
        woken(bridge)
    bridge.receives_nothing()


def test_a_mention_by_occupant_id(cast, bridge, group):
    room, romeo = group
    phone = cast("juliet/phone")
    enable(phone)
    wants(phone, room, "<on-mention/>")
    room.join(phone, "J")
    romeo.settle_with(room)
    ids = [one.find("{urn:xmpp:occupant-id:0}occupant-id") for one in romeo.came()]
    id = next(one.get("id") for one in ids if one is not None)
    phone.leaves()
    says(group, "come", MENTION.format(f"occupantid='{id}'"))
    woken(bridge)


@pytest.mark.parametrize("element", ["<composing xmlns='http://jabber.org/protocol/chatstates'/>"])
def test_what_says_nothing_wakes_nobody(cast, bridge, group, element):
    away(cast, group)
    room, romeo = group
    romeo.sends(f"<message to='{room.jid}' type='groupchat'>{element}</message>")
    romeo.sends(f"<message to='{room.jid}' type='groupchat'><subject>Jule</subject></message>")
    romeo.settle_with(room)
    bridge.receives_nothing()


def test_nobody_is_woken_for_rooms_that_are_open_or_not_theirs(cast, bridge, group):
    room, romeo = group
    away(cast, group, "<always/>")
    room.admin(romeo, "set", "<item affiliation='none' jid='juliet@h'/>")
    says(group, "Jule!")
    bridge.receives_nothing()
    room.admin(romeo, "set", "<item affiliation='outcast' jid='juliet@h'/>")
    says(group, "Jule!")
    bridge.receives_nothing()
    market = Room().make(romeo, "romeo", persistentroom="1")
    market.admin(romeo, "set", "<item affiliation='member' jid='juliet@h' nick='Jule'/>")
    says((market, romeo), "Jule!")
    bridge.receives_nothing()


def test_a_client_that_is_there_is_not_woken_and_the_other_one_is(cast, bridge, group):
    room, _ = group
    away(cast, group)
    desk = cast("juliet/desk")
    enable(desk, "desk")
    room.join(desk, "Jule")
    says(group)
    woken(bridge, "phone")
    bridge.receives_nothing()
    desk.leaves()
    says(group)
    bridge.receives(*["<iq type='set' from='h'/>"] * 2)


def test_ones_own_words_wake_nobody(cast, bridge, group):
    room, _ = group
    away(cast, group)
    desk = cast("juliet/desk")
    room.join(desk, "Jule")
    says((room, desk), "Jule speaks to herself")
    bridge.receives_nothing()


def test_who_blocks_the_room_hears_nothing_of_it(cast, bridge, group):
    phone = cast("juliet/phone")
    enable(phone)
    phone.sends(
        f"<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='{group[0].jid}'/></block></iq>"
    )
    phone.receives("<iq type='result' id='b'/>")
    phone.leaves()
    says(group)
    bridge.receives_nothing()


@pytest.mark.parametrize("before", [True, False])
def test_a_client_in_the_room_whose_connection_broke_is_woken_once(cast, bridge, group, before):
    """Whether it is noticed before the message comes, or after."""
    room, _ = group
    phone = cast("juliet/phone")
    enable(phone)
    room.join(phone, "Jule")
    if before:
        sleeps(phone)
        says(group)
    else:
        phone.sends(f"<enable xmlns='{SM}' resume='true'/>")
        assert phone.next().tag == f"{{{SM}}}enabled"
        says(group)
        phone.wire.cut()
    woken(bridge)
    bridge.receives_nothing()


def test_in_an_open_room_a_sleeping_client_is_woken_by_its_name(cast, bridge, group):
    _, romeo = group
    market = Room().make(romeo, "romeo")
    phone = cast("juliet/phone")
    enable(phone)
    market.join(phone, "Jule")
    sleeps(phone)
    says((market, romeo))
    bridge.receives_nothing()
    says((market, romeo), "Jule!")
    woken(bridge)
    says((market, romeo), "all", MENTION.format("mentions='urn:xmpp:mentions:0#channel'"))
    bridge.receives_nothing()


def test_in_an_open_room_it_may_want_everything_or_nothing(cast, bridge, group):
    _, romeo = group
    for setting, body, wakes in (("<always/>", "Hark!", True), ("<never/>", "Jule!", False)):
        market = Room().make(romeo, "romeo")
        phone = cast("juliet/phone")
        enable(phone)
        wants(phone, market, setting)
        market.join(phone, "Jule")
        sleeps(phone)
        says((market, romeo), body)
        if wakes:
            woken(bridge)
        bridge.receives_nothing()
        market.leave(romeo, "romeo")
        romeo.forget()


def test_a_group_that_becomes_open_wakes_nobody_any_more(cast, bridge, group):
    room, romeo = group
    away(cast, group)
    says(group)
    woken(bridge)
    room.configure(romeo, membersonly="0")
    says(group)
    bridge.receives_nothing()
