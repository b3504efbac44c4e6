"""Ids of what was said in a room, after a clock that was wrong."""

import pytest

from hausbote.rooms.house import House, house_of
from hausbote.storage import Range
from support.rooms import Room
from support.worlds import PASSWORD


@pytest.mark.parametrize("world", ["memory"], indirect=True)
def test_ids_grow_after_a_restart_though_there_are_some_of_the_future(world):
    world.add_account("romeo")
    romeo = world.client().log_in("romeo", PASSWORD)
    room = Room().make(romeo, "romeo", persistentroom="1")
    room.says(romeo, "present")
    romeo.settle_with(room)
    rooms, now = world.rooms.store.rooms, world.rooms.clock()
    known = rooms.find(room.name).id
    (present,) = rooms.page(known, Range(), 9)
    rooms.say(known, present._replace(id=present.id + 365 * 86_400_000_000, cause="")).wait()
    world.rooms.clock = lambda: now - 3_600
    again = House(world.rooms)
    assert again.find(room.name) is not house_of(world.rooms).find(room.name)
    assert again.next_id() == present.id + 1
