"""Voice: who is silenced stays so, who was given a word keeps it (XEP-0045 §5.1, §7.4, §8.3, §8.4)."""

import pytest

from support.rooms import MUC, USER, Room, condition


@pytest.fixture
def room():
    return Room()


def nick(name, role):
    return f"<item nick='{name}' role='{role}'/>"


def is_heard(room, client):
    room.says(client, "hear me", id="said")
    client.settle_with(room)
    (answer,) = [one for one in client.came() if one.get("id") == "said"]
    return condition(answer) is None


def leave_and_come_back(room, client, nick):
    room.leave(client, nick)
    room.join(client, nick)


def test_who_lost_their_voice_is_silent_in_any_room(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    room.join(juliet, "juliet")
    assert is_heard(room, juliet)
    assert room.admin(romeo, "set", nick("juliet", "visitor")).get("type") == "result"
    assert not is_heard(room, juliet)
    leave_and_come_back(room, juliet, "juliet")
    assert not is_heard(room, juliet)
    room.leave(juliet, "juliet")
    room.join(juliet, "another nick")
    assert not is_heard(room, juliet)
    room.admin(romeo, "set", nick("another nick", "participant"))
    assert is_heard(room, juliet)
    leave_and_come_back(room, juliet, "another nick")
    assert is_heard(room, juliet)


def test_voice_is_kept_while_somebody_is_away(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo", moderatedroom="1")
    room.join(juliet, "juliet")
    assert not is_heard(room, juliet)
    room.admin(romeo, "set", nick("juliet", "participant"))
    leave_and_come_back(room, juliet, "juliet")
    assert is_heard(room, juliet)


@pytest.mark.parametrize(("moderated", "role"), [("1", "participant"), ("0", "visitor")])
def test_being_put_out_gives_nobody_voice(cast, room, moderated, role):
    """It is lost with it where it was given, and does not come back where it was taken."""
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo", moderatedroom=moderated)
    room.join(juliet, "juliet")
    room.admin(romeo, "set", nick("juliet", role))
    room.admin(romeo, "set", nick("juliet", "none"))
    room.join(juliet, "juliet")
    assert not is_heard(room, juliet)


def test_a_moderator_by_role_is_one_for_this_visit(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    room.join(juliet, "juliet")
    room.admin(romeo, "set", nick("juliet", "moderator"))
    room.leave(juliet, "juliet")
    juliet.forget()
    room.join(juliet, "juliet", forget=False)
    juliet.receives(
        "<presence/>",
        f"<presence><x xmlns='{USER}'><item role='participant'/><status code='110'/></x></presence>",
    )


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("moderated", ["0", "1"])
def test_nobody_gives_themselves_voice_by_registering(cast, room, moderated, there):
    romeo, mute = cast("romeo", "mute")
    room.make(romeo, "romeo", moderatedroom=moderated)
    room.join(mute, "mute")
    if moderated == "0":
        room.admin(romeo, "set", nick("mute", "visitor"))
    if not there:
        room.leave(mute, "mute")
    romeo.forget()
    form = (
        f"<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>{MUC}#register</value></field>"
        "<field var='muc#register_roomnick'><value>mute</value></field></x>"
    )
    answer = room.ask(mute, "set", f"<query xmlns='jabber:iq:register'>{form}</query>")
    assert answer.get("type") == "result"
    romeo.receives(f"<message from='{room.jid}'><x xmlns='jabber:x:data' type='form'/></message>")
    if not there:
        room.join(mute, "mute")
    assert not is_heard(room, mute)


def test_who_becomes_a_member_has_voice(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo", moderatedroom="1")
    room.join(juliet, "juliet")
    room.leave(juliet, "juliet")
    room.admin(romeo, "set", f"<item jid='{juliet.bare}' affiliation='member'/>")
    room.join(juliet, "juliet")
    assert is_heard(room, juliet)
