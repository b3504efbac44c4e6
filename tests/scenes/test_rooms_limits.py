"""How much of rooms one may have, and how often: each limit is a setting, and is told by its error."""

import pytest

from support.component import Component
from support.rooms import MUC, USER, Room, condition

TOO_MUCH = ("resource-constraint", "wait")


@pytest.fixture
def bridge_of():
    """Attaches a component to a world."""
    made = []

    def attach(people):
        bridge = Component(people.world.component_wire(), "bridge.h")
        bridge.attach()
        made.append(bridge)
        return bridge

    yield attach
    for bridge in made:
        bridge.wire.cut()


def test_one_person_has_only_so_many_rooms(own_cast):
    romeo, juliet = own_cast(limits={"rooms_per_account": 2})("romeo", "juliet")
    for _ in range(2):
        Room().make(romeo, "romeo")
    third = Room()
    third.join(romeo, "romeo", forget=False)
    assert condition(romeo.next()) == ("resource-constraint", "wait")
    Room().make(juliet, "juliet")


def test_all_people_of_another_server_have_so_many_rooms_together(own_cast, bridge_of):
    """Whatever they are called: ten times as many as one person."""
    people = own_cast(limits={"rooms_per_account": 1}, rooms={"creation": "everybody"})
    bridge = bridge_of(people)
    for number in range(11):
        to = Room().nick("x")
        bridge.sends(
            f"<presence from='p{number}@bridge.h/x' to='{to}'><x xmlns='{MUC}'/></presence>"
        )
    came = [bridge.next() for _ in range(2 * 10 + 1)]  # presence and the subject, and an error
    (refused,) = [one for one in came if one.get("type") == "error"]
    assert condition(refused) == TOO_MUCH
    assert refused.get("to") == "p10@bridge.h/x"
    Room().make(people("romeo"), "romeo")


# -- who may make rooms ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("creation", "person", "admin", "stranger"),
    [
        ("users", True, True, False),
        ("admins", False, True, False),
        ("nobody", False, False, False),
        ("everybody", True, True, True),
    ],
)
def test_who_may_make_rooms_is_a_setting(own_cast, bridge_of, creation, person, admin, stranger):
    people = own_cast(rooms={"creation": creation})
    romeo, escalus = people("romeo", "escalus")
    people.world.store.accounts.set_admin("escalus", True)
    for client, may in ((romeo, person), (escalus, admin), (bridge_of(people), stranger)):
        room = Room()
        sender = " from='ann@bridge.h/x'" if client not in (romeo, escalus) else ""
        client.sends(
            f"<presence{sender} id='j' to='{room.nick('x')}'><x xmlns='{MUC}'/></presence>"
        )
        answer = client.next()
        if may:
            assert answer.find(f".//{{{USER}}}status[@code='201']") is not None
        else:
            assert condition(answer) == ("not-allowed", "cancel")
            assert answer.find(f"{{{MUC}}}x") is not None


def test_who_may_make_no_rooms_gets_no_names_for_them(own_cast):
    romeo = own_cast(rooms={"creation": "nobody"})("romeo")
    unique = Room().ask(romeo, "get", f"<unique xmlns='{MUC}#unique'/>", "rooms.h")
    assert condition(unique) == ("forbidden", "auth")


# -- members -----------------------------------------------------------------------------------


def test_a_room_takes_only_so_many_members(own_cast):
    romeo = own_cast(limits={"room_affiliations": 3})("romeo")
    room = Room()
    room.make(romeo, "romeo")
    for name in ("a", "b"):
        assert (
            room.admin(romeo, "set", f"<item jid='{name}@h' affiliation='member'/>").get("type")
            == "result"
        )
    answer = room.admin(romeo, "set", "<item jid='c@h' affiliation='member'/>")
    assert condition(answer) == ("resource-constraint", "wait")
    assert room.admin(romeo, "set", "<item jid='a@h' affiliation='admin'/>").get("type") == "result"


# -- how often ---------------------------------------------------------------------------------


def test_nobody_enters_too_many_rooms_at_once(own_cast):
    romeo = own_cast(limits={"room_joins_per_minute": 3})("romeo")
    for _ in range(3):
        Room().make(romeo, "romeo")
    Room().join(romeo, "romeo", forget=False)
    assert condition(romeo.next()) == ("resource-constraint", "wait")


def enters(bridge, name, room):
    """What the room says to somebody of the bridge who comes in: their own presence, or an error."""
    jid = f"{name}@bridge.h/x"
    bridge.sends(f"<presence from='{jid}' to='{room.nick(name)}'><x xmlns='{MUC}'/></presence>")
    while True:
        said = bridge.next()
        is_own = said.find(f".//{{{USER}}}status[@code='110']") is not None
        if said.get("to") == jid and (is_own or said.get("type") == "error"):
            return said


def test_another_server_enters_only_so_often_whatever_its_people_are_called(own_cast, bridge_of):
    people = own_cast(limits={"room_joins_per_minute": 2})
    romeo = people("romeo")
    room = Room().make(romeo, "romeo")
    bridge = bridge_of(people)
    for number in range(20):
        assert enters(bridge, f"p{number}", room).get("type") is None
    refused = enters(bridge, "p20", room)
    assert refused.find(".//{*}resource-constraint") is not None
    juliet = people("juliet")
    room.join(juliet, "juliet", forget=False)
    assert juliet.next().get("type") is None


def away(room, nick, number):
    return f"<presence to='{room.nick(nick)}'><status>{number}</status></presence>"


def another_nick(room, nick, number):
    return f"<presence to='{room.nick(f'{nick}{number}')}'/>"


def again(room, nick, _number):
    return f"<presence to='{room.nick(nick)}'><x xmlns='{MUC}'/></presence>"


def in_and_out(room, nick, _number):
    leave = f"<presence to='{room.nick(nick)}' type='unavailable'/>"
    return leave + again(room, nick, 0)


@pytest.mark.parametrize("flood", [away, another_nick, again, in_and_out])
def test_nobody_floods_a_room_with_presence(own_cast, flood):
    """Status, nicks, coming back, coming and going: counted together, per person and room."""
    romeo, juliet, desk = own_cast(limits={"room_changes_per_minute": 5})(
        "romeo", "juliet/phone", "juliet/desk"
    )
    room = Room().make(romeo, "romeo")
    room.join(juliet, "juliet")
    romeo.forget()
    juliet.sends(*[flood(room, "juliet", number) for number in range(10)])
    juliet.settle_with(room)
    refused = [one for one in juliet.came() if one.get("type") == "error"]
    assert [condition(one) for one in refused] == [TOO_MUCH] * 6
    seen = [one for one in romeo.came() if one.tag.endswith("presence")]
    assert len(seen) <= 2 * 5
    room.join(desk, "desk", forget=False)
    assert condition(desk.next()) == TOO_MUCH, "another client is no other person"
    Room().make(juliet, "juliet")
    romeo.sends(away(room, "romeo", 0))
    romeo.receives(f"<presence from='{room.nick('romeo')}'><status>0</status></presence>")
    room.leave(juliet, "juliet")


def test_passwords_are_not_tried_for_ever(own_cast):
    romeo, juliet = own_cast(limits={"room_changes_per_minute": 5})("romeo", "juliet")
    room = Room().make(romeo, "romeo", passwordprotectedroom="1", roomsecret="7")
    for number in range(10):
        room.join(juliet, "juliet", f"<password>{number}</password>", forget=False)
    juliet.settle_with(room)
    assert [condition(one) for one in juliet.came()] == [
        *[("not-authorized", "auth")] * 5, *[TOO_MUCH] * 5,
    ]  # fmt: skip


def test_who_searches_too_often_is_told_when_to_come_back(own_cast):
    romeo = own_cast()("romeo")
    form = (
        "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>"
        "<value>urn:xmpp:channel-search:0:search-params</value></field>"
        "<field var='all'><value>1</value></field></x>"
    )
    search = f"<search xmlns='urn:xmpp:channel-search:0:search'>{form}</search>"
    for _ in range(60):
        assert Room().ask(romeo, "get", search, "rooms.h").get("type") == "result"
    refused = Room().ask(romeo, "get", search, "rooms.h")
    assert condition(refused) == TOO_MUCH
    limited = refused.find(".//{urn:xmpp:channel-search:0:error}rate-limit")
    assert 0 < int(limited.get("retry-after")) <= 60
