"""IQs: RFC 6120 §8.2.3, RFC 6121 §8, and what the server itself answers."""

import pytest
from lxml import etree

from hausbote import __version__
from hausbote.c2s.service import FEATURES
from hausbote.core.feature import Target
from support.capabilities import verification

INFO = "http://jabber.org/protocol/disco#info"
ITEMS = "http://jabber.org/protocol/disco#items"


def get(ns, name="query", to="h", type="get"):
    return f"<iq type='{type}' id='q1' to='{to}'><{name} xmlns='{ns}'/></iq>"


def error(condition, type="cancel"):
    return (
        f"<iq type='error' id='q1'><error type='{type}'>"
        f"<{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    )


@pytest.mark.parametrize("to", ["h", "romeo@h", "juliet@h", "rooms.h"])
def test_a_ping_is_answered(cast, to):
    romeo, juliet = cast("romeo", "juliet")
    cast.befriend(romeo, juliet)
    romeo.sends(get("urn:xmpp:ping", "ping", to))
    romeo.receives(f"<iq type='result' id='q1' from='{to}' to='romeo@h/somewhere'/>")


@pytest.mark.parametrize("to", ["juliet@h", "nobody@h"])
def test_a_ping_tells_strangers_nothing_of_an_account(cast, to):
    romeo, _ = cast("romeo", "juliet")
    romeo.sends(get("urn:xmpp:ping", "ping", to))
    romeo.receives(error("service-unavailable"))


def test_a_stranger_does_not_reach_a_clients_idle_time(cast):
    romeo, juliet = cast("romeo", "juliet/balcony")
    romeo.sends(get("jabber:iq:last", to="juliet@h/balcony"))
    romeo.receives(error("forbidden", "auth"))
    juliet.receives_nothing()
    cast.befriend(romeo, juliet)
    romeo.sends(get("jabber:iq:last", to="juliet@h/balcony"))
    juliet.receives("<iq type='get' id='q1'><query xmlns='jabber:iq:last'/></iq>")


def test_a_second_resource_is_refused(cast):
    romeo = cast("romeo")
    romeo.sends("<iq type='set' id='q1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
    romeo.receives(error("not-allowed"))


def test_one_who_invents_names_is_answered_like_everybody_else(cast):
    mercutio, juliet = cast("mercutio", "juliet")
    for number in range(40):
        inner = "".join(f"<n{number}-{n}/>" for n in range(50))
        mercutio.sends(
            f"<iq type='get' id='i{number}' to='h'>"
            f"<query xmlns='http://jabber.org/protocol/disco#info'>{inner}</query></iq>"
        )
    for number in range(40):
        mercutio.receives(f"<iq type='result' id='i{number}'/>")
    juliet.sends(
        "<iq type='get' id='q1' to='h'><query xmlns='http://jabber.org/protocol/disco#info'>"
        "<something-new/></query></iq>"
    )
    juliet.receives("<iq type='result' id='q1'/>")


def test_a_ping_without_an_address_is_for_ones_own_account(cast):
    romeo = cast("romeo")
    romeo.sends("<iq type='get' id='q1'><ping xmlns='urn:xmpp:ping'/></iq>")
    romeo.receives("<iq type='result' id='q1'/>")


def test_a_ping_from_client_to_client_and_back(cast):
    romeo, juliet = cast("romeo/orchard", "juliet/balcony")
    romeo.sends(get("urn:xmpp:ping", "ping", "juliet@h/balcony"))
    juliet.receives(
        "<iq type='get' id='q1' from='romeo@h/orchard'><ping xmlns='urn:xmpp:ping'/></iq>"
    )
    juliet.sends("<iq type='result' id='q1' to='romeo@h/orchard'/>")
    romeo.receives("<iq type='result' id='q1' from='juliet@h/balcony'/>")


@pytest.mark.parametrize(
    "to", ["h", "h/x", "romeo@h", "juliet@h", "juliet@h/gone", "nobody@h", "rooms.h", "x@rooms.h"]
)
@pytest.mark.parametrize("type", ["get", "set"])
def test_what_nobody_answers_is_refused(cast, to, type):
    romeo, juliet = cast("romeo", "juliet")
    romeo.sends(get("urn:example:unknown", to=to, type=type))
    romeo.receives(error("service-unavailable"))
    juliet.receives_nothing()


@pytest.mark.parametrize(
    "iq",
    [
        "<iq type='get' id='q1' to='h'/>",
        "<iq type='get' id='q1' to='h'><ping xmlns='urn:xmpp:ping'/><x xmlns='y'/></iq>",
        "<iq type='nonsense' id='q1' to='h'><ping xmlns='urn:xmpp:ping'/></iq>",
        "<iq id='q1' to='h'><ping xmlns='urn:xmpp:ping'/></iq>",
        "<iq type='get' id='q1' to='juliet@h/balcony'/>",
    ],
)
def test_a_malformed_query_is_refused(cast, iq):
    romeo, juliet = cast("romeo", "juliet/balcony")
    romeo.sends(iq)
    romeo.receives(error("bad-request", "modify"))
    juliet.receives_nothing()


def test_a_query_without_an_id_is_refused(cast):
    romeo = cast("romeo")
    romeo.sends("<iq type='get' to='h'><ping xmlns='urn:xmpp:ping'/></iq>")
    romeo.receives("<iq type='error'/>")


@pytest.mark.parametrize("to", ["h", "juliet@h", "juliet@h/gone", "nobody@h"])
@pytest.mark.parametrize("type", ["result", "error"])
def test_answers_to_nothing_are_dropped(cast, to, type):
    romeo, juliet = cast("romeo", "juliet")
    romeo.sends(f"<iq type='{type}' id='q1' to='{to}'/>")
    romeo.receives_nothing()
    juliet.receives_nothing()


def test_the_server_tells_what_it_is(cast):
    romeo = cast("romeo")
    romeo.sends(get(INFO))
    answer = romeo.receives(
        f"<iq type='result' from='h'><query xmlns='{INFO}'>"
        f"<identity category='server' type='im' name='*'/></query></iq>"
    )
    features = {one.get("var") for one in answer[0].findall(f"{{{INFO}}}feature")}
    assert {INFO, ITEMS, "urn:xmpp:ping", "jabber:iq:version", "msgoffline"} <= features


def test_the_server_tells_its_services(cast):
    romeo = cast("romeo")
    romeo.sends(get(ITEMS))
    romeo.receives(f"<iq type='result'><query xmlns='{ITEMS}'><item jid='rooms.h'/></query></iq>")


def test_the_rooms_service_tells_what_it_is(cast):
    romeo = cast("romeo")
    romeo.sends(get(INFO, to="rooms.h"))
    romeo.receives(
        f"<iq type='result' from='rooms.h'><query xmlns='{INFO}'>"
        "<identity category='conference' type='text'/></query></iq>"
    )
    romeo.sends(get(ITEMS, to="rooms.h"))
    romeo.receives(f"<iq type='result'><query xmlns='{ITEMS}'/></iq>")


def test_an_unknown_node_is_not_found(cast):
    romeo = cast("romeo")
    for ns in (INFO, ITEMS):
        romeo.sends(f"<iq type='get' id='q1' to='h'><query xmlns='{ns}' node='x'/></iq>")
        romeo.receives(error("item-not-found"))


def test_the_stream_announces_capabilities_that_match_the_servers_disco(cast):
    cast.account("romeo")
    client = cast.world.client()
    caps = client.secure().find("{http://jabber.org/protocol/caps}c")
    romeo = cast("romeo")
    node = f"{caps.get('node')}#{caps.get('ver')}"
    romeo.sends(f"<iq type='get' id='q1' to='h'><query xmlns='{INFO}' node='{node}'/></iq>")
    query = romeo.receives(f"<iq type='result'><query xmlns='{INFO}' node='{node}'/></iq>")[0]
    assert verification(query) == caps.get("ver")


def test_only_friends_and_the_owner_may_look_at_an_account(cast):
    romeo, juliet = cast("romeo", "juliet")
    for to in ("juliet@h", "nobody@h"):
        romeo.sends(get(INFO, to=to))
        romeo.receives(error("service-unavailable"))
    cast.befriend(romeo, juliet)
    for client in (romeo, juliet):
        client.sends(get(INFO, to="juliet@h"))
        client.receives(
            f"<iq type='result'><query xmlns='{INFO}'>"
            "<identity category='account' type='registered'/></query></iq>"
        )


def test_the_software_version(cast):
    romeo = cast("romeo")
    romeo.sends(get("jabber:iq:version"))
    romeo.receives(
        "<iq type='result'><query xmlns='jabber:iq:version'>"
        f"<name>Hausbote</name><version>{__version__}</version></query></iq>"
    )


def test_the_time(cast):
    romeo = cast("romeo")
    romeo.sends(get("urn:xmpp:time", "time"))
    time = romeo.receives("<iq type='result'><time xmlns='urn:xmpp:time'/></iq>")[0]
    assert time.findtext("{urn:xmpp:time}tzo") == "+00:00"
    assert time.findtext("{urn:xmpp:time}utc").endswith("Z")


def test_uptime_and_last_activity(cast):
    romeo, juliet = cast("romeo", "juliet")
    romeo.sends(get("jabber:iq:last"))
    seconds = romeo.receives("<iq type='result'><query xmlns='jabber:iq:last' seconds='*'/></iq>")
    assert seconds[0].get("seconds").isdigit()
    romeo.sends(get("jabber:iq:last", to="juliet@h"))
    romeo.receives(error("forbidden", "auth"))
    cast.befriend(romeo, juliet)
    romeo.sends(get("jabber:iq:last", to="juliet@h"))
    romeo.receives("<iq type='result'><query xmlns='jabber:iq:last' seconds='0'/></iq>")
    juliet.sends("<presence type='unavailable'><status>asleep</status></presence>")
    romeo.receives("<presence type='unavailable'/>")
    juliet.leaves()
    romeo.sends(get("jabber:iq:last", to="juliet@h"))
    romeo.receives("<iq type='result'><query xmlns='jabber:iq:last'>asleep</query></iq>")


def test_the_session_of_old_is_granted(cast):
    romeo = cast("romeo")
    for to in ("", " to='h'"):
        romeo.sends(
            f"<iq type='set' id='q1'{to}><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>"
        )
        romeo.receives("<iq type='result' id='q1'/>")


def _for_accounts():
    """All requests that accounts answer, each with the elements that these look for."""
    inside = {
        "jabber:iq:private": "<x xmlns='urn:x'/>",
        "jabber:iq:roster": "<item jid='x@h'/>",
        "urn:xmpp:blocking": "<item jid='x@h'/>",
        "http://jabber.org/protocol/pubsub": "<items node='n'/>",
        "http://jabber.org/protocol/pubsub#owner": "<delete node='n'/>",
    }
    keys = {key[1:] for f in FEATURES for key in f.iqs if key[0] is Target.ACCOUNT}
    return [(type, ns, name, inside.get(ns, "")) for type, ns, name in sorted(keys)]


@pytest.mark.parametrize("empty", [True, False])
def test_no_request_tells_strangers_which_accounts_there_are(cast, empty):
    """Whatever is asked for, juliet, who is here, capulet, who is not, and nobody sound alike."""
    romeo, juliet = cast("romeo", "juliet")
    cast.account("capulet")
    differing = []
    for type, ns, name, inside in _for_accounts():
        heard = []
        for to in ("nobody@h", "juliet@h", "capulet@h"):
            payload = f"<{name} xmlns='{ns}'>{'' if empty else inside}</{name}>"
            romeo.sends(f"<iq type='{type}' id='q' to='{to}'>{payload}</iq>")
            answer = romeo.next()
            answer.attrib.pop("from")
            heard.append(etree.tostring(answer))
        if len(set(heard)) != 1:
            differing.append((type, ns, name, heard))
    assert not differing
    juliet.receives_nothing()


@pytest.mark.parametrize(
    "payload",
    [
        "<query xmlns='jabber:iq:roster'><item jid='x@h' subscription='both'/></query>",
        "<block xmlns='urn:xmpp:blocking'><item jid='x@h'/></block>",
        "<unblock xmlns='urn:xmpp:blocking'/>",
    ],
)
def test_nobody_forges_what_only_the_own_server_tells_a_client(cast, payload):
    romeo, juliet, desk = cast("romeo", "juliet/phone", "juliet/desk")
    cast.befriend(romeo, juliet)
    for client in (romeo, desk):
        client.forget()
        client.sends(f"<iq type='set' id='q1' to='juliet@h/phone'>{payload}</iq>")
        client.receives(error("service-unavailable"))
    juliet.receives_nothing()


def test_whose_items_are_asked_for_need_not_exist(cast):
    romeo, _ = cast("romeo", "juliet")
    for to in ("nobody@h", "juliet@h"):
        for node in ("", " node='n'", " node='http://jabber.org/protocol/commands'"):
            romeo.sends(f"<iq type='get' id='q1' to='{to}'><query xmlns='{ITEMS}'{node}/></iq>")
            answer = romeo.receives(
                f"<iq type='result' id='q1'><query xmlns='{ITEMS}'{node}/></iq>"
            )
            assert len(answer[0]) == 0
