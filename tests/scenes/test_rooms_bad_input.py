"""What makes no sense in rooms, or would reach further than it may, is refused and changes nothing."""

import pytest

from support.rooms import MUC, USER, Room, condition, form

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


def test_who_is_not_registered_cannot_end_it(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    answer = room.ask(juliet, "set", f"<query xmlns='{REGISTER}'><remove/></query>")
    assert condition(answer) == ("registration-required", "auth")
    assert register(room, juliet, "star").get("type") == "result"
    answer = room.ask(juliet, "set", f"<query xmlns='{REGISTER}'><remove/></query>")
    assert answer.get("type") == "result"
