"""Coming into rooms, and not being let in: XEP-0045 §7.1 to §7.3, §7.6, §7.7, §7.14, §10.1."""

import pytest

from support.patterns import matches, parse
from support.rooms import MUC, USER, Room, condition, error, form


@pytest.fixture
def room():
    return Room()


def join(room, nick, inside="", id="j"):
    return f"<presence to='{room.nick(nick)}' id='{id}'><x xmlns='{MUC}'>{inside}</x></presence>"


def refused(room, nick, name, type):
    return (
        f"<presence type='error' from='{room.nick(nick)}' id='j'><x xmlns='{MUC}'/>"
        f"<error type='{type}' by='{room.jid}'><{name} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>"
    )


# -- §7.2: entering ----------------------------------------------------------------------------


def test_7_2_1_a_nick_is_needed(cast, room):
    romeo = cast("romeo")
    romeo.sends(f"<presence to='{room.jid}' id='j'><x xmlns='{MUC}'/></presence>")
    romeo.receives(
        f"<presence type='error' from='{room.jid}' id='j'><x xmlns='{MUC}'/>"
        f"{error('jid-malformed', 'modify')}</presence>"
    )


def test_7_2_2_newcomers_see_everybody_and_then_themselves(cast, room):
    romeo, juliet, nurse = cast("romeo", "juliet", "nurse")
    room.make(romeo, "romeo")
    room.join(juliet, "juliet")
    romeo.forget()
    nurse.sends(join(room, "nurse"))
    nurse.receives_any_order(
        f"<presence from='{room.nick('romeo')}'><x xmlns='{USER}'><item affiliation='owner' role='moderator'/></x></presence>",
        f"<presence from='{room.nick('juliet')}'><x xmlns='{USER}'><item affiliation='none' role='participant'/></x></presence>",
    )
    nurse.receives(
        f"<presence from='{room.nick('nurse')}' id='j'><x xmlns='{USER}'><item/><status code='110'/></x></presence>",
        "<message type='groupchat'><subject/></message>",
    )
    for client in (romeo, juliet):
        client.receives(f"<presence from='{room.nick('nurse')}'/>")


def test_7_2_2_who_joins_again_gets_everything_again(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    room.join(juliet, "juliet")
    juliet.sends(join(room, "juliet"))
    juliet.receives(
        f"<presence from='{room.nick('romeo')}'/>",
        f"<presence from='{room.nick('juliet')}'><x xmlns='{USER}'><status code='110'/></x></presence>",
        "<message><subject/></message>",
    )


def test_7_2_3_addresses_are_shown_where_they_are_not_hidden(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo", whois="anyone")
    juliet.sends(join(room, "juliet"))
    juliet.receives(
        f"<presence from='{room.nick('romeo')}'><x xmlns='{USER}'><item jid='{romeo.jid}'/></x></presence>",
        f"<presence><x xmlns='{USER}'><item jid='{juliet.jid}'/><status code='100'/><status code='110'/></x></presence>",
    )


def test_7_2_4_addresses_are_for_moderators_elsewhere(cast, room):
    romeo, juliet, nurse = cast("romeo", "juliet", "nurse")
    room.make(romeo, "romeo")
    room.join(nurse, "nurse")
    romeo.forget()
    juliet.sends(join(room, "juliet"))
    romeo.receives(f"<presence><x xmlns='{USER}'><item jid='{juliet.jid}'/></x></presence>")
    seen = nurse.receives(f"<presence><x xmlns='{USER}'><item/></x></presence>")
    assert "juliet@h" not in [seen.find(".//{*}item").get("jid")]
    assert seen.find(".//{*}item").get("jid") is None
    for _ in range(2):
        other = juliet.receives("<presence/>")
        if not other.get("from").endswith("juliet"):
            assert other.find(".//{*}item").get("jid") is None


def test_7_2_5_a_password_is_needed(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo", passwordprotectedroom="1", roomsecret="cauldron")
    for inside in ("", "<password>wrong</password>", "<password/>"):
        juliet.sends(join(room, "juliet", inside))
        juliet.receives(refused(room, "juliet", "not-authorized", "auth"))
    juliet.sends(join(room, "juliet", "<password>cauldron</password>"))
    juliet.receives(f"<presence from='{room.nick('romeo')}'/>")


def test_7_2_6_strangers_do_not_get_into_a_members_room(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo", membersonly="1")
    juliet.sends(join(room, "juliet"))
    juliet.receives(refused(room, "juliet", "registration-required", "auth"))
    romeo.receives_nothing()


def test_7_2_7_who_is_banned_stays_outside(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    room.admin(romeo, "set", f"<item affiliation='outcast' jid='{juliet.bare}'/>")
    juliet.sends(join(room, "juliet"))
    juliet.receives(refused(room, "juliet", "forbidden", "auth"))


def test_7_2_7_a_whole_domain_can_be_banned(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    assert room.admin(romeo, "set", "<item affiliation='outcast' jid='h'/>").get("type") == "result"
    juliet.sends(join(room, "juliet"))
    juliet.receives(refused(room, "juliet", "forbidden", "auth"))
    assert [one for one in romeo.came() if one.tag.endswith("presence")] == []


@pytest.mark.parametrize("nick", ["romeo", "ROMEO", "ｒｏｍｅｏ"])
def test_7_2_8_a_nick_is_had_once(cast, room, nick):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    juliet.sends(join(room, nick))
    juliet.receives(refused(room, nick, "conflict", "cancel"))


def test_7_2_8_ones_own_clients_share_a_nick(cast, room):
    romeo, phone, desk = cast("romeo", "juliet/phone", "juliet/desk")
    room.make(romeo, "romeo")
    room.join(phone, "juliet")
    desk.sends(join(room, "juliet"))
    desk.receives(
        f"<presence from='{room.nick('romeo')}'/>",
        f"<presence from='{room.nick('juliet')}'><x xmlns='{USER}'><status code='110'/></x></presence>",
        "<message><subject/></message>",
    )
    phone.forget()
    romeo.forget()
    room.says(phone, "from the phone")
    for client in (romeo, phone, desk):
        client.receives(
            f"<message from='{room.nick('juliet')}'><body>from the phone</body></message>"
        )
    room.says(desk, "from the desk")
    for client in (romeo, phone, desk):
        client.receives(
            f"<message from='{room.nick('juliet')}'><body>from the desk</body></message>"
        )
    room.leave(phone, "juliet")
    phone.receives(
        f"<presence type='unavailable'><x xmlns='{USER}'><status code='110'/></x></presence>"
    )
    assert all(one.get("type") is None for one in romeo.came())
    desk.receives("<presence/>")
    room.says(romeo, "still there")
    desk.receives("<message><body>still there</body></message>")
    phone.receives_nothing()


def test_7_2_9_a_full_room_lets_only_admins_in(cast, room):
    romeo, juliet, nurse, paris = cast("romeo", "juliet", "nurse", "paris")
    room.make(romeo, "romeo", maxusers="2")
    room.join(juliet, "juliet")
    nurse.sends(join(room, "nurse"))
    nurse.receives(refused(room, "nurse", "service-unavailable", "wait"))
    room.admin(romeo, "set", f"<item affiliation='admin' jid='{paris.bare}'/>")
    paris.sends(join(room, "paris"))
    paris.receives(
        "<presence/>",
        "<presence/>",
        "<presence><x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x></presence>",
    )


def test_7_2_10_a_locked_room_is_not_there(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.join(romeo, "romeo")
    juliet.sends(join(room, "juliet"))
    juliet.receives(refused(room, "juliet", "item-not-found", "cancel"))
    answer = room.ask(juliet, "get", "<query xmlns='http://jabber.org/protocol/disco#info'/>")
    assert condition(answer) == ("item-not-found", "cancel")


def test_7_2_12_who_enters_a_logged_room_is_told(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo", enablelogging="1")
    juliet.sends(join(room, "juliet"))
    juliet.receives(
        "<presence/>",
        f"<presence><x xmlns='{USER}'><status code='110'/><status code='170'/></x></presence>",
    )


def test_7_2_17_presence_of_who_is_not_there_is_answered_with_a_kick(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    for target in (room, Room("nowhere-at-all")):
        juliet.sends(f"<presence to='{target.nick('juliet')}'><show>away</show></presence>")
        juliet.receives(
            f"<presence type='unavailable' from='{target.nick('juliet')}'><x xmlns='{USER}'>"
            "<item affiliation='none' role='none'/>"
            "<status code='110'/><status code='307'/><status code='333'/></x></presence>"
        )
    romeo.receives_nothing()


@pytest.mark.parametrize(
    ("nick", "name", "type"),
    [(" juliet", "not-acceptable", "modify"), ("x" * 65, "not-acceptable", "modify")],
)
def test_impossible_nicks_are_refused(cast, room, nick, name, type):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    juliet.sends(join(room, nick))
    assert condition(juliet.next()) == (name, type)
    romeo.receives_nothing()


def test_huge_presence_is_not_passed_on(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    juliet.sends(
        f"<presence to='{room.nick('juliet')}'><x xmlns='{MUC}'/><status>{'x' * 20_000}</status></presence>"
    )
    assert condition(juliet.next()) == ("policy-violation", "modify")
    romeo.receives_nothing()


def test_what_only_the_room_may_say_is_taken_out_of_presence(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    juliet.sends(
        f"<presence to='{room.nick('juliet')}'><x xmlns='{MUC}'/>"
        f"<x xmlns='{USER}'><item affiliation='owner' role='moderator'/></x>"
        "<occupant-id xmlns='urn:xmpp:occupant-id:0' id='forged'/>"
        "<hats xmlns='urn:xmpp:hats:0'><hat title='King' uri='x'/></hats></presence>"
    )
    seen = romeo.receives(f"<presence from='{room.nick('juliet')}'/>")
    assert len(seen.findall(f"{{{USER}}}x")) == 1
    assert seen.find(".//{*}item").get("affiliation") == "none"
    ids = seen.findall("{urn:xmpp:occupant-id:0}occupant-id")
    assert len(ids) == 1
    assert ids[0].get("id") != "forged"
    assert seen.find("{urn:xmpp:hats:0}hats") is None


def occupant_ids(client, room):
    """What the room calls people by their nicks, of everything that came."""
    client.settle_with(room)
    return {
        one.get("from").partition("/")[2]: one.find("{urn:xmpp:occupant-id:0}occupant-id").get("id")
        for one in client.came()
        if one.find("{urn:xmpp:occupant-id:0}occupant-id") is not None
    }


def test_an_occupant_id_lasts_and_means_nothing_in_another_room(cast):
    romeo, juliet = cast("romeo", "juliet")
    here, there = Room(), Room()
    found = {}
    for room in (here, there):
        room.make(romeo, "romeo", persistentroom="1")
        romeo.forget()
        room.join(juliet, "juliet")
        room.says(juliet, "x")
        found[room.jid] = occupant_ids(romeo, room)["juliet"]
    assert found[here.jid] != found[there.jid]
    here.leave(juliet, "juliet")
    here.join(juliet, "somebody")
    other = cast("juliet/other")
    here.join(other, "else")
    ids = occupant_ids(romeo, here)
    assert ids["somebody"] == ids["else"] == found[here.jid]


def test_a_client_enters_all_its_rooms_at_once(cast):
    """As clients do that come back with many bookmarks, two of one person at the same time."""
    romeo = cast("romeo")
    rooms = [Room().make(romeo, "romeo") for _ in range(20)]
    phone, desk = cast("juliet/phone", "juliet/desk")
    for client in (phone, desk):
        client.sends(
            "".join(
                f"<presence to='{room.nick('juliet')}'><x xmlns='{MUC}'/></presence>"
                for room in rooms
            )
        )
    for client in (phone, desk):
        client.settle_with(rooms[0])
        came = client.came()
        inside = {
            one.get("from")
            for one in came
            if one.find(f"{{{USER}}}x/{{{USER}}}status[@code='110']") is not None
        }
        assert inside == {room.nick("juliet") for room in rooms}
        assert len([one for one in came if one.find("{*}subject") is not None]) == len(rooms)


# -- §7.2.13 to §7.2.15: history and subject ---------------------------------------------------


def bodies(client):
    return [
        m.findtext("{jabber:client}body")
        for m in client.came()
        if m.find("{jabber:client}body") is not None
    ]


def test_7_2_13_newcomers_get_what_was_said(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    for number in range(3):
        room.says(romeo, f"line {number}")
    romeo.settle_with(room)
    juliet.sends(join(room, "juliet"))
    juliet.receives("<presence/>", "<presence/>")
    for number in range(3):
        juliet.receives(
            f"<message from='{room.nick('romeo')}' type='groupchat' to='{juliet.jid}'><body>line {number}</body>"
            f"<delay xmlns='urn:xmpp:delay' from='{room.jid}' stamp='*'/></message>"
        )
    juliet.receives("<message type='groupchat'><subject/></message>")


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ("maxstanzas='2'", ["line 3", "line 4"]),
        ("maxstanzas='0'", []),
        ("maxchars='0'", []),
        ("seconds='3600'", [f"line {n}" for n in range(5)]),
        ("seconds='0'", []),
        ("since='2099-01-01T00:00:00Z'", []),
        ("since='1970-01-01T00:00:00Z' maxstanzas='1'", ["line 4"]),
        ("maxstanzas='nonsense'", [f"line {n}" for n in range(5)]),
    ],
)
def test_7_2_14_history_is_managed(cast, room, history, expected):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    for number in range(5):
        room.says(romeo, f"line {number}")
    romeo.settle_with(room)
    juliet.sends(join(room, "juliet", f"<history {history}/>"))
    juliet.settle_with(room)
    assert bodies(juliet) == expected


def test_7_2_14_no_message_is_cut(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    room.says(romeo, "x" * 2_000)
    room.says(romeo, "short")
    romeo.settle_with(room)
    juliet.sends(join(room, "juliet", "<history maxchars='1500'/>"))
    juliet.settle_with(room)
    assert bodies(juliet) == ["short"]


def test_7_2_13_newcomers_get_what_is_encrypted(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    for inside in ("<header/><payload>c2VjcmV0</payload>", "<header/>"):
        romeo.sends(
            f"<message to='{room.jid}' type='groupchat'>"
            f"<encrypted xmlns='urn:xmpp:omemo:2'>{inside}</encrypted><store xmlns='urn:xmpp:hints'/></message>"
        )
    romeo.settle_with(room)
    juliet.sends(join(room, "juliet"))
    juliet.receives(
        "<presence/>",
        "<presence/>",
        "<message><encrypted xmlns='urn:xmpp:omemo:2'><payload/></encrypted><delay xmlns='urn:xmpp:delay'/></message>",
        "<message><subject/></message>",
    )


def test_7_2_13_the_room_decides_how_much_at_most(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo", **{"muc#maxhistoryfetch": "1"})
    room.says(romeo, "one")
    room.says(romeo, "two")
    romeo.settle_with(room)
    juliet.sends(join(room, "juliet", "<history maxstanzas='100'/>"))
    juliet.settle_with(room)
    assert bodies(juliet) == ["two"]


def test_7_2_15_the_subject_comes_last_with_its_time(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    romeo.sends(
        f"<message to='{room.jid}' type='groupchat' id='s'><subject>Fire burn</subject></message>"
    )
    romeo.receives(
        f"<message from='{room.nick('romeo')}' id='s'><subject>Fire burn</subject></message>"
    )
    room.says(romeo, "after it")
    romeo.settle_with(room)
    juliet.sends(join(room, "juliet"))
    juliet.receives(
        "<presence/>",
        "<presence/>",
        "<message><body>after it</body></message>",
        f"<message from='{room.nick('romeo')}' type='groupchat'><subject>Fire burn</subject>"
        f"<delay xmlns='urn:xmpp:delay' from='{room.jid}' stamp='*'/></message>",
    )


# -- §7.6, §7.7: nick and status ---------------------------------------------------------------


def test_7_6_a_nick_can_be_changed(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    room.join(juliet, "juliet")
    romeo.forget()
    juliet.sends(f"<presence to='{room.nick('sun')}'/>")
    juliet.receives(
        f"<presence type='unavailable' from='{room.nick('juliet')}'><x xmlns='{USER}'>"
        "<item nick='sun' role='participant'/><status code='110'/><status code='303'/></x></presence>",
        f"<presence from='{room.nick('sun')}'><x xmlns='{USER}'><item role='participant'/><status code='110'/></x></presence>",
    )
    romeo.receives(
        f"<presence type='unavailable' from='{room.nick('juliet')}'><x xmlns='{USER}'><item nick='sun'/><status code='303'/></x></presence>",
        f"<presence from='{room.nick('sun')}'/>",
    )
    room.says(juliet, "I am the sun")
    romeo.receives(f"<message from='{room.nick('sun')}'/>")


def test_7_6_to_one_that_somebody_has_it_cannot(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    room.join(juliet, "juliet")
    romeo.forget()
    juliet.sends(f"<presence to='{room.nick('romeo')}' id='j'/>")
    juliet.receives(
        f"<presence type='error' id='j' from='{room.nick('romeo')}'>{error('conflict', 'cancel')}</presence>"
    )
    romeo.receives_nothing()
    room.says(juliet, "still me")
    romeo.receives(f"<message from='{room.nick('juliet')}'/>")


def test_7_6_nicks_are_locked_down(cast, room):
    """Who registered one enters with it, whatever they ask for, and keeps it."""
    romeo, juliet, nurse = cast("romeo", "juliet", "nurse")
    room.make(romeo, "romeo", **{"hausbote#locked_nicks": "1"})
    room.admin(romeo, "set", "<item affiliation='member' jid='juliet@h' nick='Jule'/>")
    romeo.forget()
    juliet.sends(join(room, "empress"))
    juliet.receives(
        "<presence/>",
        f"<presence from='{room.nick('Jule')}' id='j'><x xmlns='{USER}'><status code='110'/><status code='210'/></x></presence>",
        "<message/>",
    )
    romeo.receives(f"<presence from='{room.nick('Jule')}'/>")
    juliet.sends(f"<presence to='{room.nick('empress')}' id='c'/>")
    juliet.receives(f"<presence type='error' id='c'>{error('not-acceptable', 'cancel')}</presence>")
    room.leave(juliet, "Jule")
    juliet.forget()
    juliet.sends(join(room, "Jule"))
    own = juliet.receives("<presence/>", f"<presence from='{room.nick('Jule')}'/>")
    assert [one.get("code") for one in own.iterfind(".//{*}status")] == ["110"]
    room.join(nurse, "nurse")
    nurse.sends(f"<presence to='{room.nick('angelica')}'/>")
    nurse.receives("<presence type='unavailable'/>", f"<presence from='{room.nick('angelica')}'/>")


def test_7_6_a_nick_may_change_its_letters(cast, room):
    romeo = cast("romeo")
    room.make(romeo, "romeo")
    romeo.sends(f"<presence to='{room.nick('Romeo')}'/>")
    romeo.receives(
        f"<presence type='unavailable' from='{room.nick('romeo')}'/>",
        f"<presence from='{room.nick('Romeo')}'/>",
    )


def test_7_7_everybody_sees_a_new_status(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    room.join(juliet, "juliet")
    romeo.forget()
    juliet.sends(
        f"<presence to='{room.nick('juliet')}'><show>xa</show><status>gone</status></presence>"
    )
    for client in (romeo, juliet):
        client.receives(
            f"<presence from='{room.nick('juliet')}'><show>xa</show><status>gone</status><x xmlns='{USER}'><item/></x></presence>"
        )


# -- §7.14: going ------------------------------------------------------------------------------


def test_7_14_a_goodbye_is_heard(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    room.join(juliet, "juliet")
    romeo.forget()
    juliet.sends(
        f"<presence to='{room.nick('juliet')}' type='unavailable'><status>to bed</status></presence>"
    )
    romeo.receives(
        f"<presence type='unavailable'><status>to bed</status><x xmlns='{USER}'><item role='none'/></x></presence>"
    )
    juliet.settle_with(room)
    juliet.forget()
    room.says(juliet, "ghost")
    juliet.receives(f"<message type='error'>{error('not-acceptable', 'cancel')}</message>")
    romeo.receives_nothing()


def test_7_14_a_client_that_vanishes_leaves(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    room.join(juliet, "juliet")
    romeo.forget()
    juliet.wire.cut()
    romeo.receives(f"<presence type='unavailable' from='{room.nick('juliet')}'/>")


def test_7_14_a_general_goodbye_is_one_to_all_rooms(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    room.join(juliet, "juliet")
    romeo.forget()
    juliet.sends("<presence type='unavailable'/>")
    romeo.receives(f"<presence type='unavailable' from='{room.nick('juliet')}'/>")


def test_7_14_a_temporary_room_ends_with_the_last(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo", roomname="Cave")
    room.leave(romeo, "romeo")
    answer = room.ask(juliet, "get", "<query xmlns='http://jabber.org/protocol/disco#info'/>")
    assert condition(answer) == ("item-not-found", "cancel")
    juliet.sends(join(room, "juliet"))
    juliet.receives(
        f"<presence><x xmlns='{USER}'><item affiliation='owner'/><status code='201'/></x></presence>"
    )


def test_7_14_a_persistent_room_stays(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo", persistentroom="1")
    room.says(romeo, "for later")
    room.leave(romeo, "romeo")
    juliet.sends(join(room, "juliet"))
    juliet.receives(
        f"<presence><x xmlns='{USER}'><item affiliation='none'/></x></presence>",
        "<message><body>for later</body></message>",
    )


def test_leaving_a_room_that_one_is_not_in_is_nothing(cast, room):
    romeo = cast("romeo")
    romeo.sends(f"<presence to='{room.nick('romeo')}' type='unavailable'/>")
    romeo.receives_nothing()


# -- §10.1: making rooms -----------------------------------------------------------------------


def test_10_1_2_an_instant_room(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.join(romeo, "romeo")
    answer = room.owner(romeo, "set", "<x xmlns='jabber:x:data' type='submit'/>")
    assert answer.get("type") == "result"
    juliet.sends(join(room, "juliet"))
    juliet.receives("<presence/>")


def test_10_1_3_a_reserved_room(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.join(romeo, "romeo")
    shown = room.owner(romeo, "get")
    fields = {f.get("var"): f for f in shown.iterfind(".//{jabber:x:data}field")}
    for name in [
        "roomname",
        "roomdesc",
        "lang",
        "enablelogging",
        "changesubject",
        "allowinvites",
        "allowpm",
        "maxusers",
        "presencebroadcast",
        "getmemberlist",
        "publicroom",
        "persistentroom",
        "moderatedroom",
        "membersonly",
        "passwordprotectedroom",
        "roomsecret",
        "whois",
        "roomadmins",
        "roomowners",
        "pubsub",
        "enablearchiving",
    ]:
        assert f"muc#roomconfig_{name}" in fields
    assert "muc#maxhistoryfetch" in fields
    assert room.owner(romeo, "set", form(roomname="A Dark Cave")).get("type") == "result"
    juliet.sends(join(room, "juliet"))
    juliet.receives("<presence/>")


@pytest.mark.parametrize(
    "fields",
    [
        {"passwordprotectedroom": "1"},
        {"passwordprotectedroom": "1", "roomsecret": ""},
        {"membersonly": "perhaps"},
        {"whois": "nobody"},
        {"maxusers": "many"},
        {"allowpm": "some"},
        {"presencebroadcast": ["king"]},
        {"roomname": "x" * 2_000},
        {"roomadmins": ["@@"]},
    ],
)
def test_10_1_3_a_configuration_that_cannot_be(cast, room, fields):
    romeo, juliet = cast("romeo", "juliet")
    room.join(romeo, "romeo")
    assert condition(room.owner(romeo, "set", form(**fields))) == ("not-acceptable", "modify")
    juliet.sends(join(room, "juliet"))
    juliet.receives(refused(room, "juliet", "item-not-found", "cancel"))


def test_10_1_3_cancelling_destroys_the_room(cast, room):
    romeo = cast("romeo")
    room.join(romeo, "romeo")
    answer = room.owner(romeo, "set", "<x xmlns='jabber:x:data' type='cancel'/>")
    assert answer.get("type") == "result"
    romeo.receives(f"<presence type='unavailable'><x xmlns='{USER}'><destroy/></x></presence>")
    assert condition(room.owner(romeo, "get")) == ("item-not-found", "cancel")


def test_10_1_3_leaving_an_unconfigured_room_destroys_it(cast, room):
    romeo = cast("romeo")
    room.join(romeo, "romeo")
    romeo.sends(f"<presence to='{room.nick('romeo')}' type='unavailable'/>")
    romeo.receives(
        f"<presence type='unavailable'><x xmlns='{USER}'><item role='none'/><destroy/></x></presence>"
    )
    assert condition(room.owner(romeo, "get")) == ("item-not-found", "cancel")


def test_presence_that_is_an_error_puts_its_sender_out(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    room.join(juliet, "juliet")
    romeo.forget()
    juliet.sends(
        f"<presence type='error' to='{room.nick('romeo')}'>{error('service-unavailable', 'cancel')}</presence>"
    )
    romeo.receives(
        f"<presence type='unavailable' from='{room.nick('juliet')}'><x xmlns='{USER}'><item role='none'/><status code='333'/></x></presence>"
    )


def test_a_pattern_is_not_satisfied_by_another_condition():
    assert not matches(parse(error("conflict")), parse(error("forbidden")))
