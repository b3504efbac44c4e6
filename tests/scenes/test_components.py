"""Components: XEP-0114."""

import pytest

from support.client import STREAM

STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"
TIMEOUT = f"<error type='wait'><remote-server-timeout xmlns='{STANZAS}'/></error>"


def test_a_component_attaches(component):
    bridge = component()
    bridge.open()
    bridge.shake_hands()
    assert bridge.header.get("from") == "bridge.h"
    assert bridge.header.get("id")
    answer = bridge.next()
    assert (answer.tag, answer.text) == ("{jabber:client}handshake", None)
    bridge.leaves()


def test_a_user_and_a_component_talk(cast, bridge):
    romeo = cast("romeo/orchard")
    romeo.sends("<message to='nurse@bridge.h' type='chat'><body>Hark!</body></message>")
    bridge.receives(
        "<message from='romeo@h/orchard' to='nurse@bridge.h' type='chat'><body>Hark!</body></message>"
    )
    bridge.sends(
        "<message from='nurse@bridge.h/x' to='romeo@h' type='chat'><body>Ay</body></message>",
        "<presence from='nurse@bridge.h/x' to='romeo@h'><show>away</show></presence>",
    )
    romeo.receives(
        "<message from='nurse@bridge.h/x' to='romeo@h' type='chat'><body>Ay</body></message>",
        "<presence from='nurse@bridge.h/x'><show>away</show></presence>",
    )


def test_queries_go_both_ways(cast, bridge):
    romeo = cast("romeo/orchard")
    info = "<query xmlns='http://jabber.org/protocol/disco#info'/>"
    romeo.sends(f"<iq type='get' id='q' to='bridge.h'>{info}</iq>")
    bridge.receives(f"<iq type='get' id='q' from='romeo@h/orchard' to='bridge.h'>{info}</iq>")
    bridge.sends(f"<iq type='result' id='q' from='bridge.h' to='romeo@h/orchard'>{info}</iq>")
    romeo.receives(f"<iq type='result' id='q' from='bridge.h'>{info}</iq>")
    for to in ("h", "rooms.h"):
        bridge.sends(f"<iq type='get' id='q' from='bridge.h' to='{to}'>{info}</iq>")
        bridge.receives(f"<iq type='result' id='q' from='{to}' to='bridge.h'>{info}</iq>")


def test_a_subscription_to_somebody_behind_a_component(cast, bridge):
    romeo = cast("romeo/orchard")
    romeo.sends("<presence type='subscribe' to='nurse@bridge.h'/>")
    bridge.receives("<presence type='subscribe' from='romeo@h' to='nurse@bridge.h'/>")
    bridge.sends("<presence type='subscribe' from='nurse@bridge.h' to='romeo@h'/>")
    romeo.receives("<presence type='subscribe' from='nurse@bridge.h'/>")
    romeo.sends("<presence type='subscribed' to='nurse@bridge.h'/>")
    bridge.receives(
        "<presence type='subscribed' from='romeo@h'/>",
        "<presence from='romeo@h/orchard' to='nurse@bridge.h'/>",
    )


def test_what_is_there_is_found(cast, bridge):
    romeo = cast("romeo")
    items = "http://jabber.org/protocol/disco#items"
    romeo.sends(f"<iq type='get' id='q' to='h'><query xmlns='{items}'/></iq>")
    found = {item.get("jid") for item in romeo.receives("<iq type='result'/>")[0]}
    assert "bridge.h" in found
    assert "bot.h" not in found


def test_several_components_talk_to_each_other(component, bridge):
    bot = component("bot.h")
    bot.attach()
    bot.sends("<message from='bot.h' to='a@bridge.h' id='1'><body>x</body></message>")
    bridge.receives("<message from='bot.h' to='a@bridge.h' id='1'><body>x</body></message>")
    bot.leaves()


def test_a_component_that_is_away_is_a_reason_to_wait(cast):
    romeo = cast("romeo")
    romeo.sends("<message to='nurse@bridge.h' id='m'><body>Hark!</body></message>")
    romeo.receives(f"<message type='error' id='m' from='nurse@bridge.h'>{TIMEOUT}</message>")
    romeo.sends("<iq type='get' id='q' to='bridge.h'><ping xmlns='urn:xmpp:ping'/></iq>")
    romeo.receives(f"<iq type='error' id='q' from='bridge.h'>{TIMEOUT}</iq>")


def test_a_component_comes_back(cast, component):
    romeo = cast("romeo")
    first = component()
    first.attach()
    first.leaves()
    second = component()
    assert second.attach().tag.endswith("}handshake")
    romeo.sends("<message to='bridge.h'><body>Hark!</body></message>")
    second.receives("<message><body>Hark!</body></message>")
    second.leaves()


def test_errors_come_back_to_the_component(cast, bridge):
    cast.account("romeo")
    bridge.sends("<iq type='get' id='q' from='bridge.h' to='romeo@h/x'><x xmlns='y'/></iq>")
    bridge.receives(
        f"<iq type='error' id='q' from='romeo@h/x' to='bridge.h'>"
        f"<error type='cancel'><service-unavailable xmlns='{STANZAS}'/></error></iq>"
    )
    bridge.sends("<message from='bridge.h' to='nobody@h' id='m'><body>x</body></message>")
    bridge.receives("<message type='error' id='m'/>")


def test_the_wrong_secret(component):
    bridge = component()
    bridge.open()
    bridge.shake_hands("wrong")
    bridge.is_ended_with("not-authorized")


@pytest.mark.parametrize("to", ["elsewhere.h", "h", "rooms.h", "a@b", " "])
def test_another_domain_is_unknown(component, to):
    bridge = component()
    bridge.open(to)
    bridge.is_ended_with("host-unknown")
    assert bridge.header is not None


def test_another_namespace(component):
    bridge = component()
    bridge.open(namespace="jabber:client")
    bridge.is_ended_with("invalid-namespace")
    assert bridge.header.tag == f"{{{STREAM}}}stream"


def test_nothing_before_the_handshake(cast, component):
    romeo = cast("romeo")
    bridge = component()
    bridge.open()
    bridge.sends("<message from='bridge.h' to='romeo@h'><body>x</body></message>")
    bridge.is_ended_with("not-authorized")
    romeo.receives_nothing()


def test_one_component_at_a_time(component, bridge):
    other = component()
    other.open()
    other.is_ended_with("conflict")
    bridge.settle()


@pytest.mark.parametrize("sender", ["h", "romeo@h", "bot.h", "a@bridge.h.evil", "@", "xbridge.h"])
def test_a_component_speaks_for_its_own_domain_only(cast, component, sender):
    romeo = cast("romeo")
    bridge = component()
    bridge.attach()
    bridge.sends(f"<message from='{sender}' to='romeo@h'><body>x</body></message>")
    bridge.is_ended_with("invalid-from")
    romeo.receives_nothing()


@pytest.mark.parametrize("attributes", ["from='bridge.h'", "to='romeo@h'", ""])
def test_both_addresses_are_needed(component, attributes):
    bridge = component()
    bridge.attach()
    bridge.sends(f"<message {attributes}><body>x</body></message>")
    bridge.is_ended_with("improper-addressing")


def test_what_is_no_stanza_ends_the_stream(component):
    bridge = component()
    bridge.attach()
    bridge.sends("<message xmlns='jabber:server' from='bridge.h' to='h'/>")
    bridge.is_ended_with("unsupported-stanza-type")


def test_a_blocked_component_is_not_heard(cast, bridge):
    romeo = cast("romeo")
    romeo.sends(
        "<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='bridge.h'/></block></iq>"
    )
    romeo.receives("<iq type='result' id='b'/>")
    bridge.sends("<message from='a@bridge.h' to='romeo@h' id='m'><body>x</body></message>")
    bridge.receives("<message type='error' id='m' to='a@bridge.h'/>")
    romeo.receives_nothing()


def test_what_is_no_address_is_answered(cast, bridge):
    """Without an answer a component would wait for ever."""
    for to in ("@h", "romeo@h/", "a b@h"):
        bridge.sends(
            f"<iq type='get' id='1' from='friar@bridge.h' to='{to}'>"
            "<ping xmlns='urn:xmpp:ping'/></iq>"
        )
        bridge.receives(
            "<iq type='error' id='1' from='h' to='friar@bridge.h'><error type='modify'>"
            "<jid-malformed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
        )


def test_an_unknown_type_of_presence_is_answered(cast, bridge):
    cast.account("romeo")
    bridge.sends("<presence type='nonsense' id='1' from='friar@bridge.h' to='romeo@h'/>")
    bridge.receives(
        "<presence type='error' id='1' from='romeo@h' to='friar@bridge.h'><error type='modify'>"
        "<bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>"
    )


def test_addresses_are_passed_on_as_everybody_writes_them(cast, bridge):
    romeo = cast("romeo")
    bridge.sends("<message from='FRIAR@Bridge.H/Cell' to='ROMEO@H' type='chat'><body>x</body></message>")  # fmt: skip
    romeo.receives("<message from='friar@bridge.h/Cell' to='romeo@h'><body>x</body></message>")


def test_a_request_is_from_an_account_whatever_a_component_writes(cast, bridge):
    """RFC 6121 §3.1: subscriptions are between bare addresses."""
    romeo = cast("romeo")
    bridge.sends("<presence type='subscribe' from='friar@bridge.h/cell' to='romeo@h/somewhere'/>")
    romeo.receives("<presence type='subscribe' from='friar@bridge.h' to='romeo@h'/>")


def test_its_people_are_away_with_it_and_are_asked_after_when_it_is_back(cast, component):
    balthasar, bridge = cast("balthasar"), component()
    bridge.attach()
    balthasar.sends("<presence type='subscribe' to='nurse@bridge.h'/>")
    assert bridge.next().get("type") == "subscribe"
    nurse = "<presence from='nurse@bridge.h{}' to='balthasar@h' {}/>"
    bridge.sends(nurse.format("", "type='subscribed'"), nurse.format("/icq", ""))
    bridge.settle()
    balthasar.settle()
    assert balthasar.came()[-1].get("from") == "nurse@bridge.h/icq"
    bridge.wire.cut()
    balthasar.receives("<presence type='unavailable' from='nurse@bridge.h/icq'/>")
    again = component()
    again.attach()
    probe = again.next()
    assert (probe.get("type"), probe.get("to")) == ("probe", "nurse@bridge.h")
    assert probe.get("from") == balthasar.jid
    again.leaves()
