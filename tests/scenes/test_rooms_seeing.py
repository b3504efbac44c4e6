"""Who sees whom, and what of them, when something changes: roles, settings, further clients."""

import pytest

from support.rooms import MUC, USER, Room, form


@pytest.fixture
def room():
    return Room()


def nick(name, role):
    return f"<item nick='{name}' role='{role}'/>"


def jid(address, affiliation):
    return f"<item jid='{address}' affiliation='{affiliation}'/>"


def here(room, nick, item="", codes=()):
    """Presence of somebody who is in the room."""
    return _presence(room, nick, "", item, codes)


def gone(room, nick, item="", codes=()):
    return _presence(room, nick, " type='unavailable'", item, codes)


def _presence(room, nick, type, item, codes):
    status = "".join(f"<status code='{code}'/>" for code in codes)
    return f"<presence from='{room.nick(nick)}'{type}><x xmlns='{USER}'><item {item}/>{status}</x></presence>"


# -- the id of a request -----------------------------------------------------------------------


def test_who_leaves_knows_the_answer_by_its_id(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    room.join(juliet, "juliet")
    juliet.sends(f"<presence id='bye' type='unavailable' to='{room.nick('juliet')}'/>")
    answer = juliet.receives(gone(room, "juliet", "role='none'", [110]))
    assert answer.get("id") == "bye"
    romeo.receives(here(room, "juliet"))
    assert romeo.receives(gone(room, "juliet", "role='none'")).get("id") != "bye"


# -- new moderators ----------------------------------------------------------------------------


def test_new_moderators_learn_the_addresses(cast, room):
    romeo, juliet, nurse = cast("romeo", "juliet", "nurse")
    room.make(romeo, "romeo")
    room.join(juliet, "juliet")
    room.join(nurse, "nurse")
    juliet.forget()
    room.admin(romeo, "set", nick("juliet", "moderator"))
    juliet.receives(here(room, "juliet", "role='moderator'", [110]))
    juliet.receives_any_order(
        here(room, "romeo", f"jid='{romeo.jid}'"), here(room, "nurse", f"jid='{nurse.jid}'")
    )
    juliet.receives_nothing()
    nurse.forget()
    room.admin(romeo, "set", nick("nurse", "visitor"))
    nurse.receives(here(room, "nurse", "role='visitor'", [110]))
    nurse.receives_nothing()


def test_new_admins_learn_the_addresses(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    room.join(juliet, "juliet")
    room.admin(romeo, "set", jid(juliet.bare, "admin"))
    juliet.receives(
        here(room, "juliet", "affiliation='admin' role='moderator'", [110]),
        here(room, "romeo", f"jid='{romeo.jid}'"),
    )


def test_where_addresses_are_not_hidden_nothing_is_told_twice(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo", whois="anyone")
    room.join(juliet, "juliet")
    room.admin(romeo, "set", nick("juliet", "moderator"))
    juliet.receives(here(room, "juliet", "role='moderator'", [110]))
    juliet.receives_nothing()


# -- who is put out by what they are not any more -------------------------------------------


@pytest.mark.parametrize(("affiliation", "code"), [("none", 321), ("outcast", 301)])
def test_who_was_there_is_seen_to_leave_and_nothing_else(cast, room, affiliation, code):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo", membersonly="1", whois="anyone")
    room.admin(romeo, "set", jid(juliet.bare, "member"))
    room.join(juliet, "juliet")
    romeo.forget()
    room.admin(romeo, "set", jid(juliet.bare, affiliation))
    romeo.receives(gone(room, "juliet", f"affiliation='{affiliation}' role='none'", [code]))
    romeo.receives_nothing()


def test_what_rooms_say_of_people_is_not_in_anybodys_archive(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo", membersonly="1", whois="anyone")
    room.admin(romeo, "set", jid(juliet.bare, "member"))
    news = romeo.receives(f"<message><x xmlns='{USER}'><item affiliation='member'/></x></message>")
    assert news.find("{urn:xmpp:sid:0}stanza-id") is None
    invitation = juliet.receives(f"<message><x xmlns='{USER}'><invite/></x></message>")
    assert invitation.find("{urn:xmpp:sid:0}stanza-id") is not None


# -- settings ----------------------------------------------------------------------------------


def test_who_is_not_announced_any_more_goes_out_of_sight_and_comes_back(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    room.join(juliet, "juliet")
    romeo.forget()
    room.owner(romeo, "set", form(presencebroadcast=["moderator"]))
    romeo.receives(
        f"<message from='{room.jid}'><x xmlns='{USER}'><status code='104'/></x></message>",
        gone(room, "juliet", "role='none'"),
    )
    juliet.receives("<message/>")
    juliet.receives_nothing()
    room.owner(romeo, "set", form(presencebroadcast=["moderator", "participant", "visitor"]))
    romeo.receives("<message/>", here(room, "juliet", "role='participant'"))


def test_addresses_are_shown_when_they_are_not_hidden_any_more(cast, room):
    romeo, juliet, nurse = cast("romeo", "juliet", "nurse")
    room.make(romeo, "romeo")
    room.join(juliet, "juliet")
    room.join(nurse, "nurse")
    nurse.forget()
    room.configure(romeo, whois="anyone")
    nurse.receives(f"<message><x xmlns='{USER}'><status code='172'/></x></message>")
    nurse.receives_any_order(
        here(room, "romeo", f"jid='{romeo.jid}'"), here(room, "juliet", f"jid='{juliet.jid}'")
    )


# -- clients that share a nick -----------------------------------------------------------------


def test_a_client_hears_of_another_of_the_same_nick(cast, room):
    desk, phone, romeo = cast("juliet/desk", "juliet/phone", "romeo")
    room.make(romeo, "romeo", whois="anyone")
    room.join(desk, "juliet")
    romeo.forget()
    room.join(phone, "juliet")
    for client, codes in ((desk, [110]), (romeo, [])):
        client.receives(here(room, "juliet", f"jid='{phone.jid}'", codes))
        client.receives_nothing()
    room.leave(phone, "juliet")
    for client, codes in ((desk, [110]), (romeo, [])):
        client.receives(here(room, "juliet", f"jid='{desk.jid}'", codes))
        client.receives_nothing()


# -- who has lost track ------------------------------------------------------------------------


def test_joining_again_under_another_nick_changes_it_and_tells_everything(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    room.join(juliet, "juliet")
    room.says(juliet, "O Romeo!")
    for client in (romeo, juliet):
        client.settle_with(room)
        client.forget()
    juliet.sends(f"<presence id='j' to='{room.nick('capulet')}'><x xmlns='{MUC}'/></presence>")
    juliet.receives(
        gone(room, "juliet", "nick='capulet'", [110, 303]),
        here(room, "capulet", "", [110]),
        here(room, "romeo"),
        here(room, "capulet", "", [110]),
        "<message type='groupchat'><body>O Romeo!</body></message>",
        "<message type='groupchat'><subject/></message>",
    )
    romeo.receives(gone(room, "juliet", "nick='capulet'", [303]), here(room, "capulet"))
    romeo.receives_nothing()


def test_joining_again_tells_others_only_what_is_new(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    room.join(juliet, "juliet")
    romeo.forget()
    room.join(juliet, "juliet")
    romeo.receives_nothing()
    juliet.sends(
        f"<presence to='{room.nick('juliet')}'><show>away</show><x xmlns='{MUC}'/></presence>"
    )
    romeo.receives(f"<presence from='{room.nick('juliet')}'><show>away</show></presence>")
    romeo.receives_nothing()
