"""The sections of XEP-0045 that no other file of rooms names by its number, and that all are named."""

import re
from pathlib import Path

import pytest

from support.rooms import MUC, USER, Room, condition, error

DISCO = "http://jabber.org/protocol/disco"
PING = "<ping xmlns='urn:xmpp:ping'/>"
THREAD = "e0ffe42b28561960c6b12b944a092794b9683a38"

# What has nothing for a service to do, or consists of parts that are named.
NOTHING_OF_OURS = {
    "5", "5.1", "5.2", "6", "7", "7.2", "7.8", "8", "9", "10", "10.1", "11", "17", "18", "18.1",
}  # fmt: skip
SECTIONS = {
    "5": 2, "5.1": 3, "5.2": 2, "6": 7, "7": 14, "7.2": 18, "7.8": 2, "8": 6, "9": 9, "10": 9,
    "10.1": 3, "10.2": 1, "11": 2, "17": 4, "18": 1, "18.1": 2,
}  # fmt: skip


@pytest.fixture
def room():
    return Room()


@pytest.fixture
def full(cast, room):
    """Romeo's room with Juliet and the nurse in it."""
    people = cast("romeo", "juliet", "nurse")
    room.make(people[0], "romeo")
    for client, nick in zip(people[1:], ("juliet", "nurse"), strict=True):
        room.join(client, nick)
    for client in people:
        client.forget()
    return room, *people


def items(answer):
    return [dict(one.attrib) for one in answer.iterfind(".//{*}item")]


def test_every_section_has_a_scene():
    tests = Path(__file__).parent.parent
    text = "".join(path.read_text() for path in tests.glob("*/test_rooms*.py"))
    named = {
        number.strip("_").replace("_", ".")
        for name in re.findall(r"^def test_((?:\d+_|and_)+)", text, re.MULTILINE)
        for number in name.split("and_")
    }
    wanted = {f"{part}.{n}" for part, count in SECTIONS.items() for n in range(1, count + 1)}
    assert wanted - named - NOTHING_OF_OURS == set()


# -- §5: what roles and affiliations allow; all of it against the table is in test_rooms_matrix ----


def test_5_1_1_and_5_2_1_privileges(full):
    room, romeo, juliet, _ = full
    refused = room.admin(juliet, "set", "<item nick='nurse' role='none'/>")
    assert condition(refused) == ("forbidden", "auth")
    room.admin(romeo, "set", "<item nick='juliet' role='moderator'/>")
    assert room.admin(juliet, "set", "<item nick='nurse' role='none'/>").get("type") == "result"
    refused = room.admin(juliet, "set", "<item jid='nurse@h' affiliation='outcast'/>")
    assert condition(refused) == ("forbidden", "auth")


def test_5_1_2_and_5_1_3_default_roles_and_their_end(cast, room):
    romeo, juliet, nurse = cast("romeo", "juliet", "nurse")
    room.make(romeo, "romeo", moderatedroom="1")
    room.admin(romeo, "set", "<item affiliation='member' jid='juliet@h'/>")
    room.join(juliet, "juliet")
    room.join(nurse, "nurse")
    listed = room.admin(romeo, "get", "<item role='participant'/>")
    assert [one["nick"] for one in items(listed)] == ["juliet"]
    room.admin(romeo, "set", "<item nick='juliet' role='moderator'/>")
    room.leave(juliet, "juliet")
    room.join(juliet, "juliet")
    listed = room.admin(romeo, "get", "<item role='moderator'/>")
    assert [one["nick"] for one in items(listed)] == ["romeo"], "a role ends with the visit"


def test_5_2_2_affiliations_outlive_visits(full):
    room, romeo, juliet, _ = full
    room.admin(romeo, "set", "<item affiliation='admin' jid='juliet@h'/>")
    room.leave(juliet, "juliet")
    juliet.forget()
    room.join(juliet, "jule", forget=False)
    juliet.settle_with(room)
    own = [one for one in juliet.came() if one.get("from") == room.nick("jule")]
    assert items(own[-1])[0]["affiliation"] == "admin"
    assert items(own[-1])[0]["role"] == "moderator"


# -- §6 and §7 ---------------------------------------------------------------------------------


def test_6_6_an_occupant_is_asked_by_occupants_only(cast, full):
    room, romeo, juliet, _ = full
    info = f"<query xmlns='{DISCO}#info'/>"
    for to in (room.nick("juliet"), room.nick("nobody")):
        assert condition(room.ask(cast("paris"), "get", info, to)) == ("bad-request", "modify")
    romeo.sends(f"<iq type='get' id='d' to='{room.nick('juliet')}'>{info}</iq>")
    asked = juliet.receives(f"<iq type='get' from='{room.nick('romeo')}'>{info}</iq>")
    assert "romeo@h" not in "".join(asked.attrib.values())
    juliet.sends(f"<iq type='result' id='{asked.get('id')}' to='{asked.get('from')}'>{info}</iq>")
    romeo.receives(f"<iq type='result' id='d' from='{room.nick('juliet')}'/>")


def test_6_7_which_rooms_somebody_is_in_is_for_their_client_to_say(cast):
    romeo, juliet = cast("romeo", "juliet")
    query = f"<query xmlns='{DISCO}#items' node='{MUC}#rooms'/>"
    romeo.sends(f"<iq type='get' id='r' to='{juliet.jid}'>{query}</iq>")
    juliet.receives(f"<iq type='get' from='{romeo.jid}' id='r'>{query}</iq>")


def test_7_1_and_7_2_16_everything_in_its_order_and_then_life(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    room.says(romeo, "before")
    romeo.sends(f"<message to='{room.jid}' type='groupchat'><subject>Fire</subject></message>")
    romeo.settle_with(room)
    juliet.sends(f"<presence to='{room.nick('juliet')}'><x xmlns='{MUC}'/></presence>")
    juliet.settle_with(room)
    room.says(romeo, "after")
    juliet.receives(
        f"<presence from='{room.nick('romeo')}'/>",
        f"<presence from='{room.nick('juliet')}'><x xmlns='{USER}'><status code='110'/></x></presence>",
        "<message><body>before</body><delay xmlns='urn:xmpp:delay'/></message>",
        "<message><subject>Fire</subject></message>",
        "<message><body>after</body></message>",
    )


def test_7_2_11_and_10_1_1_a_room_that_is_not_there_is_made(cast, room):
    romeo = cast("romeo")
    assert condition(room.ask(romeo, "get", f"<query xmlns='{DISCO}#info'/>")) == (
        "item-not-found", "cancel",
    )  # fmt: skip
    room.join(romeo, "romeo", forget=False)
    own = romeo.receives(f"<presence from='{room.nick('romeo')}'/>")
    assert {one.get("code") for one in own.iterfind(".//{*}status")} == {"110", "201"}


def test_7_2_18_old_clients_are_told_that_they_are_not_there(cast, full):
    room, *_ = full
    paris = cast("paris")
    paris.sends(f"<presence id='old' to='{room.nick('paris')}'/>")
    kicked = paris.receives(f"<presence type='unavailable' from='{room.nick('paris')}'/>")
    assert {one.get("code") for one in kicked.iterfind(".//{*}status")} == {"110", "307", "333"}


def test_7_3_an_occupant_changes_the_subject_where_all_may(full):
    room, romeo, juliet, _ = full
    for allowed, kind in (("0", "error"), ("1", "groupchat")):
        room.configure(romeo, changesubject=allowed)
        juliet.forget()
        juliet.sends(
            f"<message to='{room.jid}' type='groupchat'><subject>{kind}</subject></message>"
        )
        assert juliet.next().get("type") == kind


def test_7_8_1_a_direct_invitation_goes_past_the_room(cast, full):
    room, romeo, *_ = full
    paris = cast("paris")
    invitation = f"<x xmlns='jabber:x:conference' jid='{room.jid}' reason='come'/>"
    romeo.sends(f"<message to='{paris.bare}'>{invitation}</message>")
    paris.receives(f"<message from='{romeo.jid}'>{invitation}</message>")


def test_7_9_a_chat_of_two_becomes_one_of_three(cast, room):
    romeo, juliet, nurse = cast("romeo", "juliet", "nurse")
    room.make(romeo, "romeo", whois="anyone")
    said = f"<delay xmlns='urn:xmpp:delay' from='{romeo.jid}' stamp='2004-09-29T01:54:37Z'/>"
    room.says(romeo, "hedge-pig", inside=f"<thread>{THREAD}</thread>{said}")
    goes_on = f"<invite to='{{}}'><continue thread='{THREAD}'/></invite>"
    romeo.sends(
        f"<message to='{room.jid}'><x xmlns='{USER}'>{goes_on.format(juliet.jid)}"
        f"{goes_on.format(nurse.bare)}</x></message>"
    )
    for client in (juliet, nurse):
        client.receives(
            f"<message from='{room.jid}'><x xmlns='{USER}'><invite from='romeo@h'>"
            f"<continue thread='{THREAD}'/></invite></x></message>"
        )
    room.join(nurse, "nurse", forget=False)
    nurse.receives("<presence/>", "<presence/>")
    heard = nurse.receives(f"<message><body>hedge-pig</body><thread>{THREAD}</thread></message>")
    assert heard.find("{urn:xmpp:delay}delay").get("stamp") == "2004-09-29T01:54:37Z"


def test_7_11_the_members_are_told_to_those_who_may_know(full):
    room, romeo, juliet, _ = full
    room.admin(romeo, "set", "<item affiliation='member' jid='juliet@h'/>")
    query = "<item affiliation='member'/>"
    assert condition(room.admin(juliet, "get", query)) == ("forbidden", "auth")
    room.configure(romeo, whois="anyone")
    juliet.forget()
    assert [one["jid"] for one in items(room.admin(juliet, "get", query))] == ["juliet@h"]


def test_7_12_what_ones_nick_is(cast, full):
    room, romeo, juliet, _ = full
    room.admin(romeo, "set", "<item affiliation='member' jid='juliet@h' nick='Jule'/>")
    query = f"<query xmlns='{DISCO}#info' node='x-roomuser-item'/>"
    identity = room.ask(juliet, "get", query).find(".//{*}identity")
    assert (identity.get("category"), identity.get("type"), identity.get("name")) == (
        "conference", "text", "Jule",
    )  # fmt: skip
    assert len(room.ask(cast("paris"), "get", query)[0]) == 0


# -- §9 to §11 ---------------------------------------------------------------------------------


def test_9_8_the_list_of_moderators_is_changed_at_once(full):
    room, romeo, juliet, nurse = full
    room.admin(romeo, "set", "<item nick='juliet' role='moderator'/>")
    change = "<item nick='juliet' role='participant'/><item nick='nurse' role='moderator'/>"
    assert room.admin(romeo, "set", change).get("type") == "result"
    nurse.settle_with(room)
    shown = {one.get("from"): items(one)[0]["role"] for one in nurse.came()}
    assert shown[room.nick("juliet")] == "participant"
    assert shown[room.nick("nurse")] == "moderator"
    listed = items(room.admin(romeo, "get", "<item role='moderator'/>"))
    assert {one["nick"] for one in listed} == {"romeo", "nurse"}
    room.admin(romeo, "set", "<item jid='juliet@h' affiliation='admin'/>")
    refused = room.admin(juliet, "set", "<item nick='romeo' role='participant'/>")
    assert condition(refused) == ("not-allowed", "cancel")


def test_10_7_and_10_8_admins_come_and_go(full):
    room, romeo, _, nurse = full
    change = "<item jid='juliet@h' affiliation='admin'/><item jid='nurse@h' affiliation='admin'/>"
    room.admin(romeo, "set", change)
    listed = items(room.admin(romeo, "get", "<item affiliation='admin'/>"))
    assert {one["jid"] for one in listed} == {"juliet@h", "nurse@h"}
    nurse.forget()
    room.admin(romeo, "set", "<item jid='juliet@h' affiliation='member'/>")
    nurse.receives(
        f"<presence from='{room.nick('juliet')}'><x xmlns='{USER}'><item affiliation='member' role='participant'/></x></presence>"
    )
    listed = items(room.admin(romeo, "get", "<item affiliation='admin'/>"))
    assert {one["jid"] for one in listed} == {"nurse@h"}


@pytest.mark.parametrize(
    "fault",
    ["gone", "item-not-found", "recipient-unavailable", "redirect", "remote-server-not-found", "remote-server-timeout"],
)  # fmt: skip
def test_11_1_and_18_1_2_who_cannot_be_reached_is_no_ghost(cast, room, bridge, fault):
    romeo = cast("romeo")
    room.make(romeo, "romeo")
    bridge.sends(
        f"<presence from='ann@bridge.h/x' to='{room.nick('ann')}'><x xmlns='{MUC}'/></presence>"
    )
    romeo.receives(f"<presence from='{room.nick('ann')}'/>")
    bridge.sends(
        f"<message type='error' from='ann@bridge.h/x' to='{room.jid}'>{error(fault, 'cancel')}</message>"
    )
    left = romeo.receives(
        f"<presence type='unavailable' from='{room.nick('ann')}'><x xmlns='{USER}'><item role='none'/></x></presence>"
    )
    assert [one.get("code") for one in left.iterfind(".//{*}status")] == ["333"]


# -- §17 and §18 -------------------------------------------------------------------------------


def test_13_the_language_of_what_is_said_stays(full):
    room, romeo, juliet, _ = full
    lang = "{http://www.w3.org/XML/1998/namespace}lang"
    juliet.sends(
        f"<message xml:lang='it' type='groupchat' to='{room.jid}'><body>ciao</body></message>",
        f"<presence xml:lang='it' to='{room.nick('juliet')}'><status>ciao</status></presence>",
    )
    assert romeo.receives("<message><body>ciao</body></message>").get(lang) == "it"
    assert romeo.receives("<presence><status>ciao</status></presence>").get(lang) == "it"


def test_17_1_addresses_are_prepared(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    juliet.sends(
        f"<presence to='{room.name.upper()}@rooms.h/{' ' * 3}'><x xmlns='{MUC}'/></presence>"
    )
    assert condition(juliet.next())[0] in ("jid-malformed", "not-acceptable")
    juliet.sends(f"<presence to='{room.name.upper()}@ROOMS.h/juliet'><x xmlns='{MUC}'/></presence>")
    juliet.receives(f"<presence from='{room.nick('romeo')}'/>")


def test_17_2_extensions_pass_and_who_is_nobody_says_nothing(cast, full):
    room, romeo, juliet, _ = full
    html = "<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'><p>hi</p></body></html>"
    state = "<composing xmlns='http://jabber.org/protocol/chatstates'/>"
    room.says(romeo, "hi", inside=html + state)
    juliet.receives(f"<message><body>hi</body>{html}{state}</message>")
    paris = cast("paris")
    for to in (room.jid, room.nick("juliet")):
        paris.sends(f"<message to='{to}' type='chat' id='x'><body>hi</body></message>")
        assert paris.receives("<message type='error' id='x'/>") is not None
    juliet.receives_nothing()


@pytest.mark.parametrize("type", ["probe", "error", "subscribe", "subscribed"])
def test_17_3_only_plain_presence_enters_and_only_unavailable_leaves(cast, full, type):
    room, romeo, juliet, _ = full
    paris = cast("paris")
    inner = error("item-not-found") if type == "error" else f"<x xmlns='{MUC}'/>"
    paris.sends(f"<presence type='{type}' to='{room.nick('paris')}'>{inner}</presence>")
    paris.sends(f"<presence type='unavailable' to='{room.nick('romeo')}'/>")
    paris.settle_with(room)
    assert [one for one in paris.came() if one.get("type") is None] == []
    romeo.receives_nothing()
    if type != "error":
        juliet.sends(f"<presence type='{type}' to='{room.nick('juliet')}'/>")
        juliet.settle_with(room)
        assert room.ask(juliet, "get", PING, room.nick("juliet")).get("type") == "result"


def test_17_4_a_role_and_an_affiliation_are_not_changed_in_one_item(full):
    room, romeo, *_ = full
    both = "<item nick='juliet' role='moderator' affiliation='admin'/>"
    assert condition(room.admin(romeo, "set", both)) == ("bad-request", "modify")


def test_18_1_who_loses_something_while_they_are_away_hears_of_it(cast, full):
    """By a word with the status code 101; who never had anything, and who is there, get none."""
    room, romeo, juliet, _ = full
    count, paris = cast("count", "paris")
    change = "<item jid='{}@h' affiliation='{}'><reason>so</reason></item>"
    for name in ("count", "juliet"):
        room.admin(romeo, "set", change.format(name, "admin"))
    for client in (count, juliet, paris):
        client.settle_with(room)
        client.forget()
    for affiliation in ("member", "none"):
        room.admin(romeo, "set", change.format("count", affiliation))
        count.receives(
            f"<message from='{room.jid}' to='count@h'><x xmlns='{USER}'><item affiliation='{affiliation}'"
            " role='none'><reason>so</reason></item><status code='101'/></x></message>"
        )
    room.admin(romeo, "set", change.format("juliet", "none") + change.format("paris", "outcast"))
    room.admin(romeo, "set", change.format("count", "outcast"))
    for client in (count, paris):
        client.receives_nothing()
    juliet.settle_with(room)
    assert [one for one in juliet.came() if one.find(".//{*}status[@code='101']") is not None] == []


def test_17_4_lists_say_what_they_are_of(full):
    """Of roles everything, with the address of the client; of affiliations no role."""
    room, romeo, juliet, _ = full
    room.admin(romeo, "set", "<item affiliation='admin' jid='juliet@h'/>")
    listed = items(room.admin(romeo, "get", "<item role='moderator'/>"))
    assert {
        "nick": "juliet",
        "role": "moderator",
        "affiliation": "admin",
        "jid": juliet.jid,
    } in listed
    listed = items(room.admin(romeo, "get", "<item affiliation='admin'/>"))
    assert listed == [{"nick": "juliet", "affiliation": "admin", "jid": "juliet@h"}]


def test_18_1_1_all_traffic_is_allowed(cast, full):
    """Whether that is said by an error or by nothing, nothing is named that would not pass."""
    room, romeo, *_ = full
    answer = room.ask(romeo, "get", f"<query xmlns='{DISCO}#info' node='{MUC}#traffic'/>")
    assert answer.findall(".//{*}feature") == []
