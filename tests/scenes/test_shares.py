"""One party takes all that it can get of something; another is then served as if nothing had been.

`bridge.h` and `bot.h` stand for other servers, which have as many people as they like.
"""

import time

import pytest

from hausbote.c2s.management import managed
from hausbote.features import adhoc, external_services
from hausbote.s2s import server
from support.authority import Authority
from support.commands import Admin, command, succeeded
from support.component import Component
from support.federation import log_in, make_houses, wait_until
from support.pep import OWNER, PUBSUB, form, iq
from support.raw_peer import GreenWire, RawPeer
from support.rooms import Room, condition
from support.scram_client import ScramClient
from support.worlds import PASSWORD

AUTHORITY = Authority()
PEER = "montague.example"
SM = "urn:xmpp:sm:3"
STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"
TOO_MUCH = f"<error type='wait'><resource-constraint xmlns='{STANZAS}'/></error>"


@pytest.fixture
def attach():
    made = []

    def make(people, domain):
        component = Component(people.world.component_wire(), domain)
        component.attach()
        made.append(component)
        return component

    yield make
    for component in made:
        component.wire.cut()


# -- contacts ----------------------------------------------------------------------------------


def ask(component, local):
    component.sends(
        f"<presence type='subscribe' id='{local}' from='{local}@{component.domain}' to='juliet@h'/>"
    )


def test_requests_of_one_server_leave_room_for_those_of_others(own_cast, attach):
    people = own_cast(limits={"roster_items": 3})
    juliet, many, few = people("juliet"), attach(people, "bridge.h"), attach(people, "bot.h")
    for local in ("a", "b", "c", "d"):
        ask(many, local)
    many.receives(f"<presence type='error' id='d' to='d@bridge.h'>{TOO_MUCH}</presence>")
    for local in ("a", "b", "c"):
        juliet.receives(f"<presence type='subscribe' from='{local}@bridge.h'/>")
    ask(few, "romeo")
    juliet.receives("<presence type='subscribe' from='romeo@bot.h'/>")
    many.receives(f"<presence type='error' id='a' to='a@bridge.h'>{TOO_MUCH}</presence>")
    few.receives_nothing()
    again = people("juliet/again", available=False)
    again.sends("<presence/>")
    again.receives("<presence from='juliet@h/again'/>")
    kept = {one.get("from") for one in again.came() if one.get("type") == "subscribe"}
    assert kept == {"b@bridge.h", "c@bridge.h", "romeo@bot.h"}


# -- rooms -------------------------------------------------------------------------------------


def register(component, room, local):
    field = f"<field var='muc#register_roomnick'><value>{local}</value></field>"
    kind = "<field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#register</value></field>"
    component.sends(
        f"<iq type='set' id='r{local}' from='{local}@{component.domain}' to='{room.jid}'>"
        "<query xmlns='jabber:iq:register'>"
        f"<x xmlns='jabber:x:data' type='submit'>{kind}{field}</x></query></iq>"
    )
    answer = component.next()
    while answer.tag != "{jabber:client}iq":
        answer = component.next()
    return answer.get("type") == "result"


def test_outsiders_who_register_leave_room_for_others_and_for_admins(own_cast, attach):
    people = own_cast(limits={"room_affiliations": 20})
    romeo, many, few = people("romeo"), attach(people, "bridge.h"), attach(people, "bot.h")
    room = Room().make(romeo, "romeo", **{"muc#roomconfig_allowregister": "1"})
    came = [register(many, room, f"x{number}") for number in range(5)]
    assert came == [True, True, False, False, False]
    assert register(few, room, "juliet")
    for number in range(16):
        banned = f"<item jid='y{number}@bridge.h' affiliation='outcast'/>"
        assert room.admin(romeo, "set", banned).get("type") == "result"
    full = room.admin(romeo, "set", "<item jid='one@too.many' affiliation='outcast'/>")
    assert condition(full) == ("resource-constraint", "wait"), "that was the owner's own doing"


# -- nodes -------------------------------------------------------------------------------------


def subscribe(component, local):
    jid = f"{local}@{component.domain}"
    component.sends(
        f"<iq type='set' id='s' from='{jid}' to='pubsub.h'><pubsub xmlns='{PUBSUB}'>"
        f"<subscribe node='musings' jid='{jid}'/></pubsub></iq>"
    )
    return component.receives("<iq id='s'/>").get("type") == "result"


def test_subscribers_of_one_server_leave_room_for_others_and_the_owner(own_cast, attach):
    people = own_cast(limits={"pubsub_subscriptions": 8})
    romeo, many, few = people("romeo"), attach(people, "bridge.h"), attach(people, "bot.h")
    people.world.store.accounts.set_admin("romeo", True)
    opened = form("node_config", access_model="open")
    made = f"<create node='musings'/><configure>{opened}</configure>"
    romeo.sends(iq("set", made, "pubsub.h"))
    romeo.receives("<iq type='result'/>")
    assert [subscribe(many, f"x{number}") for number in range(4)] == [True, True, False, False]
    assert [subscribe(few, "juliet"), subscribe(few, "nurse")] == [True, True]
    wanted = "".join(
        f"<subscription jid='z{number}@bridge.h' subscription='subscribed'/>" for number in range(4)
    )
    given = f"<subscriptions node='musings'>{wanted}</subscriptions>"
    romeo.sends(iq("set", given, "pubsub.h", namespace=OWNER))
    romeo.receives("<iq type='result'/>")


# -- commands ----------------------------------------------------------------------------------


def test_who_begins_many_commands_ends_nobody_elses(own_cast):
    people = own_cast()
    people.world.host.state(adhoc.Sessions).by_id.total = 4
    tybalt, juliet = people("tybalt", "juliet")
    for local in ("tybalt", "juliet"):
        people.world.store.accounts.set_admin(local, True)
    first = Admin(tybalt).begins("announce").get("sessionid")
    hers = Admin(juliet).begins("announce").get("sessionid")
    for _ in range(9):
        Admin(tybalt).begins("announce")
    given = {"subject": ["Hark"], "announcement": ["A feast"]}
    Admin(juliet).submits("announce", hers, given)
    assert succeeded(Admin(juliet).answer())
    tybalt.sends(command("http://jabber.org/protocol/admin#announce", "complete", first, given))
    answer = tybalt.next()
    while answer.get("id") != "c":
        answer = tybalt.next()
    assert answer.get("type") == "error"


# -- the relay ---------------------------------------------------------------------------------


def test_who_asks_much_while_the_relay_says_nothing_keeps_nobody_from_asking(own_cast):
    people = own_cast()
    people.world.host.state(external_services.Questions).open.total = 3
    people.world.turn.close()
    tybalt, juliet = people("tybalt", "juliet")
    for number in range(4):
        tybalt.sends(
            f"<iq type='get' id='{number}' to='h'><services xmlns='urn:xmpp:extdisco:2'/></iq>"
        )
    tybalt.receives(f"<iq type='error' id='0'>{TOO_MUCH}</iq>")
    juliet.sends("<iq type='get' id='j' to='h'><services xmlns='urn:xmpp:extdisco:2'/></iq>")
    juliet.receives_nothing()
    tybalt.receives(f"<iq type='error' id='1'>{TOO_MUCH}</iq>")


# -- sessions that wait for their clients ------------------------------------------------------


def enabled(client):
    client.send(f"<enable xmlns='{SM}' resume='true'/>")
    return client.next().get("id")


def leave(client):
    client.wire.cut()
    time.sleep(0.05)


def comes_back(people, local, previd):
    client = people.world.client()
    people.clients.append(client)
    client.secure()
    client.authenticate(ScramClient(local, PASSWORD, "SCRAM-SHA-256"), "SCRAM-SHA-256")
    client.open()
    client.send(f"<resume xmlns='{SM}' previd='{previd}' h='0'/>")
    return client.next().tag == f"{{{SM}}}resumed"


def test_sleeping_sessions_of_one_account_leave_others_asleep(own_cast):
    people = own_cast()
    people.world.host.state(managed.Book).asleep.total = 3
    juliet = people("juliet")
    hers = enabled(juliet)
    leave(juliet)
    his = []
    for number in range(5):
        tybalt = people(f"tybalt/{number}")
        his.append(enabled(tybalt))
        leave(tybalt)
    assert comes_back(people, "juliet", hers)
    assert [comes_back(people, "tybalt", one) for one in his[::4]] == [False, True]


def test_sessions_that_one_account_ended_leave_others_counts(own_cast):
    people = own_cast()
    people.world.host.state(managed.Book).ended.total = 3
    juliet = people("juliet")
    hers = enabled(juliet)
    juliet.leaves()
    for number in range(5):
        tybalt = people(f"tybalt/{number}")
        enabled(tybalt)
        tybalt.leaves()
    client = people.world.client()
    people.clients.append(client)
    client.secure()
    client.authenticate(ScramClient("juliet", PASSWORD, "SCRAM-SHA-256"), "SCRAM-SHA-256")
    client.open()
    client.send(f"<resume xmlns='{SM}' previd='{hers}' h='0'/>")
    failed = client.next()
    assert failed.tag == f"{{{SM}}}failed"
    assert failed.get("h") is not None, "the count of her session was forgotten"


# -- other servers -----------------------------------------------------------------------------


@pytest.fixture
def build(tmp_path):
    made = []

    def build(**overrides):
        (house,) = make_houses(
            tmp_path / "houses", "capulet.example", authority=AUTHORITY, **overrides
        )
        made.append(house)
        return house

    yield build
    for house in made:
        house.close()


@pytest.fixture
def peer(tmp_path):
    made = []

    def make(house, domain=PEER):
        identity = AUTHORITY.issue(domain)
        one = RawPeer(GreenWire(house.address, house.port, tmp_path, identity), "capulet.example")
        made.append(one.wire)
        one.start_tls(sender=domain)
        one.authenticate_as(domain)
        one.open(domain)
        return one

    yield make
    for wire in made:
        wire.cut()


def chat(id, to):
    return f"<message to='{to}' type='chat' id='{id}'><body>O</body></message>"


def waiting(house):
    house.store.settle()
    return sum(one.messages for one in house.store.outgoing.waiting())


def test_who_fills_the_queue_for_a_server_makes_room_for_others(build):
    house = build(federation={"queue_messages": 3})
    house.names.put(PEER, "127.0.0.1", 1)
    mallory, juliet = log_in(house, "mallory"), log_in(house, "juliet")
    for number in range(3):
        mallory.sends(chat(number, f"romeo@{PEER}"))
    wait_until(lambda: waiting(house) == 3)
    mallory.sends(chat("one too many", f"romeo@{PEER}"))
    mallory.receives(f"<message type='error' id='one too many'>{TOO_MUCH}</message>")
    juliet.sends(chat("hers", f"romeo@{PEER}"))
    mallory.receives(f"<message type='error' id='0'>{TOO_MUCH}</message>")
    wait_until(lambda: waiting(house) == 3)
    juliet.receives_nothing()
    senders = [row.stanza for row in house.store.outgoing.pending(PEER, "capulet.example", 0, 9)]
    assert [b"juliet@" in one for one in senders] == [False, False, True]


def test_who_fills_the_queue_for_all_servers_makes_room_for_others(build):
    house = build(federation={"queue_bytes": 400})  # for all together there are eight times as many
    mallory, juliet = log_in(house, "mallory"), log_in(house, "juliet")
    for number in range(30):
        house.names.put(f"{number}.example", "127.0.0.1", 1)
        mallory.sends(chat(number, f"x@{number}.example"))
    refused = []

    def all_are_dealt_with():
        refused.extend(mallory.came())
        return len(refused) + waiting(house) == 30

    wait_until(all_are_dealt_with)
    assert refused
    before = waiting(house)
    house.names.put(PEER, "127.0.0.1", 1)
    juliet.sends(chat("hers", f"romeo@{PEER}"))
    mallory.receives(f"<message type='error'>{TOO_MUCH}</message>")
    wait_until(lambda: waiting(house) <= before)
    juliet.receives_nothing()
    assert house.store.outgoing.pending(PEER, "capulet.example", 0, 9)


def test_streams_of_one_owner_of_many_names_leave_others_theirs(build, peer):
    house = build()
    house.gate.proven.total = 3
    juliet = log_in(house, "juliet")
    friend = peer(house)
    many = [peer(house, f"x{number}.y{number}.evil.example") for number in range(4)]
    many[0].is_ended_with("resource-constraint")
    friend.send(
        f"<message from='romeo@{PEER}' to='{juliet.jid}' type='chat'><body>O</body></message>"
    )
    juliet.receives("<message><body>O</body></message>")


def test_strangers_of_one_address_keep_no_server_out(build, peer, monkeypatch):
    monkeypatch.setattr(server, "_MAX_STRANGERS", 3)
    house = build()
    juliet = log_in(house, "juliet")
    wires = [GreenWire(house.address, house.port) for _ in range(6)]
    wait_until(lambda: len(house.gate.streams) == 3)
    one = peer(house)
    one.send(f"<message from='romeo@{PEER}' to='{juliet.jid}' type='chat'><body>O</body></message>")
    juliet.receives("<message><body>O</body></message>")
    for wire in wires:
        wire.cut()
