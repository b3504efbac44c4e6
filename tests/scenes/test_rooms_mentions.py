"""Members who are mentioned and not there get the message: XEP-0452."""

import pytest

from support.federation import log_in
from support.push import enable, wants, woken
from support.rooms import Room

MMN = "urn:xmpp:mmn:0"
REFERENCE = "<reference xmlns='urn:xmpp:reference:0' type='mention' uri='xmpp:{}'/>"


@pytest.fixture
def room():
    return Room()


@pytest.fixture
def full(cast, room):
    """Romeo's room that sends mentions on; Juliet is a member called Jule, and not there."""
    romeo, juliet, nurse = cast("romeo", "juliet", "nurse")
    room.make(romeo, "romeo", forwardmentions="1")
    room.admin(romeo, "set", "<item affiliation='member' jid='juliet@h' nick='Jule'/>")
    room.join(nurse, "nurse")
    for client in (romeo, juliet, nurse):
        client.forget()
    return room, romeo, juliet, nurse


@pytest.mark.parametrize(
    "mention",
    [
        REFERENCE.format("juliet@h"),
        REFERENCE.format("{room}/Jule"),
        REFERENCE.format("{room}/jule"),
        "<reply xmlns='urn:xmpp:reply:0' to='{room}/Jule' id='1'/>",
        "<mention xmlns='urn:xmpp:mentions:0' jid='juliet@h'/>",
    ],
)
def test_who_is_mentioned_gets_the_message_with_all_that_it_has(full, mention):
    room, romeo, juliet, nurse = full
    mention = mention.replace("{room}", room.jid)
    room.says(nurse, "Jule: come", id="m1", inside=mention)
    copy = juliet.receives(
        f"<message from='{room.jid}' to='juliet@h'><mentions xmlns='{MMN}'>"
        f"<forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' from='{room.jid}' stamp='*'/>"
        f"<message xmlns='jabber:client' type='groupchat' id='m1' from='{room.nick('nurse')}'>"
        f"<body>Jule: come</body></message></forwarded></mentions></message>"
    )
    inner = copy.find(".//{jabber:client}message")
    original = romeo.receives("<message><body>Jule: come</body></message>")
    assert [one.tag for one in inner] == [one.tag for one in original]
    for tag in ("{urn:xmpp:sid:0}stanza-id", "{urn:xmpp:occupant-id:0}occupant-id"):
        assert inner.find(tag).get("id") == original.find(tag).get("id")
    juliet.receives_nothing()


@pytest.mark.parametrize(
    ("body", "mention"),
    [
        ("Jule: come", ""),
        ("come", REFERENCE.format("paris@h")),
        ("come", REFERENCE.format("{room}/nobody")),
        ("come", REFERENCE.format("{room}")),
        ("come", REFERENCE.format("juliet@h").replace("mention", "data")),
        ("come", "<mention xmlns='urn:xmpp:mentions:0' jid='juliet@h'><noping/></mention>"),
    ],
)
def test_nobody_else_does(cast, full, body, mention):
    room, _romeo, juliet, nurse = full
    paris = cast("paris")
    room.says(nurse, body, inside=mention.replace("{room}", room.jid))
    nurse.settle_with(room)
    for client in (juliet, paris):
        client.receives_nothing()


def test_who_is_there_hears_it_once(full):
    room, _, juliet, nurse = full
    room.join(juliet, "another")
    room.says(nurse, "come", inside=REFERENCE.format("juliet@h"))
    juliet.receives("<message type='groupchat'><body>come</body></message>")
    juliet.receives_nothing()


def test_who_is_banned_or_has_no_voice_reaches_nobody(cast, full):
    room, romeo, juliet, nurse = full
    room.admin(romeo, "set", "<item nick='nurse' role='visitor'/>")
    room.says(nurse, "come", inside=REFERENCE.format("juliet@h"))
    nurse.settle_with(room)
    juliet.receives_nothing()
    room.admin(romeo, "set", "<item jid='juliet@h' affiliation='outcast'/>")
    juliet.forget()
    room.says(romeo, "come", inside=REFERENCE.format("juliet@h"))
    romeo.settle_with(room)
    juliet.receives_nothing()


def test_a_room_does_it_if_its_owner_said_so(full):
    room, romeo, juliet, nurse = full
    room.configure(romeo, forwardmentions="0")
    room.says(nurse, "come", inside=REFERENCE.format("juliet@h"))
    nurse.settle_with(room)
    juliet.receives_nothing()


def test_not_everybody_is_called_by_one_message(cast, full):
    room, romeo, *_ = full
    names = [f"m{number}" for number in range(25)]
    cast.account(*names)
    items = "".join(f"<item jid='{name}@h' affiliation='member'/>" for name in names)
    room.admin(romeo, "set", items)
    called = cast(*names)
    mentions = "".join(REFERENCE.format(f"{name}@h") for name in names)
    room.says(romeo, "all", inside=mentions)
    romeo.settle_with(room)
    for client in called:
        client.settle_with(room)
    copies = [
        one
        for client in called
        for one in client.came()
        if one.find(f"{{{MMN}}}mentions") is not None
    ]
    assert len(copies) == 20


def test_a_private_group_calls_members_who_are_elsewhere(houses):
    """Their own server can wake them then."""
    romeo, benvolio = log_in(houses[0], "romeo"), log_in(houses[1], "benvolio")
    group = Room("elsewhere")
    group.jid = "elsewhere@rooms.capulet.example"
    group.make(romeo, "romeo", **{"hausbote#kind": "group"})
    group.admin(romeo, "set", f"<item affiliation='member' jid='{benvolio.bare}'/>")
    benvolio.receives("<message/>")  # the invitation
    group.says(romeo, "come", inside=REFERENCE.format(benvolio.bare))
    benvolio.receives(f"<message from='{group.jid}'><mentions xmlns='{MMN}'/></message>")


MENTIONS = (
    f"<mentions xmlns='{MMN}'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'"
    " type='groupchat' from='{room}/x'><body>Jule</body></message></forwarded></mentions>"
)


@pytest.mark.parametrize(
    ("setting", "wakes"), [("", True), ("<never/>", False), ("<on-mention/>", True)]
)
def test_a_mention_in_a_room_elsewhere_wakes(cast, bridge, setting, wakes):
    """As they set for that room."""
    elsewhere = Room()
    elsewhere.jid = f"{elsewhere.name}@bridge.h"
    phone = cast("juliet/phone")
    enable(phone)
    if setting:
        wants(phone, elsewhere, setting)
    phone.leaves()
    bridge.sends(
        f"<message from='{elsewhere.jid}' to='juliet@h'>{MENTIONS.format(room=elsewhere.jid)}</message>"
    )
    if wakes:
        woken(bridge)
    bridge.receives_nothing()
    phone = cast.log_in("juliet/phone")
    phone.sends("<presence/>")
    phone.receives(
        "<presence/>", f"<message from='{elsewhere.jid}'><mentions xmlns='{MMN}'/></message>"
    )
