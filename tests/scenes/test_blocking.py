"""Blocking people and reporting them: XEP-0191, XEP-0377."""

import pytest
from lxml import etree

from support.federation import log_in, wait_until
from support.pep import arrives, event, iq, listens, publish
from support.rooms import USER, Room
from support.worlds import PASSWORD

NS = "urn:xmpp:blocking"
STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"
REPORTING = "urn:xmpp:reporting:1"
BLOCKED = (
    f"<error type='cancel'><not-acceptable xmlns='{STANZAS}'/>"
    f"<blocked xmlns='{NS}:errors'/></error>"
)
UNAVAILABLE = f"<error type='cancel'><service-unavailable xmlns='{STANZAS}'/></error>"


def change(name, *jids, inner=""):
    items = "".join(f"<item jid='{jid}'>{inner}</item>" for jid in jids)
    return f"<iq type='set' id='b'><{name} xmlns='{NS}'>{items}</{name}></iq>"


def blocks(client, *jids):
    client.sends(change("block", *jids))
    client.receives("<iq type='result' id='b'/>")


def unblocks(client, *jids):
    client.sends(change("unblock", *jids))
    client.receives("<iq type='result' id='b'/>")


def listed(client):
    client.sends(f"<iq type='get' id='l'><blocklist xmlns='{NS}'/></iq>")
    answer = client.receives(f"<iq type='result' id='l'><blocklist xmlns='{NS}'/></iq>")
    return [item.get("jid") for item in answer[0]]


def says(text="Hark!", to="juliet@h"):
    return f"<message to='{to}' type='chat' id='m'><body>{text}</body></message>"


def test_the_server_says_that_it_can(cast):
    romeo = cast("romeo")
    info = "http://jabber.org/protocol/disco#info"
    romeo.sends(f"<iq type='get' id='d' to='h'><query xmlns='{info}'/></iq>")
    query = romeo.receives("<iq type='result'/>")[0]
    assert {NS, REPORTING} <= {one.get("var") for one in query}


def test_the_list_is_empty_then_filled_then_emptied(cast):
    juliet = cast("juliet")
    assert listed(juliet) == []
    juliet.sends(change("block", "romeo@h", "paris@h/x"))
    juliet.receives_any_order(
        "<iq type='result' id='b'/>",
        f"<iq type='set' to='juliet@h/somewhere'><block xmlns='{NS}'>"
        "<item jid='romeo@h'/><item jid='paris@h/x'/></block></iq>",
    )
    assert listed(juliet) == ["paris@h/x", "romeo@h"]
    juliet.sends(change("unblock", "romeo@h"))
    juliet.receives_any_order(
        "<iq type='result' id='b'/>",
        f"<iq type='set'><unblock xmlns='{NS}'><item jid='romeo@h'/></unblock></iq>",
    )
    assert listed(juliet) == ["paris@h/x"]
    juliet.sends(change("unblock"))
    juliet.receives_any_order(
        "<iq type='result' id='b'/>", f"<iq type='set'><unblock xmlns='{NS}'/></iq>"
    )
    assert listed(juliet) == []


def test_only_clients_that_asked_for_the_list_hear_of_changes(cast):
    juliet, phone = cast("juliet/desk", "juliet/phone")
    juliet.forget()
    listed(phone)
    blocks(juliet, "romeo@h")
    juliet.receives_nothing()
    phone.receives(f"<iq type='set' to='juliet@h/phone'><block xmlns='{NS}'/></iq>")


def test_the_list_outlives_the_session(cast):
    juliet, romeo = cast("juliet", "romeo")
    blocks(juliet, "romeo@h")
    juliet.leaves()
    romeo.sends(says())
    romeo.receives(f"<message type='error' id='m' from='juliet@h'>{UNAVAILABLE}</message>")
    juliet = cast("juliet")
    juliet.receives_nothing()
    assert listed(juliet) == ["romeo@h"]


def test_nothing_of_the_blocked_arrives(cast):
    juliet, romeo = cast("juliet/balcony", "romeo")
    blocks(juliet, "romeo@h")
    for to in ("juliet@h", "juliet@h/balcony"):
        romeo.sends(says(to=to))
        romeo.receives(f"<message type='error' id='m' from='{to}'>{UNAVAILABLE}</message>")
        ping = "<ping xmlns='urn:xmpp:ping'/>"
        romeo.sends(f"<iq type='get' id='p' to='{to}'>{ping}</iq>")
        romeo.receives(f"<iq type='error' id='p' from='{to}'>{UNAVAILABLE}</iq>")
        romeo.sends(f"<iq type='result' id='r' to='{to}'/>")
        for type in ("", "type='unavailable'", "type='subscribe'", "type='probe'"):
            romeo.sends(f"<presence {type} to='{to}'/>")
    romeo.receives_nothing()
    juliet.receives_nothing()


def test_what_one_sends_to_the_blocked_comes_back(cast):
    juliet, romeo = cast("juliet", "romeo/orchard")
    blocks(juliet, "romeo@h")
    juliet.sends(says(to="romeo@h"))
    juliet.receives(f"<message type='error' id='m' from='romeo@h'>{BLOCKED}</message>")
    juliet.sends("<iq type='get' id='p' to='romeo@h/orchard'><ping xmlns='urn:xmpp:ping'/></iq>")
    juliet.receives(f"<iq type='error' id='p' from='romeo@h/orchard'>{BLOCKED}</iq>")
    juliet.sends("<presence to='romeo@h' id='x'/>")
    juliet.receives(f"<presence type='error' id='x'>{BLOCKED}</presence>")
    romeo.receives_nothing()


@pytest.mark.parametrize("type", ["subscribe", "subscribed", "unsubscribe", "unsubscribed"])
def test_what_is_refused_because_somebody_is_blocked_changes_no_roster(cast, type):
    juliet, romeo, paris = cast("juliet", "romeo", "paris")
    cast.befriend(juliet, romeo)
    blocks(juliet, "romeo@h")
    blocks(juliet, "paris@h")
    romeo.forget()
    roster = "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>"
    juliet.sends(roster)
    before = etree.tostring(juliet.receives("<iq type='result' id='r'/>")[0])
    for to in ("romeo@h", "paris@h"):
        juliet.sends(f"<presence type='{type}' to='{to}'/>")
        juliet.receives(f"<presence type='error' from='{to}'>{BLOCKED}</presence>")
    juliet.sends(roster)
    assert etree.tostring(juliet.receives("<iq type='result' id='r'/>")[0]) == before
    for client in (juliet, romeo, paris):
        client.receives_nothing()


def test_whoever_asks_somebody_who_blocks_them_sees_what_they_would_of_anybody(cast):
    juliet, romeo = cast("juliet", "romeo")
    blocks(juliet, "romeo@h")
    romeo.sends("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>")
    romeo.receives("<iq type='result' id='r'/>")
    romeo.sends("<presence type='subscribe' to='juliet@h'/>")
    romeo.receives(
        "<iq type='set'><query xmlns='jabber:iq:roster'><item jid='juliet@h' ask='subscribe'/></query></iq>"
    )
    romeo.receives_nothing()
    juliet.receives_nothing()


def test_what_waits_when_somebody_is_blocked_does_not_arrive_any_more(cast):
    romeo, juliet = cast("romeo", "juliet/desk")
    juliet.sends("<presence><priority>-1</priority></presence>")  # takes no messages
    juliet.forget()
    romeo.sends(says(), "<presence type='subscribe' to='juliet@h'/>")
    romeo.settle()
    juliet.receives("<presence type='subscribe' from='romeo@h'/>")
    blocks(juliet, "romeo@h")
    paris = cast.log_in("paris")
    paris.sends(says(text="Sweet lady"))
    paris.settle()
    phone = cast.log_in("juliet/phone")
    phone.sends("<presence/>")
    came = phone.came()
    assert [one.findtext("{jabber:client}body") for one in came if one.tag.endswith("message")] == [
        "Sweet lady"
    ]
    assert not [one for one in came if one.get("from") == "romeo@h"]


def test_friends_see_a_goodbye_and_nothing_until_they_are_unblocked(cast):
    juliet, romeo = cast("juliet/balcony", "romeo/orchard")
    cast.befriend(juliet, romeo)
    blocks(juliet, "romeo@h")
    romeo.receives("<presence type='unavailable' from='juliet@h/balcony'/>")
    juliet.sends("<presence><show>away</show></presence>")
    juliet.receives("<presence from='juliet@h/balcony'/>")
    romeo.sends("<presence><show>dnd</show></presence>")
    romeo.receives("<presence from='romeo@h/orchard'/>")
    romeo.receives_nothing()
    juliet.receives_nothing()
    juliet.sends(change("unblock", "romeo@h"))
    juliet.receives_any_order(
        "<iq type='result' id='b'/>", "<presence from='romeo@h/orchard'><show>dnd</show></presence>"
    )
    romeo.receives("<presence from='juliet@h/balcony'><show>away</show></presence>")
    romeo.sends(says())
    juliet.receives("<message><body>Hark!</body></message>")


def test_who_comes_back_does_not_see_whom_they_block(cast):
    juliet, romeo = cast("juliet/balcony", "romeo/orchard")
    cast.befriend(juliet, romeo)
    blocks(juliet, "romeo@h")
    juliet.leaves()
    juliet = cast.log_in("juliet/balcony")
    juliet.sends("<presence/>")
    juliet.receives("<presence from='juliet@h/balcony'/>")
    juliet.receives_nothing()
    romeo.receives("<presence type='unavailable'/>")
    romeo.receives_nothing()


def test_strangers_hear_no_goodbye(cast):
    juliet, romeo = cast("juliet", "romeo")
    blocks(juliet, "romeo@h")
    romeo.receives_nothing()
    unblocks(juliet, "romeo@h")
    romeo.receives_nothing()


def test_whoever_was_sent_presence_directly_hears_a_goodbye(cast):
    juliet, romeo = cast("juliet/balcony", "romeo")
    juliet.sends("<presence to='romeo@h'/>")
    romeo.receives("<presence from='juliet@h/balcony'/>")
    blocks(juliet, "romeo@h")
    romeo.receives("<presence type='unavailable' from='juliet@h/balcony'/>")
    juliet.leaves()
    romeo.receives_nothing()


@pytest.mark.parametrize(
    ("item", "matched", "spared"),
    [
        ("romeo@h/orchard", ["romeo@h/orchard"], ["romeo@h/desk"]),
        ("romeo@h", ["romeo@h/orchard", "romeo@h/desk"], ["paris@h/x"]),
        ("h", ["romeo@h/orchard", "paris@h/x"], []),
        ("h/orchard", [], ["romeo@h/orchard", "romeo@h/desk"]),
    ],
)
def test_an_item_stands_for_what_the_standard_says(cast, item, matched, spared):
    juliet = cast("juliet")
    everyone = {f"{one}": cast(one.replace("@h", "")) for one in matched + spared}
    juliet.forget()
    blocks(juliet, item)
    for name in matched:
        everyone[name].forget()
        everyone[name].sends(says())
        everyone[name].receives("<message type='error'/>")
        juliet.receives_nothing()
    for name in spared:
        everyone[name].sends(says())
        juliet.receives(f"<message from='{name}'><body>Hark!</body></message>")


def test_ones_own_clients_and_server_are_never_blocked(cast):
    desk, phone = cast("juliet/desk", "juliet/phone")
    blocks(desk, "juliet@h", "h")
    desk.forget()
    desk.sends("<iq type='get' id='p' to='h'><ping xmlns='urn:xmpp:ping'/></iq>")
    desk.receives("<iq type='result' id='p'/>")
    desk.sends(says(to="juliet@h/phone"))
    phone.forget()
    phone.sends(says(to="juliet@h/desk"))
    desk.receives("<message from='juliet@h/phone'/>")


@pytest.mark.parametrize(
    ("iq", "condition", "type"),
    [
        (change("block"), "bad-request", "modify"),
        (change("block", "a@b@c"), "jid-malformed", "modify"),
        (change("block", "romeo@h", ""), "jid-malformed", "modify"),
        (change("unblock", "a@b@c"), "jid-malformed", "modify"),
        (
            change("block", "romeo@h").replace("id=", "to='romeo@h' id="),
            "service-unavailable",
            "cancel",
        ),
        (
            change("block", "romeo@h", inner=f"<report xmlns='{REPORTING}'/>"),
            "bad-request",
            "modify",
        ),
    ],
)
def test_bad_input_changes_nothing(cast, iq, condition, type):
    juliet, _ = cast("juliet", "romeo")
    juliet.sends(iq)
    juliet.receives(
        f"<iq type='error' id='b'><error type='{type}'><{condition} xmlns='{STANZAS}'/></error></iq>"
    )
    assert listed(juliet) == []


def test_a_report_reaches_the_administrators_and_nobody_else(cast):
    juliet, nurse, romeo = cast("juliet", "nurse", "romeo")
    cast.world.store.accounts.set_admin("nurse", True)
    report = (
        f"<report xmlns='{REPORTING}' reason='urn:xmpp:reporting:spam'>"
        "<stanza-id xmlns='urn:xmpp:sid:0' by='juliet@h' id='17'/>"
        "<text xml:lang='en'>Never came trouble to my house like this.</text></report>"
    )
    juliet.sends(change("block", "romeo@h", inner=report))
    juliet.receives("<iq type='result' id='b'/>")
    message = nurse.receives(
        f"<message from='h' to='nurse@h'><body>*</body><block xmlns='{NS}'><item jid='romeo@h'>"
        f"<report xmlns='{REPORTING}' reason='urn:xmpp:reporting:spam'>"
        "<stanza-id xmlns='urn:xmpp:sid:0' by='juliet@h' id='17'/>"
        "<text>Never came trouble to my house like this.</text></report></item></block></message>"
    )
    body = message.findtext("{jabber:client}body")
    assert body.startswith("juliet@h reports romeo@h for spam.")
    romeo.receives_nothing()
    juliet.receives_nothing()
    assert listed(juliet) == ["romeo@h"]


def test_a_report_keeps_no_more_of_a_reason_than_a_reason_has(cast):
    juliet = cast("juliet")
    reason = "urn:xmpp:reporting:" + "a" * 10_000
    juliet.sends(
        change("block", "romeo@h", inner=f"<report xmlns='{REPORTING}' reason='{reason}'/>")
    )
    juliet.receives("<iq type='result' id='b'/>")
    assert cast.world.store.abuse_reports.newest(1)[0].reason == reason[:200]


TUNE = "http://jabber.org/protocol/tune"
SONG = f"<tune xmlns='{TUNE}'><title>Heart and Soul</title></tune>"


def heard(client):
    return [one for one in client.came() if one.tag.endswith("message")]


@pytest.mark.parametrize("blocker", ["romeo", "juliet"])
def test_what_people_publish_does_not_reach_those_who_are_blocked(cast, blocker):
    juliet, romeo = cast("juliet", "romeo")
    cast.befriend(juliet, romeo)
    listens(romeo, TUNE)
    juliet.forget()
    one, other = (romeo, juliet) if blocker == "romeo" else (juliet, romeo)
    blocks(one, other.bare)
    one.forget()
    other.forget()
    juliet.sends(publish(TUNE, SONG, "1"))
    juliet.receives("<iq type='result' id='1'/>")
    assert heard(romeo) == []
    romeo.sends("<presence type='unavailable'/>")
    romeo.forget()
    arrives(romeo, TUNE)  # nor is the last item for them
    assert heard(romeo) == []
    one.sends(change("unblock", other.bare))
    one.forget()
    other.forget()
    juliet.sends(publish(TUNE, SONG, "2"))
    romeo.receives(event(f"<items node='{TUNE}'><item id='2'/></items>", juliet.bare))


@pytest.mark.parametrize("blocker", ["romeo", "juliet"])
def test_subscribing_to_what_people_publish_does_not_help_the_blocked(cast, blocker):
    juliet, romeo = cast("juliet", "romeo")
    cast.befriend(juliet, romeo)
    juliet.sends(publish("urn:x", "<x xmlns='urn:x'/>", "1"))
    juliet.receives("<iq type='result' id='1'/>")
    romeo.sends(iq("set", f"<subscribe node='urn:x' jid='{romeo.bare}'/>", juliet.bare))
    romeo.settle()
    romeo.forget()
    one, other = (romeo, juliet) if blocker == "romeo" else (juliet, romeo)
    blocks(one, other.bare)
    romeo.forget()
    juliet.sends(publish("urn:x", "<x xmlns='urn:x'/>", "2"))
    juliet.settle()
    assert heard(romeo) == []
    assert heard(juliet) == []


def test_the_pubsub_service_can_be_blocked(cast, world):
    cast.account("admin")
    world.store.accounts.set_admin("admin", True)
    admin, romeo = cast("admin", "romeo")
    admin.sends(iq("set", "<create node='news'/>", "pubsub.h"))
    admin.receives("<iq type='result' id='1'/>")
    romeo.sends(iq("set", f"<subscribe node='news' jid='{romeo.bare}'/>", "pubsub.h"))
    romeo.receives("<iq type='result' id='1'/>")
    blocks(romeo, "pubsub.h")
    admin.sends(publish("news", "<x xmlns='urn:x'/>", "1", "pubsub.h"))
    admin.receives("<iq type='result' id='1'/>")
    assert heard(romeo) == []
    unblocks(romeo, "pubsub.h")
    admin.sends(publish("news", "<x xmlns='urn:x'/>", "2", "pubsub.h"))
    romeo.receives(event("<items node='news'><item id='2'/></items>", "pubsub.h"))


@pytest.mark.parametrize("ours", [True, False], ids=["of this box", "elsewhere"])
def test_who_was_removed_while_blocked_hears_it_when_coming_again(cast, houses, ours):
    """Nothing passes while one blocks the other; a probe, or what stands for it, says it later."""
    if ours:
        juliet, romeo = cast("juliet", "romeo")
        again = lambda: cast("romeo/again", available=False)  # noqa: E731
    else:
        juliet, romeo = log_in(houses[0], "juliet"), log_in(houses[1], "romeo")
        again = lambda: houses[1].client().log_in("romeo", PASSWORD, "again")  # noqa: E731
    for one, other in ((juliet, romeo), (romeo, juliet)):
        one.sends(f"<presence type='subscribe' to='{other.bare}'/>")
        other.sends(f"<presence type='subscribed' to='{one.bare}'/>")
    wait_until(lambda: roster_of(romeo).get(juliet.bare) == "both")
    wait_until(lambda: roster_of(juliet).get(romeo.bare) == "both")
    for change in (
        f"<block xmlns='{NS}'><item jid='{romeo.bare}'/></block>",
        f"<query xmlns='jabber:iq:roster'><item jid='{romeo.bare}' subscription='remove'/></query>",
    ):
        juliet.sends(f"<iq type='set' id='change'>{change}</iq>")
        juliet.answer("change")
    romeo.settle()
    blocked = again()
    blocked.sends("<presence/>")
    blocked.settle()
    assert roster_of(blocked)[juliet.bare] == "both", "who is blocked must not see it"
    juliet.sends(f"<iq type='set' id='change'><unblock xmlns='{NS}'/></iq>")
    juliet.answer("change")
    blocked.sends("<presence type='unavailable'/>", "<presence/>")
    wait_until(lambda: roster_of(blocked)[juliet.bare] == "from")


def roster_of(client):
    client.settle()
    client.forget()
    client.sends("<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>")
    return {item.get("jid"): item.get("subscription") for item in client.answer("roster")[0]}


@pytest.mark.parametrize("word", ["invite", "decline"])
def test_a_room_brings_no_words_of_the_blocked(cast, word):
    """Invitations and refusals come from the room, and say whose they are."""
    juliet, romeo, paris = cast("juliet", "romeo", "paris")
    for one in (juliet, paris):
        blocks(one, "romeo@h")
    unblocks(paris, "romeo@h")
    for one in (juliet, paris):
        one.forget()
    room = Room().make(romeo, "Romeo")
    for one, nick in ((juliet, "Juliet"), (paris, "Paris")):
        if word == "decline":  # which is brought to who is in the room
            room.join(one, nick)
    for one in (romeo, juliet, paris):
        one.forget()
    for one in (juliet, paris):
        said = f"<{word} to='{one.bare}'><reason>Hark!</reason></{word}>"
        romeo.sends(f"<message to='{room.jid}'><x xmlns='{USER}'>{said}</x></message>")
    romeo.receives_nothing()
    juliet.receives_nothing()
    paris.receives(
        f"<message from='{room.jid}'><x xmlns='{USER}'>"
        f"<{word} from='romeo@h'><reason>Hark!</reason></{word}></x></message>"
    )
