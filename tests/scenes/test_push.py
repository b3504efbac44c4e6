"""Waking clients that are away: XEP-0357.  The push service is played by a component."""

import time

import pytest

from support.rooms import Room

NS = "urn:xmpp:push:0"
PUBSUB = "http://jabber.org/protocol/pubsub"
STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"
OPTIONS = (
    "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>"
    f"<value>{PUBSUB}#publish-options</value></field>"
    "<field var='secret'><value>eruio234vzxc2kla-91</value></field></x>"
)
"""As in the standard's example."""


def enable(jid="bridge.h", node="phone", inner="", to=None):
    attributes = "".join(
        f" {name}='{value}'" for name, value in (("jid", jid), ("node", node)) if value is not None
    )
    addressee = f" to='{to}'" if to else ""
    return (
        f"<iq type='set' id='e'{addressee}><enable xmlns='{NS}'{attributes}>{inner}</enable></iq>"
    )


def disable(jid="bridge.h", node=None):
    which = f" node='{node}'" if node is not None else ""
    return f"<iq type='set' id='d'><disable xmlns='{NS}' jid='{jid}'{which}/></iq>"


def refused(condition, type, id="e"):
    return f"<iq type='error' id='{id}'><error type='{type}'><{condition} xmlns='{STANZAS}'/></error></iq>"


def notification(node="phone"):
    return (
        f"<iq type='set' from='h' to='bridge.h' id='*'><pubsub xmlns='{PUBSUB}'>"
        f"<publish node='{node}'><item><notification xmlns='{NS}'/></item></publish></pubsub></iq>"
    )


def says(text="Hark!", to="juliet@h", type="chat"):
    return f"<message to='{to}' type='{type}'><body>{text}</body></message>"


def wants_push(cast, name="juliet/phone", node="phone", inner=""):
    """Somebody who asks for notifications and goes away."""
    phone = cast(name)
    phone.sends(enable(node=node, inner=inner))
    phone.receives("<iq type='result' id='e'/>")
    phone.leaves()


def answers(bridge, query, error=None, type="cancel"):
    id, inner = query.get("id"), ""
    if error:
        inner = f"<error type='{type}'><{error} xmlns='{STANZAS}'/></error>"
    kind = "error" if error else "result"
    bridge.sends(f"<iq type='{kind}' id='{id}' from='bridge.h' to='h'>{inner}</iq>")
    bridge.settle()


def test_accounts_say_that_they_can(cast):
    romeo = cast("romeo")
    info = "http://jabber.org/protocol/disco#info"
    romeo.sends(f"<iq type='get' id='d' to='romeo@h'><query xmlns='{info}'/></iq>")
    assert NS in {one.get("var") for one in romeo.receives("<iq type='result'/>")[0]}


def test_who_is_away_is_notified_and_nothing_is_told(cast, bridge):
    romeo = cast("romeo")
    wants_push(cast)
    romeo.sends(says("but soft"))
    query = bridge.receives(notification())
    assert len(query.find(f".//{{{NS}}}notification")) == 0
    assert query.find(f".//{{{PUBSUB}}}publish-options") is None
    assert "romeo" not in "".join(query.itertext())
    answers(bridge, query)
    romeo.sends(says("what light"))
    bridge.receives(notification())


def test_publish_options_go_along(cast, bridge):
    romeo = cast("romeo")
    wants_push(cast, inner=OPTIONS)
    romeo.sends(says())
    bridge.receives(
        f"<iq type='set'><pubsub xmlns='{PUBSUB}'><publish/><publish-options>{OPTIONS}"
        "</publish-options></pubsub></iq>"
    )


def test_a_client_that_is_here_is_not_notified_another_one_is(cast, bridge):
    romeo = cast("romeo")
    wants_push(cast, "juliet/phone", "phone")
    desk = cast("juliet/desk")
    desk.sends(enable(node="desk"))
    desk.receives("<iq type='result' id='e'/>")
    romeo.sends(says())
    desk.receives("<message><body>Hark!</body></message>")
    bridge.receives(notification("phone"))
    bridge.receives_nothing()


def test_one_notification_stands_for_all_that_come_meanwhile(cast, bridge):
    romeo = cast("romeo")
    wants_push(cast)
    romeo.sends(*[says(f"{n}") for n in range(5)])
    romeo.settle()
    query = bridge.receives(notification())
    bridge.receives_nothing()
    answers(bridge, query)
    query = bridge.receives(notification())
    answers(bridge, query)
    bridge.receives_nothing()


@pytest.mark.parametrize(
    "message",
    [
        "<message to='juliet@h' type='headline'><body>x</body></message>",
        "<message to='juliet@h' type='error'><body>x</body></message>",
        "<message to='juliet@h' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>",
        "<message to='juliet@h'><received xmlns='urn:xmpp:receipts' id='1'/></message>",
    ],
)
def test_what_nobody_needs_to_wake_up_for(cast, bridge, message):
    romeo = cast("romeo")
    wants_push(cast)
    romeo.sends(message)
    romeo.settle()
    bridge.receives_nothing()


@pytest.mark.parametrize(
    ("type", "payload"),
    [
        ("chat", "<encrypted xmlns='eu.siacs.conversations.axolotl'/>"),
        ("chat", "<propose xmlns='urn:xmpp:jingle-message:0' id='1'/>"),
        ("normal", "<x xmlns='jabber:x:conference' jid='ball@rooms.h'/>"),
        ("normal", "<x xmlns='http://jabber.org/protocol/muc#user'><invite from='romeo@h'/></x>"),
    ],
)
def test_encrypted_words_calls_and_invitations_wake(cast, bridge, type, payload):
    romeo = cast("romeo")
    wants_push(cast)
    romeo.sends(f"<message to='juliet@h' type='{type}'>{payload}</message>")
    bridge.receives(notification())


def test_what_speaks_to_a_client_that_is_in_a_room_and_sleeps_wakes_it(cast, bridge):
    romeo, phone = cast("romeo", "juliet/phone")
    phone.sends(enable())
    phone.receives("<iq type='result' id='e'/>")
    room = Room().make(romeo, "romeo")
    room.join(phone, "juliet")
    phone.send("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
    assert phone.next().tag == "{urn:xmpp:sm:3}enabled"
    phone.wire.cut()
    time.sleep(0.1)
    romeo.sends(f"<message to='{room.jid}' type='groupchat'><subject>Balls</subject></message>")
    romeo.settle_with(room)
    bridge.receives_nothing()
    romeo.sends(
        f"<message to='{room.jid}' type='groupchat'><body>juliet: art thou there?</body></message>"
    )
    bridge.receives(notification())


@pytest.mark.parametrize("node", ["phone", None])
def test_disabled_is_disabled(cast, bridge, node):
    romeo, phone = cast("romeo", "juliet/phone")
    for one in ("phone", "watch"):
        phone.sends(enable(node=one))
        phone.receives("<iq type='result' id='e'/>")
    phone.sends(disable(node=node))
    phone.receives("<iq type='result' id='d'/>")
    phone.sends(disable(node="phone"))
    phone.receives(refused("item-not-found", "cancel", "d"))
    phone.leaves()
    romeo.sends(says())
    romeo.settle()
    if node:
        bridge.receives(notification("watch"))
    bridge.receives_nothing()


def test_the_last_options_count(cast, bridge):
    romeo, phone = cast("romeo", "juliet/phone")
    for inner in ("", OPTIONS):
        phone.sends(enable(inner=inner))
        phone.receives("<iq type='result' id='e'/>")
    phone.leaves()
    romeo.sends(says())
    query = bridge.receives(notification())
    assert query.find(f".//{{{PUBSUB}}}publish-options") is not None
    bridge.receives_nothing()


@pytest.mark.parametrize("condition", ["item-not-found", "forbidden", "not-allowed"])
def test_a_service_that_refuses_is_asked_no_more(cast, bridge, condition):
    romeo = cast("romeo")
    wants_push(cast)
    romeo.sends(says())
    answers(bridge, bridge.receives(notification()), condition)
    romeo.sends(says())
    romeo.settle()
    bridge.receives_nothing()


def test_a_service_that_is_busy_is_asked_again_but_not_for_ever(cast, bridge):
    romeo = cast("romeo")
    wants_push(cast)
    for _ in range(5):
        romeo.sends(says())
        answers(bridge, bridge.receives(notification()), "resource-constraint", "wait")
    romeo.sends(says())
    romeo.settle()
    bridge.receives_nothing()


def test_an_answer_of_somebody_else_is_none(cast, bridge, component):
    romeo = cast("romeo")
    wants_push(cast)
    romeo.sends(says())
    query = bridge.receives(notification())
    bot = component("bot.h")
    bot.attach()
    bot.sends(
        f"<iq type='error' id='{query.get('id')}' from='bot.h' to='h'>"
        f"<error type='cancel'><item-not-found xmlns='{STANZAS}'/></error></iq>"
    )
    bot.settle()
    answers(bridge, query)
    romeo.sends(says())
    bridge.receives(notification())


@pytest.mark.parametrize(
    ("iq", "condition", "type"),
    [
        (enable(jid=None), "bad-request", "modify"),
        (enable(jid="a@b@c"), "jid-malformed", "modify"),
        (enable(node="x" * 1024), "not-acceptable", "modify"),
        (enable(inner=OPTIONS.replace("publish-options", "else")), "bad-request", "modify"),
        (enable(inner=OPTIONS.replace("eruio", "x" * 5000)), "not-acceptable", "modify"),
        (enable(to="romeo@h"), "service-unavailable", "cancel"),
        (enable(to="nobody@h"), "service-unavailable", "cancel"),
    ],
)
def test_bad_input_changes_nothing(cast, iq, condition, type):
    juliet, _ = cast("juliet", "romeo")
    juliet.sends(iq)
    juliet.receives(refused(condition, type))
    assert cast.world.store.pushes.load("juliet") == []
    assert cast.world.store.pushes.load("romeo") == []


def test_only_so_many(cast):
    juliet = cast("juliet")
    for number in range(10):
        juliet.sends(enable(node=str(number)))
        juliet.receives("<iq type='result' id='e'/>")
    juliet.sends(enable(node="one too many"))
    juliet.receives(refused("resource-constraint", "wait"))
    juliet.sends(enable(node="3", inner=OPTIONS))
    juliet.receives("<iq type='result' id='e'/>")
