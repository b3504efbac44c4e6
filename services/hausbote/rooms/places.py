"""How many people may belong to a room, and whose they may be."""

from collections.abc import Iterable
from typing import Final

from hausbote.base.domains import party_of, registrable_domain
from hausbote.base.jid import JID
from hausbote.rooms.house import House
from hausbote.rooms.privileges import Affiliation
from hausbote.rooms.room import Room
from hausbote.xmpp.errors import ResourceConstraint

_SERVER: Final = 5  # the part of the places of all who are no admins that one other server may take


def check(house: House, room: Room, actor: JID, jids: Iterable[str]) -> None:
    """ResourceConstraint if these are too many to belong to the room.

    Who is no admin takes half of the places at most, whether they register or invite others, and
    all people of another server a part of these: admins have room to ban whoever comes.
    """
    home, limit = house.host.settings.domain, house.host.settings.limits.room_affiliations
    count = len({*room.affiliations, *jids})
    if not limit or count == len(room.affiliations):
        return
    if room.affiliation(actor) < Affiliation.ADMIN:
        limit -= limit // 2
        most = max(1, limit // _SERVER)
        here = party_of(actor, home) == actor.bare
        if count > most and not here and _of_server(room, actor) >= most:
            raise ResourceConstraint("too many people of your server belong to the room")
    if count > limit:
        raise ResourceConstraint("the room has too many members")


def _of_server(room: Room, who: JID) -> int:
    """How many people belong to a room whose server has the same owner as somebody's."""
    domain = registrable_domain(who.domain)
    ends = (f"@{domain}", f".{domain}")
    return sum(jid.endswith(ends) for jid in room.affiliations)
