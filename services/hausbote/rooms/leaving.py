"""How people go: of their own will, because they are put out, or because they are not there."""

import re
from typing import Final

from hausbote.core.host import Host
from hausbote.rooms import announce, destroyed
from hausbote.rooms.announce import NOTHING, Change
from hausbote.rooms.house import house_of
from hausbote.rooms.post import post, post_each
from hausbote.rooms.privileges import Affiliation, Role
from hausbote.rooms.room import Room, Visit
from hausbote.storage import Ticket
from hausbote.xmpp import ns
from hausbote.xmpp.stanza import Stanza, child
from hausbote.xmpp.xml import Markup, el

# Errors that say that nobody is there, as we write them ourselves.
FAULTS: Final = re.compile(
    "<(?:gone|item-not-found|recipient-unavailable|redirect|remote-server-not-found"
    f"|remote-server-timeout|service-unavailable|jid-malformed)[^>]* xmlns='{ns.STANZA_ERRORS}'"
)
# Of these a block list makes none, which only is between the two who write to each other.
GONE: Final = re.compile(FAULTS.pattern.replace("|service-unavailable", ""))


def leave(host: Host, room: Room, visit: Visit, change: Change = NOTHING) -> None:
    """A client goes; the occupant with the last of them, and a temporary room with the last
    occupant."""
    take_away(host, room, visit)
    tell_of_leaving(host, room, visit, change, announce.gone_to_self(room, visit, change))


def not_there(host: Host, room: Room, visit: Visit) -> None:
    """What was sent to a client came back: it goes, but not now.

    Whoever hears of it may not be there either, and a whole server may be away.
    """

    def go() -> None:
        if room.visits.get(visit.jid.full) is visit:
            leave(host, room, visit, Change(codes=(333,)))

    host.pump.run(go)


def take_away(host: Host, room: Room, visit: Visit) -> None:
    """Forget a client, before anybody is told."""
    room.remove(visit)
    house_of(host).forget(room, visit)


def tell_of_leaving(
    host: Host, room: Room, visit: Visit, change: Change, *before: announce.Told
) -> None:
    """Tell the others, and end a temporary room that is empty now."""
    occupant = visit.occupant
    told = list(before)
    if occupant.visits:
        told += announce.news(room, occupant.shown)
    elif room.occupant(occupant.nick) is None:  # they, or others, may be there anew by that nick
        told += announce.gone_to_others(room, visit, change)
    post_each(host, told)
    ends = not room.configuration.persistent or room.locked
    if not room.visits and ends and not room.destroyed:
        house_of(host).destroy(room)


def put_out(
    host: Host,
    room: Room,
    reason: str = "",
    venue: str | None = None,
    password: str = "",
    *,
    by_owner: bool = False,
) -> Ticket[None]:
    """Destroy a room: everybody in it gets one presence (§10.9)."""
    told = [
        el("reason", reason) if reason else None,
        el("password", password) if password else None,
    ]
    destroy: Markup = el("destroy", *told, jid=venue)
    while room.visits:  # telling them may wait, and somebody come meanwhile
        visit = next(iter(room.visits.values()))
        room.remove(visit)
        item = el("item", affiliation=Affiliation.NONE.word, role=Role.NONE.word)
        x = child(ns.MUC_USER, "x", item, destroy, *announce.status(110))
        attrs = {"from": room.address(visit.occupant.nick), "type": "unavailable"}
        if visit.goodbye_id is not None:  # it waits for the answer to its leaving
            attrs["id"] = visit.goodbye_id
        id = announce.occupant_id(visit.occupant.id)
        post(host, Stanza("presence", attrs, (x, id)), (visit.jid,))
    house = house_of(host)
    return destroyed.destroy(house, room, venue or "") if by_owner else house.destroy(room)
