"""Messages that are taken back by their senders (XEP-0424) or by moderators (XEP-0425).

In the archive a tombstone takes the place of the message; newcomers do not get it any more.
"""

import re
from typing import Final

from hausbote.core.feature import Feature, Target
from hausbote.core.request import Request
from hausbote.rooms import announce
from hausbote.rooms.admin import room_of
from hausbote.rooms.house import House, house_of, stamp
from hausbote.rooms.post import post
from hausbote.rooms.privileges import Action, may
from hausbote.rooms.room import Room
from hausbote.storage import Range, RoomMessage, Ticket
from hausbote.xmpp import ns
from hausbote.xmpp.errors import BadRequest, Forbidden, ItemNotFound
from hausbote.xmpp.stanza import Child, Stanza, child, start_tag
from hausbote.xmpp.xml import el

feature = Feature("retraction in rooms", xeps={"0424": "0.4.2", "0425": "0.3.0"})

_ID: Final = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
_MAX_REASON: Final = 1_000


def check(stanza: Stanza) -> None:
    """Nobody takes back what others said; what we do not know is the clients' affair."""
    retract = stanza.child(ns.RETRACT, "retract")
    if retract is not None and "<moderated" in retract.xml:
        raise BadRequest("the room says who moderated")


def apply(house: House, room: Room, stanza: Stanza, id: int) -> None:
    """Put a tombstone in the place of what its sender takes back (XEP-0424 §5)."""
    retract = stanza.child(ns.RETRACT, "retract")
    mine = stanza.child(ns.OCCUPANT_ID, "occupant-id")
    if retract is None or mine is None:
        return
    message = _find(house, room, start_tag(retract).get("id", ""))
    if message is None or message.occupant != start_tag(mine).get("id"):
        return
    tombstone = child(ns.RETRACT, "retracted", id=stanza.id, stamp=stamp(id))
    _bury(house, room, message, tombstone)


@feature.iq("set", ns.MODERATION, "moderate", Target.ACCOUNT)
def moderate(request: Request) -> None:
    """A moderator takes back what somebody said (XEP-0425 §4)."""
    house = house_of(request.host)
    room, sender = room_of(request)
    if not may(room.standing(sender), Action.MODERATE_MESSAGES):
        raise Forbidden("moderators do that")
    query = request.tree()
    if query.find(f"{{{ns.RETRACT}}}retract") is None:
        raise BadRequest("messages can be retracted, and nothing else")
    message = _find(house, room, query.get("id", ""))
    if message is None:
        raise ItemNotFound("there is no such message")
    reason = (query.findtext(f"{{{ns.MODERATION}}}reason") or "")[:_MAX_REASON]
    visit = room.visits.get(sender.full)
    occupants = [visit.occupant] if visit is not None else room.of_person(sender.bare)
    by = room.address(occupants[0].nick) if occupants else None
    who = occupants[0].id if occupants else house.occupant_id(room, sender)
    moderated = el("moderated", announce.occupant_id_markup(who), xmlns=ns.MODERATION, by=by)
    why = el("reason", reason) if reason else None
    writes = []
    again = house.handled()
    id = again or house.next_id()
    retract = child(ns.RETRACT, "retract", moderated, why, id=str(message.id))
    stanza_id = child(ns.STANZA_ID, "stanza-id", id=str(id), by=room.jid.full)
    attrs = {"from": room.jid.full, "type": "groupchat", "id": f"moderation-{id}"}
    stanza = Stanza("message", attrs, (retract, stanza_id))
    if again is None and room.configuration.archived:
        kept = RoomMessage(id, "", "", stanza.pack(), house.cause())
        writes.append(request.host.store.rooms.say(room.id, kept))
    tombstone = child(ns.RETRACT, "retracted", moderated, why, id=stanza.id, stamp=stamp(id))
    writes.append(_bury(house, room, message, tombstone))
    post(request.host, stanza, room.everybody, "said")
    for ticket in writes:
        ticket.wait()


def _find(house: House, room: Room, id: str) -> RoomMessage | None:
    if not _ID.fullmatch(id):
        return None
    for message in room.recent:
        if message.id == int(id):
            return message
    found = house.host.store.rooms.page(room.id, Range(ids=(int(id),)), 1)
    return found[0] if found else None


def _bury(house: House, room: Room, message: RoomMessage, tombstone: Child) -> Ticket[None]:
    stanza = Stanza.unpack(message.stanza)
    kept = (ns.OCCUPANT_ID, ns.STANZA_ID)
    left = tuple([c for c in stanza.children if c.ns in kept])
    packed = stanza.with_children((*left, tombstone)).pack()
    for index, one in enumerate(room.recent):
        if one.id == message.id:
            del room.recent[index]
            break
    return house.host.store.rooms.replace(room.id, message.id, packed)
