"""Reading what was said in a room: XEP-0313 §5 and what it says of rooms."""

import pytest

from conftest import Cast
from hausbote.rooms.house import house_of
from support.rooms import USER, Room, condition
from support.worlds import MemoryWorld

MAM = "urn:xmpp:mam:2"
RSM = "http://jabber.org/protocol/rsm"


@pytest.fixture
def room():
    return Room()


@pytest.fixture
def told(cast, room):
    """Romeo and Juliet said ten things by turns."""
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    room.join(juliet, "juliet")
    for number in range(10):
        room.says((romeo, juliet)[number % 2], f"line {number}", id=f"l{number}")
        (romeo, juliet)[number % 2].settle_with(room)
    romeo.forget()
    juliet.forget()
    return room, romeo, juliet


def query(room, client, rsm="", queryid="", more="", **fields):
    """The messages that came, and the answer."""
    written = "".join(
        f"<field var='{var.replace('_', '-')}'>{''.join(f'<value>{v}</value>' for v in (value if isinstance(value, list) else [value]))}</field>"
        for var, value in fields.items()
    )
    form = (
        f"<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>{MAM}</value></field>{written}</x>"
        if fields
        else ""
    )
    paging = f"<set xmlns='{RSM}'>{rsm}</set>" if rsm else ""
    given = f" queryid='{queryid}'" if queryid else ""
    answer = room.ask(client, "set", f"<query xmlns='{MAM}'{given}>{form}{paging}{more}</query>")
    return [one for one in client.came() if one.find(f"{{{MAM}}}result") is not None], answer


def bodies(messages):
    return [m.findtext(".//{jabber:client}body") for m in messages]


def ids(messages):
    return [m.find(f"{{{MAM}}}result").get("id") for m in messages]


def lines(*numbers):
    return [f"line {number}" for number in numbers]


def test_everything_in_order(told):
    room, _romeo, juliet = told
    messages, answer = query(room, juliet, queryid="f27")
    assert bodies(messages) == lines(*range(10))
    first = messages[0]
    assert first.get("from") == room.jid
    assert first.find(f"{{{MAM}}}result").get("queryid") == "f27"
    inner = first.find(".//{jabber:client}message")
    assert inner.get("from") == room.nick("romeo")
    assert inner.get("to") is None
    assert inner.get("id") == "l0"
    assert first.find(".//{urn:xmpp:delay}delay").get("stamp").endswith("Z")
    assert inner.find("{urn:xmpp:sid:0}stanza-id").get("id") == ids(messages)[0]
    assert inner.find("{urn:xmpp:occupant-id:0}occupant-id") is not None
    fin = answer.find(f"{{{MAM}}}fin")
    assert fin.get("complete") == "true"
    assert fin.findtext(f".//{{{RSM}}}count") == "10"
    assert (fin.findtext(f".//{{{RSM}}}first"), fin.findtext(f".//{{{RSM}}}last")) == (
        ids(messages)[0],
        ids(messages)[-1],
    )


def test_page_after_page(told):
    room, _romeo, juliet = told
    seen, after = [], ""
    while True:
        messages, answer = query(room, juliet, rsm=f"<max>4</max>{after}")
        seen += bodies(messages)
        if answer.find(f"{{{MAM}}}fin").get("complete") == "true":
            break
        after = f"<after>{ids(messages)[-1]}</after>"
    assert seen == lines(*range(10))


def test_the_last_page_first(told):
    room, _romeo, juliet = told
    messages, answer = query(room, juliet, rsm="<max>3</max><before/>")
    assert bodies(messages) == lines(7, 8, 9)
    assert answer.find(f"{{{MAM}}}fin").get("complete") is None
    messages, _ = query(room, juliet, rsm=f"<max>3</max><before>{ids(messages)[0]}</before>")
    assert bodies(messages) == lines(4, 5, 6)
    messages, _ = query(
        room, juliet, rsm="<max>2</max><before/>", more=f"<flip-page xmlns='{MAM}'/>"
    )
    assert bodies(messages) == lines(9, 8)


def test_parts_of_it(told):
    room, _romeo, juliet = told
    all_ids = ids(query(room, juliet)[0])
    assert bodies(query(room, juliet, after_id=all_ids[6])[0]) == lines(7, 8, 9)
    assert bodies(query(room, juliet, before_id=all_ids[2])[0]) == lines(0, 1)
    assert bodies(query(room, juliet, ids=[all_ids[3], all_ids[5]])[0]) == lines(3, 5)
    assert bodies(query(room, juliet, start="2099-01-01T00:00:00Z")[0]) == []
    assert bodies(query(room, juliet, end="2099-01-01T00:00:00Z")[0]) == lines(*range(10))
    messages, answer = query(room, juliet, rsm="<max>0</max>")
    assert not messages
    assert answer.findtext(f".//{{{RSM}}}count") == "10"
    times = [m.find(".//{urn:xmpp:delay}delay").get("stamp") for m in query(room, juliet)[0]]
    assert bodies(query(room, juliet, start=times[8])[0]) == lines(8, 9)


def test_who_said_it_is_for_those_who_may_know(told):
    room, romeo, juliet = told
    assert bodies(query(room, romeo, **{"with": "juliet@h"})[0]) == lines(1, 3, 5, 7, 9)
    assert condition(query(room, juliet, **{"with": "romeo@h"})[1]) == ("forbidden", "auth")
    shown = query(room, romeo, rsm="<max>1</max>")[0][0]
    assert shown.find(f".//{{{USER}}}item").get("jid") == "romeo@h"
    hidden = query(room, juliet, rsm="<max>1</max>")[0][0]
    assert hidden.find(f".//{{{USER}}}x") is None


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"start": "yesterday"}, "bad-request"),
        ({"with": "@@"}, "jid-malformed"),
        ({"ids": ["1"]}, "item-not-found"),
        ({"after_id": "1"}, "item-not-found"),
        ({"rsm": "<max>1</max><after>1</after>"}, "item-not-found"),
        ({"rsm": "<after>nonsense</after>"}, "item-not-found"),
        ({"rsm": "<max>-1</max>"}, "bad-request"),
        ({"rsm": "<after>1</after><before>1</before>"}, "bad-request"),
    ],
)
def test_questions_that_cannot_be_answered(told, arguments, name):
    room, romeo, _juliet = told
    assert condition(query(room, romeo, **arguments)[1])[0] == name


def test_fields_and_metadata(told):
    room, _romeo, juliet = told
    form = room.ask(juliet, "get", f"<query xmlns='{MAM}'/>")
    known = {f.get("var") for f in form.iterfind(".//{jabber:x:data}field")}
    assert known >= {"with", "start", "end", "before-id", "after-id", "ids"}
    messages = ids(query(room, juliet)[0])
    metadata = room.ask(juliet, "get", f"<metadata xmlns='{MAM}'/>")
    assert metadata.find(f".//{{{MAM}}}start").get("id") == messages[0]
    assert metadata.find(f".//{{{MAM}}}end").get("id") == messages[-1]


def test_private_messages_chat_states_and_what_is_refused_are_not_kept(told):
    room, _romeo, juliet = told
    juliet.sends(
        f"<message to='{room.nick('romeo')}' type='chat'><body>private</body></message>",
        f"<message to='{room.jid}' type='groupchat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>",
        f"<message to='{room.jid}' type='groupchat'><body>off</body><no-store xmlns='urn:xmpp:hints'/></message>",
        f"<message to='{room.jid}' type='groupchat'><subject>refused</subject></message>",
    )
    juliet.settle_with(room)
    juliet.forget()
    assert bodies(query(room, juliet)[0]) == lines(*range(10))


def test_who_may_read_it(cast, told):
    room, romeo, juliet = told
    paris = cast("paris")
    assert condition(query(room, paris)[1]) == ("forbidden", "auth")
    room.configure(romeo, enablelogging="1")
    juliet.forget()
    assert len(query(room, paris)[0]) == 10
    room.admin(romeo, "set", "<item jid='paris@h' affiliation='outcast'/>")
    assert condition(query(room, paris)[1]) == ("forbidden", "auth")
    room.configure(romeo, enablelogging="0", membersonly="1")
    assert condition(query(room, juliet)[1]) == ("forbidden", "auth")
    room.admin(romeo, "set", "<item jid='juliet@h' affiliation='member'/>")
    juliet.forget()
    assert len(query(room, juliet)[0]) == 10  # without being in the room


def test_a_room_without_an_archive(cast, room):
    romeo = cast("romeo")
    room.make(romeo, "romeo", enablearchiving="0")
    room.says(romeo, "x")
    heard = romeo.receives("<message><body>x</body></message>")
    assert heard.find("{urn:xmpp:sid:0}stanza-id") is None
    assert condition(query(room, romeo)[1]) == ("service-unavailable", "cancel")


def test_a_room_of_the_same_name_has_another_archive(cast, room):
    romeo = cast("romeo")
    room.make(romeo, "romeo")
    room.says(romeo, "of the first")
    romeo.settle_with(room)
    room.owner(romeo, "set", "<destroy/>")
    romeo.forget()
    room.make(romeo, "romeo")
    assert bodies(query(room, romeo)[0]) == []


def test_old_messages_are_forgotten_everywhere(tmp_path):
    world = MemoryWorld(tmp_path, retention={"archive_days": 7})
    people, room = Cast(world), Room()
    romeo, juliet = people("romeo", "juliet")
    room.make(romeo, "romeo")
    now = world.rooms.clock()
    world.rooms.clock = lambda: now - 8 * 86_400
    room.says(romeo, "old")
    romeo.settle_with(room)
    world.rooms.clock = lambda: now
    room.says(romeo, "new")
    romeo.settle_with(room)
    romeo.forget()
    house_of(world.rooms).expire()
    assert bodies(query(room, romeo)[0]) == ["new"]
    room.join(juliet, "juliet", forget=False)
    juliet.settle_with(room)
    assert [
        m.findtext("{jabber:client}body") for m in juliet.came() if m.get("type") == "groupchat"
    ] == ["new", None]
    for client in people.clients:
        client.wire.cut()
    world.close()
