"""Titles of a room's own: XEP-0317."""

import pytest

from support.rooms import Room, condition

HATS = "urn:xmpp:hats:0"
COMMANDS = "http://jabber.org/protocol/commands"
TEACHER = "http://tech.example/hats#Teacher"


@pytest.fixture
def room():
    return Room()


def run(room, client, name, filled=None, session=None):
    form = ""
    if filled is not None:
        fields = "".join(
            f"<field var='hats#{k}'><value>{v}</value></field>" for k, v in filled.items()
        )
        form = (
            "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:xmpp:hats:commands</value></field>"
            f"{fields}</x>"
        )
    given = f" sessionid='{session}'" if session else " action='execute'"
    return room.ask(
        client,
        "set",
        f"<command xmlns='{COMMANDS}' node='urn:xmpp:hats:commands:{name}'{given}>{form}</command>",
    )


def note(answer):
    return answer.findtext(f".//{{{COMMANDS}}}note")


def rows(answer):
    return [
        {f.get("var"): f.findtext("{jabber:x:data}value") for f in item}
        for item in answer.iterfind(".//{jabber:x:data}item")
    ]


def test_a_hat_is_made_worn_and_taken(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    room.join(juliet, "juliet")
    romeo.forget()
    asked = run(room, romeo, "create")
    session = asked.find(f"{{{COMMANDS}}}command").get("sessionid")
    assert asked.find(".//{jabber:x:data}field[@var='hats#uri']") is not None
    done = run(
        room, romeo, "create", {"title": "Teacher", "uri": TEACHER, "hue": "327.25"}, session
    )
    assert done.find(f"{{{COMMANDS}}}command").get("status") == "completed"
    juliet.receives(
        "<message type='groupchat'><x xmlns='http://jabber.org/protocol/muc#user'><status code='104'/></x></message>"
    )
    assert note(run(room, romeo, "assign", {"jid": juliet.bare, "uri": TEACHER})) is None
    juliet.receives(
        f"<presence from='{room.nick('juliet')}'><hats xmlns='{HATS}'><hat title='Teacher' uri='{TEACHER}' hue='327.25'/></hats></presence>"
    )
    assert rows(run(room, romeo, "list")) == [
        {"hats#uri": TEACHER, "hats#title": "Teacher", "hats#hue": "327.25"}
    ]
    assert rows(run(room, romeo, "list-assigned")) == [
        {"hats#jid": "juliet@h", "hats#uri": TEACHER, "hats#title": "Teacher", "hats#hue": "327.25"}
    ]
    nurse = cast("nurse")
    room.join(nurse, "nurse", forget=False)
    nurse.settle_with(room)
    seen = {one.get("from"): one.find(f"{{{HATS}}}hats") for one in nurse.came()}
    assert seen[room.nick("juliet")] is not None
    assert seen[room.nick("romeo")] is None
    juliet.forget()
    assert note(run(room, romeo, "unassign", {"jid": juliet.bare, "uri": TEACHER})) is None
    bare = juliet.receives(f"<presence from='{room.nick('juliet')}'/>")
    assert bare.find(f"{{{HATS}}}hats") is None
    run(room, romeo, "assign", {"jid": juliet.bare, "uri": TEACHER})
    juliet.forget()
    run(room, romeo, "destroy", {"uri": TEACHER})
    assert (
        juliet.receives(f"<presence from='{room.nick('juliet')}'/>").find(f"{{{HATS}}}hats") is None
    )
    assert rows(run(room, romeo, "list")) == []


def test_disco_tells_of_hats(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    info = "<query xmlns='http://jabber.org/protocol/disco#info'/>"
    items = f"<query xmlns='http://jabber.org/protocol/disco#items' node='{COMMANDS}'/>"
    answer = room.ask(juliet, "get", info)
    assert HATS in {one.get("var") for one in answer.iterfind(".//{*}feature")}
    assert answer.find(".//{jabber:x:data}field[@var='hats#hash']") is None
    run(room, romeo, "create", {"title": "Teacher", "uri": TEACHER})
    assert (
        room.ask(juliet, "get", info).find(".//{jabber:x:data}field[@var='hats#hash']") is not None
    )
    assert len(room.ask(romeo, "get", items).findall(".//{*}item")) == 6
    assert room.ask(juliet, "get", items).findall(".//{*}item") == []


def test_hats_are_the_owners_affair(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    room.admin(romeo, "set", "<item jid='juliet@h' affiliation='admin'/>")
    for name in ("create", "destroy", "assign", "unassign", "list", "list-assigned"):
        for target in (room, Room("nowhere-with-hats")):
            assert condition(run(target, juliet, name))[0] == "forbidden"
    assert condition(run(room, juliet, "nonsense"))[0] == "item-not-found"


@pytest.mark.parametrize(
    ("name", "filled"),
    [
        ("create", {"title": "Teacher", "uri": TEACHER, "hue": "pink"}),
        ("create", {"title": "Teacher", "uri": TEACHER, "hue": "٣"}),
        ("create", {"title": "Teacher", "uri": TEACHER, "hue": "1_0"}),
        ("create", {"title": "Teacher", "uri": TEACHER, "hue": "361"}),
        ("create", {"title": "x" * 300, "uri": TEACHER}),
        ("destroy", {"uri": "unknown"}),
        ("assign", {"jid": "juliet@h", "uri": "unknown"}),
        ("assign", {"jid": "@@", "uri": TEACHER}),
        ("unassign", {"jid": "juliet@h", "uri": "unknown"}),
    ],
)
def test_what_cannot_be(cast, room, name, filled):
    romeo = cast("romeo")
    room.make(romeo, "romeo")
    answer = run(room, romeo, name, filled)
    assert answer.find(f".//{{{COMMANDS}}}note").get("type") == "error"
    assert rows(run(room, romeo, "list")) == []


@pytest.mark.parametrize("filled", [{"title": "", "uri": TEACHER}, {"title": "Teacher"}])
def test_what_is_missing(cast, room, filled):
    romeo = cast("romeo")
    room.make(romeo, "romeo")
    assert condition(run(room, romeo, "create", filled))[0] == "bad-request"
    assert rows(run(room, romeo, "list")) == []
