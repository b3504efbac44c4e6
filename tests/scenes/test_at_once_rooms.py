"""Two people do in a room, at the same time, what only one can."""

import gevent
import pytest

from hausbote.core.dispatch import route
from hausbote.rooms.house import house_of
from hausbote.xmpp.stanza import Child, Stanza
from support.at_once import at_once, busy_disk, outcomes
from support.rooms import ADMIN, MUC, OWNER, USER, Room, condition

PRESENCE, MESSAGE = "{jabber:client}presence", "{jabber:client}message"


def enters(room, client, nick, inside=""):
    client.sends(f"<presence to='{room.nick(nick)}'><x xmlns='{MUC}'>{inside}</x></presence>")


def what_came(room, client):
    client.settle_with(room)
    return client.came()


def own_presence(came):
    """The last presence that tells a client of itself: by status 110, or the error."""
    own = [
        one
        for one in came
        if one.tag == PRESENCE
        and (one.get("type") == "error" or one.find(".//{*}status[@code='110']") is not None)
    ]
    return own[-1] if own else None


def affiliations(room, client, affiliation):
    answer = room.admin(client, "get", f"<item affiliation='{affiliation}'/>")
    return {item.get("jid") for item in answer[0]}


def sets(room, client, jid, affiliation, id):
    client.sends(
        f"<iq type='set' id='{id}' to='{room.jid}'><query xmlns='{ADMIN}'>"
        f"<item jid='{jid}' affiliation='{affiliation}'/></query></iq>"
    )


def test_two_enter_by_one_nick(cast):
    romeo, juliet, nurse = cast("romeo", "juliet", "nurse")
    room = Room().make(nurse, "nurse")
    with at_once(cast.world):
        for client in (romeo, juliet):
            enters(room, client, "lover")
    own = [own_presence(what_came(room, client)) for client in (romeo, juliet)]
    assert outcomes(*own) == (1, ["conflict"])
    seen = [one.get("from") for one in what_came(room, nurse) if one.tag == PRESENCE]
    assert seen == [room.nick("lover")]


def test_two_take_one_nick(cast):
    romeo, juliet, nurse = cast("romeo", "juliet", "nurse")
    room = Room().make(nurse, "nurse")
    room.join(romeo, "romeo")
    room.join(juliet, "juliet")
    for client in (romeo, juliet, nurse):
        client.forget()
    with at_once(cast.world):
        for client in (romeo, juliet):
            client.sends(f"<presence to='{room.nick('lover')}'/>")
    own = [own_presence(what_came(room, client)) for client in (romeo, juliet)]
    assert outcomes(*own) == (1, ["conflict"])
    loser = ("romeo", "juliet")[[one.get("type") for one in own].index("error")]
    room.join(nurse, "nurse")
    listed = room.admin(nurse, "get", "<item role='participant'/>")
    assert {item.get("nick") for item in listed[0]} == {"lover", loser}


def test_two_make_one_room(cast):
    """The first is its owner, and the other waits until it is unlocked (XEP-0045 §10.1)."""
    romeo, juliet = cast("romeo", "juliet")
    room = Room()
    with at_once(cast.world):
        enters(room, romeo, "romeo")
        enters(room, juliet, "juliet")
    for client in (romeo, juliet):
        client.settle_with(room)
        client.forget()
    forms = [room.owner(client, "get") for client in (romeo, juliet)]
    assert outcomes(*forms) == (1, ["item-not-found"])


def test_two_owners_depose_each_other(cast):
    romeo, juliet = cast("romeo", "juliet")
    room = Room().make(romeo, "romeo", persistentroom="1")
    sets(room, romeo, juliet.bare, "owner", "make")
    assert romeo.answer("make").get("type") == "result"
    room.join(juliet, "juliet")
    for client in (romeo, juliet):
        client.forget()
    with at_once(cast.world):
        sets(room, romeo, juliet.bare, "none", "depose")
        sets(room, juliet, romeo.bare, "none", "depose")
    answers = [client.answer("depose") for client in (romeo, juliet)]
    assert outcomes(*answers)[0] == 1
    winner = (romeo, juliet)[[one.get("type") for one in answers].index("result")]
    winner.forget()
    assert affiliations(room, winner, "owner") == {winner.bare}


def test_two_owners_go_at_once(cast):
    """A room has an owner whatever they do (XEP-0045 §10.4)."""
    romeo, juliet = cast("romeo", "juliet")
    room = Room().make(romeo, "romeo", persistentroom="1")
    sets(room, romeo, juliet.bare, "owner", "make")
    assert romeo.answer("make").get("type") == "result"
    romeo.forget()
    with at_once(cast.world):
        sets(room, romeo, romeo.bare, "admin", "go")
        sets(room, juliet, juliet.bare, "admin", "go")
    answers = [client.answer("go") for client in (romeo, juliet)]
    assert outcomes(*answers) == (1, ["conflict"])
    stays = (romeo, juliet)[[one.get("type") for one in answers].index("error")]
    assert affiliations(room, stays, "owner") == {stays.bare}


def test_somebody_is_banned_while_entering(cast):
    romeo, tybalt = cast("romeo", "tybalt")
    room = Room().make(romeo, "romeo", persistentroom="1")
    with at_once(cast.world):
        sets(room, romeo, tybalt.bare, "outcast", "ban")
        enters(room, tybalt, "tybalt")
    assert romeo.answer("ban").get("type") == "result"
    came = what_came(room, tybalt)
    assert came[-1].get("type") in ("error", "unavailable")
    room.says(tybalt, "A plague!")
    refused = [one for one in what_came(room, tybalt) if one.tag == MESSAGE]
    assert [one.get("type") for one in refused] == ["error"]
    assert affiliations(room, romeo, "outcast") == {tybalt.bare}


def test_somebody_is_banned_and_made_a_member(cast):
    romeo, juliet = cast("romeo", "juliet")
    room = Room().make(romeo, "romeo", persistentroom="1")
    sets(room, romeo, juliet.bare, "admin", "make")
    assert romeo.answer("make").get("type") == "result"
    room.join(juliet, "juliet")
    romeo.forget()
    with at_once(cast.world):
        sets(room, romeo, "tybalt@h", "outcast", "set")
        sets(room, juliet, "tybalt@h", "member", "set")
    for client in (romeo, juliet):
        client.answer("set")
    lists = [affiliations(room, romeo, one) for one in ("outcast", "member")]
    assert sorted(map(len, lists)) == [0, 1]


def test_two_invite_one_person(cast):
    romeo, juliet, nurse = cast("romeo", "juliet", "nurse")
    room = Room().make(romeo, "romeo", membersonly="1", allowinvites="1", persistentroom="1")
    sets(room, romeo, juliet.bare, "admin", "make")
    assert romeo.answer("make").get("type") == "result"
    room.join(juliet, "juliet")
    nurse.forget()
    with at_once(cast.world):
        for client in (romeo, juliet):
            client.sends(
                f"<message to='{room.jid}'><x xmlns='{USER}'><invite to='{nurse.bare}'/></x></message>"
            )
    for client in (romeo, juliet):
        client.settle_with(room)
        client.forget()
    invitations = [one for one in nurse.came() if one.tag == MESSAGE]
    assert 1 <= len(invitations) <= 2
    assert affiliations(room, romeo, "member") == {nurse.bare}
    room.join(nurse, "nurse", forget=False)
    assert own_presence(what_came(room, nurse)).get("type") is None


def test_a_room_is_destroyed_while_somebody_enters(cast):
    """They are told that it ended, or are not let in; the name stays its owner's for a while."""
    romeo, juliet = cast("romeo", "juliet")
    room = Room().make(romeo, "romeo", persistentroom="1")
    with at_once(cast.world):
        romeo.sends(
            f"<iq type='set' id='end' to='{room.jid}'><query xmlns='{OWNER}'><destroy/></query></iq>"
        )
        enters(room, juliet, "juliet")
    assert romeo.answer("end").get("type") == "result"
    last = [one for one in what_came(room, juliet) if one.tag == PRESENCE][-1]
    assert last.get("type") in ("error", "unavailable")
    enters(room, juliet, "juliet")
    assert condition(own_presence(what_came(room, juliet))) == ("gone", "cancel")


def test_two_take_the_last_place_of_ones_rooms(own_cast):
    cast = own_cast(limits={"rooms_per_account": 1})
    phone, desk = cast("romeo/phone", "romeo/desk")
    rooms = Room(), Room()
    with at_once(cast.world):
        for client, room in zip((phone, desk), rooms, strict=True):
            enters(room, client, "romeo")
    came = [what_came(room, client) for client, room in zip((phone, desk), rooms, strict=True)]
    own = [own_presence(one) for one in came]
    assert outcomes(*own) == (1, ["resource-constraint"])
    loser = own[[one.get("type") for one in own].index("error")]
    assert condition(loser) == ("resource-constraint", "wait")


# -- made to happen ----------------------------------------------------------------------------


def test_a_room_that_two_look_for_is_one(own_cast):
    cast = own_cast()
    rooms = cast.world.rooms
    room = Room()
    romeo = cast("romeo")
    room.make(romeo, "romeo", persistentroom="1")
    room.leave(romeo, "romeo")
    house = house_of(rooms)
    del house.inhabited()[room.name]
    with busy_disk(cast.world):
        one, other = gevent.spawn(house.find, room.name), gevent.spawn(house.find, room.name)
        gevent.sleep(0.2)
    gevent.joinall([one, other])
    assert one.value is not None
    assert one.value is other.value is house.find(room.name)


def test_who_enters_a_room_that_is_put_away_enters_the_room(own_cast, monkeypatch):
    """Rooms that nobody is in leave the memory, and not from under whoever holds one."""
    monkeypatch.setattr("hausbote.rooms.house._MAX_EMPTY", 2)
    cast = own_cast(limits={"rooms_per_account": 100})
    romeo, juliet, nurse = cast("romeo", "juliet", "nurse")
    room = Room().make(romeo, "romeo", persistentroom="1")
    room.leave(romeo, "romeo")
    house = house_of(cast.world.rooms)
    held = house.find(room.name)
    for _ in range(6):
        other = Room().make(nurse, "nurse", persistentroom="1")
        other.leave(nurse, "nurse")
    assert room.name not in house.inhabited()  # it was put away
    room.join(juliet, "juliet")
    assert house.find(room.name) is held
    room.join(romeo, "romeo", forget=False)
    seen = [one.get("from") for one in what_came(room, romeo) if one.tag == PRESENCE]
    assert room.nick("juliet") in seen


# -- from two servers: whoever says something in a room is held back while the bus is busy -----


@pytest.fixture
def held_up(own_cast, monkeypatch):
    """People of a box, what handles a stanza in its rooms as if it came from some server, and what
    happens once `when` is true and somebody is held back."""
    cast = own_cast()
    rooms, due = cast.world.rooms, []

    def held_back(_service, _account):
        for when, job in list(due):
            if when():
                due.remove((when, job))
                job()
        return True

    def come(stanza, meanwhile, when=lambda: True):
        due.append((when, lambda: route(rooms, meanwhile)))
        route(rooms, stanza)
        assert not due, "nobody was held back"

    monkeypatch.setattr(rooms.bus, "ease", held_back)
    return cast, come


def presence_of(client, room, nick, type=None, *, joins=False):
    attrs = {"from": client.jid, "to": room.nick(nick)} | ({"type": type} if type else {})
    x = Child(MUC, "x", f"<x xmlns='{MUC}'/>")
    return Stanza("presence", attrs, (x,) if joins else ())


def second_time():
    """The first time that anybody is held back is before anything is looked at."""
    return iter((False, True)).__next__


def test_two_take_one_nick_while_the_bus_is_busy(held_up):
    cast, come = held_up
    romeo, juliet, nurse = cast("romeo", "juliet", "nurse")
    room = Room().make(nurse, "nurse")
    for client, nick in ((romeo, "romeo"), (juliet, "juliet")):
        room.join(client, nick)
    for client in (romeo, juliet, nurse):
        client.forget()
    come(presence_of(romeo, room, "lover"), presence_of(juliet, room, "lover"), second_time())
    own = [own_presence(what_came(room, client)) for client in (romeo, juliet)]
    assert outcomes(*own) == (1, ["conflict"])


def test_one_goes_while_taking_a_nick_and_the_bus_is_busy(held_up):
    cast, come = held_up
    romeo, nurse = cast("romeo", "nurse")
    room = Room().make(nurse, "nurse")
    room.join(romeo, "romeo")
    goes = presence_of(romeo, room, "lover", "unavailable")
    come(presence_of(romeo, room, "lover"), goes, second_time())
    nurse.settle_with(room)
    nurse.forget()
    room.join(nurse, "nurse", forget=False)
    there = {one.get("from") for one in what_came(room, nurse) if one.tag == PRESENCE}
    assert there == {room.nick("nurse")}


def test_who_leaves_while_entering_has_left_and_the_bus_is_busy(held_up):
    """The last that they, and the others, hear is that they are not there."""
    cast, come = held_up
    juliet, nurse = cast("juliet", "nurse")
    room = Room().make(nurse, "nurse")
    nurse.forget()
    inside = house_of(cast.world.rooms).find(room.name)
    come(
        presence_of(juliet, room, "juliet", joins=True),
        presence_of(juliet, room, "juliet", "unavailable"),
        when=lambda: juliet.jid in inside.visits,
    )
    for client in (juliet, nurse):
        seen = [one for one in what_came(room, client) if one.tag == PRESENCE]
        assert seen[-1].get("type") == "unavailable"


def test_somebody_enters_while_the_room_ends_and_the_bus_is_busy(held_up):
    """Everybody who got in hears that it ended."""
    cast, come = held_up
    romeo, juliet, nurse = cast("romeo", "juliet", "nurse")
    room = Room().make(romeo, "romeo", persistentroom="1")
    room.join(nurse, "nurse")
    destroy = Child(OWNER, "query", f"<query xmlns='{OWNER}'><destroy/></query>")
    come(
        Stanza("iq", {"from": romeo.jid, "to": room.jid, "type": "set", "id": "end"}, (destroy,)),
        presence_of(juliet, room, "juliet", joins=True),
    )
    last = [one for one in what_came(room, juliet) if one.tag == PRESENCE][-1]
    assert last.get("type") in ("error", "unavailable")
