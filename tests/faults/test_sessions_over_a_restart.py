"""The clients' service is told to stop and comes again: what was handled is known, and who comes back
in time finds the session as it was (XEP-0198 §5)."""

import time

import pytest
from lxml import etree

from hausbote.storage import Range
from support.processes import wait_until_ended
from support.rooms import Room
from support.scram_client import ScramClient
from support.worlds import PASSWORD, RunningWorld

SM = "urn:xmpp:sm:3"
STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"
MANY = 50


@pytest.fixture
def house(tmp_path):
    world = RunningWorld(tmp_path / "state", address="127.0.0.46")
    for name in ("romeo", "juliet", "nurse"):
        world.add_account(name)
    yield world
    world.close()


def come(house, name, **enable):
    """With a session that can be resumed; and by what."""
    client = house.client().log_in(name, PASSWORD, "here")
    wanted = "".join(f" {key}='{value}'" for key, value in enable.items())
    client.send(f"<enable xmlns='{SM}' resume='true'{wanted}/>")
    client.id = client.next().get("id")
    client.sends("<presence/>")
    client.receives("<presence/>")
    return client


def befriend(one, other):
    one.sends(f"<presence type='subscribe' to='{other.bare}'/>")
    one.settle()
    other.sends(f"<presence type='subscribed' to='{one.bare}'/>")
    other.sends(f"<presence type='subscribe' to='{one.bare}'/>")
    other.settle()
    one.sends(f"<presence type='subscribed' to='{other.bare}'/>")
    for client in (one, other, one, other):
        client.forget()


def log_in(house, name):
    """On a new stream, without a resource; as soon as the service is there."""
    deadline = time.monotonic() + 30
    while True:
        try:
            client = house.client()
            client.secure()
            client.authenticate(ScramClient(name, PASSWORD, "SCRAM-SHA-256"), "SCRAM-SHA-256")
            client.open()
            client.next()
            return client
        except (OSError, AttributeError):
            assert time.monotonic() < deadline
            time.sleep(0.1)


def resume(house, name, id, h=0):
    client = log_in(house, name)
    client.send(f"<resume xmlns='{SM}' previd='{id}' h='{h}'/>")
    client.answered = client.next(20)
    return client


def stop(house, *clients):
    """The service ends in an orderly way; how much was handled of each of these clients."""
    pid = house.pid("c2s")
    house.signal("c2s", "SIGTERM")
    handled = [goodbye(client) for client in clients]
    wait_until_ended(pid)  # so that nobody comes to it while it goes
    return handled


def goodbye(client):
    handled = None
    while (element := client.next(20)) is not None:
        if element.tag == f"{{{SM}}}a":
            handled = int(element.get("h"))
        client.last = element
    assert client.last[0].tag.endswith("}system-shutdown")
    return handled


def stanzas(client):
    """All that comes now, without the elements of stream management."""
    return [one for one in client.came() if one.tag.startswith("{jabber:client}")]


def bodies(client):
    return [b for one in stanzas(client) if (b := one.findtext("{jabber:client}body")) is not None]


@pytest.mark.parametrize("resume", ["true", "false"])
def test_the_last_word_is_how_much_was_handled(house, resume):
    romeo = house.client().log_in("romeo", PASSWORD)
    romeo.send(f"<enable xmlns='{SM}' resume='{resume}'/>")
    romeo.next()
    for number in range(MANY):
        romeo.sends(f"<message to='juliet@h' type='chat'><body>{number}</body></message>")
    (handled,) = stop(house, romeo)
    assert handled == MANY
    juliet = log_in(house, "juliet")
    juliet.bind()
    assert len(house.store.archives.page("juliet", Range(), 1_000)) == handled


def test_a_session_goes_on_where_it_was(house):
    romeo, juliet = come(house, "romeo"), come(house, "juliet")
    befriend(romeo, juliet)
    romeo.sends("<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>")
    romeo.sends("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>")
    romeo.forget()
    juliet.sends("<message to='romeo@h' type='chat'><body>before</body></message>")
    juliet.settle()
    handled, _ = stop(house, romeo, juliet)
    juliet = resume(house, "juliet", juliet.id)
    assert juliet.answered.tag == f"{{{SM}}}resumed"
    juliet.sends("<message to='romeo@h' type='chat'><body>after</body></message>")
    juliet.settle()
    romeo = resume(house, "romeo", romeo.id, h=0)
    assert romeo.answered.tag == f"{{{SM}}}resumed"
    assert int(romeo.answered.get("h")) == handled
    assert bodies(romeo)[-2:] == ["before", "after"]
    assert [one.get("type") for one in stanzas(juliet) if one.get("type") == "unavailable"] == []
    nurse = house.client().log_in("romeo", PASSWORD, "elsewhere")
    nurse.sends("<message to='juliet@h' type='chat'><body>mine</body></message>")
    nurse.sends(
        "<iq type='set' id='1'><query xmlns='jabber:iq:roster'><item jid='a@h'/></query></iq>"
    )
    nurse.settle()
    came = [etree.tostring(one).decode() for one in stanzas(romeo)]
    assert any("urn:xmpp:carbons:2" in one and "mine" in one for one in came)
    assert any("jabber:iq:roster" in one and "a@h" in one for one in came)


def test_what_was_not_acknowledged_comes_once_and_in_order(house):
    romeo, juliet = come(house, "romeo"), come(house, "juliet")
    for number in range(MANY):
        romeo.sends(f"<message to='juliet@h' type='chat'><body>{number}</body></message>")
    romeo.settle()
    stop(house, juliet)
    juliet = resume(house, "juliet", juliet.id, h=1 + 20)  # presence, and 20 messages
    assert bodies(juliet) == [str(number) for number in range(20, MANY)]
    juliet.leaves()
    juliet = house.client().log_in("juliet", PASSWORD)
    juliet.sends("<presence/>")
    assert bodies(juliet) == [str(number) for number in range(20, MANY)]  # it acknowledged none


def test_who_is_in_a_room_stays_there(house):
    romeo, juliet, nurse = come(house, "romeo"), come(house, "juliet"), None
    nurse = house.client().log_in("nurse", PASSWORD, "here")
    room = Room("lively").make(romeo, "romeo")
    room.join(juliet, "juliet")
    room.join(nurse, "nurse")
    romeo.forget()
    stop(house, romeo, juliet, nurse)
    romeo = resume(house, "romeo", romeo.id)
    room.says(romeo, "still here?")
    romeo.settle_with(room)
    gone = [one.get("from") for one in stanzas(romeo) if one.get("type") == "unavailable"]
    assert gone == [room.nick("nurse")]
    juliet = resume(house, "juliet", juliet.id)
    assert bodies(juliet)[-1:] == ["still here?"]


def test_nobody_resumes_what_is_not_theirs(house):
    romeo = come(house, "romeo")
    stop(house, romeo)
    juliet = resume(house, "juliet", romeo.id)
    assert juliet.answered.tag == f"{{{SM}}}failed"
    assert juliet.answered.get("h") is None
    assert juliet.answered[0].tag == f"{{{STANZAS}}}item-not-found"
    assert resume(house, "romeo", romeo.id).answered.tag == f"{{{SM}}}resumed"


def test_of_a_service_that_was_killed_nothing_is_made_up(house):
    romeo = come(house, "romeo")
    stop(house, romeo)
    romeo = resume(house, "romeo", romeo.id, h=0)
    id = romeo.answered.get("previd")
    house.kill("c2s")
    romeo = resume(house, "romeo", id)
    assert romeo.answered.tag == f"{{{SM}}}failed"
    assert romeo.answered.get("h") is None


def test_how_much_was_handled_of_a_session_that_has_ended_is_known_after_a_restart(house):
    romeo = come(house, "romeo")
    romeo.sends("<message to='juliet@h' type='chat'><body>1</body></message>")
    romeo.settle()
    romeo.leaves()
    stop(house)
    romeo = resume(house, "romeo", romeo.id)
    assert romeo.answered.tag == f"{{{SM}}}failed"
    assert int(romeo.answered.get("h")) >= 2


def test_who_does_not_come_in_time_is_gone_and_nothing_is_lost(house):
    romeo, juliet = come(house, "romeo", max=1), come(house, "juliet")
    befriend(romeo, juliet)
    juliet.sends("<message to='romeo@h' type='chat'><body>kept</body></message>")
    juliet.settle()
    stop(house, romeo, juliet)
    juliet = resume(house, "juliet", juliet.id)
    while (stanza := juliet.next(20)).get("type") != "unavailable":
        pass
    assert stanza.get("from") == "romeo@h/here"
    assert resume(house, "romeo", romeo.id).answered.tag == f"{{{SM}}}failed"
    romeo = house.client().log_in("romeo", PASSWORD)
    romeo.sends("<presence/>")
    assert bodies(romeo) == ["kept"]
