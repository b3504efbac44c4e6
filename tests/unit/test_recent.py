"""What a room keeps in memory for newcomers."""

from hausbote.base.jid import JID
from hausbote.rooms.configuration import Configuration
from hausbote.rooms.room import MAX_RECENT, Room
from hausbote.storage import RoomMessage


def room():
    return Room(1, JID.parse("cave@rooms.h"), "romeo@h", Configuration())


def note(room, id, size):
    room.note(RoomMessage(id, "", "", b"x" * size))


def test_small_messages_are_counted():
    cave = room()
    for id in range(MAX_RECENT + 5):
        note(cave, id, 10)
    assert [one.id for one in cave.recent] == list(range(5, MAX_RECENT + 5))


def test_large_ones_are_weighed():
    cave = room()
    for id in range(10):
        note(cave, id, 300_000)
    assert [one.id for one in cave.recent] == [7, 8, 9]
    note(cave, 10, 2_000_000)
    assert not cave.recent
