"""More is to be sent than a service takes: what becomes of it, and who notices."""

import gevent
import pytest
from gevent.event import Event

from conftest import Cast
from hausbote.core.bus.memory import MemoryBus
from hausbote.storage import RoomMessage
from hausbote.xmpp.stanza import Stanza, child
from support.archive import MAM, RSM
from support.rooms import Room, condition
from support.worlds import MemoryWorld

CAPACITY = 262_144  # bytes on the bus


class HaltingBus(MemoryBus):
    """Its service can be halted: what comes waits then, and is not acknowledged."""

    def __init__(self, *arguments, **bounds):
        super().__init__(*arguments, **bounds)
        self.goes_on = Event()
        self.goes_on.set()

    def serve(self, handler):
        def handle(frame):
            self.goes_on.wait()
            return handler(frame)

        super().serve(handle)

    def go_away(self):
        """As if the service were not running; it still sends."""
        del self._exchange.buses[self._service]

    def come_back(self):
        self._exchange.buses[self._service] = self


class CrowdedWorld(MemoryWorld):
    """What the rooms send has little room on the bus and, if that is said, little patience."""

    def __init__(self, state, patience=30.0, **overrides):
        self.patience = patience
        super().__init__(state, **overrides)

    def _bus(self, service):
        name = self.bus_url.partition(":")[2]
        bounds = {"patience": self.patience}
        if service == "rooms":
            bounds["capacity"] = CAPACITY
        return lambda undeliverable: HaltingBus(name, service, undeliverable, **bounds)

    def halt(self):
        """c2s takes nothing from the rooms."""
        self.host.bus.goes_on.clear()

    def go_on(self):
        self.host.bus.goes_on.set()


@pytest.fixture
def make(tmp_path):
    made = []

    def make(**settings):
        world = CrowdedWorld(tmp_path, **settings)
        people = Cast(world)
        made.append((world, people))
        return world, people

    yield make
    for world, people in made:
        world.go_on()
        for client in people.clients:
            client.wire.cut()
        world.close()


def ask(room, client, id, rsm=""):
    client.sends(
        f"<iq type='set' id='{id}' to='{room.jid}'><query xmlns='{MAM}' queryid='{id}'>"
        f"<set xmlns='{RSM}'>{rsm}</set></query></iq>"
    )


def bodies(stanzas):
    return [one.findtext("{jabber:client}body") for one in stanzas if one.tag.endswith("}message")]


def fill(room, client, number, size):
    for n in range(number):
        room.says(client, f"{n} " + "x" * size)
        client.settle_with(room)
    client.forget()


def test_messages_of_another_room_arrive_while_somebody_asks_for_an_archive_all_the_time(make):
    world, cast = make()
    greedy, juliet, nurse = cast("greedy", "juliet", "nurse")
    full, other = Room(), Room()
    full.make(greedy, "greedy")
    fill(full, greedy, 20, 10_000)
    other.make(juliet, "juliet")
    other.join(nurse, "nurse")
    juliet.forget()
    world.halt()
    for number in range(10):
        ask(full, greedy, f"q{number}")
    gevent.sleep(0.1)
    for number in range(40):
        other.says(juliet, f"line {number}")
        gevent.sleep(0.005)
    world.go_on()
    nurse.settle_with(other)
    assert bodies(nurse.came()) == [f"line {number}" for number in range(40)]
    answers = [greedy.answer(f"q{number}") for number in range(10)]
    assert all(one.get("type") == "result" for one in answers)
    assert len(greedy.came()) == 10 * 20


def test_questions_of_one_do_not_stop_those_of_others(make):
    world, cast = make()
    greedy, juliet = cast("greedy", "juliet")
    room = Room()
    room.make(greedy, "greedy")
    room.join(juliet, "juliet")
    fill(room, greedy, 20, 10_000)
    juliet.forget()
    world.halt()
    for number in range(40):
        ask(room, greedy, f"q{number}")
    ask(room, juliet, "j", "<max>1</max>")
    gevent.sleep(0.1)
    world.go_on()
    assert juliet.answer("j").get("type") == "result"
    answers = [greedy.answer(f"q{number}") for number in range(40)]
    refused = [one for one in answers if one.get("type") == "error"]
    assert 0 < len(refused) < 30
    assert {condition(one) for one in refused} == {("resource-constraint", "wait")}


def test_an_archive_that_is_larger_than_the_bus_is_read_page_by_page(make):
    world, cast = make()
    romeo = cast("romeo")
    room = Room()
    room.make(romeo, "romeo")
    kept = world.store.rooms.find(room.name)
    for number in range(14):
        body = child("jabber:client", "body", f"{number} " + "x" * 200_000)
        said = Stanza("message", {"from": room.nick("romeo"), "type": "groupchat"}, (body,))
        world.store.rooms.say(kept.id, RoomMessage(number + 1, "o", "romeo@h", said.pack()))
    read, after, pages = [], "", []
    while True:
        ask(room, romeo, "q", after)
        came = [romeo.next()]
        while not came[-1].tag.endswith("}iq"):
            came.append(romeo.next())
        read += [one.findtext(".//{jabber:client}body").partition(" ")[0] for one in came[:-1]]
        pages.append(len(came) - 1)
        fin = came[-1].find(f"{{{MAM}}}fin")
        after = f"<after>{fin.findtext(f'.//{{{RSM}}}last')}</after>"
        if fin.get("complete") == "true":
            break
    assert read == [str(n) for n in range(14)]
    assert pages == [6, 6, 2], "a page is a megabyte"


def test_what_a_room_cannot_pass_on_is_refused_and_not_kept(make):
    world, cast = make()
    romeo, juliet = cast("romeo", "juliet")
    room = Room()
    room.make(romeo, "romeo")
    room.join(juliet, "juliet")
    romeo.forget()
    world.halt()
    for number in range(30):
        room.says(romeo, f"{number} " + "x" * 10_000, id=f"m{number}")
        gevent.sleep(0.02)
    gevent.sleep(0.5)
    world.go_on()
    for client in (juliet, romeo):
        client.settle_with(room)
    heard = [body.partition(" ")[0] for body in bodies(juliet.came())]
    errors = [one for one in romeo.came() if one.get("type") == "error"]
    assert {condition(one) for one in errors} == {("resource-constraint", "wait")}
    refused = {one.get("id") for one in errors}
    assert refused
    assert heard == [str(n) for n in range(30) if f"m{n}" not in refused]
    romeo.forget()
    ask(room, romeo, "q")
    romeo.answer("q")
    assert len(romeo.came()) == len(heard)


def test_who_leaves_while_the_rooms_are_away_is_not_there_when_they_come_back(make):
    world, cast = make(patience=0.2)
    romeo, juliet = cast("romeo", "juliet")
    room = Room()
    room.make(romeo, "romeo")
    room.join(juliet, "juliet")
    romeo.forget()
    world.rooms.bus.go_away()
    juliet.sends(f"<presence to='{room.nick('juliet')}' type='unavailable'/>")
    gevent.sleep(0.5)
    world.rooms.bus.come_back()
    romeo.receives(f"<presence from='{room.nick('juliet')}' type='unavailable'/>")
    juliet.receives(f"<presence from='{room.nick('juliet')}' type='unavailable'/>")


def test_an_occupant_whom_a_message_did_not_reach_is_told_that_they_are_out(make):
    """c2s was away for too long, and has its sessions still."""
    world, cast = make(patience=0.2)
    romeo, juliet = cast("romeo", "juliet")
    room = Room()
    room.make(romeo, "romeo")
    room.join(juliet, "juliet")
    romeo.forget()
    world.host.bus.go_away()
    room.says(romeo, "Hark!")  # it is in the rooms already
    gevent.sleep(1.0)
    world.host.bus.come_back()
    for client, nick in ((juliet, "juliet"), (romeo, "romeo")):
        client.settle_with(room)
        own = [
            one
            for one in client.came()
            if one.get("type") == "unavailable" and one.get("from") == room.nick(nick)
        ]
        codes = {status.get("code") for one in own for status in one.iter("{*}status")}
        assert {"110", "333"} <= codes, nick


def test_pictures_and_lists_do_not_stop_messages_either(make):
    world, cast = make()
    greedy, juliet, nurse = cast("greedy", "juliet", "nurse")
    full, other = Room(), Room()
    full.make(greedy, "greedy")
    picture = "A" * 60_000
    vcard = f"<vCard xmlns='vcard-temp'><PHOTO><BINVAL>{picture}</BINVAL></PHOTO></vCard>"
    assert full.ask(greedy, "set", vcard).get("type") == "result"
    other.make(juliet, "juliet")
    other.join(nurse, "nurse")
    juliet.forget()
    world.halt()
    for number in range(12):
        greedy.sends(
            f"<iq type='get' id='v{number}' to='{full.jid}'><vCard xmlns='vcard-temp'/></iq>"
        )
    gevent.sleep(0.1)
    for number in range(10):
        other.says(juliet, f"line {number}")
    gevent.sleep(0.1)
    world.go_on()
    nurse.settle_with(other)
    assert bodies(nurse.came()) == [f"line {number}" for number in range(10)]
    for number in range(12):
        assert picture in greedy.answer(f"v{number}").findtext(".//{*}BINVAL")
