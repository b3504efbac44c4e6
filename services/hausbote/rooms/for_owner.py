"""What the owner of the box asks of the rooms in the portal, whoever owns a room."""

from collections.abc import Callable
from dataclasses import replace

from hausbote.base.portal_rooms import (
    ASK,
    PORTION,
    TOLD,
    RoomAction,
    RoomsQuestion,
    RoomsTold,
    RoomTrouble,
    ShownRoom,
)
from hausbote.core.bus.frame import Frame
from hausbote.core.feature import Feature
from hausbote.core.host import Host
from hausbote.rooms.configuration import Configuration
from hausbote.rooms.house import house_of
from hausbote.rooms.leaving import put_out
from hausbote.rooms.owner import set_up
from hausbote.rooms.room import Room
from hausbote.storage import ListedRoom, StorageError

feature = Feature("rooms in the portal")

_PORTAL = "portal"


@feature.frame(ASK)
def asked(host: Host, frame: Frame) -> None:
    """Waits for the disk; somebody looks at a page until the answer comes, whatever it is."""
    question = RoomsQuestion.unpack(frame.payload)
    acts: dict[RoomAction, Callable[[Host, RoomsQuestion], RoomsTold]] = {
        RoomAction.LIST: _list,
        RoomAction.SHOW: _show,
        RoomAction.CHANGE: _change,
        RoomAction.DELETE: _delete,
    }
    try:
        told = acts[question.act](host, question)
    except StorageError:
        told = RoomsTold(question.id, trouble=RoomTrouble.NO_SPACE)
    host.bus.send(_PORTAL, TOLD, "", (), told.pack())


def _list(host: Host, question: RoomsQuestion) -> RoomsTold:
    found = host.store.room_list.after(question.local, PORTION + 1)
    rooms = tuple([_shown(one) for one in found[:PORTION]])
    return RoomsTold(question.id, rooms, len(found) > PORTION)


def _show(host: Host, question: RoomsQuestion) -> RoomsTold:
    found = host.store.room_list.one(question.local)
    if found is None:
        return RoomsTold(question.id, trouble=RoomTrouble.MISSING)
    return RoomsTold(question.id, (_shown(found),))


def _change(host: Host, question: RoomsQuestion) -> RoomsTold:
    house, room = house_of(host), _found(host, question)
    if isinstance(room, RoomTrouble):
        return RoomsTold(question.id, trouble=room)
    if room.locked:
        return RoomsTold(question.id, trouble=RoomTrouble.LOCKED)
    now = room.configuration
    public = now.public if question.public is None else question.public
    closed = now.members_only if question.members_only is None else question.members_only
    set_up(house, room, replace(now, public=public, members_only=closed))
    return _show(host, question)


def _delete(host: Host, question: RoomsQuestion) -> RoomsTold:
    """Its name is kept for a while, as if its owners had done it."""
    room = _found(host, question)
    if isinstance(room, RoomTrouble):
        return RoomsTold(question.id, trouble=room)
    put_out(host, room, question.reason, by_owner=True).wait()
    return RoomsTold(question.id)


def _found(host: Host, question: RoomsQuestion) -> Room | RoomTrouble:
    """The room, if it may be changed."""
    room = house_of(host).find(question.local)
    if room is None:
        return RoomTrouble.MISSING
    return RoomTrouble.CIRCLE if room.configuration.circle else room


def _shown(listed: ListedRoom) -> ShownRoom:
    configuration = Configuration.unpack(listed.config)
    return ShownRoom(
        local=listed.local,
        name=configuration.name,
        description=configuration.description,
        creator=listed.creator,
        members=listed.members,
        inside=listed.inside,
        size=listed.bytes,
        public=configuration.public,
        members_only=configuration.members_only,
        protected=configuration.protected,
        locked=listed.locked,
        is_circle=bool(configuration.circle),
    )
