"""A frame that a killed service handles again: nobody gets twice, and nobody misses, what it brought.

Between the two times the room has changed, so that more, less or something else is sent.
"""

import pytest

from hausbote.core.bus.cause import Cause
from hausbote.core.bus.frame import Frame
from hausbote.core.exchange import from_bus
from hausbote.rooms import service as rooms_service
from hausbote.xmpp.stanza import Child, Stanza
from support.archive import page, rsm
from support.rooms import Room


class Killed(BaseException):
    """The service ends here."""


@pytest.fixture
def people(own_cast):
    return own_cast()


def frame(room, client, id="1"):
    """What c2s sends when this client says something."""
    sender = f"{client.bare}/somewhere"
    body = Child("jabber:client", "body", "<body>once</body>")
    attrs = {"from": sender, "to": room.jid, "type": "groupchat"} | ({"id": id} if id else {})
    payload = Stanza("message", attrs, (body,)).pack()
    return Frame("the frame", "stanza", sender, (room.jid,), payload)


def take(world, frame):
    """As the bus does it, but at once."""
    Cause(frame.id, lambda: None).run(lambda: from_bus(world.rooms, frame))


def restart_rooms(world):
    """As after a kill: only what is on disk is known."""
    world.store.settle()
    world.rooms.bus.close(graceful=False)
    world.rooms = rooms_service.build_host(world.settings, world.store, world._bus("rooms"))
    world.rooms.bus.serve(lambda one: from_bus(world.rooms, one))


def die_after(world, count):
    """The service is killed when it has sent so many frames."""
    send, sent = world.rooms.bus.send, []

    def dying(*frame):
        if len(sent) == count:
            raise Killed
        sent.append(frame)
        send(*frame)

    world.rooms.bus.send = dying


def heard(client):
    """How often it heard the message."""
    return sum(one.findtext("{jabber:client}body") == "once" for one in client.came())


GROUP = {"membersonly": "1", "persistentroom": "1"}  # c2s is told of what is said, for its members
OPEN = {"membersonly": "0", "persistentroom": "1"}


@pytest.mark.parametrize(("before", "after"), [(OPEN, GROUP), (GROUP, OPEN), (OPEN, OPEN)])
@pytest.mark.parametrize("id", ["1", ""])
def test_nobody_hears_it_twice_though_more_or_less_is_sent(people, before, after, id):
    world = people.world
    romeo, juliet = people("romeo", "juliet")
    room = Room().make(romeo, "romeo", **before)
    room.admin(romeo, "set", "<item jid='juliet@h' affiliation='member'/>")
    room.join(juliet, "juliet")
    said = frame(room, romeo, id)
    take(world, said)
    assert heard(juliet) == 1
    room.configure(romeo, **after)
    juliet.forget()
    restart_rooms(world)
    take(world, said)
    romeo.settle_with(room)
    assert (heard(juliet), heard(romeo)) == (0, 0)


def test_nobody_hears_it_twice_though_somebody_has_left(people):
    world = people.world
    romeo, juliet, nurse = people("romeo", "juliet", "nurse")
    room = Room().make(romeo, "romeo", **OPEN)
    room.join(juliet, "juliet")
    room.join(nurse, "nurse")
    take(world, frame(room, romeo))
    nurse.sends(f"<presence type='unavailable' to='{room.nick('nurse')}'/>")
    nurse.settle_with(room)
    assert heard(juliet) == 1
    restart_rooms(world)
    take(world, frame(room, romeo))
    romeo.settle_with(room)
    assert heard(juliet) == 0


def test_it_is_kept_once(people):
    world = people.world
    romeo = people("romeo")
    room = Room().make(romeo, "romeo", **OPEN)
    take(world, frame(room, romeo))
    restart_rooms(world)
    take(world, frame(room, romeo))
    romeo.settle_with(room)
    romeo.forget()
    assert page(romeo, rsm(max=10), to=room.jid).bodies == ["once"]


@pytest.mark.parametrize("count", [0, 1])
def test_everybody_hears_it_though_the_service_died_before_it_was_sent(people, count):
    """What was sent before it and is not sent again must not be taken for it."""
    world = people.world
    romeo, juliet = people("romeo", "juliet")
    room = Room().make(romeo, "romeo", **GROUP)
    room.admin(romeo, "set", "<item jid='juliet@h' affiliation='member'/>")
    room.join(juliet, "juliet")
    die_after(world, count)
    with pytest.raises(Killed):
        take(world, frame(room, romeo))
    restart_rooms(world)
    room.configure(romeo, **OPEN)
    juliet.forget()
    take(world, frame(room, romeo))
    romeo.settle_with(room)
    assert heard(juliet) == 1
