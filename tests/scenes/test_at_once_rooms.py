"""Things that happen in rooms at the same time, made to do so: this runs in memory only."""

import time

import gevent
import pytest

from hausbote.rooms.house import house_of
from support.rooms import Room
from support.worlds import MemoryWorld


@pytest.fixture
def world(tmp_path):
    memory = MemoryWorld(tmp_path)
    yield memory
    memory.close()


def test_a_room_that_two_look_for_is_one(cast, world):
    room = Room()
    romeo = cast("romeo")
    room.make(romeo, "romeo", persistentroom="1")
    room.leave(romeo, "romeo")
    house = house_of(world.rooms)
    del house.inhabited()[room.name]
    world.rooms.store._writer.submit(lambda _connection: time.sleep(0.2))  # the disk is busy
    one, other = gevent.spawn(house.find, room.name), gevent.spawn(house.find, room.name)
    gevent.joinall([one, other])
    assert one.value is not None
    assert one.value is other.value is house.find(room.name)
