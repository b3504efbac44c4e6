"""What can be learned of rooms, and what not: XEP-0045 §6, XEP-0433, XEP-0486, XEP-0307; limits."""

import base64
import hashlib

import pytest
from lxml import etree

from support.component import Component
from support.rooms import MUC, USER, Room, condition, form

INFO = "<query xmlns='http://jabber.org/protocol/disco#info'/>"
ITEMS = "<query xmlns='http://jabber.org/protocol/disco#items'/>"
DATA = "{jabber:x:data}"


@pytest.fixture
def room():
    return Room()


def features(answer):
    return {one.get("var") for one in answer.iterfind(".//{*}feature")}


def fields(answer):
    return {
        f.get("var"): [v.text for v in f.iterfind(f"{DATA}value")]
        for f in answer.iterfind(f".//{DATA}field")
    }


def listed(answer):
    return {one.get("jid"): one.get("name") for one in answer.iterfind(".//{*}item")}


# -- §6 ----------------------------------------------------------------------------------------


def test_6_1_and_6_2_the_service(cast):
    romeo = cast("romeo")
    assert "rooms.h" in listed(Room().ask(romeo, "get", ITEMS, "h"))
    answer = Room().ask(romeo, "get", INFO, "rooms.h")
    assert answer.find(".//{*}identity").get("category") == "conference"
    assert features(answer) >= {
        MUC,
        f"{MUC}#stable_id",
        f"{MUC}#unique",
        "vcard-temp",
        "urn:xmpp:channel-search:0:search",
    }


def test_6_3_public_rooms_are_listed_and_hidden_ones_not(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    hidden, locked = Room(), Room()
    room.make(romeo, "romeo", roomname="A Dark Cave")
    hidden.make(romeo, "romeo", publicroom="0")
    locked.join(romeo, "romeo")
    found = listed(room.ask(juliet, "get", ITEMS, "rooms.h"))
    assert found.get(room.jid) == "A Dark Cave"
    assert hidden.jid not in found
    assert locked.jid not in found


def test_6_3_page_by_page(cast):
    romeo = cast("romeo")
    for _ in range(3):
        Room().make(romeo, "romeo")
    paged = ITEMS.replace(
        "/>", "><set xmlns='http://jabber.org/protocol/rsm'><max>1</max>{}</set></query>"
    )
    first = Room().ask(romeo, "get", paged.format(""), "rooms.h")
    assert len(listed(first)) == 1
    last = first.findtext(".//{*}last")
    second = Room().ask(romeo, "get", paged.format(f"<after>{last}</after>"), "rooms.h")
    assert len(listed(second)) == 1
    assert listed(second) != listed(first)
    unknown = Room().ask(romeo, "get", paged.format("<after>nobody-knows</after>"), "rooms.h")
    assert condition(unknown) == ("item-not-found", "cancel")


def test_6_4_a_room_says_what_it_is(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo", roomname="Cave", roomdesc="For witches", lang="en")
    answer = room.ask(juliet, "get", INFO)
    assert answer.find(".//{*}identity").get("name") == "Cave"
    assert features(answer) >= {
        MUC, f"{MUC}#stable_id", f"{MUC}#self-ping-optimization", "muc_public", "muc_open", "muc_temporary",
        "muc_unmoderated", "muc_semianonymous", "muc_unsecured", "urn:xmpp:mam:2", "urn:xmpp:mam:2#extended",
        "urn:xmpp:sid:0", "urn:xmpp:occupant-id:0", "urn:xmpp:message-moderate:1", "urn:xmpp:message-retract:1",
        "urn:xmpp:message-retract:1#tombstone", "vcard-temp", "jabber:iq:register",
    }  # fmt: skip
    known = fields(answer)
    assert known["FORM_TYPE"] == [f"{MUC}#roominfo"]
    assert known["muc#roominfo_description"] == ["For witches"]
    assert known["muc#roominfo_occupants"] == ["1"]
    assert known["muc#roominfo_lang"] == ["en"]
    room.configure(romeo, pubsub="xmpp:pubsub.h?;node=cave")
    assert fields(room.ask(juliet, "get", INFO))["muc#roomconfig_pubsub"] == [
        "xmpp:pubsub.h?;node=cave"
    ]
    room.configure(
        romeo, publicroom="0", membersonly="1", moderatedroom="1", whois="anyone", persistentroom="1",
        passwordprotectedroom="1", roomsecret="x", enablearchiving="0",
    )  # fmt: skip
    other = features(room.ask(romeo, "get", INFO))
    assert other >= {
        "muc_hidden", "muc_membersonly", "muc_persistent", "muc_moderated", "muc_nonanonymous", "muc_passwordprotected",
    }  # fmt: skip
    assert "urn:xmpp:mam:2" not in other


@pytest.mark.parametrize(
    ("settings", "invites", "private"),
    [
        ({}, "1", "anyone"),
        ({"membersonly": "1", "allowpm": "moderators"}, "0", "moderators"),
        ({"membersonly": "1", "allowinvites": "1", "allowpm": "none"}, "1", "none"),
    ],
)
def test_6_4_clients_know_what_they_may_offer(cast, room, settings, invites, private):
    romeo = cast("romeo")
    room.make(romeo, "romeo", **settings)
    known = fields(room.ask(romeo, "get", INFO))
    assert known["muc#roomconfig_allowinvites"] == [invites]
    assert known["muc#roomconfig_allowpm"] == [private]


def test_a_room_is_there_or_not(cast, room):
    romeo = cast("romeo")
    ping = "<ping xmlns='urn:xmpp:ping'/>"
    assert condition(room.ask(romeo, "get", ping)) == ("item-not-found", "cancel")
    room.make(romeo, "romeo")
    assert room.ask(romeo, "get", ping).get("type") == "result"


def test_6_5_who_is_there_is_for_those_who_are(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    assert listed(room.ask(romeo, "get", ITEMS)) == {room.nick("romeo"): None}
    assert listed(room.ask(juliet, "get", ITEMS)) == {}


@pytest.mark.parametrize(
    "payload",
    [
        INFO.replace("/>", " node='nonsense'/>"),
        ITEMS.replace("/>", " node='nonsense'/>"),
    ],
)
def test_nodes_that_are_not_there(cast, room, payload):
    romeo = cast("romeo")
    room.make(romeo, "romeo")
    assert condition(room.ask(romeo, "get", payload)) == ("item-not-found", "cancel")


def test_unknown_requests_are_refused(cast, room):
    romeo = cast("romeo")
    room.make(romeo, "romeo")
    for target in (room.jid, "nowhere@rooms.h"):
        answer = room.ask(romeo, "get", "<x xmlns='urn:nobody:knows'/>", target)
        assert condition(answer) == ("service-unavailable", "cancel")


# -- outsiders ---------------------------------------------------------------------------------


def outsider(bridge, payload, to, type="get"):
    """The answer to somebody from another domain."""
    bridge.sends(f"<iq type='{type}' id='o' from='spy@bridge.h/x' to='{to}'>{payload}</iq>")
    return bridge.next()


@pytest.mark.parametrize(
    "closed", [{"membersonly": "1"}, {"passwordprotectedroom": "1", "roomsecret": "x"}]
)
def test_a_closed_room_tells_outsiders_what_it_is_and_not_what_goes_on(cast, room, closed):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo", roomname="Cave", **closed)
    romeo.sends(f"<message to='{room.jid}' type='groupchat'><subject>Hush</subject></message>")
    romeo.settle_with(room)
    inside = {"muc#roominfo_subject": ["Hush"], "muc#roominfo_occupants": ["1"]}
    known = fields(room.ask(juliet, "get", INFO))
    assert known["muc#roomconfig_roomname"] == ["Cave"]
    assert not inside.keys() & known.keys()
    assert inside.items() <= fields(room.ask(romeo, "get", INFO)).items()


def test_a_hidden_room_tells_outsiders_nothing(cast, room, bridge):
    romeo = cast("romeo")
    room.make(
        romeo, "romeo", publicroom="0", membersonly="1", roomname="Secret name", roomdesc="Secret text", whois="anyone",
        persistentroom="1",
    )  # fmt: skip
    romeo.sends(
        f"<message to='{room.jid}' type='groupchat'><subject>Secret talk</subject></message>"
    )
    room.says(romeo, "Secret word")
    romeo.settle_with(room)
    requests = [
        ("get", INFO), ("get", ITEMS), ("get", "<vCard xmlns='vcard-temp'/>"),
        ("get", f"<query xmlns='{MUC}#admin'><item affiliation='member'/></query>"),
        ("get", f"<query xmlns='{MUC}#admin'><item affiliation='owner'/></query>"),
        ("get", f"<query xmlns='{MUC}#admin'><item role='moderator'/></query>"),
        ("get", f"<query xmlns='{MUC}#owner'/>"),
        ("set", "<query xmlns='urn:xmpp:mam:2'/>"), ("get", "<metadata xmlns='urn:xmpp:mam:2'/>"),
        ("get", INFO.replace("/>", " node='x-roomuser-item'/>")),
    ]  # fmt: skip
    for type, payload in requests:
        text = etree.tostring(outsider(bridge, payload, room.jid, type)).decode()
        for secret in ("Secret", "romeo"):
            assert secret not in text, payload
    assert listed(outsider(bridge, ITEMS, "rooms.h")) == {}
    search = outsider(bridge, "<search xmlns='urn:xmpp:channel-search:0:search'/>", "rooms.h")
    assert condition(search) == ("forbidden", "auth")
    bridge.sends(
        f"<presence from='spy@bridge.h/x' to='{room.nick('spy')}'><x xmlns='{MUC}'/></presence>"
    )
    assert condition(bridge.next())[0] == "registration-required"
    bridge.sends(
        f"<presence from='spy@bridge.h/x' to='new@rooms.h/spy'><x xmlns='{MUC}'/></presence>"
    )
    assert condition(bridge.next()) == ("not-allowed", "cancel")


def test_people_of_other_domains_come_into_open_rooms(cast, room, bridge):
    romeo = cast("romeo")
    room.make(romeo, "romeo")
    bridge.sends(
        f"<presence from='ann@bridge.h/x' to='{room.nick('ann')}'><x xmlns='{MUC}'/></presence>"
    )
    bridge.receives(
        f"<presence from='{room.nick('romeo')}' to='ann@bridge.h/x'/>",
        f"<presence from='{room.nick('ann')}'><x xmlns='{USER}'><status code='110'/></x></presence>",
        "<message><subject/></message>",
    )
    romeo.receives(f"<presence from='{room.nick('ann')}'/>")
    bridge.sends(
        f"<message from='ann@bridge.h/x' to='{room.jid}' type='groupchat'><body>hi</body></message>"
    )
    romeo.receives(f"<message from='{room.nick('ann')}'><body>hi</body></message>")
    bridge.receives("<message to='ann@bridge.h/x'><body>hi</body></message>")


def test_when_a_whole_domain_is_away_its_people_leave(cast, room, component):
    romeo = cast("romeo")
    room.make(romeo, "romeo")
    bridge = component()
    bridge.attach()
    crowd = 60
    for number in range(crowd):
        bridge.sends(
            f"<presence from='p{number}@bridge.h/x' to='{room.nick(f'p{number}')}'><x xmlns='{MUC}'/></presence>"
        )
    joined = set()
    while len(joined) < crowd:
        joined.add(romeo.next().get("from"))
    bridge.wire.cut()
    romeo.settle()
    room.says(romeo, "is anybody there?")
    gone = set()
    while len(gone) < crowd:
        stanza = romeo.next()
        assert stanza is not None
        if stanza.get("type") == "unavailable":
            gone.add(stanza.get("from"))
            assert [s.get("code") for s in stanza.iterfind(".//{*}status")] == ["333"]
    romeo.receives_nothing()
    assert listed(room.ask(romeo, "get", ITEMS)) == {room.nick("romeo"): None}


def test_who_hears_that_a_server_is_away_knows_no_ghosts(cast, room, bridge):
    """Nobody had to speak to them in vain."""
    romeo = cast("romeo")
    room.make(romeo, "romeo")
    for nick in ("ann", "bob"):
        bridge.sends(
            f"<presence from='{nick}@bridge.h/x' to='{room.nick(nick)}'><x xmlns='{MUC}'/></presence>"
        )
        romeo.receives(f"<presence from='{room.nick(nick)}'/>")
    bridge.sends(
        "<presence type='error' from='bridge.h' to='rooms.h'><error type='wait'>"
        "<remote-server-timeout xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>"
    )
    romeo.receives_any_order(*[
        f"<presence type='unavailable' from='{room.nick(nick)}'><x xmlns='{USER}'><status code='333'/></x></presence>"
        for nick in ("ann", "bob")
    ])  # fmt: skip
    assert listed(room.ask(romeo, "get", ITEMS)) == {room.nick("romeo"): None}


# -- XEP-0433 ----------------------------------------------------------------------------------

ORDER = "{urn:xmpp:channel-search:0:order}"


def search(client, more="", **given):
    written = "".join(
        f"<field var='{var}'><value>{value}</value></field>" for var, value in given.items()
    )
    form = (
        "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:xmpp:channel-search:0:search-params"
        f"</value></field>{written}</x>"
    )
    return Room().ask(
        client,
        "get",
        f"<search xmlns='urn:xmpp:channel-search:0:search'>{form}{more}</search>",
        "rooms.h",
    )


def found(answer):
    assert answer.get("type") == "result"
    return [
        one.get("address") for one in answer.iterfind(".//{urn:xmpp:channel-search:0:search}item")
    ]


BEFORE = "https://xmlns.zombofant.net/muclumbus/search/1.0"


def search_as_before(client, **given):
    """As Converse.js does."""
    written = "".join(
        f"<field var='{var}'><value>{value}</value></field>" for var, value in given.items()
    )
    kind = f"<field var='FORM_TYPE' type='hidden'><value>{BEFORE}#params</value></field>"
    form = f"<x xmlns='jabber:x:data' type='submit'>{kind}{written}</x>"
    paging = "<set xmlns='http://jabber.org/protocol/rsm'><max>10</max></set>"
    return Room().ask(client, "get", f"<search xmlns='{BEFORE}'>{paging}{form}</search>", "rooms.h")


def test_rooms_are_found_by_the_names_of_the_older_protocol(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    other, hidden = Room(), Room()
    room.make(romeo, "romeo", roomname=f"Cave {room.name}", roomdesc="Potions")
    other.make(romeo, "romeo", roomname=f"Heath {room.name}")
    other.join(juliet, "juliet")
    hidden.make(romeo, "romeo", publicroom="0", roomname=f"Cave {room.name} too")
    usual = {"sinname": "true", "sindescription": "false", "sinaddr": "true", "min_users": "1"}

    def found(**given):
        answer = search_as_before(romeo, **usual | given)
        assert answer.get("type") == "result"
        return [one.get("address") for one in answer.iterfind(f".//{{{BEFORE}}}item")]

    assert found(q=f"cave {room.name}", key="address") == [room.jid]
    assert found(q=room.name, key="address") == sorted([other.jid, room.jid])
    assert found(q=room.name, key="nusers") == [other.jid, room.jid]
    assert found(q=f"potions {room.name}", key="address") == []
    assert found(q=room.jid, key="address", sinaddr="false") == []
    for wrong in ({"q": ""}, {"q": "x"}):
        assert search_as_before(romeo, **wrong).get("type") == "error"
    bare = Room().ask(romeo, "get", f"<search xmlns='{BEFORE}'/>", "rooms.h")
    assert bare.find(".//{urn:ietf:params:xml:ns:xmpp-stanzas}bad-request") is not None


def test_public_rooms_are_found_by_words(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    other, hidden = Room(), Room()
    room.make(romeo, "romeo", roomname=f"Cave {room.name}", roomdesc="Potions and owls")
    other.make(romeo, "romeo", roomname=f"Heath {room.name}")
    other.join(juliet, "juliet")
    hidden.make(romeo, "romeo", publicroom="0", roomname=f"Cave {room.name} too")
    form = Room().ask(romeo, "get", "<search xmlns='urn:xmpp:channel-search:0:search'/>", "rooms.h")
    assert {"q", "key", "all", "sinname", "sindescription", "sinaddress", "types"} <= set(
        fields(form)
    )
    assert found(search(romeo, q=f"cave {room.name}")) == [room.jid]
    assert found(search(romeo, q=f"POTIONS {room.name}")) == [room.jid]
    assert found(search(romeo, q=room.name)) == [other.jid, room.jid]
    by_address = found(search(romeo, q=room.name, key=f"{ORDER}address"))
    assert by_address == sorted([other.jid, room.jid])
    assert found(search(romeo, q=room.name, min_users="2")) == [other.jid]
    assert found(search(romeo, q=f"potions {room.name}", sindescription="0")) == []
    assert {room.jid, other.jid} <= set(found(search(romeo, all="true")))
    item = search(romeo, q=f"potions {room.name}").find(".//{urn:xmpp:channel-search:0:search}item")
    assert item.findtext("{*}nusers") == "1"
    assert item.findtext("{*}service-type") == "xep-0045"
    assert item.findtext("{*}anonymity-mode") == "muc_semianonymous"


@pytest.mark.parametrize(
    ("given", "name", "type", "reason"),
    [
        ({}, "bad-request", "cancel", "no-search-conditions"),
        ({"q": "x y"}, "bad-request", "modify", "invalid-search-terms"),
        ({"q": "cave", "all": "1"}, "bad-request", "modify", "conflicting-fields"),
        ({"q": "cave", "key": "size"}, "feature-not-implemented", "modify", "invalid-sort-key"),
    ],
)
def test_searches_that_make_no_sense(cast, given, name, type, reason):
    answer = search(cast("romeo"), **given)
    assert condition(answer) == (name, type)
    assert answer.find(f".//{{urn:xmpp:channel-search:0:error}}{reason}") is not None


# -- XEP-0486 ----------------------------------------------------------------------------------


def test_a_room_has_a_picture(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo")
    room.join(juliet, "juliet")
    data = b"\x89PNG picture"
    photo = (
        f"<PHOTO><TYPE>image/png</TYPE><BINVAL>{base64.b64encode(data).decode()}</BINVAL></PHOTO>"
    )
    vcard = f"<vCard xmlns='vcard-temp'>{photo}</vCard>"
    assert condition(room.ask(juliet, "set", vcard)) == ("forbidden", "auth")
    broken = vcard.replace("<BINVAL>", "<BINVAL>!!")
    assert condition(room.ask(romeo, "set", broken)) == ("bad-request", "modify")
    assert condition(
        room.ask(romeo, "set", vcard.replace("<BINVAL>", f"<BINVAL>{'AAAA' * 40_000}"))
    ) == ("not-acceptable", "modify")
    assert room.ask(romeo, "set", vcard).get("type") == "result"
    juliet.receives(
        f"<message from='{room.jid}' type='groupchat'><x xmlns='{USER}'><status code='104'/></x></message>"
    )
    info = fields(room.ask(juliet, "get", INFO))
    assert info["muc#roominfo_avatarhash"] == [hashlib.sha1(data).hexdigest()]
    shown = room.ask(juliet, "get", "<vCard xmlns='vcard-temp'/>")
    assert base64.b64decode(shown.findtext(".//{vcard-temp}BINVAL")) == data
    room.ask(romeo, "set", "<vCard xmlns='vcard-temp'/>")
    assert "muc#roominfo_avatarhash" not in fields(room.ask(juliet, "get", INFO))


# -- names and limits --------------------------------------------------------------------------


def test_a_name_that_nobody_has(cast):
    romeo = cast("romeo")
    answer = Room().ask(romeo, "get", f"<unique xmlns='{MUC}#unique'/>", "rooms.h")
    name = answer.findtext(".//{*}unique")
    Room(name).make(romeo, "romeo")
    assert answer.findtext(".//{*}unique") == name.lower()


def test_what_an_owner_chose_can_be_chosen_again(cast, room):
    romeo = cast("romeo")
    room.make(romeo, "romeo", maxusers="7")
    answer = room.owner(romeo, "get")
    (field,) = [f for f in answer.iter("{*}field") if f.get("var") == "muc#roomconfig_maxusers"]
    assert field.findtext("{*}value") == "7"
    assert "7" in [value.text for value in field.iterfind("{*}option/{*}value")]


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("group", {"muc_hidden", "muc_membersonly", "muc_nonanonymous", "muc_persistent"}),
        ("channel", {"muc_public", "muc_open", "muc_semianonymous", "muc_persistent"}),
        ("open", {"muc_public", "muc_open", "muc_temporary"}),
    ],
)
def test_kinds_of_rooms(own_cast, kind, wanted):
    romeo = own_cast(rooms={"default": kind})("romeo")
    room = Room()
    room.make(romeo, "romeo")
    assert features(room.ask(romeo, "get", INFO)) >= wanted


GROUP = {"muc_hidden", "muc_membersonly", "muc_nonanonymous", "muc_persistent"}


@pytest.mark.parametrize(
    ("chosen", "wanted"),
    [
        ({}, {"muc_public", "muc_open", "muc_semianonymous", "muc_temporary"}),
        (
            {"membersonly": "1"},
            {"muc_public", "muc_membersonly", "muc_semianonymous", "muc_temporary"},
        ),
        ({"hausbote#kind": "group"}, GROUP),
        ({"hausbote#kind": "group", "publicroom": "1", "membersonly": "0"}, GROUP),
        ({"hausbote#kind": "channel"}, {"muc_public", "muc_open", "muc_persistent"}),
        ({"hausbote#kind": "channel", "moderatedroom": "1"}, {"muc_persistent", "muc_moderated"}),
        ({"hausbote#kind": ""}, {"muc_public", "muc_temporary"}),
    ],
)
def test_kinds_are_ready_to_pick(cast, room, chosen, wanted):
    """The form has them, and who picks none gets what they say and nothing else."""
    romeo = cast("romeo")
    room.make(romeo, "romeo", **chosen)
    assert features(room.ask(romeo, "get", INFO)) >= wanted


COMMON = {"persistentroom": "1", "membersonly": "1", "publicroom": "0", "whois": "anyone"}


@pytest.mark.parametrize(
    "sent",
    [
        {**COMMON, "changesubject": "0", "allowinvites": "0", "enablearchiving": "1", "mam": "1"},
        {**COMMON, "allowinvites": "1", "moderatedroom": "0", "public_list": "0"},
        {
            **COMMON, "getmemberlist": ["participant"], "allowinvites": "0", "changesubject": "0",
            "enablelogging": "0", "muc#maxhistoryfetch": "0",
        },
    ],
    ids=["Conversations", "Gajim", "Monal"],
)  # fmt: skip
def test_what_clients_call_a_private_group_is_one(cast, room, sent):
    """What they send when somebody presses the button: members only, who see each other's
    addresses and all members, as OMEMO needs, hidden, and still there tomorrow."""
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo", **sent)
    assert features(room.ask(romeo, "get", INFO)) >= GROUP | {"urn:xmpp:mam:2"}
    room.admin(romeo, "set", "<item affiliation='member' jid='juliet@h'/>")
    for affiliation, expected in (("owner", ["romeo@h"]), ("member", ["juliet@h"])):
        query = f"<query xmlns='{MUC}#admin'><item affiliation='{affiliation}'/></query>"
        found = room.ask(juliet, "get", query).iterfind(".//{*}item")
        assert [one.get("jid") for one in found] == expected
    room.leave(romeo, "romeo")
    room.join(juliet, "juliet", forget=False)
    juliet.receives_any_order(
        f"<message><x xmlns='{USER}'><invite/></x></message>",
        f"<presence from='{room.nick('juliet')}'><x xmlns='{USER}'><item affiliation='member'/></x></presence>",
        "<message><subject/></message>",
    )


@pytest.mark.parametrize(
    "form", ["", "<field var='muc#roomconfig_moderatedroom'><value>0</value></field>"]
)
def test_a_room_whose_maker_says_nothing_is_entered_by_others_at_once(cast, room, form):
    """An instant room, or one of whose form one field was changed: clients and suites rely on it."""
    romeo, juliet = cast("romeo", "juliet")
    room.join(romeo, "romeo")
    answer = room.owner(romeo, "set", f"<x xmlns='jabber:x:data' type='submit'>{form}</x>")
    assert answer.get("type") == "result"
    room.join(juliet, "juliet", forget=False)
    juliet.receives(f"<presence from='{room.nick('romeo')}'/>")


def test_a_room_of_another_kind_keeps_its_name_and_what_was_changed(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    room.make(romeo, "romeo", roomname="Orchard", persistentroom="1")
    room.join(juliet, "juliet")
    room.configure(romeo, **{"hausbote#kind": "group", "moderatedroom": "1", "roomdesc": "Dark"})
    answer = room.ask(romeo, "get", INFO)
    assert features(answer) >= GROUP | {"muc_moderated"}
    shown = fields(answer)
    assert shown["muc#roomconfig_roomname"] == ["Orchard"]
    assert shown["muc#roominfo_description"] == ["Dark"]
    juliet.receives("<message/>", "<presence type='unavailable'/>")
    refused = room.owner(romeo, "set", form(**{"hausbote#kind": "palace"}))
    assert condition(refused) == ("not-acceptable", "modify")


def test_strangers_may_be_shown_the_rooms(own_cast):
    people = own_cast(rooms={"directory": "everybody", "default": "channel"})
    room = Room()
    room.make(people("romeo"), "romeo")
    bridge = Component(people.world.component_wire(), "bridge.h")
    bridge.attach()
    assert room.jid in listed(outsider(bridge, ITEMS, "rooms.h"))
    bridge.wire.cut()
