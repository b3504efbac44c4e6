"""What is said in rooms: XEP-0045 §7.4, §7.5, §7.8, §7.13, §8.1, §8.6, and what goes with it."""

import pytest

from support.rooms import MUC, USER, Room, condition, error

SID = "urn:xmpp:sid:0"
RETRACT = "urn:xmpp:message-retract:1"
MODERATE = "urn:xmpp:message-moderate:1"


@pytest.fixture
def room():
    return Room()


@pytest.fixture
def full(cast, room):
    """Romeo's room with Juliet in it."""
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    room.join(juliet, "juliet")
    romeo.forget()
    return room, romeo, juliet


# -- §7.4: to everybody ------------------------------------------------------------------------


def test_7_4_who_is_not_there_says_nothing(cast, full):
    room, romeo, _juliet = full
    paris = cast("paris")
    room.says(paris, "let me in", id="m")
    paris.receives(
        f"<message type='error' id='m' from='{room.jid}'>{error('not-acceptable', 'cancel')}</message>"
    )
    romeo.receives_nothing()


def test_7_4_nor_in_a_room_that_is_not_there(cast):
    romeo = cast("romeo")
    romeo.sends("<message to='nowhere@rooms.h' type='groupchat'><body>x</body></message>")
    romeo.receives(f"<message type='error'>{error('item-not-found', 'cancel')}</message>")


def test_7_4_a_visitor_is_not_heard_where_it_needs_voice(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo", moderatedroom="1")
    juliet.sends(f"<presence to='{room.nick('juliet')}'><x xmlns='{MUC}'/></presence>")
    juliet.receives(
        "<presence/>",
        f"<presence><x xmlns='{USER}'><item role='visitor'/></x></presence>",
        "<message/>",
    )
    romeo.forget()
    room.says(juliet, "may I?")
    juliet.receives(f"<message type='error'>{error('forbidden', 'auth')}</message>")
    romeo.receives_nothing()


def test_7_4_everything_but_what_the_room_says_is_passed_on(full):
    room, romeo, juliet = full
    inside = (
        f"<stanza-id xmlns='{SID}' id='forged' by='{room.jid}'/><stanza-id xmlns='{SID}' id='forged' by='{room.jid}'/>"
        f"<stanza-id xmlns='{SID}' id='theirs' by='juliet@h'/>"
        "<occupant-id xmlns='urn:xmpp:occupant-id:0' id='forged'/><occupant-id xmlns='urn:xmpp:occupant-id:0' id='forged2'/>"
        f"<delay xmlns='urn:xmpp:delay' from='{room.jid}' stamp='2000-01-01T00:00:00Z'/>"
        f"<x xmlns='{USER}'><status code='104'/><item jid='x@h'/></x>"
        "<mine xmlns='urn:x'><deep/></mine>"
    )
    room.says(juliet, "x", inside=inside)
    heard = romeo.receives(
        f"<message from='{room.nick('juliet')}'><body>x</body><mine xmlns='urn:x'><deep/></mine></message>"
    )
    ours = [e for e in heard.findall(f"{{{SID}}}stanza-id") if e.get("by") == room.jid]
    assert len(ours) == 1
    assert ours[0].get("id") != "forged"
    assert len(heard.findall("{urn:xmpp:occupant-id:0}occupant-id")) == 1
    assert "forged" not in heard.find("{urn:xmpp:occupant-id:0}occupant-id").get("id")
    assert heard.find("{urn:xmpp:delay}delay") is None
    assert heard.find(f"{{{USER}}}x") is None


def test_7_4_messages_without_type_are_refused(full):
    room, romeo, juliet = full
    juliet.sends(f"<message to='{room.jid}' id='m' type='chat'><body>x</body></message>")
    juliet.receives(f"<message type='error' id='m'>{error('bad-request', 'modify')}</message>")
    romeo.receives_nothing()


# -- §7.5: private messages --------------------------------------------------------------------


def test_7_5_one_to_one_through_the_room(full):
    room, romeo, juliet = full
    juliet.sends(
        f"<message to='{room.nick('romeo')}' type='chat' id='p'><body>psst</body></message>"
    )
    romeo.receives(
        f"<message from='{room.nick('juliet')}' to='{romeo.jid}' type='chat' id='p'><body>psst</body><x xmlns='{USER}'/></message>"
    )
    juliet.receives_nothing()


def test_7_5_to_all_clients_of_an_occupant(cast, full):
    room, romeo, juliet = full
    desk = cast("romeo/desk")
    room.join(desk, "romeo")
    romeo.forget()
    juliet.forget()
    juliet.sends(f"<message to='{room.nick('romeo')}' type='chat'><body>psst</body></message>")
    for client in (romeo, desk):
        client.receives("<message type='chat'><body>psst</body></message>")


@pytest.mark.parametrize(
    ("nick", "type", "name", "kind"),
    [
        ("romeo", "groupchat", "bad-request", "modify"),
        ("nobody", "chat", "item-not-found", "cancel"),
    ],
)
def test_7_5_what_cannot_be_sent(full, nick, type, name, kind):
    room, romeo, juliet = full
    juliet.sends(f"<message to='{room.nick(nick)}' type='{type}' id='p'><body>x</body></message>")
    juliet.receives(
        f"<message type='error' id='p' from='{room.nick(nick)}'>{error(name, kind)}</message>"
    )
    romeo.receives_nothing()


def test_7_5_strangers_write_to_nobody(cast, full):
    room, romeo, _ = full
    paris = cast("paris")
    paris.sends(f"<message to='{room.nick('romeo')}' type='chat'><body>x</body></message>")
    paris.receives(f"<message type='error'>{error('not-acceptable', 'cancel')}</message>")
    romeo.receives_nothing()


@pytest.mark.parametrize(
    ("allowed", "juliet_may", "romeo_may"),
    [
        ("anyone", True, True),
        ("participants", True, True),
        ("moderators", False, True),
        ("none", False, False),
    ],
)
def test_7_5_the_room_says_who_may(full, allowed, juliet_may, romeo_may):
    room, romeo, juliet = full
    room.configure(romeo, allowpm=allowed)
    juliet.forget()
    for sender, nick, other, may in (
        (juliet, "romeo", romeo, juliet_may),
        (romeo, "juliet", juliet, romeo_may),
    ):
        sender.sends(f"<message to='{room.nick(nick)}' type='chat'><body>x</body></message>")
        if may:
            other.receives("<message><body>x</body></message>")
        else:
            sender.receives(f"<message type='error'>{error('forbidden', 'auth')}</message>")
            other.receives_nothing()


def test_an_error_for_a_private_message_is_for_its_sender(full):
    room, romeo, juliet = full
    juliet.sends(f"<message to='{room.nick('romeo')}' type='chat' id='p'><body>x</body></message>")
    romeo.receives("<message/>")
    romeo.sends(
        f"<message type='error' id='p' to='{room.nick('juliet')}'>{error('service-unavailable', 'cancel')}</message>"
    )
    juliet.receives(f"<message type='error' id='p' from='{room.nick('romeo')}'/>")
    room.says(juliet, "still there?")
    romeo.receives("<message><body>still there?</body></message>")


def test_blocking_an_occupant_leaves_one_in_the_room(full):
    room, romeo, juliet = full
    romeo.sends(
        f"<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='{room.nick('juliet')}'/></block></iq>"
    )
    romeo.answer("b")
    room.says(juliet, "unheard")
    juliet.sends(f"<message to='{room.nick('romeo')}' type='chat'><body>unheard</body></message>")
    juliet.receives("<message/>", "<message type='error'/>")
    room.says(romeo, "I am here")
    romeo.receives(f"<message from='{room.nick('romeo')}'><body>I am here</body></message>")


# -- §7.8: invitations -------------------------------------------------------------------------


def invite(room, *people, reason="come"):
    invitations = "".join(
        f"<invite to='{one}'><reason>{reason}</reason></invite>" for one in people
    )
    return f"<message to='{room.jid}' id='i'><x xmlns='{USER}'>{invitations}</x></message>"


def test_7_8_2_others_are_asked_in(cast, full):
    room, romeo, _juliet = full
    paris, nurse = cast("paris", "nurse")
    romeo.sends(invite(room, paris.bare, nurse.bare))
    for client in (paris, nurse):
        client.receives(
            f"<message from='{room.jid}' id='i'><x xmlns='{USER}'><invite from='romeo@h'><reason>come</reason></invite></x></message>"
        )
    paris.sends(
        f"<message to='{room.jid}'><x xmlns='{USER}'><decline to='romeo@h'><reason>busy</reason></decline></x></message>"
    )
    romeo.receives(
        f"<message from='{room.jid}'><x xmlns='{USER}'><decline from='paris@h'><reason>busy</reason></decline></x></message>"
    )


def test_7_8_2_with_the_password(cast, full):
    room, romeo, _juliet = full
    paris = cast("paris")
    room.configure(romeo, passwordprotectedroom="1", roomsecret="open sesame")
    romeo.sends(invite(room, paris.bare))
    paris.receives(
        f"<message><x xmlns='{USER}'><invite/><password>open sesame</password></x></message>"
    )


def test_7_8_2_nobody_invites_people_who_do_not_exist(full):
    room, romeo, _ = full
    romeo.sends(invite(room, "nobody-here@h"))
    romeo.receives(f"<message type='error' id='i'>{error('item-not-found', 'cancel')}</message>")


def test_7_8_2_strangers_invite_nobody(cast, full):
    room, _romeo, _ = full
    paris, nurse = cast("paris", "nurse")
    paris.sends(invite(room, nurse.bare))
    paris.receives(f"<message type='error'>{error('not-acceptable', 'cancel')}</message>")
    nurse.receives_nothing()


def test_9_5_members_invite_where_they_may(cast, room):
    romeo, juliet, paris = cast("romeo", "juliet", "paris")
    room.make(romeo, "romeo", membersonly="1")
    room.admin(romeo, "set", f"<item affiliation='member' jid='{juliet.bare}'/>")
    juliet.receives(
        f"<message from='{room.jid}'><x xmlns='{USER}'><invite from='romeo@h'/></x></message>"
    )
    room.join(juliet, "juliet")
    juliet.sends(invite(room, paris.bare))
    juliet.receives(f"<message type='error'>{error('forbidden', 'auth')}</message>")
    room.configure(romeo, allowinvites="1")
    juliet.forget()
    juliet.sends(invite(room, paris.bare))
    paris.receives(f"<message><x xmlns='{USER}'><invite from='juliet@h'/></x></message>")
    room.join(paris, "paris", forget=False)
    paris.receives(
        "<presence/>",
        "<presence/>",
        f"<presence><x xmlns='{USER}'><item affiliation='member'/></x></presence>",
    )


def test_9_5_an_invitation_to_an_open_room_makes_no_member(cast, full):
    room, romeo, _ = full
    paris = cast("paris")
    romeo.sends(invite(room, paris.bare))
    paris.receives("<message/>")
    members = room.admin(romeo, "get", "<item affiliation='member'/>")
    assert not members.findall(".//{*}item")


# -- §7.13, §8.6: voice ------------------------------------------------------------------------

REQUEST = (
    "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#request</value></field>"
    "<field var='muc#role'><value>participant</value></field>{}</x>"
)


def test_8_6_voice_is_asked_for_and_given(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo", moderatedroom="1")
    room.join(juliet, "juliet")
    romeo.forget()
    juliet.sends(f"<message to='{room.jid}'>{REQUEST.format('')}</message>")
    romeo.receives(
        f"<message from='{room.jid}'><x xmlns='jabber:x:data' type='form'><field var='FORM_TYPE'/><field var='muc#role'/>"
        f"<field var='muc#jid'><value>{juliet.jid}</value></field><field var='muc#roomnick'><value>juliet</value></field>"
        "<field var='muc#request_allow'><value>0</value></field></x></message>"
    )
    answer = REQUEST.format(
        f"<field var='muc#jid'><value>{juliet.jid}</value></field><field var='muc#roomnick'><value>juliet</value></field>"
        "<field var='muc#request_allow'><value>true</value></field>"
    )
    juliet.sends(f"<message to='{room.jid}' id='own'>{answer}</message>")
    juliet.receives(f"<message type='error' id='own'>{error('forbidden', 'auth')}</message>")
    romeo.sends(f"<message to='{room.jid}'>{answer}</message>")
    for client in (romeo, juliet):
        client.receives(
            f"<presence from='{room.nick('juliet')}'><x xmlns='{USER}'><item role='participant'/></x></presence>"
        )
    room.says(juliet, "thanks")
    romeo.receives("<message><body>thanks</body></message>")


def test_7_13_nobody_asks_for_ever(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo", moderatedroom="1")
    room.join(juliet, "juliet")
    romeo.forget()
    for _ in range(40):
        juliet.sends(f"<message to='{room.jid}'>{REQUEST.format('')}</message>")
    juliet.settle_with(room)
    refused = juliet.came()
    assert condition(refused[-1]) == ("resource-constraint", "wait")
    assert len(refused) + len(romeo.came()) == 40
    assert len(refused) >= 20


# -- §8.1: the subject -------------------------------------------------------------------------


def subject(room, text="Fire", more=""):
    return f"<message to='{room.jid}' type='groupchat' id='s'><subject>{text}</subject>{more}</message>"


def test_8_1_moderators_change_it(full):
    room, romeo, juliet = full
    romeo.sends(subject(room))
    for client in (romeo, juliet):
        client.receives(
            f"<message from='{room.nick('romeo')}' type='groupchat'><subject>Fire</subject></message>"
        )
    romeo.sends(subject(room, ""))
    heard = juliet.receives("<message type='groupchat'><subject/></message>")
    assert heard.findtext("{jabber:client}subject") in (None, "")


def test_8_1_others_only_if_the_room_says_so(full):
    room, romeo, juliet = full
    juliet.sends(subject(room))
    juliet.receives(f"<message type='error' id='s'>{error('forbidden', 'auth')}</message>")
    romeo.receives_nothing()
    room.configure(romeo, changesubject="1")
    juliet.forget()
    juliet.sends(subject(room, "Mine"))
    romeo.receives("<message><subject>Mine</subject></message>")


@pytest.mark.parametrize("more", ["<body>x</body>", "<thread>x</thread>"])
def test_8_1_with_a_body_or_thread_it_is_a_message(full, more):
    room, romeo, juliet = full
    juliet.sends(subject(room, "Not it", more))
    romeo.receives("<message type='groupchat'><subject>Not it</subject></message>")
    info = room.ask(romeo, "get", "<query xmlns='http://jabber.org/protocol/disco#info'/>")
    assert not [
        f
        for f in info.iterfind(".//{jabber:x:data}field")
        if f.get("var") == "muc#roominfo_subject"
    ]


# -- XEP-0410, §17.4: IQs to occupants ---------------------------------------------------------

PING = "<ping xmlns='urn:xmpp:ping'/>"


def test_a_self_ping_tells_whether_one_is_there(cast, full):
    room, _romeo, juliet = full
    assert room.ask(juliet, "get", PING, room.nick("juliet")).get("type") == "result"
    assert condition(room.ask(juliet, "get", PING, room.nick("nobody"))) == (
        "item-not-found",
        "cancel",
    )
    paris = cast("paris")
    answer = room.ask(paris, "get", PING, room.nick("juliet"))
    assert condition(answer) == ("not-acceptable", "cancel")
    assert answer.find("{jabber:client}error").get("by") == room.jid
    for target in (room.nick("juliet"), "nowhere@rooms.h/juliet"):
        info = "<query xmlns='http://jabber.org/protocol/disco#info'/>"
        assert condition(room.ask(paris, "get", info, target)) == ("bad-request", "modify")
    juliet.receives_nothing()


def test_occupants_ask_each_other_through_the_room(full):
    room, romeo, juliet = full
    juliet.sends(f"<iq type='get' id='mine' to='{room.nick('romeo')}'>{PING}</iq>")
    asked = romeo.receives(
        f"<iq type='get' from='{room.nick('juliet')}' to='{romeo.jid}'>{PING}</iq>"
    )
    romeo.sends(f"<iq type='result' id='{asked.get('id')}' to='{room.nick('juliet')}'/>")
    juliet.receives(f"<iq type='result' id='mine' from='{room.nick('romeo')}' to='{juliet.jid}'/>")


# -- XEP-0421 ----------------------------------------------------------------------------------


def occupant_id(element):
    return element.find("{urn:xmpp:occupant-id:0}occupant-id").get("id")


def test_occupant_ids_are_stable_and_differ_between_rooms(full):
    room, romeo, juliet = full
    room.says(juliet, "one")
    first = occupant_id(romeo.receives("<message/>"))
    juliet.forget()
    room.leave(juliet, "juliet")
    room.join(juliet, "other")
    romeo.forget()
    room.says(juliet, "two")
    assert occupant_id(romeo.receives("<message/>")) == first
    room.says(romeo, "three")
    assert occupant_id(romeo.receives("<message/>")) != first
    other = Room()
    other.make(romeo, "romeo")
    romeo.forget()
    juliet.forget()
    other.join(juliet, "juliet", forget=False)
    assert occupant_id(romeo.receives("<presence/>")) != first


# -- XEP-0424, XEP-0425 ------------------------------------------------------------------------


def stanza_id(message):
    return message.find(f"{{{SID}}}stanza-id").get("id")


def archived(room, client, inside=""):
    """The messages of the archive, as they were forwarded."""
    answer = room.ask(client, "set", f"<query xmlns='urn:xmpp:mam:2'>{inside}</query>")
    assert answer.get("type") == "result"
    return [m for one in client.came() for m in one.iterfind(".//{jabber:client}message")]


def test_what_is_taken_back_leaves_a_tombstone(cast, full):
    room, romeo, juliet = full
    room.says(juliet, "wrong window")
    id = stanza_id(romeo.receives("<message/>"))
    room.says(juliet, "retracted", inside=f"<retract xmlns='{RETRACT}' id='{id}'/>", id="r1")
    romeo.receives(f"<message><retract xmlns='{RETRACT}' id='{id}'/></message>")
    juliet.forget()
    old, new = archived(room, juliet)
    assert old.find("{jabber:client}body") is None
    assert old.find(f"{{{RETRACT}}}retracted").get("id") == "r1"
    assert old.get("from") == room.nick("juliet")
    assert new.find(f"{{{RETRACT}}}retract") is not None
    paris = cast("paris")
    room.join(paris, "paris", forget=False)
    paris.settle_with(room)
    assert "wrong window" not in [m.findtext("{jabber:client}body") for m in paris.came()]


def test_nobody_takes_back_what_others_said(full):
    room, romeo, juliet = full
    room.says(romeo, "mine")
    id = stanza_id(juliet.receives("<message/>"))
    room.says(juliet, "x", inside=f"<retract xmlns='{RETRACT}' id='{id}'/>")
    juliet.settle_with(room)
    juliet.forget()
    romeo.forget()
    assert archived(room, romeo)[0].findtext("{jabber:client}body") == "mine"
    room.says(
        juliet,
        "x",
        inside=f"<retract xmlns='{RETRACT}' id='{id}'><moderated xmlns='{MODERATE}' by='x'/></retract>",
    )
    juliet.receives(f"<message type='error'>{error('bad-request', 'modify')}</message>")


def moderate(room, client, id):
    payload = f"<moderate xmlns='{MODERATE}' id='{id}'><retract xmlns='{RETRACT}'/><reason>rude</reason></moderate>"
    return room.ask(client, "set", payload)


def test_moderators_take_back_what_others_said(full):
    room, romeo, juliet = full
    room.says(juliet, "buy potions")
    id = stanza_id(romeo.receives("<message/>"))
    juliet.forget()
    assert condition(moderate(room, juliet, id)) == ("forbidden", "auth")
    assert condition(moderate(room, romeo, "1")) == ("item-not-found", "cancel")
    assert moderate(room, romeo, id).get("type") == "result"
    for client in (romeo, juliet):
        client.receives(
            f"<message type='groupchat' from='{room.jid}'><retract xmlns='{RETRACT}' id='{id}'>"
            f"<moderated xmlns='{MODERATE}' by='{room.nick('romeo')}'><occupant-id xmlns='urn:xmpp:occupant-id:0' id='*'/></moderated>"
            "<reason>rude</reason></retract></message>"
        )
    buried = archived(room, romeo)[0]
    assert buried.find("{jabber:client}body") is None
    assert buried.find(f"{{{RETRACT}}}retracted/{{{MODERATE}}}moderated") is not None


def test_what_only_the_own_server_may_say_does_not_come_through_a_room(full):
    room, romeo, juliet = full
    forged = "<stanza-id xmlns='urn:xmpp:sid:0' by='juliet@h' id='forged'/>"
    copy = "<received xmlns='urn:xmpp:carbons:2'/>"
    romeo.sends(
        f"<message to='{room.jid}' type='groupchat'><body>hark</body>{forged}{copy}</message>"
    )
    heard = juliet.receives("<message type='groupchat'><body>hark</body></message>")
    assert "forged" not in {one.get("id") for one in heard.iter(f"{{{SID}}}stanza-id")}
    assert heard.find("{urn:xmpp:carbons:2}received") is None
