"""Rooms whose service is killed while people talk, and rooms whose people vanish."""

import os
import re
import signal
import threading
import time

import pytest
from lxml import etree

from support.rooms import MUC, Room
from support.worlds import PASSWORD, RunningWorld

SM = "urn:xmpp:sm:3"


@pytest.fixture
def house(tmp_path):
    world = RunningWorld(tmp_path / "state", address="127.0.0.16")
    for name in ("romeo", "juliet", "nurse"):
        world.add_account(name)
    yield world
    world.close()


def log_in(house, name):
    client = house.client().log_in(name, PASSWORD, "here")
    client.sends("<presence/>")
    client.forget()
    return client


def wait_for(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize("signal", ["SIGKILL", "SIGTERM"])
def test_11_2_rooms_restarts_in_a_lively_chat_and_nothing_is_lost_or_doubled(house, signal):
    """Nobody is put out either, not even for the time of an orderly restart: no status 332."""
    people = {name: log_in(house, name) for name in ("romeo", "juliet", "nurse")}
    room = Room("lively")
    room.make(people["romeo"], "romeo")
    room.join(people["juliet"], "juliet")
    room.join(people["nurse"], "nurse")
    for client in people.values():
        client.forget()
    each = 300
    heard = {name: [] for name in people}

    def listen(name):
        while len(heard[name]) < each * len(people):
            stanza = people[name].next(40)
            if stanza is None:
                return
            if stanza.get("type") == "groupchat":
                body = stanza.findtext("{jabber:client}body")
                heard[name].append(body)
            else:
                heard[name].append(f"unexpected {stanza.tag} {stanza.get('type')}")

    listeners = [threading.Thread(target=listen, args=(name,)) for name in people]
    for listener in listeners:
        listener.start()
    for number in range(each):
        for name, client in people.items():
            room.says(client, f"{name} {number}", id=f"{name}{number}")
        if number in (60, 160, 260):
            house.signal("rooms", signal)
        if number % 10 == 0:
            time.sleep(0.02)
    for listener in listeners:
        listener.join(90)
    for name in people:
        for speaker in people:
            said = [body for body in heard[name] if body.startswith(f"{speaker} ")]
            assert said == [f"{speaker} {number}" for number in range(each)]
        assert len(heard[name]) == each * len(people)
    romeo = people["romeo"]
    romeo.forget()
    count = "<set xmlns='http://jabber.org/protocol/rsm'><max>0</max></set>"
    query = f"<query xmlns='urn:xmpp:mam:2'>{count}</query>"
    romeo.sends(f"<iq type='set' id='a' to='lively@rooms.h'>{query}</iq>")
    answer = romeo.answer("a")
    counted = re.search("<count>(.*?)</count>", _text(answer))
    assert counted is not None
    assert int(counted.group(1)) == each * len(people)


def _text(element):
    return re.sub(r" xmlns='[^']*'| xmlns=\"[^\"]*\"", "", etree.tostring(element).decode())


def test_rooms_and_their_people_survive_a_restart(house):
    romeo, juliet = log_in(house, "romeo"), log_in(house, "juliet")
    room = Room("lasting")
    room.make(romeo, "romeo", roomname="Cave", moderatedroom="1")
    room.join(juliet, "juliet")
    room.admin(romeo, "set", "<item nick='juliet' role='participant'/>")
    romeo.sends(f"<message to='{room.jid}' type='groupchat'><subject>Fire</subject></message>")
    room.says(romeo, "before")
    romeo.settle_with(room)
    for client in (romeo, juliet):
        client.forget()
    house.kill("rooms")
    romeo.sends(
        f"<iq type='get' id='p' to='{room.nick('romeo')}'><ping xmlns='urn:xmpp:ping'/></iq>"
    )
    assert romeo.answer("p").get("type") == "result"
    room.says(juliet, "I still have voice")
    for client in (romeo, juliet):
        client.receives(
            f"<message from='{room.nick('juliet')}'><body>I still have voice</body></message>"
        )
    nurse = log_in(house, "nurse")
    nurse.sends(f"<presence to='{room.nick('nurse')}'><x xmlns='{MUC}'/></presence>")
    nurse.settle_with(room)
    came = nurse.came()
    assert [m.findtext("{jabber:client}body") for m in came if m.get("type") == "groupchat"] == [
        "before", "I still have voice", None,
    ]  # fmt: skip
    assert came[-1].findtext("{jabber:client}subject") == "Fire"


def test_when_c2s_is_killed_its_people_are_gone_from_their_rooms(house):
    romeo = log_in(house, "romeo")
    room = Room("haunted")
    room.make(romeo, "romeo", persistentroom="1")
    house.kill("c2s")
    romeo.is_closed()

    def back():
        try:
            clients.append(log_in(house, "juliet"))
        except (OSError, AssertionError, AttributeError):
            return False
        return True

    clients = []
    wait_for(back)
    juliet = clients[0]

    def empty():
        room.join(juliet, "juliet", forget=False)
        juliet.settle_with(room)
        return not [one for one in juliet.came() if one.get("from") == room.nick("romeo")]

    wait_for(empty)


def test_who_asks_once_while_the_rooms_are_away_hears_in_the_end_that_all_was_handled(house):
    """A client with a window does not ask again while it is full (XEP-0198 §4)."""
    romeo = log_in(house, "romeo")
    room = Room("away")
    room.make(romeo, "romeo")
    romeo.send(f"<enable xmlns='{SM}'/>")
    assert romeo.next().tag == f"{{{SM}}}enabled"
    rooms = house.pid("rooms")  # which it does not tell while it is stopped
    os.kill(rooms, signal.SIGSTOP)
    try:
        said = f"<message to='{room.jid}' type='groupchat'><body>anybody?</body></message>"
        romeo.send(f"{said}<r xmlns='{SM}'/>")
        assert handled(romeo) == 0  # answered, though the rooms do not answer
    finally:
        os.kill(rooms, signal.SIGCONT)
    assert handled(romeo) == 1


def handled(client):
    """What the next <a/> says."""
    while (element := client.next(20)) is not None:
        if element.tag == f"{{{SM}}}a":
            return int(element.get("h"))
    return None
