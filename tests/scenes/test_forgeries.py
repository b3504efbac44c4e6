"""What only the box may say is in nothing that people send: neither to accounts nor in rooms.

Beside each forgery stands the same element with something that people may say; that stays.
"""

import re

import pytest
from lxml import etree

from support.rooms import USER, Room

OLD = "stamp='20020910T23:08:25'"
STAMP = "stamp='2002-09-10T23:08:25Z'"


def delays(who):
    """In the current form and the old one."""
    return f"<delay xmlns='urn:xmpp:delay' from='{who}' {STAMP}/>", (
        f"<x xmlns='jabber:x:delay' from='{who}' {OLD}/>"
    )


# -- rooms -------------------------------------------------------------------------------------

OF_ROOMS = [
    *[one for who in ("ROOM", "ROOM/romeo", "ROOMS", " ROOMS ", "other@ROOMS", "h",
                      "ROOM/JULIET") for one in delays(who)],
    *[f"<stanza-id xmlns='urn:xmpp:sid:0' id='7' by='{by}'/>"
      for by in ("ROOM", "ROOM/romeo", "ROOMS", "other@ROOMS")],
    "<archived xmlns='urn:xmpp:mam:tmp' id='7' by='ROOM'/>",
    "<occupant-id xmlns='urn:xmpp:occupant-id:0' id='7'/>",
    "<hats xmlns='urn:xmpp:hats:0'><hat title='King' uri='x'/></hats>",
    "<hats xmlns='xmpp:prosody.im/protocol/hats:1'><hat title='King' uri='x'/></hats>",
    "<moderated xmlns='urn:xmpp:message-moderate:1' by='ROOM/romeo'/>",
    "<moderated xmlns='urn:xmpp:message-moderate:0' by='ROOM/romeo'/>",
    "<retracted xmlns='urn:xmpp:message-retract:1' id='7'/>",
    "<retracted xmlns='urn:xmpp:message-retract:0'/>",
    "<apply-to xmlns='urn:xmpp:fasten:0' id='7'><moderated xmlns='urn:xmpp:message-moderate:0' by='ROOM/romeo'><retract xmlns='urn:xmpp:message-retract:0'/></moderated></apply-to>",
    "<apply-to xmlns='urn:xmpp:fasten:0' id='7'><retract xmlns='urn:xmpp:message-retract:0'/></apply-to>",
    "<retract xmlns='urn:xmpp:message-retract:0'><moderated xmlns='urn:xmpp:message-moderate:0' by='ROOM/romeo'/></retract>",
    "<mentions xmlns='urn:xmpp:mmn:0'/>",
    "<addresses xmlns='http://jabber.org/protocol/address'><address jid='romeo@h' type='ofrom'/></addresses>",
    "<result xmlns='urn:xmpp:mam:2' id='7'/>",
    "<fin xmlns='urn:xmpp:mam:2'/>",
    "<received xmlns='urn:xmpp:carbons:2'/>",
    "<info xmlns='urn:xmpp:raa:0' affiliation='admin'/>",
]  # fmt: skip
STAYS = [
    *delays("juliet@h/juliet"),
    *delays("nurse@h"),  # XEP-0045 §7.9
    *delays("elsewhere.example"),
    f"<delay xmlns='urn:xmpp:delay' {STAMP}/>",
    "<stanza-id xmlns='urn:xmpp:sid:0' id='8' by='elsewhere.example'/>",
    "<archived xmlns='urn:xmpp:mam:tmp' id='8' by='elsewhere.example'/>",
    "<retract xmlns='urn:xmpp:message-retract:0'/>",
    "<addresses xmlns='http://jabber.org/protocol/address'><address jid='romeo@h' type='to'/></addresses>",
]


def said(room, elements):
    return re.sub("ROOM(?!S)", room.jid, "".join(elements)).replace("ROOMS", "rooms.h")


def parsed(room, elements):
    return [shape(one) for one in etree.fromstring(f"<m>{said(room, elements)}</m>")]


def shape(element):
    """An element as it can be compared, with what is in it."""
    return element.tag, tuple(sorted(element.attrib.items())), tuple(map(shape, element))


def remaining(room, stanza):
    """What of both lists is in a stanza."""
    seen = [shape(one) for one in stanza]
    return [[one for one in parsed(room, some) if one in seen] for some in (OF_ROOMS, STAYS)]


@pytest.fixture
def in_a_room(cast):
    romeo, juliet = cast("romeo", "juliet/juliet")
    room = Room()
    room.make(romeo, "romeo", changesubject="1")
    room.join(juliet, "juliet")
    romeo.forget()
    return romeo, juliet, room


@pytest.mark.parametrize(
    "stanza",
    [
        "<message to='ROOM' type='groupchat'><body>x</body>{}</message>",
        "<message to='ROOM' type='groupchat'><subject>x</subject>{}</message>",
        "<message to='ROOM' type='groupchat'>{}</message>",
        "<message to='ROOM/romeo' type='chat'><body>x</body>{}</message>",
        "<presence to='ROOM/juliet'>{}</presence>",
        "<presence to='ROOM/other'>{}</presence>",
        "<presence to='ROOM/juliet' type='unavailable'>{}</presence>",
    ],
)
def test_rooms_pass_on_nothing_that_they_would_say(in_a_room, stanza):
    romeo, juliet, room = in_a_room
    # A client of ours may not send results of archives to anybody; rooms get them from elsewhere.
    forged = [one for one in OF_ROOMS if "<result" not in one or "<presence" in stanza]
    juliet.sends(stanza.replace("ROOM", room.jid).format(said(room, [*forged, *STAYS])))
    juliet.settle_with(room)
    romeo.settle_with(room)
    came = romeo.came()
    assert came
    for one in came:
        occupant_id = one.find("{urn:xmpp:occupant-id:0}occupant-id")
        assert occupant_id.get("id") != "7"
        left, stayed = remaining(room, one)
        assert left == [], etree.tostring(one)
        renamed = one.find(f"{{{USER}}}x/{{{USER}}}status[@code='303']") is not None
        assert stayed == ([] if renamed else parsed(room, STAYS))
    if "<body>x" in stanza and "groupchat" in stanza:
        room.join(romeo, "romeo", forget=False)
        romeo.settle_with(room)
        again = [one for one in romeo.came() if one.findtext("{*}body") == "x"]
        stamps = [d.get("stamp") for one in again for d in one.iterfind("{urn:xmpp:delay}delay")
                  if d.get("from") == room.jid]  # fmt: skip
        assert len(again) == len(stamps) == 1
        assert stamps[0] != "2002-09-10T23:08:25Z", "the history has one time, the room's"


def test_rooms_pass_on_no_result_of_an_archive(cast, bridge):
    """Servers elsewhere may let their people send these."""
    romeo = cast("romeo")
    room = Room()
    room.make(romeo, "romeo")
    spy = f"from='spy@bridge.h/x' to='{room.jid}"
    bridge.sends(f"<presence {spy}/spy'><x xmlns='http://jabber.org/protocol/muc'/></presence>")
    romeo.receives(f"<presence from='{room.nick('spy')}'/>")
    result = "<result xmlns='urn:xmpp:mam:2' id='7'/>"
    bridge.sends(f"<message {spy}' type='groupchat'><body>x</body>{result}</message>")
    message = romeo.receives("<message><body>x</body></message>")
    assert message.find("{urn:xmpp:mam:2}result") is None


# -- accounts ----------------------------------------------------------------------------------

OF_ACCOUNTS = [
    *[one for who in ("juliet@h", "juliet@h/balcony", "JULIET@H", " juliet@h ", "h",                       "rooms.h", "pubsub.h") for one in delays(who)],
    "<stanza-id xmlns='urn:xmpp:sid:0' id='7' by='juliet@h'/>",
    "<stanza-id xmlns='urn:xmpp:sid:0' id='7' by='h'/>",
    "<archived xmlns='urn:xmpp:mam:tmp' id='7' by='juliet@h'/>",
]  # fmt: skip


def forged_in(stanza):
    seen = [shape(one) for one in stanza]
    spelled = etree.fromstring(f"<m>{''.join(OF_ACCOUNTS)}</m>")
    return [one for one in map(shape, spelled) if one in seen]


def test_accounts_get_no_time_and_no_id_of_ours_that_we_did_not_write(cast):
    romeo, juliet = cast("romeo", "juliet/balcony")
    own = [*delays("romeo@h"), *delays("nurse@h"), *delays("elsewhere.example")]
    romeo.sends(
        f"<message to='juliet@h' type='chat'><body>x</body>{''.join(OF_ACCOUNTS + own)}</message>"
    )
    message = juliet.receives("<message><body>x</body></message>")
    assert forged_in(message) == []
    seen = [shape(one) for one in message]
    assert all(shape(one) in seen for one in etree.fromstring(f"<m>{''.join(own)}</m>"))


def test_nor_in_a_message_to_oneself(cast):
    juliet = cast("juliet/balcony")
    juliet.sends(
        f"<message to='juliet@h/balcony' type='chat'><body>x</body>{''.join(OF_ACCOUNTS)}</message>"
    )
    assert forged_in(juliet.receives("<message><body>x</body></message>")) == []


def test_nor_from_another_server(bridge, cast):
    juliet = cast("juliet/balcony")
    own = [*delays("bridge.h"), *delays("romeo@bridge.h")]
    bridge.sends(
        "<message from='romeo@bridge.h/x' to='juliet@h' type='chat'><body>x</body>"
        f"{''.join(OF_ACCOUNTS + own)}</message>"
    )
    message = juliet.receives("<message><body>x</body></message>")
    assert forged_in(message) == []
    seen = [shape(one) for one in message]
    assert all(shape(one) in seen for one in etree.fromstring(f"<m>{''.join(own)}</m>"))


def test_nor_by_a_room_of_another_server(bridge, cast):
    """What occupants there say goes the short way of groups, if it claims nothing of ours."""
    juliet = cast("juliet/balcony")
    bridge.sends(
        "<message from='room@bridge.h/x' to='juliet@h/balcony' type='groupchat'><body>x</body>"
        f"{''.join(OF_ACCOUNTS)}{''.join(delays('room@bridge.h'))}</message>"
    )
    message = juliet.receives("<message type='groupchat'><body>x</body></message>")
    assert forged_in(message) == []
    assert message.find("{urn:xmpp:delay}delay").get("from") == "room@bridge.h"


def test_nor_does_another_server_hear_it_in_our_name(bridge, cast):
    romeo = cast("romeo")
    romeo.sends(
        f"<message to='x@bridge.h' type='chat'><body>x</body>{''.join(OF_ACCOUNTS)}</message>"
    )
    message = bridge.receives("<message><body>x</body></message>")
    left = {who for element in forged_in(message) for name, who in element[1] if name == "from"}
    assert left == {"juliet@h", "juliet@h/balcony", "JULIET@H", " juliet@h "}, "people, no service"
