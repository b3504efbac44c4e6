"""A room that its owners destroyed: its name is theirs for a time, and others hear that it is gone."""

import pytest

from support.rooms import MUC, STANZAS, USER, Room, condition

GONE = ("gone", "cancel")
INFO = "http://jabber.org/protocol/disco#info"


def destroy(room, owner, inside="<destroy/>"):
    assert room.owner(owner, "set", inside).get("type") == "result"
    owner.forget()


def enter(room, client, nick):
    """The first answer to entering."""
    client.forget()
    client.sends(f"<presence id='e' to='{room.nick(nick)}'><x xmlns='{MUC}'/></presence>")
    client.settle_with(room)
    return client.came()[0]


def is_new(answer):
    return answer.find(f".//{{{USER}}}status[@code='201']") is not None


def where_to(answer):
    return answer.findtext(f".//{{{STANZAS}}}gone")


@pytest.fixture
def left(cast):
    """Romeo's room, with Juliet in it, an admin who is away and a co-owner."""
    romeo, juliet, nurse, paris = cast("romeo", "juliet", "nurse", "paris")
    room = Room()
    room.make(romeo, "romeo", persistentroom="1")
    room.admin(romeo, "set", "<item affiliation='admin' jid='juliet@h'/>")
    room.admin(romeo, "set", "<item affiliation='owner' jid='nurse@h'/>")
    room.join(juliet, "juliet")
    for one in (romeo, juliet, nurse):
        one.forget()
    return room, romeo, juliet, nurse, paris


def test_only_those_who_owned_it_make_it_anew(left):
    room, romeo, juliet, nurse, paris = left
    destroy(room, romeo)
    for client in (juliet, paris):
        answer = enter(room, client, "x")
        assert condition(answer) == GONE
        assert not where_to(answer)
        assert answer.find(f"{{{MUC}}}x") is not None
        info = room.ask(client, "get", f"<query xmlns='{INFO}'/>")
        assert condition(info) == GONE
    info = room.ask(nurse, "get", f"<query xmlns='{INFO}'/>")
    assert condition(info) == ("item-not-found", "cancel"), "it is free for her"
    assert is_new(enter(room, nurse, "nurse"))
    assert room.owner(nurse, "set", "<x xmlns='jabber:x:data' type='submit'/>") is not None
    assert enter(room, juliet, "juliet").get("type") is None


def test_when_it_was_made_anew_it_is_as_any_room(left):
    """Who owned the old one has no part in it."""
    room, romeo, _, nurse, _ = left
    destroy(room, romeo)
    room.make(nurse, "nurse")
    owners = room.admin(nurse, "get", "<item affiliation='owner'/>")
    assert [one.get("jid") for one in owners.iter(f"{{{MUC}#admin}}item")] == [nurse.bare]
    romeo.forget()
    assert enter(room, romeo, "romeo").get("type") is None


def test_who_comes_later_is_told_where_to_go(left):
    room, romeo, juliet, _, paris = left
    destroy(room, romeo, "<destroy jid='heath-hölle@rooms.h'/>")
    for client in (juliet, paris):
        assert where_to(enter(room, client, "x")) == "xmpp:heath-h%C3%B6lle@rooms.h?join"


@pytest.mark.parametrize(
    "closed", [{"membersonly": "1"}, {"passwordprotectedroom": "1", "roomsecret": "x"}]
)
def test_where_a_closed_room_went_is_for_its_people(left, closed):
    room, romeo, juliet, _, paris = left
    room.configure(romeo, **closed)
    destroy(room, romeo, "<destroy jid='heath@rooms.h'/>")
    assert where_to(enter(room, juliet, "x")) == "xmpp:heath@rooms.h?join"
    answer = enter(room, paris, "x")
    assert (condition(answer), where_to(answer) or "") == (GONE, "")


def test_a_room_that_ends_by_itself_is_for_whoever_comes(cast):
    """Temporary ones, and those that were never configured."""
    romeo, juliet = cast("romeo", "juliet")
    for configured in (True, False):
        room = Room()
        room.join(romeo, "romeo")
        if configured:
            room.configure(romeo)
        room.leave(romeo, "romeo")
        assert is_new(enter(room, juliet, "juliet"))


def test_of_many_names_the_oldest_are_free_again(own_cast):
    people = own_cast(limits={"rooms_per_account": 2})
    romeo, juliet = people("romeo", "juliet")
    rooms = [Room() for _ in range(3)]
    now = people.world.rooms.clock()
    for number, room in enumerate(rooms):
        people.world.rooms.clock = lambda later=number: now + later
        room.make(romeo, "romeo")
        destroy(room, romeo)
    answers = [enter(room, juliet, "x") for room in rooms]
    assert [is_new(one) for one in answers] == [True, False, False]


def test_after_some_days_whoever_comes_has_it(own_cast):
    people = own_cast(rooms={"destroyed_days": 2})
    romeo, juliet = people("romeo", "juliet")
    room = Room()
    room.make(romeo, "romeo")
    destroy(room, romeo)
    now = people.world.rooms.clock()
    people.world.rooms.clock = lambda: now + 86_400
    assert condition(enter(room, juliet, "x")) == GONE
    people.world.rooms.clock = lambda: now + 2 * 86_400 + 1
    assert is_new(enter(room, juliet, "x"))


def test_nobody_keeps_names_where_the_box_does_not(own_cast):
    romeo, juliet = own_cast(rooms={"destroyed_days": 0})("romeo", "juliet")
    room = Room()
    room.make(romeo, "romeo")
    destroy(room, romeo)
    assert is_new(enter(room, juliet, "x"))


def test_whoever_gets_the_name_of_a_deleted_account_owned_nothing(own_cast):
    people = own_cast()
    romeo, juliet = people("romeo", "juliet")
    room = Room()
    room.make(romeo, "romeo")
    destroy(room, romeo)
    people.world.store.accounts.delete("romeo", "romeo@h")
    kept = people.world.store.destroyed_rooms.find(room.name, people.world.rooms.clock())
    assert kept is not None
    assert kept.owners == frozenset()
    assert condition(enter(room, juliet, "x")) == GONE
