"""Where clients find the relay for calls: XEP-0215."""

import base64
import hashlib
import hmac
import time
from datetime import datetime

import gevent
import pytest

from hausbote.core.bus.memory import MemoryBus
from hausbote.features.external_services import Questions, Watches, give_up_late
from hausbote.turn.desk import Desk
from hausbote.turn.secrets import secrets_of
from support.worlds import PASSWORD, MemoryWorld

NS = "urn:xmpp:extdisco:2"
SERVICE = f"{{{NS}}}service"
INFO = "http://jabber.org/protocol/disco#info"
STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"


def services(inner="", id="s1"):
    return f"<iq type='get' id='{id}' to='h'><services xmlns='{NS}'{inner}/></iq>"


def credentials(inner, id="c1", to="h"):
    return (
        f"<iq type='get' id='{id}' to='{to}'><credentials xmlns='{NS}'>{inner}</credentials></iq>"
    )


def error(condition, type, id):
    return f"<iq type='error' id='{id}'><error type='{type}'><{condition} xmlns='{STANZAS}'/></error></iq>"


def listed(client, inner=""):
    client.sends(services(inner))
    return client.receives(
        f"<iq type='result' id='s1' from='h'><services xmlns='{NS}'{inner}/></iq>"
    )[0]


def is_signed(world, service):
    """Whether the relay, which knows the secrets, takes these credentials."""
    secrets = secrets_of(world.settings).all()
    name = service.get("username").encode()
    made = [base64.b64encode(hmac.digest(s.encode(), name, hashlib.sha1)).decode() for s in secrets]
    return service.get("password") in made


def test_the_server_says_that_it_knows_services(cast):
    romeo = cast("romeo")
    romeo.sends(f"<iq type='get' id='q1' to='h'><query xmlns='{INFO}'/></iq>")
    romeo.receives(f"<iq type='result'><query xmlns='{INFO}'><feature var='{NS}'/></query></iq>")


def test_a_client_gets_all_services_with_credentials(cast, world):
    romeo = cast("romeo")
    found = [
        tuple(one.get(k) for k in ("type", "host", "port", "transport")) for one in listed(romeo)
    ]
    assert found == [
        ("stun", "h", "3478", "udp"),
        ("stun", "h", "3478", "tcp"),
        ("turn", "h", "3478", "udp"),
        ("turn", "h", "3478", "tcp"),
        ("turns", "h", "5349", "tcp"),
    ]
    for service in listed(romeo):
        if service.get("type") == "stun":
            assert {"username", "password", "restricted"}.isdisjoint(service.attrib)
        else:
            assert service.get("restricted") == "1"
            assert is_signed(world, service)


def test_credentials_end_within_the_hour_and_say_so(cast):
    romeo = cast("romeo")
    turn = listed(romeo, " type='turn'")[0]
    expires = datetime.fromisoformat(turn.get("expires"))
    assert expires.utcoffset().total_seconds() == 0
    assert 0 < expires.timestamp() - time.time() <= 3_600
    assert turn.get("username").partition(":")[0] == str(int(expires.timestamp()))


def test_credentials_do_not_tell_whose_they_are(cast):
    romeo, juliet = cast("romeo", "juliet")
    names = [
        listed(one, " type='turn'")[0].get("username").partition(":")[2]
        for one in (romeo, romeo, juliet)
    ]
    assert names[0] == names[1] != names[2]
    assert "romeo" not in names[0]


@pytest.mark.parametrize("type", ["stun", "turn", "turns"])
def test_a_client_gets_the_services_of_one_type(cast, type):
    romeo = cast("romeo")
    assert {one.get("type") for one in listed(romeo, f" type='{type}'")} == {type}


@pytest.mark.parametrize("type", ["ftp", "TURN", "&lt;&apos;"])
def test_there_is_nothing_of_an_unknown_type(cast, type):
    romeo = cast("romeo")
    assert len(listed(romeo, f" type='{type}'")) == 0


@pytest.mark.parametrize(
    ("asked", "ports"),
    [
        ("host='h' type='turn'", ["3478", "3478"]),
        ("host='H' type='turn' port='3478'", ["3478", "3478"]),
        ("host='h' type='turn' transport='udp'", ["3478"]),
        ("host='h' type='turns' port='5349'", ["5349"]),
    ],
)
def test_a_client_gets_credentials_for_a_service_that_it_knows(cast, world, asked, ports):
    romeo = cast("romeo")
    romeo.sends(credentials(f"<service {asked}/>"))
    found = romeo.receives(f"<iq type='result' id='c1' from='h'><credentials xmlns='{NS}'/></iq>")[
        0
    ]
    assert [one.get("port") for one in found] == ports
    assert all(one.tag == SERVICE and is_signed(world, one) for one in found)


def test_a_service_for_everybody_needs_no_credentials(cast):
    romeo = cast("romeo")
    romeo.sends(credentials("<service host='h' type='stun' transport='udp'/>"))
    found = romeo.receives(
        f"<iq type='result' id='c1'><credentials xmlns='{NS}'><service type='stun'/></credentials></iq>"
    )
    assert "password" not in found[0][0].attrib


@pytest.mark.parametrize(
    "asked",
    ["host='other.example' type='turn'", "host='h' type='ftp'", "host='h' type='turn' port='5349'"],
)
def test_credentials_for_an_unknown_service_are_refused(cast, asked):
    romeo = cast("romeo")
    romeo.sends(credentials(f"<service {asked}/>"))
    romeo.receives(error("item-not-found", "cancel", "c1"))


@pytest.mark.parametrize(
    "inner",
    [
        "",
        "<service/>",
        "<service host='h'/>",
        "<service type='turn'/>",
        "<service host='' type=''/>",
        "<service host='h' type='turn'/><service host='h' type='turns'/>",
        "<service xmlns='urn:example:other' host='h' type='turn'/>",
        "<service host='h' type='turn' port=''/>",
        "<service host='h' type='turn' port='-1'/>",
        "<service host='h' type='turn' port='0'/>",
        "<service host='h' type='turn' port='65536'/>",
        "<service host='h' type='turn' port='٣٤٧٨'/>",
        "<service host='h' type='turn' port='3478.0'/>",
        f"<service host='{'h' * 256}' type='turn'/>",
        f"<service host='h' type='{'t' * 256}'/>",
    ],
)
def test_a_malformed_request_for_credentials_is_refused(cast, inner):
    romeo = cast("romeo")
    romeo.sends(credentials(inner))
    romeo.receives(error("bad-request", "modify", "c1"))


def test_a_type_that_is_far_too_long_is_refused(cast):
    romeo = cast("romeo")
    romeo.sends(services(f" type='{'t' * 256}'"))
    romeo.receives(error("bad-request", "modify", "s1"))


@pytest.mark.parametrize("to", ["romeo@h", "juliet@h", "rooms.h", "h/x"])
def test_only_the_server_answers(cast, to):
    romeo = cast("romeo")
    romeo.sends(services().replace("to='h'", f"to='{to}'"))
    romeo.receives(error("service-unavailable", "cancel", "s1"))


def test_services_are_not_set_by_clients(cast):
    romeo = cast("romeo")
    romeo.sends(services().replace("'get'", "'set'"))
    romeo.receives(error("service-unavailable", "cancel", "s1"))


def test_one_who_asks_too_often_must_wait_and_nobody_else(cast, world):
    tybalt, juliet = cast("tybalt", "juliet")
    for _ in range(world.settings.limits.relay_credentials_per_hour):
        listed(tybalt)
    tybalt.sends(services())
    tybalt.receives(error("resource-constraint", "wait", "s1"))
    tybalt.sends(credentials("<service host='h' type='turns'/>"))
    tybalt.receives(error("resource-constraint", "wait", "c1"))
    assert len(listed(tybalt, " type='stun'")) == 2
    assert len(listed(juliet)) == 5


def test_a_client_is_told_when_that_part_of_the_server_is_away(tmp_path, monkeypatch):
    """In memory only: a running box waits for half a minute."""
    monkeypatch.setattr(MemoryBus.__init__, "__defaults__", (0.1, 1_000_000))
    world = MemoryWorld(tmp_path)
    try:
        world.turn.close()
        world.add_account("romeo")
        romeo = world.client().log_in("romeo", PASSWORD)
        romeo.sends(services(), credentials("<service host='h' type='turn'/>"))
        romeo.receives(error("remote-server-timeout", "wait", "s1"))
        romeo.receives(error("remote-server-timeout", "wait", "c1"))
    finally:
        world.close()


def test_a_fault_of_that_part_of_the_server_is_told(tmp_path, monkeypatch):
    world = MemoryWorld(tmp_path)
    try:
        world.add_account("romeo")
        romeo = world.client().log_in("romeo", PASSWORD)

        def broken(_self, _question):
            raise ZeroDivisionError

        monkeypatch.setattr(Desk, "answer", broken)
        romeo.sends(services(), credentials("<service host='h' type='turn'/>"))
        romeo.receives(error("remote-server-timeout", "wait", "s1"))
        romeo.receives(error("remote-server-timeout", "wait", "c1"))
        assert not world.host.state(Questions).open
    finally:
        world.close()


def test_a_question_that_gets_lost_ends(tmp_path, monkeypatch):
    world = MemoryWorld(tmp_path)
    try:
        world.turn.close()
        world.add_account("romeo")
        romeo = world.client().log_in("romeo", PASSWORD)
        romeo.sends(services())
        romeo.receives_nothing()
        give_up_late(world.host)
        romeo.receives_nothing()
        now = time.monotonic()
        monkeypatch.setattr(time, "monotonic", lambda: now + 61)
        give_up_late(world.host)
        monkeypatch.undo()
        romeo.receives(error("remote-server-timeout", "wait", "s1"))
    finally:
        world.close()


def test_who_leaves_before_the_answer_leaves_nothing_behind(tmp_path):
    world = MemoryWorld(tmp_path)
    try:
        world.add_account("romeo")
        romeo = world.client().log_in("romeo", PASSWORD)
        listed(romeo, " type='turn'")
        assert len(world.host.state(Watches).by_session) == 1
        romeo.sends(services(" type='turn'"))
        romeo.leaves()
        gevent.sleep(0.1)
        assert not world.host.state(Questions).open
        assert not world.host.state(Watches).by_session
    finally:
        world.close()


def test_others_than_the_people_of_the_server_get_nothing(cast, bridge):
    bridge.sends(services().replace("<iq", "<iq from='bridge.h'"))
    bridge.receives(error("forbidden", "auth", "s1").replace("<iq", "<iq from='h'"))


def test_clients_that_asked_for_a_type_hear_that_their_credentials_are_void(cast, world):
    romeo, juliet, mercutio = cast("romeo/orchard", "juliet", "mercutio")
    before = {one.get("password") for one in listed(romeo, " type='turn'")}
    listed(juliet)
    world.void_credentials()
    push = romeo.receives(
        f"<iq type='set' id='*' from='h' to='romeo@h/orchard'><services xmlns='{NS}' type='turn'>"
        "<service action='modify' type='turn' transport='udp'/>"
        "<service action='modify' type='turn' transport='tcp'/></services></iq>"
    )
    assert before.isdisjoint(one.get("password") for one in push[0])
    assert all(is_signed(world, one) for one in push[0])
    romeo.sends(f"<iq type='result' id='{push.get('id')}' to='h'/>")
    for client in (romeo, juliet, mercutio):
        client.receives_nothing()
