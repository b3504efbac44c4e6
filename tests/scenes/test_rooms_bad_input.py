"""What makes no sense in rooms, or would reach further than it may, is refused and changes nothing."""

import pytest
from lxml import etree

from support.rooms import MUC, USER, Room, condition, error, form

REGISTER = "jabber:iq:register"


@pytest.fixture
def room():
    return Room()


def nick(name, role):
    return f"<item nick='{name}' role='{role}'/>"


def jid(address, affiliation, more=""):
    return f"<item jid='{address}' affiliation='{affiliation}' {more}/>"


def affiliated(room, owner, affiliation):
    answer = room.admin(owner, "get", f"<item affiliation='{affiliation}'/>")
    return {item.get("jid"): item.get("nick") for item in answer.iterfind(".//{*}item")}


def register(room, client, nick):
    payload = (
        "<x xmlns='jabber:x:data' type='submit'>"
        f"<field var='FORM_TYPE'><value>{MUC}#register</value></field>"
        f"<field var='muc#register_roomnick'><value>{nick}</value></field></x>"
    )
    return room.ask(client, "set", f"<query xmlns='{REGISTER}'>{payload}</query>")


# -- somebody named twice ----------------------------------------------------------------------


@pytest.mark.parametrize("role", ["none", "visitor"])
def test_nobody_is_put_out_twice(cast, room, role):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    room.join(juliet, "juliet")
    answer = room.admin(romeo, "set", nick("juliet", "none") + nick("Juliet", role))
    assert condition(answer) == ("bad-request", "modify")
    juliet.receives_nothing()


def test_nobody_becomes_two_things(cast, room):
    romeo = cast("romeo")
    room.make(romeo, "romeo")
    answer = room.admin(romeo, "set", jid("juliet@h", "member") + jid("juliet@h/x", "admin"))
    assert condition(answer) == ("bad-request", "modify")
    assert not affiliated(room, romeo, "member")


def test_two_people_do_not_get_one_nick(cast, room):
    romeo = cast("romeo")
    room.make(romeo, "romeo")
    twice = jid("juliet@h", "member", "nick='star'") + jid("nurse@h", "member", "nick='STAR'")
    assert condition(room.admin(romeo, "set", twice)) == ("conflict", "cancel")
    assert not affiliated(room, romeo, "member")


@pytest.mark.parametrize("bad", ["n" * 1_000, "a&#x9;b", " "])
def test_nicks_that_cannot_be_are_not_reserved(cast, room, bad):
    romeo = cast("romeo")
    room.make(romeo, "romeo")
    answer = room.admin(romeo, "set", jid("juliet@h", "member", f"nick='{bad}'"))
    assert condition(answer) == ("not-acceptable", "modify")


# -- domains -----------------------------------------------------------------------------------


def test_no_domain_becomes_a_member_by_an_invitation(cast, room):
    romeo = cast("romeo")
    room.make(romeo, "romeo", membersonly="1", allowinvites="1")
    romeo.sends(
        f"<message id='i' to='{room.jid}'><x xmlns='{USER}'><invite to='elsewhere.example'/></x></message>"
    )
    answer = romeo.receives("<message type='error' id='i'/>")
    assert condition(answer) == ("not-acceptable", "modify")
    assert not affiliated(room, romeo, "member")


@pytest.mark.parametrize("field", ["roomadmins", "roomowners"])
def test_no_domain_becomes_admin_by_a_form(cast, room, field):
    romeo = cast("romeo")
    room.make(romeo, "romeo")
    answer = room.owner(romeo, "set", form(**{field: [romeo.bare, "h"]}))
    assert condition(answer) == ("not-acceptable", "modify")
    assert not affiliated(room, romeo, "admin")


# -- admins and owners who are so no longer ----------------------------------------------------


def test_who_is_no_admin_any_more_keeps_nick_and_place(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo", membersonly="1")
    room.admin(romeo, "set", jid(juliet.bare, "admin", "nick='star'"))
    room.join(juliet, "star")
    room.configure(romeo, roomadmins=[])
    assert affiliated(room, romeo, "member") == {juliet.bare: "star"}
    juliet.forget()
    room.says(juliet, "I am here")
    juliet.receives("<message><body>I am here</body></message>")


def test_who_becomes_admin_by_a_form_keeps_their_nick(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    room.admin(romeo, "set", jid(juliet.bare, "member", "nick='star'"))
    room.configure(romeo, roomadmins=[juliet.bare])
    assert affiliated(room, romeo, "admin") == {juliet.bare: "star"}


# -- invitations -------------------------------------------------------------------------------


def test_occupants_hear_of_a_member_who_was_invited(cast, room):
    romeo, juliet, nurse = cast("romeo", "juliet", "nurse")
    room.make(romeo, "romeo", membersonly="1", whois="anyone", allowinvites="1")
    room.admin(romeo, "set", jid(juliet.bare, "member"))
    room.join(juliet, "juliet")
    romeo.forget()
    juliet.sends(
        f"<message to='{room.jid}'><x xmlns='{USER}'><invite to='{nurse.bare}'/></x></message>"
    )
    for client in (romeo, juliet):
        client.receives(
            f"<message from='{room.jid}'><x xmlns='{USER}'><item affiliation='member' jid='{nurse.bare}'/></x></message>"
        )


def test_the_short_invitation_has_the_password_too(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo", passwordprotectedroom="1", roomsecret="sesame")
    romeo.sends(
        f"<message to='{room.jid}'><x xmlns='{USER}'><invite to='{juliet.bare}'/></x></message>"
    )
    juliet.receives(
        f"<message><x xmlns='jabber:x:conference' jid='{room.jid}' password='sesame'/></message>"
    )


# -- registration ------------------------------------------------------------------------------


def test_who_is_banned_is_not_allowed_to_register(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    room.admin(romeo, "set", jid(juliet.bare, "outcast"))
    answer = room.ask(juliet, "get", f"<query xmlns='{REGISTER}'/>")
    assert condition(answer) == ("not-allowed", "cancel")
    assert condition(register(room, juliet, "star")) == ("not-allowed", "cancel")


def test_registering_does_not_tell_strangers_who_is_there(cast, room):
    romeo, pest = cast("romeo", "pest")  # whose requests of this hour are used up then
    room.make(romeo, "romeo", membersonly="1")
    for nick in ("romeo", "nobody"):
        assert register(room, pest, nick).get("type") == "result"
        romeo.receives(f"<message from='{room.jid}'><x xmlns='jabber:x:data'/></message>")
    for _ in range(18):
        register(room, pest, "again")
    assert condition(register(room, pest, "again")) == ("resource-constraint", "wait")


def test_who_is_not_registered_cannot_end_it(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    answer = room.ask(juliet, "set", f"<query xmlns='{REGISTER}'><remove/></query>")
    assert condition(answer) == ("registration-required", "auth")
    assert register(room, juliet, "star").get("type") == "result"
    answer = room.ask(juliet, "set", f"<query xmlns='{REGISTER}'><remove/></query>")
    assert answer.get("type") == "result"


# -- what only the room may say ----------------------------------------------------------------


def test_the_rooms_address_is_known_however_it_is_written(cast, room):
    romeo = cast("romeo")
    room.make(romeo, "romeo")
    shout = room.jid.upper()
    room.says(
        romeo,
        "x",
        inside=f"<stanza-id xmlns='urn:xmpp:sid:0' id='666' by='{shout}'/>"
        f"<delay xmlns='urn:xmpp:delay' stamp='2002-09-10T23:08:25Z' from='{shout}/romeo'/>"
        "<stanza-id xmlns='urn:xmpp:sid:0' id='7' by='elsewhere.example'/>",
    )
    message = romeo.receives("<message><body>x</body></message>")
    ids = {one.get("by"): one.get("id") for one in message.iterfind("{urn:xmpp:sid:0}stanza-id")}
    assert set(ids) == {room.jid, "elsewhere.example"}
    assert ids[room.jid] != "666"
    assert message.find("{urn:xmpp:delay}delay") is None


def test_messages_without_an_id_get_one(cast, room):
    romeo = cast("romeo")
    room.make(romeo, "romeo")
    romeo.sends(f"<message to='{room.jid}' type='groupchat'><body>x</body></message>")
    assert romeo.receives("<message><body>x</body></message>").get("id")


def test_nothing_is_forged_in_private_messages(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    room.join(juliet, "juliet")
    romeo.forget()
    own = f"<status code='301'/><item affiliation='owner' jid='romeo@h'/><invite from='{romeo.bare}'/>"
    juliet.sends(
        f"<message type='chat' to='{room.nick('romeo')}'><body>x</body>{FORGED.format(room=room.jid)}"
        f"<x xmlns='{USER}'>{own}</x></message>"
    )
    heard = romeo.receives("<message type='chat'><body>x</body></message>")
    assert forged(heard) == []
    (mark,) = heard.findall(f"{{{USER}}}x")
    assert len(mark) == 0


@pytest.mark.parametrize("type", ["", " type='unavailable'"])
def test_nothing_is_forged_in_presence(cast, room, type):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    room.join(juliet, "juliet")
    romeo.forget()
    juliet.sends(
        f"<presence{type} to='{room.nick('juliet')}'>{FORGED.format(room=room.jid)}"
        f"<x xmlns='{USER}'><item affiliation='owner'/><status code='110'/><status code='301'/></x></presence>"
    )
    seen = romeo.receives(f"<presence{type} from='{room.nick('juliet')}'/>")
    assert forged(seen) == []
    (x,) = seen.findall(f"{{{USER}}}x")
    assert x.findall(f"{{{USER}}}status") == []
    assert x.find(f"{{{USER}}}item").get("affiliation") == "none"


FORGED = (
    "<occupant-id xmlns='urn:xmpp:occupant-id:0' id='forged'/>"
    "<stanza-id xmlns='urn:xmpp:sid:0' id='forged' by='{room}'/>"
    "<delay xmlns='urn:xmpp:delay' from='{room}/romeo' stamp='2002-09-10T23:08:25Z'/>"
    "<delay xmlns='urn:xmpp:delay' from='rooms.h' stamp='2002-09-10T23:08:25Z'/>"
    "<hats xmlns='urn:xmpp:hats:0'><hat title='King' uri='x'/></hats>"
    "<info xmlns='urn:xmpp:raa:0' affiliation='admin'/>"
)


def forged(stanza):
    """What is left of it."""
    tags = ("{urn:xmpp:delay}delay", "{urn:xmpp:hats:0}hats", "{urn:xmpp:raa:0}info")
    return [one.tag for one in stanza if one.get("id") == "forged" or one.tag in tags]


def test_a_subject_is_that_of_who_may_change_it(cast, room):
    """Neither beside other words, nor of whoever, nor with another's name or time."""
    romeo, juliet, paris = cast("romeo", "juliet", "paris")
    room.make(romeo, "romeo")
    room.join(juliet, "juliet")
    subject = (
        f"<message id='s' type='groupchat' to='{room.jid}'><subject>forged</subject>{{}}</message>"
    )
    delay = f"<delay xmlns='urn:xmpp:delay' from='{room.jid}' stamp='2002-09-10T23:08:25Z'/>"
    for client, more in ((juliet, ""), (juliet, delay), (paris, "")):
        client.forget()
        client.sends(subject.format(more))
        assert condition(client.receives("<message type='error' id='s'/>")) is not None
    room.says(juliet, "x", inside="<subject>forged</subject>")
    juliet.settle_with(room)
    room.join(paris, "paris", forget=False)
    paris.settle_with(room)
    assert [one.findtext("{*}subject") for one in paris.came()][-1] in (None, "")


# -- nicks -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "nick", ["\u2800", "\u2800\u2800", "\u3000", "a\u202eb", "a\u200bb", "\u3164", "\u115f", "\u00ad"]
)  # fmt: skip
def test_nicks_that_nobody_sees_are_refused(cast, room, nick):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    room.join(juliet, nick, forget=False)
    assert condition(juliet.next())[0] in ("jid-malformed", "not-acceptable")
    romeo.receives_nothing()


@pytest.mark.parametrize("nick", ["ro\u2800meo", "ro meo", "Ro  Meo", "\uff52o meo", "ro\u00a0meo"])
def test_nicks_that_look_alike_are_one(cast, room, nick):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "ro meo")
    room.join(juliet, nick, forget=False)
    assert condition(juliet.next()) == ("conflict", "cancel")


@pytest.mark.parametrize(
    ("nick", "known"),
    [
        ("\u2764\ufe0f Romeo", "\u2764 Romeo"),
        ("\U0001f469\u200d\U0001f4bb", "\U0001f469\U0001f4bb"),
        ("\u0dc1\u0dca\u200d\u0dbb\u0dd3", "\u0dc1\u0dca\u200d\u0dbb\u0dd3"),
        ("\u0645\u06cc\u200c\u062e\u0648", "\u0645\u06cc\u200c\u062e\u0648"),
    ],
)
def test_nicks_as_keyboards_write_them(cast, room, nick, known):
    """Somebody can enter, is called, leaves and is one person with and without the joiners."""
    romeo, juliet, paris = cast("romeo", "juliet", "paris")
    room.make(romeo, "romeo")
    juliet.sends(f"<presence to='{room.nick(nick)}'><x xmlns='{MUC}'/></presence>")
    seen = romeo.receives("<presence/>")
    assert seen.get("from") == room.nick(known)
    room.says(juliet, "hark")
    assert romeo.receives("<message><body>hark</body></message>").get("from") == room.nick(known)
    for other in (nick, known, nick.translate({0x200D: None, 0x200C: None, 0xFE0F: None})):
        paris.forget()
        room.join(paris, other, forget=False)
        assert condition(paris.next()) == ("conflict", "cancel")
    juliet.sends(f"<presence to='{room.nick(nick)}' type='unavailable'/>")
    assert romeo.receives("<presence type='unavailable'/>").get("from") == room.nick(known)


# -- addresses that are hidden -----------------------------------------------------------------


def test_an_error_does_not_tell_the_address_of_who_refused(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    room.join(juliet, "juliet")
    for client in (romeo, juliet):
        client.forget()
    refusal = f"<error type='cancel' by='{romeo.jid}'><feature-not-implemented xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
    juliet.sends(
        f"<iq type='get' id='q' to='{room.nick('romeo')}'><query xmlns='jabber:iq:version'/></iq>"
    )
    question = romeo.receives("<iq type='get'/>")
    romeo.sends(
        f"<iq type='error' id='{question.get('id')}' to='{question.get('from')}'>{refusal}</iq>"
    )
    answer = juliet.answer("q")
    assert condition(answer) == ("feature-not-implemented", "cancel")
    assert answer.find("{jabber:client}error").get("by") is None
    juliet.sends(
        f"<message type='chat' id='m' to='{room.nick('romeo')}'><body>psst</body></message>"
    )
    message = romeo.receives("<message type='chat'/>")
    romeo.sends(f"<message type='error' id='m' to='{message.get('from')}'>{refusal}</message>")
    answer = juliet.receives(f"<message type='error' id='m' from='{room.nick('romeo')}'/>")
    assert answer.find("{jabber:client}error").get("by") is None


def test_a_refusal_tells_nobody_who_is_in_the_room(cast, room):
    romeo, juliet, paris = cast("romeo", "juliet", "paris")
    room.make(romeo, "romeo")
    room.join(juliet, "juliet")
    for to in (room.nick("juliet"), room.nick("nobody"), "nurse@h"):
        paris.sends(
            f"<message to='{room.jid}'><x xmlns='{USER}'><decline to='{to}'/></x></message>"
        )
    paris.settle_with(room)
    paris.receives_nothing()
    juliet.forget()
    paris.sends(
        f"<message to='{room.jid}'><x xmlns='{USER}'><decline to='{juliet.bare}'/></x></message>"
    )
    juliet.receives(f"<message><x xmlns='{USER}'><decline from='{paris.bare}'/></x></message>")


def test_who_is_banned_sends_no_refusals(cast, room):
    romeo, paris = cast("romeo", "paris")
    room.make(romeo, "romeo")
    room.admin(romeo, "set", jid(paris.bare, "outcast"))
    romeo.forget()
    paris.sends(
        f"<message id='i' to='{room.jid}'><x xmlns='{USER}'><decline to='{romeo.bare}'/></x></message>"
    )
    assert condition(paris.receives("<message type='error'/>")) == ("forbidden", "auth")
    romeo.receives_nothing()


# -- a room that is not configured -------------------------------------------------------------


@pytest.mark.parametrize(
    "payload",
    [
        f"<query xmlns='{MUC}#owner'/>",
        f"<query xmlns='{MUC}#admin'><item affiliation='owner'/></query>",
        f"<query xmlns='{REGISTER}'/>",
        "<vCard xmlns='vcard-temp'/>",
        "<query xmlns='urn:xmpp:mam:2'/>",
        "<query xmlns='http://jabber.org/protocol/disco#info'/>",
    ],
)
def test_a_locked_room_is_not_there_for_others(cast, room, payload):
    romeo, juliet = cast("romeo", "juliet")
    room.join(romeo, "romeo")
    assert condition(room.ask(juliet, "get", payload)) == ("item-not-found", "cancel")


def test_nothing_is_said_to_a_locked_room(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.join(romeo, "romeo")
    juliet.sends(f"<message id='m' type='groupchat' to='{room.jid}'><body>x</body></message>")
    assert condition(juliet.receives("<message/>")) == ("item-not-found", "cancel")


# -- sizes and limits --------------------------------------------------------------------------


def test_a_subject_is_no_book(cast, room):
    romeo = cast("romeo")
    room.make(romeo, "romeo")
    message = f"<message id='s' type='groupchat' to='{room.jid}'><subject>{'x' * 11_000}</subject></message>"
    romeo.sends(message)
    assert condition(romeo.receives("<message/>")) == ("not-acceptable", "modify")


def test_history_counts_whole_stanzas(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    room.says(romeo, "x")
    romeo.forget()
    room.join(juliet, "juliet", forget=False)
    juliet.receives("<presence/>", "<presence/>")
    message = juliet.receives("<message><body>x</body></message>")
    # What lxml writes has both namespaces, and those of children as on the wire.
    size = len(_written(message))
    room.leave(juliet, "juliet")
    juliet.forget()
    for most, count in ((size, 1), (size - 1, 0)):
        room.join(juliet, "juliet", f"<history maxchars='{most}'/>", forget=False)
        juliet.settle_with(room)
        bodies = [one for one in juliet.came() if one.find("{jabber:client}body") is not None]
        assert len(bodies) == count
        room.leave(juliet, "juliet")
        juliet.forget()


def _written(message):
    text = etree.tostring(message, encoding="unicode")
    for declared in (" xmlns='jabber:client'", " xmlns:stream='http://etherx.jabber.org/streams'"):
        text = text.replace(declared.replace("'", '"'), "", 1)
    return text


def test_fields_that_an_archive_does_not_know(cast, room):
    romeo = cast("romeo")
    room.make(romeo, "romeo")
    query = (
        "<query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data' type='submit'>"
        "<field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field>"
        "<field var='{urn:example}colour'><value>red</value></field></x></query>"
    )
    answer = room.ask(romeo, "set", query)
    assert condition(answer) == ("feature-not-implemented", "cancel")


def test_everything_is_passed_on(cast, room):
    romeo = cast("romeo")
    room.make(romeo, "romeo")
    query = f"<query xmlns='http://jabber.org/protocol/disco#info' node='{MUC}#traffic'/>"
    assert condition(room.ask(romeo, "get", query)) == ("service-unavailable", "cancel")


def test_times_before_time(cast, room):
    romeo = cast("romeo")
    room.make(romeo, "romeo")
    first = "0001-01-01T00:00:00+14:00"
    query = (
        "<query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data' type='submit'>"
        "<field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field>"
        f"<field var='start'><value>{first}</value></field></x></query>"
    )
    assert room.ask(romeo, "set", query).get("type") == "result"
    room.join(romeo, "romeo", f"<history since='{first}'/>", forget=False)
    romeo.receives("<presence/>", "<message><subject/></message>")


def test_a_private_message_to_a_client_that_is_gone_shows_that_it_is(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    room.join(juliet, "juliet")
    for client in (romeo, juliet):
        client.forget()
    romeo.sends(f"<message type='chat' id='p' to='{room.nick('juliet')}'><body>x</body></message>")
    message = juliet.receives("<message><body>x</body></message>")
    juliet.sends(
        f"<message type='error' id='p' to='{message.get('from')}'>{error('recipient-unavailable', 'wait')}</message>"
    )
    romeo.receives_any_order(
        f"<message type='error' id='p' from='{room.nick('juliet')}'/>",
        f"<presence type='unavailable'><x xmlns='{USER}'><item/><status code='333'/></x></presence>",
    )


def test_without_an_archive_nothing_can_be_named(cast, room):
    romeo = cast("romeo")
    room.make(romeo, "romeo", enablearchiving="0")
    query = "<query xmlns='http://jabber.org/protocol/disco#info'/>"
    ids = {"urn:xmpp:sid:0", "urn:xmpp:message-moderate:1", "urn:xmpp:message-retract:1"}
    assert not ids & _features(room.ask(romeo, "get", query))
    room.configure(romeo, enablearchiving="1")
    assert ids <= _features(room.ask(romeo, "get", query))


def _features(answer):
    return {one.get("var") for one in answer.iterfind(".//{*}feature")}


def test_a_long_goodbye_is_not_passed_on(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    room.join(juliet, "juliet")
    romeo.forget()
    juliet.sends(
        f"<presence type='unavailable' to='{room.nick('juliet')}'><status>{'x' * 20_000}</status></presence>"
    )
    goodbye = romeo.receives(f"<presence type='unavailable' from='{room.nick('juliet')}'/>")
    assert goodbye.find("{jabber:client}status") is None
