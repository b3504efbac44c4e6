"""Answers of rooms that clients wait for, or show: ids, lists of commands, the kind, bounds."""

import pytest

from support.rooms import MUC, USER, Room, condition, form

ITEMS = "http://jabber.org/protocol/disco#items"
INFO = "http://jabber.org/protocol/disco#info"
COMMANDS = "http://jabber.org/protocol/commands"
TOO_MUCH = ("resource-constraint", "wait")


# -- commands ----------------------------------------------------------------------------------


@pytest.mark.parametrize("person", ["romeo", "juliet"])
def test_where_commands_are_announced_they_can_be_listed(cast, person):
    romeo, juliet = cast("romeo", "juliet")
    room = Room()
    room.make(romeo, "romeo")
    asking = {"romeo": romeo, "juliet": juliet}[person]
    for to in ("rooms.h", room.jid, "h"):
        info = room.ask(asking, "get", f"<query xmlns='{INFO}'/>", to)
        assert COMMANDS in [one.get("var") for one in info.iter(f"{{{INFO}}}feature")]
        listed = room.ask(asking, "get", f"<query xmlns='{ITEMS}' node='{COMMANDS}'/>", to)
        assert listed.get("type") == "result"
        names = [one.get("name") for one in listed.iter(f"{{{ITEMS}}}item")]
        own = person == "romeo" and to == room.jid
        assert ("Create a hat" in names) is own
    missing = room.ask(asking, "get", f"<query xmlns='{ITEMS}' node='nothing'/>", "rooms.h")
    assert condition(missing) == ("item-not-found", "cancel")


# -- ids ---------------------------------------------------------------------------------------


def test_whoever_leaves_a_room_that_is_not_configured_hears_it_by_the_id(cast):
    romeo = cast("romeo")
    room = Room()
    room.join(romeo, "romeo")
    romeo.sends(f"<presence to='{room.nick('romeo')}' type='unavailable' id='bye'/>")
    romeo.receives(
        f"<presence type='unavailable' id='bye' from='{room.nick('romeo')}'>"
        f"<x xmlns='{USER}'><destroy/></x></presence>"
    )


def test_every_answer_to_presence_has_its_id(cast):
    """And no other presence has it: neither the others nor one's other clients waited."""
    romeo, juliet, phone = cast("romeo", "juliet/balcony", "juliet/phone")
    room = Room()
    room.make(romeo, "romeo")
    for client in (juliet, phone):
        room.join(client, "juliet")
    romeo.forget()
    juliet.settle_with(room)
    juliet.forget()
    phone.forget()
    for nick, type, id in (
        ("juliet", "", "status"),
        ("jule", "", "nick"),
        ("jule", " type='unavailable'", "bye"),
    ):
        juliet.sends(
            f"<presence{type} to='{room.nick(nick)}' id='{id}'><status>x</status></presence>"
        )
        juliet.settle_with(room)
        answers = [one for one in juliet.came() if one.get("id") == id]
        assert [one.get("from") for one in answers] == [room.nick(nick)]
        assert answers[0].find(f"{{{USER}}}x/{{{USER}}}status[@code='110']") is not None
        for other in (phone, romeo):
            other.settle_with(room)
            assert id not in [one.get("id") for one in other.came()]


# -- the form ----------------------------------------------------------------------------------


def kind_in_form(room, client):
    answer = room.owner(client, "get")
    return answer.findtext(".//{*}field[@var='hausbote#kind']/{*}value")


@pytest.mark.parametrize("kind", ["group", "channel", "open"])
def test_the_form_says_which_kind_a_room_is(cast, kind):
    romeo = cast("romeo")
    room = Room()
    room.join(romeo, "romeo")
    assert kind_in_form(room, romeo) == "open", "what it is whose maker says nothing"
    room.configure(romeo, **{"hausbote#kind": kind}, roomname="x")
    assert kind_in_form(room, romeo) == kind
    room.configure(
        romeo, **{"hausbote#kind": kind, "changesubject": "0" if kind == "group" else "1"}
    )
    assert not kind_in_form(room, romeo), "one setting was chosen otherwise"


def test_a_form_that_is_sent_back_as_it_came_changes_nothing(cast):
    romeo = cast("romeo")
    room = Room()
    room.make(romeo, "romeo", **{"hausbote#kind": "group"}, moderatedroom="1")
    before = room.owner(romeo, "get")
    fields = {
        one.get("var"): [value.text or "" for value in one.iterfind("{*}value")]
        for one in before.iter("{jabber:x:data}field")
        if one.get("var") not in (None, "FORM_TYPE")
    }
    assert room.owner(romeo, "set", form(**fields)).get("type") == "result"
    after = room.owner(romeo, "get")
    values = [
        [
            (one.get("var"), [v.text for v in one.iterfind("{*}value")])
            for one in some.iter("{jabber:x:data}field")
        ]
        for some in (before, after)
    ]
    assert values[0] == values[1]


# -- bounds ------------------------------------------------------------------------------------


def test_five_hundred_people_are_changed_at_once_and_not_one_more(cast):
    romeo = cast("romeo")
    room = Room()
    room.make(romeo, "romeo")
    items = [f"<item affiliation='member' jid='p{number}@bridge.h'/>" for number in range(501)]
    assert condition(room.admin(romeo, "set", "".join(items))) == TOO_MUCH
    members = room.admin(romeo, "get", "<item affiliation='member'/>")
    assert members.find(f".//{{{MUC}#admin}}item") is None
    assert room.admin(romeo, "set", "".join(items[1:])).get("type") == "result"
    assert condition(room.admin(romeo, "set", "")) == ("bad-request", "modify")


def test_twenty_people_are_asked_in_at_once_and_not_one_more(cast):
    romeo = cast("romeo")
    room = Room()
    room.make(romeo, "romeo")
    invitations = "".join(f"<invite to='p{number}@bridge.h'/>" for number in range(21))
    romeo.sends(f"<message id='i' to='{room.jid}'><x xmlns='{USER}'>{invitations}</x></message>")
    assert condition(romeo.receives("<message type='error' id='i'/>")) == TOO_MUCH
