"""What waits for clients while their service is restarted: how much of it is kept, in what pieces, what
must not be on a disk, and what goes on where it was (XEP-0198 §5, XEP-0334)."""

import time

import gevent
import pytest

from hausbote.c2s.management import hibernation, preserving
from hausbote.features import offline
from hausbote.storage.sessions import Sessions
from support.component import Component
from support.pep import arrives, publish
from support.rooms import Room
from support.scram_client import ScramClient
from support.worlds import PASSWORD

SM = "urn:xmpp:sm:3"
HINT = "<no-store xmlns='urn:xmpp:hints'/>"
WORDS = "burn after reading"


def come(cast, name, h=None):
    """Available, with a session that can be resumed; or back in that with a count."""
    local, _, resource = name.partition("/")
    cast.account(local)
    client = cast.world.client()
    cast.clients.append(client)
    client.secure()
    client.authenticate(ScramClient(local, PASSWORD, "SCRAM-SHA-256"), "SCRAM-SHA-256")
    client.open()
    client.next()
    if h is not None:
        client.send(f"<resume xmlns='{SM}' previd='{cast.ids[name]}' h='{h}'/>")
        assert client.next().tag == f"{{{SM}}}resumed"
        return client
    client.bind(resource or "here")
    client.send(f"<enable xmlns='{SM}' resume='true'/>")
    cast.ids[name] = client.next().get("id")
    client.sends("<presence/>")
    client.receives("<presence/>")
    return client


@pytest.fixture
def people(own_cast):
    def make(**settings):
        cast = own_cast(**settings)
        cast.ids = {}
        return cast

    return make


def restart(cast):
    cast.world.stop_clients_service()
    cast.world.start_clients_service()


def says(to, *words, more=""):
    return [
        f"<message to='{to}' type='chat' id='{w[:4]}'><body>{w}</body>{more}</message>"
        for w in words
    ]


def came(client):
    return [one for one in client.came() if one.tag.startswith("{jabber:client}")]


def bodies(client):
    return [b for one in came(client) if (b := one.findtext("{jabber:client}body")) is not None]


def acknowledge(client, h):
    client.send(f"<a xmlns='{SM}' h='{h}'/>")


def session(cast, name):
    local, _, resource = name.partition("/")
    return cast.world.host.directory.account(local).sessions.get(resource or "here")


def rows(cast, table="session"):
    return cast.world.store.sessions._reader.execute_sql(f"SELECT * FROM {table}").fetchall()


def on_disk(cast):
    """All that is in the database, and beside it."""
    cast.world.store.settle()
    files = cast.world.settings.state.glob("hausbote.db*")
    return b"".join(file.read_bytes() for file in files)


# -- how much ----------------------------------------------------------------------------------


def test_it_is_written_in_portions_and_read_in_portions(people, monkeypatch):
    monkeypatch.setattr(preserving, "_PORTION", 20_000)
    cast, written = people(), []
    keep = Sessions.keep
    monkeypatch.setattr(
        Sessions,
        "keep",
        lambda store, these, *more: written.append(these) or keep(store, these, *more),
    )
    for number in range(4):
        come(cast, f"romeo{number}")
    sender = cast("sender")
    for number in range(4):
        sender.sends(*says(f"romeo{number}@h", "x" * 9_000))
    sender.settle()
    restart(cast)
    assert [len(one) for one in written] == [3, 1]
    for number in range(4):
        assert bodies(come(cast, f"romeo{number}", 1)) == ["x" * 9_000]
    assert rows(cast) == []


def test_for_whom_most_waits_loses_the_session_and_no_message(people, monkeypatch):
    monkeypatch.setattr(preserving, "_MOST", 50_000)
    cast = people()
    come(cast, "romeo"), come(cast, "juliet")
    sender = cast("sender")
    sender.sends(*says("romeo@h", "few"))
    sender.sends(*says("juliet@h", *[f"{number}".ljust(9_000, ".") for number in range(6)]))
    sender.settle()
    restart(cast)
    assert session(cast, "juliet") is None
    assert bodies(come(cast, "romeo", 1)) == ["few"]
    juliet = come(cast, "juliet")
    assert [body[0] for body in bodies(juliet)] == list("012345")


def test_what_a_room_says_is_written_once_and_is_one_thing_afterwards(people):
    cast = people()
    romeo = come(cast, "romeo")
    guests = [f"guest{number}" for number in range(5)]
    room = Room("lively").make(romeo, "romeo")
    for name in guests:
        room.join(come(cast, name), name)
    for name in guests:
        acks = session(cast, name).acks.unacked
        acks.acknowledge(acks.sent)
    room.says(romeo, "here?")
    romeo.settle_with(room)
    cast.world.stop_clients_service()
    said = [row for row in rows(cast, "session_shared") if b"here?" in row[2]]
    assert len(said) == 1
    assert not any(b"here?" in bytes(row[4]) for row in rows(cast) if row[1] != 1)
    cast.world.start_clients_service()
    waiting = [session(cast, name).acks.unacked.queue for name in guests]
    assert len({id(queue[-1]) for queue in waiting}) == 1
    for name, queue in zip(guests, waiting, strict=True):
        h = session(cast, name).acks.unacked.sent - len(queue)
        assert bodies(come(cast, name, h)) == ["here?"]


def test_what_was_not_written_to_its_end_does_not_count(people, monkeypatch):
    """The service was killed in the middle: nothing is made up."""
    cast = people()
    romeo = come(cast, "romeo")
    cast("juliet").sends(*says("romeo@h", "one"))
    romeo.receives("<message/>")
    monkeypatch.setattr(Sessions, "complete", lambda store: store.keep([]))
    restart(cast)
    assert session(cast, "romeo") is None
    assert rows(cast) == []


def test_a_break_that_nobody_has_handled_yet_is_no_end(people):
    cast = people()
    romeo = come(cast, "romeo")
    romeo.wire.close()  # and nothing else had a turn since
    preserving.preserve(cast.world.host)
    ((id, *_, state),) = rows(cast)
    assert id == cast.ids["romeo"]
    assert state, "it is kept as one that has ended"


def test_who_is_just_coming_back_can_come_back_again(people):
    cast = people()
    romeo = come(cast, "romeo")
    acks = session(cast, "romeo").acks
    done = acks.ledger.enter()  # something of it is not safe yet
    back = cast.world.client()
    back.secure()
    back.authenticate(ScramClient("romeo", PASSWORD, "SCRAM-SHA-256"), "SCRAM-SHA-256")
    back.open()
    back.next()
    back.send(f"<resume xmlns='{SM}' previd='{cast.ids['romeo']}' h='1'/>")
    romeo.is_ended_with("conflict")
    cast.world.stop_clients_service()
    done()
    gevent.sleep(0)
    cast.world.start_clients_service()
    come(cast, "romeo", 1)


def test_a_client_that_does_not_read_keeps_no_service_from_stopping(people):
    cast = people()
    romeo = cast("romeo")
    note = f"<note xmlns='urn:note'>{'x' * 100_000}</note>"
    romeo.sends(f"<iq type='set' id='0'><query xmlns='jabber:iq:private'>{note}</query></iq>")
    romeo.answer("0")
    asks = "<query xmlns='jabber:iq:private'><note xmlns='urn:note'/></query>"
    romeo.sends(*[f"<iq type='get' id='{number}'>{asks}</iq>" for number in range(1, 9)])
    stream = romeo.wire.receiver
    assert stream.is_at_work
    while romeo.wire.unwritten < 262_144:
        gevent.sleep(0)
    cast("juliet").settle()
    assert not stream.is_at_work


# -- what must not be on a disk ----------------------------------------------------------------


@pytest.mark.parametrize("seen", [0, 1, 2, 3])
def test_what_may_not_be_stored_is_not_and_counts_stay_right(people, seen):
    cast = people()
    romeo = come(cast, "romeo")
    come(cast, "juliet")
    romeo.sends(*says("juliet@h", "one"), *says("juliet@h", WORDS, more=HINT))
    romeo.sends(*says("juliet@h", "two"))
    romeo.settle()
    cast.world.stop_clients_service()
    assert WORDS.encode() not in on_disk(cast)
    cast.world.start_clients_service()
    juliet = come(cast, "juliet", 1 + seen)
    got = came(juliet)
    assert [one.findtext("{jabber:client}body") for one in got] == {0: ["one", "two"], 3: []}.get(
        seen, ["two"]
    )
    counted = 1 + seen + len(got) + 2  # and the answers to the pings that `came` ends with
    assert session(cast, "juliet").acks.unacked.sent == counted
    romeo = come(cast, "romeo", 1)
    told = [one for one in came(romeo) if one.get("type") == "error"]
    assert [(one.get("id"), one.find(".//{*}service-unavailable") is not None) for one in told] == [
        (WORDS[:4], True)
    ]


def test_whose_message_another_client_has_hears_nothing(people):
    cast = people()
    romeo = come(cast, "romeo")
    come(cast, "juliet/phone")
    desk = come(cast, "juliet/desk")
    romeo.sends(*says("juliet@h", WORDS, more=HINT))
    romeo.settle()
    acknowledge(desk, session(cast, "juliet/desk").acks.unacked.sent)
    desk.settle()
    restart(cast)
    assert [one for one in came(come(cast, "romeo", 1)) if one.get("type") == "error"] == []


def test_copies_of_it_are_not_stored_either(people):
    cast = people()
    romeo, other = come(cast, "romeo"), come(cast, "romeo/other")
    cast("juliet")
    other.sends("<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>")
    other.settle()
    other.forget()
    romeo.sends(*says("juliet@h", WORDS, more=HINT))
    other.receives("<message/>")
    cast.world.stop_clients_service()
    assert WORDS.encode() not in on_disk(cast)


def test_credentials_for_the_relay_are_not_stored_and_the_client_asks_again(people):
    cast = people()
    romeo = come(cast, "romeo")
    romeo.sends("<iq type='get' id='s1' to='h'><services xmlns='urn:xmpp:extdisco:2'/></iq>")
    found = romeo.receives("<iq type='result' id='s1'/>")
    password = next(one.get("password") for one in found[0] if one.get("password"))
    cast.world.stop_clients_service()
    assert password.encode() not in on_disk(cast)
    cast.world.start_clients_service()
    (answer,) = came(come(cast, "romeo", 1))
    assert (answer.get("id"), answer.get("type")) == ("s1", "error")
    assert answer.find("{jabber:client}error").get("type") == "wait"


# -- what goes on ------------------------------------------------------------------------------


def test_kept_messages_that_were_under_way_come_once(people, monkeypatch):
    monkeypatch.setattr(offline, "_PORTION", 3_000)
    cast = people()
    cast.account("juliet")
    romeo = cast("romeo")
    romeo.sends(*says("juliet@h", *[str(number).ljust(1_000, ".") for number in range(6)]))
    romeo.settle()
    juliet = come(cast, "juliet")
    got = [body[0] for body in bodies(juliet)]
    assert 0 < len(got) < 6
    h = session(cast, "juliet").acks.unacked.sent
    restart(cast)
    juliet = come(cast, "juliet", h)
    while len(got) < 6:
        stanza = juliet.next()
        assert stanza is not None
        if stanza.tag == "{jabber:client}message":
            got.append(stanza.findtext("{jabber:client}body")[0])
            acknowledge(juliet, session(cast, "juliet").acks.unacked.sent)
    assert got == list("012345")
    assert bodies(juliet) == []
    assert cast.world.store.offline.pending("juliet", 1_000_000) == []


def test_last_items_that_were_under_way_come(people):
    cast = people()
    nodes = [f"urn:node:{number}" for number in range(6)]
    juliet = come(cast, "juliet")
    for node in nodes:
        juliet.sends(publish(node, f"<n xmlns='urn:n'>{'x' * 40_000}</n>"))
        juliet.answer("1")
    phone = come(cast, "juliet/phone")
    arrives(phone, *nodes)
    sent = session(cast, "juliet/phone").acks.unacked
    first = nodes_of(phone)
    assert 0 < len(first) < 6
    h = sent.sent
    restart(cast)
    phone = come(cast, "juliet/phone", h)
    rest = []
    while fresh := nodes_of(phone):
        rest += fresh
        acknowledge(phone, session(cast, "juliet/phone").acks.unacked.sent)
        phone.settle()
    assert sorted(first + rest) == nodes


def nodes_of(client):
    return [one[0][0].get("node") for one in came(client) if one.tag.endswith("message")]


def test_a_client_is_woken_for_what_waits_since_before(people, monkeypatch):
    cast = people()
    romeo = come(cast, "romeo/phone")
    romeo.sends(
        "<iq type='set' id='e'><enable xmlns='urn:xmpp:push:0' jid='bridge.h' node='n'/></iq>"
    )
    romeo.answer("e")
    cast("juliet").sends(*says("romeo@h", "hark"))
    romeo.receives("<message/>")
    monkeypatch.setattr(preserving, "_COME_BACK", 0.0)
    restart(cast)
    bridge = Component(cast.world.component_wire(), "bridge.h")
    bridge.attach()
    hibernation.sweep(cast.world.host)
    bridge.receives("<iq type='set' from='h' to='bridge.h' id='*'/>")
    bridge.wire.cut()


def give_a_place(cast, name):
    """Somebody else binds that resource: the session that waits for its client ends."""
    local, _, resource = name.partition("/")
    cast.world.client().log_in(local, PASSWORD, resource).leaves()


def test_what_came_while_a_client_was_unavailable_is_not_taken_for_received(people):
    cast = people()
    desk, sender = come(cast, "juliet/desk"), cast("sender")
    come(cast, "juliet/phone")
    desk.sends("<presence type='unavailable'/>")
    desk.settle()
    time.sleep(1.1)  # `features.received` takes a second for one delivery
    sender.sends(*says("juliet@h", "one"))
    sender.settle()
    restart(cast)
    give_a_place(cast, "juliet/desk")
    give_a_place(cast, "juliet/phone")
    assert bodies(come(cast, "juliet/new")) == ["one"]


def test_what_a_client_had_that_went_before_is_not_given_again(people):
    cast = people()
    desk, sender = come(cast, "juliet/desk"), cast("sender")
    come(cast, "juliet/phone")
    desk.forget()
    sender.sends(*says("juliet@h", "one"))
    sender.settle()
    assert bodies(desk) == ["one"]
    acknowledge(desk, session(cast, "juliet/desk").acks.unacked.sent)
    desk.settle()
    acknowledge(desk, session(cast, "juliet/desk").acks.unacked.sent)
    desk.leaves()
    restart(cast)
    give_a_place(cast, "juliet/phone")
    assert bodies(come(cast, "juliet/new")) == []


def test_the_time_since_the_start_does_not_jump_with_the_clock(people):
    cast = people()
    romeo = cast("romeo")
    cast.world.host.clock = lambda: time.time() + 86_400
    romeo.sends("<iq type='get' id='l' to='h'><query xmlns='jabber:iq:last'/></iq>")
    assert int(romeo.answer("l")[0].get("seconds")) < 86_400
