"""Roles, affiliations and their lists: XEP-0045 §8.2 to §8.5, §9, §10.3 to §10.9."""

import pytest

from support.rooms import ADMIN, MUC, USER, Room, condition, error


@pytest.fixture
def room():
    return Room()


@pytest.fixture
def full(cast, room):
    """Romeo's room with Juliet and the nurse in it."""
    romeo, juliet, nurse = cast("romeo", "juliet", "nurse")
    room.make(romeo, "romeo")
    room.join(juliet, "juliet")
    room.join(nurse, "nurse")
    for client in (romeo, juliet, nurse):
        client.forget()
    return room, romeo, juliet, nurse


def nick(name, role, reason=""):
    return (
        f"<item nick='{name}' role='{role}'>{f'<reason>{reason}</reason>' if reason else ''}</item>"
    )


def jid(address, affiliation, more=""):
    return f"<item jid='{address}' affiliation='{affiliation}' {more}/>"


def items(answer):
    return [dict(item.attrib) for item in answer.iterfind(".//{*}item")]


# -- §8.2: kicking -----------------------------------------------------------------------------


def test_8_2_a_moderator_puts_somebody_out(full):
    room, romeo, juliet, nurse = full
    answer = room.admin(romeo, "set", nick("juliet", "none", "Avaunt!"))
    assert answer.get("type") == "result"
    juliet.receives(
        f"<presence type='unavailable' from='{room.nick('juliet')}'><x xmlns='{USER}'>"
        "<item affiliation='none' role='none'><actor nick='romeo'/><reason>Avaunt!</reason></item>"
        "<status code='110'/><status code='307'/></x></presence>"
    )
    for client in (romeo, nurse):
        client.receives(
            f"<presence type='unavailable' from='{room.nick('juliet')}'><x xmlns='{USER}'><item role='none'/><status code='307'/></x></presence>"
        )
    room.join(juliet, "juliet", forget=False)
    juliet.receives("<presence/>")


def test_8_2_the_moderator_is_answered_before_the_others_see_it(full):
    room, romeo, _juliet, _nurse = full
    item = nick("juliet", "none")
    romeo.sends(f"<iq type='set' id='k' to='{room.jid}'><query xmlns='{ADMIN}'>{item}</query></iq>")
    romeo.receives(
        "<iq type='result' id='k'/>",
        f"<presence type='unavailable' from='{room.nick('juliet')}'/>",
    )


def test_8_2_an_owner_is_not_put_out_by_an_admin(full):
    room, romeo, juliet, _nurse = full
    room.admin(romeo, "set", jid(juliet.bare, "admin"))
    answer = room.admin(juliet, "set", nick("romeo", "none"))
    assert condition(answer) == ("not-allowed", "cancel")


def test_8_2_of_several_none_if_one_may_not_be(full):
    room, romeo, juliet, nurse = full
    room.admin(romeo, "set", jid(juliet.bare, "admin"))
    for client in (romeo, juliet, nurse):
        client.forget()
    answer = room.admin(juliet, "set", nick("nurse", "none") + nick("romeo", "none"))
    assert condition(answer) == ("not-allowed", "cancel")
    assert items(answer) == [{"nick": "romeo", "role": "none"}], "which of them it was"
    nurse.receives_nothing()


@pytest.mark.parametrize(
    ("payload", "name"),
    [
        ("", "bad-request"),
        ("<item nick='juliet' role='king'/>", "bad-request"),
        ("<item role='none'/>", "bad-request"),
        ("<item nick='juliet'/>", "bad-request"),
        ("<item nick='juliet' role='none' affiliation='none'/>", "bad-request"),
        ("<item nick='juliet' role='none'/><item jid='a@h' affiliation='member'/>", "bad-request"),
        ("<item nick='nobody' role='none'/>", "item-not-found"),
        ("<item jid='@@' affiliation='member'/>", "jid-malformed"),
        ("<item jid='a@h' affiliation='king'/>", "bad-request"),
        ("<item jid='h' affiliation='member'/>", "not-acceptable"),
    ],
)
def test_requests_that_mean_nothing(full, payload, name):
    room, romeo, juliet, _nurse = full
    assert condition(room.admin(romeo, "set", payload))[0] == name
    juliet.receives_nothing()


# -- §8.3 to §8.5: voice -----------------------------------------------------------------------


def test_8_3_voice_is_given_and_taken(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo", moderatedroom="1")
    room.join(juliet, "juliet")
    romeo.forget()
    for role in ("participant", "visitor"):
        assert room.admin(romeo, "set", nick("juliet", role, "so")).get("type") == "result"
        for client in (romeo, juliet):
            client.receives(
                f"<presence from='{room.nick('juliet')}'><x xmlns='{USER}'><item role='{role}'><reason>so</reason></item></x></presence>"
            )
    assert condition(room.admin(juliet, "set", nick("juliet", "participant"))) == (
        "forbidden",
        "auth",
    )


def test_8_4_nobody_takes_it_from_admins_and_owners(full):
    room, romeo, juliet, nurse = full
    room.admin(romeo, "set", jid(juliet.bare, "admin") + jid(nurse.bare, "owner"))
    for client, target in ((romeo, "juliet"), (juliet, "romeo"), (romeo, "nurse")):
        assert condition(room.admin(client, "set", nick(target, "visitor"))) == (
            "not-allowed",
            "cancel",
        )


def test_8_5_the_list_of_those_who_have_it(full):
    room, romeo, juliet, nurse = full
    found = items(room.admin(romeo, "get", "<item role='participant'/>"))
    assert {(i["nick"], i["role"], i["affiliation"], i["jid"]) for i in found} == {
        ("juliet", "participant", "none", juliet.jid),
        ("nurse", "participant", "none", nurse.jid),
    }
    assert condition(room.admin(juliet, "get", "<item role='participant'/>")) == (
        "forbidden",
        "auth",
    )


# -- §9.1, §9.2: banning -----------------------------------------------------------------------


def test_9_1_a_ban(full):
    room, romeo, juliet, nurse = full
    room.admin(
        romeo,
        "set",
        f"<item jid='{juliet.bare}' affiliation='outcast'><reason>Treason</reason></item>",
    )
    juliet.receives(
        f"<presence type='unavailable'><x xmlns='{USER}'><item affiliation='outcast' role='none'>"
        "<actor nick='romeo'/><reason>Treason</reason></item><status code='301'/></x></presence>"
    )
    nurse.receives(
        f"<presence type='unavailable'><x xmlns='{USER}'><item affiliation='outcast'/><status code='301'/></x></presence>"
    )
    room.join(juliet, "juliet", forget=False)
    juliet.receives(f"<presence type='error'>{error('forbidden', 'auth')}</presence>")


def test_9_1_who_is_banned_has_no_nick_there_any_more(cast, full):
    room, romeo, juliet, nurse = full
    room.admin(romeo, "set", jid(juliet.bare, "member", "nick='Jule'"))
    room.admin(romeo, "set", jid(juliet.bare, "outcast"))
    (banned,) = items(room.admin(romeo, "get", "<item affiliation='outcast'/>"))
    assert "nick" not in banned
    nurse.forget()
    nurse.sends(f"<presence to='{room.nick('Jule')}'/>")
    nurse.receives("<presence type='unavailable'/>", f"<presence from='{room.nick('Jule')}'/>")


def test_9_1_of_several_nobody_is_banned_if_one_may_not_be(full):
    room, romeo, juliet, nurse = full
    room.admin(romeo, "set", jid(juliet.bare, "admin"))
    for target in (romeo.bare, juliet.bare):
        bans = jid(nurse.bare, "outcast") + jid(target, "outcast")
        answer = room.admin(juliet, "set", bans)
        assert condition(answer)[0] in ("not-allowed", "conflict")
        assert items(answer) == [{"jid": target, "affiliation": "outcast"}], "which of them it was"
    assert items(room.admin(juliet, "get", "<item affiliation='outcast'/>")) == []


def test_9_1_somebody_is_banned_by_their_address_in_the_room(full):
    """As clients do that do not know the real one; it is that which is banned."""
    room, romeo, juliet, _nurse = full
    answer = room.admin(romeo, "set", jid(room.nick("nobody"), "outcast"))
    assert condition(answer) == ("item-not-found", "cancel")
    for address in (room.jid, room.jid.upper()):
        answer = room.admin(romeo, "set", jid(address, "outcast"))
        assert condition(answer) == ("item-not-found", "cancel")
    assert room.admin(romeo, "set", jid(room.nick("juliet"), "outcast")).get("type") == "result"
    juliet.receives(
        f"<presence type='unavailable'><x xmlns='{USER}'><status code='301'/></x></presence>"
    )
    found = items(room.admin(romeo, "get", "<item affiliation='outcast'/>"))
    assert [one["jid"] for one in found] == ["juliet@h"]


def test_9_1_nobody_bans_themselves_and_no_admin_an_owner(full):
    room, romeo, juliet, nurse = full
    assert condition(room.admin(romeo, "set", jid(romeo.bare, "outcast"))) == ("conflict", "cancel")
    room.admin(romeo, "set", jid(juliet.bare, "admin") + jid(nurse.bare, "admin"))
    for target in (romeo, nurse):
        answer = room.admin(juliet, "set", jid(target.bare, "outcast"))
        assert condition(answer) == ("not-allowed", "cancel")


def test_9_2_the_ban_list(full):
    room, romeo, juliet, _nurse = full
    bans = (
        jid("paris@h", "outcast")
        + jid("evil.example", "outcast")
        + jid("tybalt@h/sword", "outcast")
    )
    assert room.admin(romeo, "set", bans).get("type") == "result"
    found = items(room.admin(romeo, "get", "<item affiliation='outcast'/>"))
    assert [(i["jid"], i["affiliation"]) for i in found] == [
        ("evil.example", "outcast"), ("paris@h", "outcast"), ("tybalt@h", "outcast"),
    ]  # fmt: skip
    assert room.admin(romeo, "set", jid("paris@h", "none")).get("type") == "result"
    assert len(items(room.admin(romeo, "get", "<item affiliation='outcast'/>"))) == 2
    assert condition(room.admin(juliet, "get", "<item affiliation='outcast'/>")) == (
        "forbidden",
        "auth",
    )


def test_9_2_who_is_named_counts_before_their_domain(cast, full):
    room, romeo, juliet, nurse = full
    room.admin(romeo, "set", jid(juliet.bare, "member") + jid("h", "outcast"))
    nurse.receives_any_order(
        f"<presence type='unavailable' from='{room.nick('nurse')}'><x xmlns='{USER}'><status code='301'/></x></presence>",
        f"<presence from='{room.nick('juliet')}'/>",
    )
    room.says(juliet, "I stay")
    romeo.forget()
    juliet.receives_any_order(
        f"<presence from='{room.nick('juliet')}'/>",
        f"<presence type='unavailable' from='{room.nick('nurse')}'/>",
        "<message><body>I stay</body></message>",
    )
    room.admin(romeo, "set", jid("h", "none"))
    nurse.forget()
    room.join(nurse, "nurse", forget=False)
    assert nurse.next().get("type") is None


# -- §9.3 to §9.5: members ---------------------------------------------------------------------


def test_9_3_somebody_becomes_a_member_and_is_none_again(full):
    room, romeo, juliet, nurse = full
    for affiliation in ("member", "none"):
        assert room.admin(romeo, "set", jid(juliet.bare, affiliation)).get("type") == "result"
        for client in (romeo, juliet, nurse):
            client.receives(
                f"<presence from='{room.nick('juliet')}'><x xmlns='{USER}'><item affiliation='{affiliation}' role='participant'/></x></presence>"
            )


def test_9_3_a_reserved_nick_is_for_its_owner(cast, full):
    room, romeo, _juliet, _nurse = full
    paris = cast("paris")
    room.admin(romeo, "set", jid("count@h", "member", "nick='Count'"))
    room.join(paris, "count", forget=False)
    paris.receives(f"<presence type='error'>{error('conflict', 'cancel')}</presence>")
    answer = room.admin(romeo, "set", jid("other@h", "member", "nick='Count'"))
    assert condition(answer) == ("conflict", "cancel")


def test_9_5_a_nick_is_reserved_no_longer(full):
    """An empty one ends that, and none says nothing of it (§9.5)."""
    room, romeo, juliet, _nurse = full
    for change, left in ((jid(juliet.bare, "member", "nick='Jule'"), "Jule"),
                         (jid(juliet.bare, "admin"), "Jule"),
                         (jid(juliet.bare, "admin", "nick=''"), None)):  # fmt: skip
        assert room.admin(romeo, "set", change).get("type") == "result"
        room.leave(juliet, "juliet")
        own = room.ask(
            juliet,
            "get",
            "<query xmlns='http://jabber.org/protocol/disco#info' node='x-roomuser-item'/>",
        ).find(".//{*}identity")
        assert (None if own is None else own.get("name")) == left


def test_9_4_who_is_no_member_any_more_leaves_a_members_room(full):
    room, romeo, juliet, nurse = full
    room.admin(romeo, "set", jid(juliet.bare, "member") + jid(nurse.bare, "member"))
    room.configure(romeo, membersonly="1")
    for client in (romeo, juliet, nurse):
        client.forget()
    room.admin(romeo, "set", jid(juliet.bare, "none"))
    juliet.receives(
        f"<presence type='unavailable'><x xmlns='{USER}'><item affiliation='none' role='none'/><status code='110'/><status code='321'/></x></presence>"
    )
    nurse.receives(
        f"<presence type='unavailable'><x xmlns='{USER}'><item/><status code='321'/></x></presence>"
    )
    nurse.receives_nothing()


def test_9_5_who_may_see_the_members(cast, full):
    room, romeo, juliet, nurse = full
    paris = cast("paris")
    room.admin(romeo, "set", jid(juliet.bare, "member") + jid("absent@h", "member"))
    wanted = "<item affiliation='member'/>"
    for client in (juliet, nurse, paris):  # addresses are hidden here
        assert condition(room.admin(client, "get", wanted)) == ("forbidden", "auth")
    room.configure(romeo, whois="anyone")
    for client in (romeo, juliet, nurse):
        found = {i["jid"]: i.get("nick") for i in items(room.admin(client, "get", wanted))}
        assert found == {"absent@h": None, "juliet@h": "juliet"}
    assert condition(room.admin(paris, "get", wanted)) == ("forbidden", "auth")
    for affiliation in ("owner", "admin"):
        answer = room.admin(juliet, "get", f"<item affiliation='{affiliation}'/>")
        assert answer.get("type") == "result"
    assert condition(room.admin(nurse, "get", "<item affiliation='outcast'/>"))[0] == "forbidden"


@pytest.mark.parametrize(
    ("roles", "juliet_may"),
    [(["moderator", "participant"], True), (["moderator"], False), (["none"], False)],
)
def test_9_5_a_room_says_who_may_see_them(full, roles, juliet_may):
    """Members see the members all the same; who is none and only there if their role may."""
    room, romeo, juliet, nurse = full
    room.admin(romeo, "set", jid(nurse.bare, "member"))
    room.configure(romeo, whois="anyone", getmemberlist=roles)
    wanted = "<item affiliation='member'/>"
    assert (condition(room.admin(juliet, "get", wanted)) is None) is juliet_may
    for client in (romeo, nurse):
        assert [i["jid"] for i in items(room.admin(client, "get", wanted))] == ["nurse@h"]


# -- §9.6 to §9.8: moderators ------------------------------------------------------------------


def test_9_6_admins_make_moderators_and_unmake_them(full):
    room, romeo, juliet, _nurse = full
    room.admin(romeo, "set", nick("juliet", "moderator"))
    juliet.receives(
        f"<presence from='{room.nick('juliet')}'><x xmlns='{USER}'><item role='moderator'/></x></presence>"
    )
    found = items(room.admin(romeo, "get", "<item role='moderator'/>"))
    assert sorted(i["nick"] for i in found) == ["juliet", "romeo"]
    assert condition(room.admin(juliet, "get", "<item role='moderator'/>")) == ("forbidden", "auth")
    assert condition(room.admin(juliet, "set", nick("nurse", "moderator"))) == ("forbidden", "auth")
    assert room.admin(juliet, "set", nick("nurse", "none")).get("type") == "result"
    room.admin(romeo, "set", nick("juliet", "participant"))
    assert condition(room.admin(juliet, "set", nick("romeo", "visitor"))) == ("forbidden", "auth")


def test_9_7_not_those_who_are_it_by_affiliation(full):
    room, romeo, juliet, nurse = full
    room.admin(romeo, "set", jid(juliet.bare, "admin") + jid(nurse.bare, "admin"))
    for target in ("romeo", "nurse"):
        assert condition(room.admin(juliet, "set", nick(target, "participant"))) == (
            "not-allowed",
            "cancel",
        )


# -- §10.3 to §10.8: admins and owners ---------------------------------------------------------


def test_10_3_those_who_see_addresses_hear_of_people_who_are_not_there(full):
    room, romeo, juliet, _nurse = full
    room.admin(romeo, "set", jid("absent@h", "admin"))
    romeo.receives(
        f"<message from='{room.jid}'><x xmlns='{USER}'><item affiliation='admin' jid='absent@h' role='none'/></x></message>"
    )
    juliet.receives_nothing()
    room.configure(romeo, whois="anyone")
    juliet.forget()
    room.admin(romeo, "set", jid("absent@h", "none"))
    juliet.receives(
        f"<message><x xmlns='{USER}'><item affiliation='none' jid='absent@h'/></x></message>"
    )


@pytest.mark.parametrize("affiliation", ["admin", "owner"])
def test_10_3_and_10_6_owners_make_owners_and_admins(full, affiliation):
    room, romeo, juliet, nurse = full
    assert (
        room.admin(romeo, "set", jid(f"{juliet.bare}/anything", affiliation)).get("type")
        == "result"
    )
    for client in (romeo, juliet, nurse):
        client.receives(
            f"<presence from='{room.nick('juliet')}'><x xmlns='{USER}'><item affiliation='{affiliation}' role='moderator'/></x></presence>"
        )
    found = items(room.admin(romeo, "get", f"<item affiliation='{affiliation}'/>"))
    assert "juliet@h" in [i["jid"] for i in found]
    room.admin(romeo, "set", jid(juliet.bare, "none"))
    nurse.receives(
        f"<presence from='{room.nick('juliet')}'><x xmlns='{USER}'><item affiliation='none' role='participant'/></x></presence>"
    )


def test_10_4_a_room_has_an_owner(full):
    room, romeo, juliet, _nurse = full
    assert condition(room.admin(romeo, "set", jid(romeo.bare, "admin"))) == ("conflict", "cancel")
    assert condition(room.owner(romeo, "set", _owners())) == ("conflict", "cancel")
    room.admin(romeo, "set", jid(juliet.bare, "owner"))
    assert room.admin(romeo, "set", jid(romeo.bare, "admin")).get("type") == "result"


def _owners(*people):
    values = "".join(f"<value>{one}</value>" for one in people)
    return (
        "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>"
        f"<field var='muc#roomconfig_roomowners'>{values}</field></x>"
    )


def test_10_5_admins_edit_neither_list(full):
    room, romeo, juliet, nurse = full
    room.admin(romeo, "set", jid(juliet.bare, "admin"))
    for affiliation in ("admin", "owner"):
        answer = room.admin(juliet, "set", jid(nurse.bare, affiliation))
        assert condition(answer) == ("forbidden", "auth")
        answer = room.admin(juliet, "get", f"<item affiliation='{affiliation}'/>")
        assert condition(answer) == ("forbidden", "auth")


def test_10_2_full_lists_of_admins_and_owners(full):
    room, romeo, juliet, nurse = full
    room.configure(romeo, roomadmins=[juliet.bare], roomowners=[romeo.bare, nurse.bare])
    assert [i["jid"] for i in items(room.admin(romeo, "get", "<item affiliation='owner'/>"))] == [
        "nurse@h",
        "romeo@h",
    ]
    assert [i["jid"] for i in items(room.admin(romeo, "get", "<item affiliation='admin'/>"))] == [
        "juliet@h"
    ]
    room.configure(romeo, roomadmins=[], roomowners=[romeo.bare])
    assert [i["jid"] for i in items(room.admin(romeo, "get", "<item affiliation='owner'/>"))] == [
        "romeo@h"
    ]


# -- §10.2: configuration ----------------------------------------------------------------------


def test_10_2_only_owners(cast, full):
    room, romeo, juliet, nurse = full
    room.admin(romeo, "set", jid(juliet.bare, "admin"))
    for client in (juliet, nurse, cast("paris")):
        assert condition(room.owner(client, "get")) == ("forbidden", "auth")
        assert condition(room.owner(client, "set", "<x xmlns='jabber:x:data' type='submit'/>")) == (
            "forbidden",
            "auth",
        )
        assert condition(room.owner(client, "set", "<destroy/>")) == ("forbidden", "auth")


@pytest.mark.parametrize(
    ("fields", "codes"),
    [
        ({"whois": "anyone"}, ["172"]),
        ({"enablelogging": "1"}, ["170"]),
        ({"roomname": "New"}, ["104"]),
        ({"whois": "anyone", "roomname": "New"}, ["172", "104"]),
    ],
)
def test_10_2_1_occupants_are_told(full, fields, codes):
    room, romeo, juliet, _nurse = full
    room.configure(romeo, **fields)
    status = "".join(f"<status code='{code}'/>" for code in codes)
    juliet.receives(
        f"<message from='{room.jid}' type='groupchat'><x xmlns='{USER}'>{status}</x></message>"
    )
    assert not [one for one in juliet.came() if one.tag.endswith("}message")]


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ({"whois": "anyone"}, {"whois": "moderators"}, "173"),
        ({"enablelogging": "1"}, {"enablelogging": "0"}, "171"),
    ],
)
def test_10_2_1_and_when_it_is_private_again(full, before, after, code):
    room, romeo, juliet, _nurse = full
    room.configure(romeo, **before)
    juliet.settle_with(room)
    juliet.forget()
    room.configure(romeo, **after)
    juliet.receives(
        f"<message from='{room.jid}' type='groupchat'><x xmlns='{USER}'><status code='{code}'/></x></message>"
    )


def test_10_2_cancelling_changes_nothing(full):
    room, romeo, juliet, _nurse = full
    answer = room.owner(romeo, "set", "<x xmlns='jabber:x:data' type='cancel'/>")
    assert answer.get("type") == "result"
    juliet.receives_nothing()
    room.says(juliet, "still here")
    romeo.receives("<message><body>still here</body></message>")


@pytest.mark.parametrize(
    ("field", "affiliation", "left"),
    [
        ("roomadmins", "admin", ("none", "participant")),
        ("roomowners", "owner", ("admin", "moderator")),
    ],
)
def test_10_2_who_gains_and_loses_by_a_form_is_shown(full, field, affiliation, left):
    room, romeo, juliet, nurse = full
    keep = [romeo.bare] if field == "roomowners" else []
    room.configure(romeo, **{field: [*keep, juliet.bare]})
    nurse.receives(
        f"<presence from='{room.nick('juliet')}'><x xmlns='{USER}'><item affiliation='{affiliation}' role='moderator'/></x></presence>"
    )
    room.configure(romeo, **{field: keep})
    nurse.receives(
        f"<presence from='{room.nick('juliet')}'><x xmlns='{USER}'><item affiliation='{left[0]}' role='{left[1]}'/></x></presence>"
    )


def test_10_2_strangers_leave_when_it_becomes_a_members_room(full):
    room, romeo, juliet, nurse = full
    room.admin(romeo, "set", jid(nurse.bare, "member"))
    for client in (romeo, juliet, nurse):
        client.forget()
    room.configure(romeo, membersonly="1")
    juliet.receives(
        "<message/>",
        f"<presence type='unavailable'><x xmlns='{USER}'><item role='none'/><status code='110'/><status code='322'/></x></presence>",
    )
    nurse.receives(
        "<message/>",
        f"<presence type='unavailable'><x xmlns='{USER}'><item/><status code='322'/></x></presence>",
    )


def test_10_2_visitors_need_not_be_seen(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo", moderatedroom="1", presencebroadcast=["moderator", "participant"])
    juliet.sends(f"<presence to='{room.nick('juliet')}'><x xmlns='{MUC}'/></presence>")
    juliet.receives(
        "<presence/>",
        f"<presence><x xmlns='{USER}'><item role='visitor'/><status code='110'/></x></presence>",
    )
    romeo.receives_nothing()
    room.admin(romeo, "set", nick("juliet", "participant"))
    romeo.receives(
        f"<presence from='{room.nick('juliet')}'><x xmlns='{USER}'><item role='participant'/></x></presence>"
    )
    room.admin(romeo, "set", nick("juliet", "visitor"))
    romeo.receives(f"<presence type='unavailable' from='{room.nick('juliet')}'/>")


# -- §10.9: destroying -------------------------------------------------------------------------


def test_10_9_an_owner_destroys_a_room(full):
    room, romeo, juliet, nurse = full
    room.configure(romeo, persistentroom="1")
    for client in (juliet, nurse):
        client.forget()
    answer = room.owner(
        romeo,
        "set",
        "<destroy jid='heath@rooms.h'><reason>Macbeth doth come.</reason><password>p</password></destroy>",
    )
    assert answer.get("type") == "result"
    for client, own in ((romeo, "romeo"), (juliet, "juliet"), (nurse, "nurse")):
        client.receives(
            f"<presence type='unavailable' from='{room.nick(own)}'><x xmlns='{USER}'><item affiliation='none' role='none'/>"
            "<destroy jid='heath@rooms.h'><reason>Macbeth doth come.</reason><password>p</password></destroy></x></presence>"
        )
        client.receives_nothing()
    assert condition(room.owner(romeo, "get")) == ("item-not-found", "cancel")


# -- §7.10, §9.9: registration -----------------------------------------------------------------

REGISTER = "<query xmlns='jabber:iq:register'>{}</query>"


def registering(own):
    return REGISTER.format(
        "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#register</value></field>"
        f"<field var='muc#register_roomnick'><value>{own}</value></field></x>"
    )


def test_7_10_people_register_and_keep_their_nick(full):
    room, romeo, juliet, nurse = full
    shown = room.ask(juliet, "get", REGISTER.format(""))
    assert shown.find(".//{jabber:x:data}field[@var='muc#register_roomnick']") is not None
    assert condition(room.ask(juliet, "set", REGISTER.format(""))) == ("bad-request", "modify")
    assert room.ask(juliet, "set", registering("Jule")).get("type") == "result"
    nurse.receives(
        f"<presence from='{room.nick('juliet')}'><x xmlns='{USER}'><item affiliation='member'/></x></presence>"
    )
    again = room.ask(juliet, "get", REGISTER.format(""))
    assert again.findtext(".//{jabber:iq:register}username") == "Jule"
    assert condition(room.ask(nurse, "set", registering("jule"))) == ("conflict", "cancel")
    own = room.ask(
        juliet,
        "get",
        "<query xmlns='http://jabber.org/protocol/disco#info' node='x-roomuser-item'/>",
    )
    assert own.find(".//{*}identity").get("name") == "Jule"
    other = room.ask(
        nurse,
        "get",
        "<query xmlns='http://jabber.org/protocol/disco#info' node='x-roomuser-item'/>",
    )
    assert other.find(".//{*}identity") is None
    assert room.ask(juliet, "set", REGISTER.format("<remove/>")).get("type") == "result"
    assert not items(room.admin(romeo, "get", "<item affiliation='member'/>"))


def test_7_10_where_it_is_not_allowed(cast, full):
    room, romeo, juliet, _nurse = full
    room.configure(romeo, **{"hausbote#registration": "0"})
    assert condition(room.ask(juliet, "get", REGISTER.format(""))) == ("not-allowed", "cancel")
    assert condition(room.ask(juliet, "set", registering("x"))) == ("not-allowed", "cancel")
    nowhere = room.ask(juliet, "get", REGISTER.format(""), "nowhere@rooms.h")
    assert condition(nowhere) == ("item-not-found", "cancel")


def test_9_9_admins_of_a_members_room_decide(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo", membersonly="1")
    assert room.ask(juliet, "set", registering("Jule")).get("type") == "result"
    asked = romeo.receives(
        f"<message from='{room.jid}'><x xmlns='jabber:x:data' type='form'><field var='FORM_TYPE'/></x></message>"
    )
    answer = (
        "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#register</value></field>"
        "<field var='muc#register_roomnick'><value>Jule</value></field><field var='muc#register_jid'><value>juliet@h</value></field>"
        "<field var='muc#register_allow'><value>1</value></field></x>"
    )
    juliet.sends(f"<message to='{room.jid}' id='own'>{answer}</message>")
    juliet.receives(f"<message type='error' id='own'>{error('forbidden', 'auth')}</message>")
    assert asked is not None
    romeo.sends(f"<message to='{room.jid}'>{answer}</message>")
    juliet.receives(f"<message><x xmlns='{USER}'><invite/></x></message>")
    room.join(juliet, "Jule", forget=False)
    juliet.receives(
        "<presence/>", f"<presence><x xmlns='{USER}'><item affiliation='member'/></x></presence>"
    )


@pytest.mark.parametrize(
    ("affiliations", "membersonly", "owners"),
    [
        ({"nurse": "admin", "paris": "member"}, "0", {"nurse@h"}),
        ({"nurse": "member", "paris": "member"}, "1", {"nurse@h", "paris@h"}),
        ({"nurse": "member"}, "0", set()),
    ],
)
def test_10_a_room_whose_owner_is_gone_has_others(cast, room, affiliations, membersonly, owners):
    keeper, nurse, _paris = cast("keeper", "nurse", "paris")
    room.make(keeper, "keeper", membersonly=membersonly, persistentroom="1")
    for name, affiliation in affiliations.items():
        room.admin(keeper, "set", jid(f"{name}@h", affiliation))
    room.join(nurse, "nurse")
    nurse.forget()
    keeper.sends(
        "<iq type='set' id='gone'><query xmlns='jabber:iq:register'><remove/></query></iq>"
    )
    while keeper.next() is not None:
        pass
    awaited = {
        (room.nick("keeper"), "unavailable"),
        *([(room.nick("nurse"), None)] if owners else []),
    }
    while awaited:  # between them she is shown the addresses of the others
        one = nurse.next()
        assert one is not None
        awaited.discard((one.get("from"), one.get("type")))
    answer = room.admin(nurse, "get", "<item affiliation='owner'/>")
    assert {item["jid"] for item in items(answer)} == owners


def test_who_gets_a_deleted_accounts_name_gets_nothing_of_its_rooms(world, cast, full):
    room, romeo, juliet, _nurse = full
    room.admin(romeo, "set", jid(juliet.bare, "owner"))
    juliet.sends(
        "<iq type='set' id='gone'><query xmlns='jabber:iq:register'><remove/></query></iq>"
    )
    while juliet.next() is not None:
        pass
    world.add_account("juliet")
    other = cast("juliet/other")
    assert condition(room.owner(other, "get")) == ("forbidden", "auth")
    assert [i["jid"] for i in items(room.admin(romeo, "get", "<item affiliation='owner'/>"))] == [
        "romeo@h"
    ]
