"""Who may look into a room without being in it: one answer for its archive, its picture, its
description, search and registration (XEP-0045 §6.4, XEP-0313 §5).

A password guards like a list of members: whoever has to show one learns nothing before they did.
"""

from hausbote.base.jid import JID
from hausbote.core.request import Request
from hausbote.rooms.admin import room_of
from hausbote.rooms.privileges import Affiliation
from hausbote.rooms.room import Room
from hausbote.xmpp.errors import Forbidden, ServiceUnavailable


def inside(room: Room, who: JID | None) -> bool:
    """Whether somebody is in the room or belongs to it."""
    return who is not None and (
        who.full in room.visits or room.affiliation(who) >= Affiliation.MEMBER
    )


def may_look_in(room: Room, who: JID | None) -> bool:
    """Whether somebody may know what goes on in the room: they are there, or can just go in."""
    if who is not None and room.affiliation(who) is Affiliation.OUTCAST:
        return False
    return not room.configuration.closed or inside(room, who)


def may_know(room: Room, who: JID | None) -> bool:
    """Whether somebody may know what the room is about: it is public, or they may look in."""
    return room.configuration.public or may_look_in(room, who)


def has_entered(room: Room, who: JID) -> bool:
    """Whether somebody is in the room with any of their clients, and so has shown its password."""
    return who.full in room.visits or bool(room.of_person(who.bare))


def may_read(room: Room, who: JID) -> bool:
    """Whether the archive is for somebody: they belong to the room or are in it, or it is logged
    for everybody who can just go in."""
    if room.locked or room.affiliation(who) is Affiliation.OUTCAST:
        return False
    if inside(room, who) or has_entered(room, who):
        return True
    return room.configuration.logged and not room.configuration.closed


def readable(request: Request) -> Room:
    """The room whose archive is asked for; Forbidden if it is not for who asks,
    ServiceUnavailable if there is none."""
    room, sender = room_of(request)
    if not may_read(room, sender):
        raise Forbidden("the archive is for those who are in the room")
    if not room.configuration.archived:
        raise ServiceUnavailable("this room keeps no archive")
    return room
