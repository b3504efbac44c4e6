"""For administrators: the rooms of the box, whoever owns them."""

from urllib.parse import quote

from werkzeug.wrappers import Response

from hausbote.base.portal_rooms import RoomAction, RoomsTold, RoomTrouble, ShownRoom
from hausbote.portal.visit import Refused, Visit


def show_all(visit: Visit) -> Response:
    """A portion of them; ?after=NAME is the next one."""
    after = visit.request.args.get("after", "")[:1_023]
    told = visit.box.asking.rooms(RoomAction.LIST, after)
    return visit.page("rooms.html", rooms=told.rooms, more=told.more, after=after)


def show(visit: Visit, local: str) -> Response:
    return _page(visit, _known(visit, visit.box.asking.rooms(RoomAction.SHOW, local)))


def _page(visit: Visit, room: ShownRoom) -> Response:
    address = f"{room.local}@{visit.box.settings.names.rooms}"
    return visit.page("room.html", room=room, address=address)


def change(visit: Visit, local: str) -> Response:
    """Who may find it, or go in."""
    match visit.field("do"):
        case "public":
            wanted, note = {"public": True}, visit.say("Everybody can find the room now.")
        case "private":
            wanted, note = {"public": False}, visit.say("The room is in no list any more.")
        case "members":
            wanted = {"members_only": True}
            note = visit.say("Only members can go in now.")
        case "open":
            wanted = {"members_only": False}
            note = visit.say("Whoever knows the room can go in now.")
        case _:
            title = visit.say("That was not understood")
            raise Refused(400, title, visit.say("Go back and try again."))
    _known(visit, visit.box.asking.rooms(RoomAction.CHANGE, local, **wanted))
    return visit.go(f"/rooms/{quote(local, safe='')}", note)


def show_delete(visit: Visit, local: str) -> Response:
    room = _known(visit, visit.box.asking.rooms(RoomAction.SHOW, local))
    if room.is_circle:
        _refuse(visit, RoomTrouble.CIRCLE)
    return visit.page("room_delete.html", room=room)


def delete(visit: Visit, local: str) -> Response:
    told = visit.box.asking.rooms(RoomAction.DELETE, local, reason=visit.field("reason")[:1_000])
    if told.trouble:
        _refuse(visit, told.trouble)
    return visit.go("/rooms", visit.say("The room %(name)s is deleted.", name=local))


def _known(visit: Visit, told: RoomsTold) -> ShownRoom:
    if told.trouble or not told.rooms:
        _refuse(visit, told.trouble)
    return told.rooms[0]


def _refuse(visit: Visit, trouble: RoomTrouble) -> None:
    """As the page says it; always raises."""
    look = visit.say("Look at the list of rooms.")
    match trouble:
        case RoomTrouble.CIRCLE:
            title = visit.say("This room belongs to a circle")
            sentence = visit.say(
                "It is there as long as the circle is: “hausbote circle delete” ends both."
            )
            raise Refused(409, title, sentence)
        case RoomTrouble.LOCKED:
            title = visit.say("This room is not ready")
            sentence = visit.say("Whoever makes it has not set it up yet.")
            raise Refused(409, title, sentence)
        case RoomTrouble.NO_SPACE:
            title = visit.say("This cannot be kept now")
            sentence = visit.say(
                "The disk of the box is full or broken. Nothing was changed; its owner was told."
            )
            raise Refused(503, title, sentence)
        case _:
            raise Refused(404, visit.say("There is no such room"), look)
