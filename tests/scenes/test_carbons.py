"""Every device of a user follows every conversation: Message Carbons (XEP-0280)."""

import pytest

from support.rooms import Room
from support.sasl2_client import bind2, log_in, user_agent

CARBONS = "urn:xmpp:carbons:2"
FORWARD = "urn:xmpp:forward:0"
HINTS = "urn:xmpp:hints"
MUC_USER = "http://jabber.org/protocol/muc#user"
STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"
BODY = "<body>Hark!</body>"
STATE = "<composing xmlns='http://jabber.org/protocol/chatstates'/>"


def switch(what="enable", id="c", to=None):
    addressee = f" to='{to}'" if to else ""
    return f"<iq type='set' id='{id}'{addressee}><{what} xmlns='{CARBONS}'/></iq>"


def copies(*clients):
    for client in clients:
        client.sends(switch())
        client.receives("<iq type='result' id='c'/>")


def message(to, type="chat", inner=BODY, id="m"):
    kind = f" type='{type}'" if type else ""
    return f"<message to='{to}'{kind} id='{id}'>{inner}</message>"


def names(element):
    return [child.tag.partition("}")[2] for child in element]


def carbon(direction, inner="", outer=""):
    return (
        f"<message{outer}><{direction} xmlns='{CARBONS}'><forwarded xmlns='{FORWARD}'>"
        f"{inner}</forwarded></{direction}></message>"
    )


def wrapped(attributes="", inner=BODY):
    return f"<message xmlns='jabber:client'{attributes}>{inner}</message>"


def forged(direction="received"):
    inside = (
        "<message xmlns='jabber:client' from='romeo@h/x' to='juliet@h'><body>Come!</body></message>"
    )
    return (
        f"<{direction} xmlns='{CARBONS}'><forwarded xmlns='{FORWARD}'>{inside}</forwarded>"
        f"</{direction}>"
    )


@pytest.fixture
def verona(cast):
    """Romeo, and Juliet with a phone and a desk that wants copies."""
    romeo, phone, desk = cast("romeo/orchard", "juliet/phone", "juliet/desk")
    copies(desk)
    return romeo, phone, desk


# -- wanting copies ----------------------------------------------------------------------------


def test_the_server_says_that_it_can_and_by_which_rules(cast):
    romeo = cast("romeo")
    info = "http://jabber.org/protocol/disco#info"
    romeo.sends(f"<iq type='get' id='d' to='h'><query xmlns='{info}'/></iq>")
    found = {one.get("var") for one in romeo.receives("<iq type='result'/>")[0]}
    assert {CARBONS, "urn:xmpp:carbons:rules:0"} <= found


@pytest.mark.parametrize("what", ["enable", "disable"])
def test_switching_twice_is_no_error(cast, what):
    romeo = cast("romeo")
    romeo.sends(switch(what, "1"), switch(what, "2", "romeo@h"))
    romeo.receives("<iq type='result' id='1'/>", "<iq type='result' id='2'/>")


@pytest.mark.parametrize("what", ["enable", "disable"])
@pytest.mark.parametrize("to", ["juliet@h", "nobody@h"])
def test_nobody_switches_for_another_account(verona, what, to):
    romeo, phone, desk = verona
    romeo.sends(switch(what, to=to))
    romeo.receives(
        f"<iq type='error'><error type='cancel'><service-unavailable xmlns='{STANZAS}'/></error></iq>"
    )
    romeo.sends(message("juliet@h/phone"))
    phone.receives(f"<message>{BODY}</message>")
    desk.receives(carbon("received"))


@pytest.mark.parametrize("to", ["juliet@h/desk", "juliet@h/gone", "nobody@h/x"])
def test_nobody_switches_for_another_client(verona, to):
    romeo, _, desk = verona
    romeo.sends(switch("disable", to=to))
    romeo.receives(
        f"<iq type='error'><error type='cancel'><not-allowed xmlns='{STANZAS}'/></error></iq>"
    )
    desk.receives_nothing()


def test_copies_end_when_they_are_not_wanted_any_more(verona):
    romeo, phone, desk = verona
    desk.sends(switch("disable"))
    desk.receives("<iq type='result'/>")
    romeo.sends(message("juliet@h/phone"))
    phone.receives(f"<message>{BODY}</message>")
    desk.receives_nothing()


def test_a_client_asks_for_copies_as_part_of_its_login(cast, world):
    romeo, phone = cast("romeo", "juliet/phone")
    desk = world.client()
    cast.clients.append(desk)
    features = desk.secure()
    assert features.find(f".//{{urn:xmpp:bind:0}}inline/*[@var='{CARBONS}']") is not None
    wanted = bind2(inside=f"<enable xmlns='{CARBONS}'/>")
    log_in(desk, user_agent(), wanted, user="juliet")
    desk.forget()
    romeo.sends(message("juliet@h/phone"))
    phone.receives(f"<message>{BODY}</message>")
    desk.receives(carbon("received"))


# -- received ----------------------------------------------------------------------------------


def test_a_message_to_the_phone_also_reaches_the_desk(verona):
    romeo, phone, desk = verona
    romeo.sends(message("juliet@h/phone", inner=f"{BODY}<thread>t</thread>"))
    phone.receives(f"<message from='romeo@h/orchard'>{BODY}</message>")
    attributes = " from='romeo@h/orchard' to='juliet@h/phone' type='chat' id='m'"
    desk.receives(
        carbon(
            "received",
            wrapped(attributes, f"{BODY}<thread>t</thread>"),
            " from='juliet@h' to='juliet@h/desk' type='chat'",
        )
    )
    phone.receives_nothing()
    desk.receives_nothing()


def test_a_message_for_all_devices_comes_once_to_each(verona):
    romeo, phone, desk = verona
    copies(phone)
    romeo.sends(message("juliet@h"))
    for one in (phone, desk):
        one.receives(f"<message from='romeo@h/orchard'>{BODY}</message>")
        one.receives_nothing()


def test_a_device_that_does_not_take_messages_gets_a_copy(cast, verona):
    romeo, phone, desk = verona
    desk.sends("<presence><priority>-1</priority></presence>")
    phone.forget()
    desk.forget()
    romeo.sends(message("juliet@h"))
    phone.receives(f"<message>{BODY}</message>")
    desk.receives(carbon("received"))
    desk.receives_nothing()


def test_a_message_for_a_device_that_left_comes_once_to_each_other(verona):
    romeo, phone, desk = verona
    romeo.sends(message("juliet@h/gone"))
    for one in (phone, desk):
        one.receives(f"<message to='juliet@h/gone'>{BODY}</message>")
        one.receives_nothing()


def test_what_is_refused_is_not_copied(verona):
    romeo, _, desk = verona
    romeo.sends(message("juliet@h/gone", "normal"))
    romeo.receives("<message type='error'/>")
    desk.receives_nothing()


def test_text_and_markup_survive_in_a_copy(verona):
    romeo, phone, desk = verona
    inner = "<body>a &lt;b&gt; &amp; 'c' \"d\"</body><x xmlns='urn:example:e' y='é&apos;&amp;'/>"
    romeo.sends(message("juliet@h/phone", inner=inner))
    phone.receives(f"<message>{inner}</message>")
    desk.receives(carbon("received", wrapped("", inner)))


# -- sent --------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", ["romeo@h", "romeo@h/orchard"])
def test_what_one_device_sends_the_others_see(verona, to):
    romeo, phone, desk = verona
    phone.sends(message(to))
    romeo.receives(f"<message from='juliet@h/phone'>{BODY}</message>")
    attributes = f" from='juliet@h/phone' to='{to}' type='chat' id='m'"
    outer = " from='juliet@h' to='juliet@h/desk' type='chat'"
    desk.receives(carbon("sent", wrapped(attributes), outer))
    phone.receives_nothing()
    desk.receives_nothing()
    romeo.receives_nothing()


def test_the_sending_device_gets_no_copy(verona):
    romeo, phone, desk = verona
    desk.sends(message("romeo@h"))
    romeo.receives(f"<message>{BODY}</message>")
    desk.receives_nothing()
    phone.receives_nothing()


def test_a_message_to_another_server_is_copied_too(verona, bridge):
    _, phone, desk = verona
    phone.sends(message("mercutio@bridge.h"))
    bridge.receives(f"<message from='juliet@h/phone'>{BODY}</message>")
    desk.receives(carbon("sent"))


def test_between_devices_of_one_account_nothing_comes_twice(cast, verona):
    _, phone, desk = verona
    tablet = cast("juliet/tablet")
    phone.forget()
    desk.forget()
    copies(phone, tablet)
    phone.sends(message("juliet@h/desk"))
    desk.receives(f"<message from='juliet@h/phone'>{BODY}</message>")
    tablet.receives(carbon("sent", wrapped(" from='juliet@h/phone' to='juliet@h/desk'")))
    for one in (phone, desk, tablet):
        one.receives_nothing()


def test_a_note_to_oneself_comes_once_to_each(verona):
    _, phone, desk = verona
    copies(phone)
    phone.sends(message("juliet@h"))
    for one in (phone, desk):
        one.receives(f"<message from='juliet@h/phone'>{BODY}</message>")
        one.receives_nothing()


# -- which messages ----------------------------------------------------------------------------


CONVERSATION = [
    ("chat", ""),
    ("chat", "<subject>s</subject>"),
    ("normal", BODY),
    (None, BODY),
    ("unheard-of", BODY),
    ("normal", "<received xmlns='urn:xmpp:receipts' id='1'/>"),
    ("normal", STATE),
    ("headline", "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>"),
    ("normal", "<x xmlns='jabber:x:conference' jid='ball@rooms.h'/>"),
    ("normal", f"<x xmlns='{MUC_USER}'><invite from='romeo@h'/></x>"),
]
NO_CONVERSATION = [
    ("normal", ""),
    (None, "<subject>s</subject>"),
    ("headline", BODY),
    ("groupchat", BODY),
    ("groupchat", BODY + STATE),
    ("error", BODY),
    ("chat", f"{BODY}<private xmlns='{CARBONS}'/>"),
    ("chat", f"{BODY}<no-copy xmlns='{HINTS}'/>"),
    ("normal", f"<private xmlns='{CARBONS}'/>{BODY}{STATE}"),
]


@pytest.mark.parametrize(("type", "inner"), CONVERSATION)
def test_conversations_are_copied(verona, type, inner):
    romeo, phone, desk = verona
    romeo.sends(message("juliet@h/phone", type, inner))
    phone.receives("<message id='m'/>")
    kind = f" type='{type}'" if type else ""
    desk.receives(carbon("received", wrapped(kind, inner), kind))
    phone.sends(message("romeo@h/orchard", type, inner))
    desk.receives(carbon("sent", wrapped(kind, inner), kind))


@pytest.mark.parametrize(("type", "inner"), NO_CONVERSATION)
def test_everything_else_is_not(verona, type, inner):
    romeo, phone, desk = verona
    romeo.sends(message("juliet@h/phone", type, inner))
    phone.receives("<message id='m'/>")
    phone.sends(message("romeo@h/orchard", type, inner))
    romeo.receives("<message id='m'/>")
    desk.receives_nothing()


def test_private_words_of_rooms_are_copied_only_when_they_are_sent(verona, bridge):
    _, phone, desk = verona
    mark = f"{BODY}<x xmlns='{MUC_USER}'/>"
    phone.sends(message("ball@bridge.h/Romeo", inner=mark))
    bridge.receives("<message to='ball@bridge.h/Romeo'/>")
    desk.receives(carbon("sent"))
    bridge.sends(
        f"<message from='ball@bridge.h/Romeo' to='juliet@h/phone' type='chat'>{mark}</message>"
    )
    phone.receives(f"<message>{BODY}</message>")
    desk.receives_nothing()


def test_private_words_in_a_room_are_copied_to_clients_that_are_there_under_the_same_nick(cast):
    romeo, phone, desk, car, watch = cast(
        "romeo", "juliet/phone", "juliet/desk", "juliet/car", "juliet/watch"
    )
    copies(phone, desk, car, watch)
    room = Room().make(romeo, "romeo")
    for client, nick in ((phone, "juliet"), (desk, "juliet"), (car, "J")):
        room.join(client, nick)
    for client in (romeo, phone, desk, car):
        client.forget()
    phone.sends(message(room.nick("romeo"), inner=BODY))
    romeo.receives(f"<message from='{room.nick('juliet')}'>{BODY}</message>")
    desk.receives(carbon("sent", wrapped(f" to='{room.nick('romeo')}'")))
    for client in (phone, car, watch):
        client.receives_nothing()
    desk.sends(f"<presence to='{room.nick('juliet')}' type='unavailable'/>")
    desk.settle_with(room)
    for client in (romeo, phone, desk, car):
        client.forget()
    phone.sends(message(room.nick("romeo"), inner=BODY))
    desk.receives_nothing()
    phone.sends(message("romeo@h", inner=BODY))
    for client in (desk, car, watch):
        client.receives(carbon("sent", wrapped(" to='romeo@h'")))


def test_private_words_of_rooms_that_do_not_mark_them_are_not_copied(verona, bridge):
    _, phone, desk = verona
    phone.sends(
        "<presence to='ball@bridge.h/juliet'><x xmlns='http://jabber.org/protocol/muc'/></presence>"
    )
    bridge.receives("<presence to='ball@bridge.h/juliet'/>")
    for sender in ("ball@bridge.h/Romeo", "lark@bridge.h/Romeo"):
        bridge.sends(f"<message from='{sender}' to='juliet@h/phone' type='chat'>{BODY}</message>")
        phone.receives(f"<message from='{sender}'>{BODY}</message>")
    desk.receives(carbon("received", wrapped(" from='lark@bridge.h/Romeo'")))


def test_who_takes_another_nick_in_a_room_is_there_under_that(cast):
    romeo, phone, desk = cast("romeo", "juliet/phone", "juliet/desk")
    copies(desk)
    room = Room().make(romeo, "romeo")
    room.join(phone, "juliet")
    room.join(desk, "J")
    phone.sends(f"<presence to='{room.nick('J')}'/>")
    for client in (romeo, phone, desk):
        client.settle_with(room)
        client.forget()
    phone.sends(message(room.nick("romeo"), inner=BODY))
    desk.receives(carbon("sent", wrapped(f" to='{room.nick('romeo')}'")))


def test_an_invitation_by_way_of_the_room_is_copied(verona, bridge):
    _, phone, desk = verona
    invitation = f"<x xmlns='{MUC_USER}'><invite from='romeo@h'/></x>"
    bridge.sends(f"<message from='ball@bridge.h' to='juliet@h/phone'>{invitation}</message>")
    phone.receives(f"<message>{invitation}</message>")
    desk.receives(carbon("received", wrapped("", invitation)))


# -- errors ------------------------------------------------------------------------------------


ERROR = f"<error type='cancel'><item-not-found xmlns='{STANZAS}'/></error>"


def test_an_error_is_copied_if_its_message_was(verona):
    romeo, phone, desk = verona
    phone.sends(message("romeo@h/orchard"), message("romeo@h/orchard", "headline", id="h"))
    romeo.receives("<message id='m'/>", "<message id='h'/>")
    desk.receives(carbon("sent"))
    romeo.sends(
        message("juliet@h/phone", "error", ERROR, id="h"),
        message("juliet@h/phone", "error", ERROR, id="m"),
    )
    phone.receives("<message type='error' id='h'/>", "<message type='error' id='m'/>")
    desk.receives(carbon("received", wrapped(" type='error' id='m'", ERROR), " type='error'"))
    desk.receives_nothing()


def test_an_error_of_somebody_else_is_not_copied(cast, verona):
    romeo, phone, desk = verona
    tybalt = cast("tybalt")
    phone.sends(message("romeo@h/orchard"))
    romeo.receives("<message id='m'/>")
    desk.receives(carbon("sent"))
    tybalt.sends(message("juliet@h/phone", "error", ERROR))
    phone.receives("<message type='error'/>")
    desk.receives_nothing()


def test_our_own_refusal_is_copied(verona):
    _, phone, desk = verona
    phone.sends(message("nobody@h"))
    phone.receives("<message type='error' id='m'/>")
    desk.receives(carbon("sent"))
    desk.receives(carbon("received", wrapped(" type='error' id='m' from='nobody@h'", "<error/>")))


@pytest.mark.parametrize("to", ["bad@@x", "", "juliet@h/" + "x" * 1_024])
def test_what_goes_to_no_address_comes_back_and_the_stream_goes_on(verona, to):
    _, phone, desk = verona
    phone.sends(message(to))
    phone.receives("<message type='error' id='m'/>")
    phone.sends(message("juliet@h/desk"))
    desk.receives(f"<message>{BODY}</message>")
    desk.receives_nothing()


def test_an_error_that_answers_a_copy_goes_nowhere(verona):
    romeo, phone, desk = verona
    romeo.sends(message("juliet@h/phone"))
    phone.receives(f"<message>{BODY}</message>")
    desk.receives(carbon("received"))
    desk.sends(message("juliet@h", "error", ERROR))
    for one in (romeo, phone, desk):
        one.receives_nothing()


# -- forgery and blocking ----------------------------------------------------------------------


@pytest.mark.parametrize("direction", ["received", "sent"])
@pytest.mark.parametrize("to", ["juliet@h", "juliet@h/phone"])
def test_a_forged_copy_reaches_nobody(verona, direction, to):
    romeo, phone, desk = verona
    romeo.sends(message(to, inner=forged(direction)))
    romeo.sends(message("juliet@h/phone", id="after"))
    phone.receives("<message id='after'/>")
    desk.receives(carbon("received", wrapped(" id='after'")))
    desk.receives_nothing()


def test_what_stands_beside_a_forged_copy_is_delivered_without_it(verona):
    romeo, phone, desk = verona
    romeo.sends(message("juliet@h/phone", inner=BODY + forged() + forged("sent")))
    found = phone.receives(f"<message>{BODY}</message>")
    copy = desk.receives(carbon("received", wrapped()))
    assert names(found) == ["body", "stanza-id"]
    assert len(list(copy.iter(f"{{{CARBONS}}}received", f"{{{CARBONS}}}sent"))) == 1


def test_another_device_of_the_account_cannot_forge_either(verona):
    _, phone, desk = verona
    phone.sends(message("juliet@h/desk", inner=forged("sent")))
    phone.sends(message("juliet@h", inner=forged("sent")))
    desk.receives_nothing()


def test_a_component_cannot_forge(verona, bridge):
    _, phone, _ = verona
    bridge.sends(
        f"<message from='x@bridge.h' to='juliet@h/phone' type='chat'>{BODY}{forged()}</message>"
    )
    assert names(phone.receives(f"<message>{BODY}</message>")) == ["body", "stanza-id"]


def test_nothing_of_a_blocked_sender_is_copied(verona):
    romeo, phone, desk = verona
    phone.sends(
        "<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='romeo@h'/></block></iq>"
    )
    phone.receives("<iq type='result' id='b'/>")
    romeo.sends(message("juliet@h/phone"))
    phone.sends(message("romeo@h"))
    phone.receives("<message type='error'/>")
    desk.receives_nothing()
    phone.receives_nothing()
