"""What becomes of the name of a room that its owners destroyed (XEP-0045 §10.9).

Clients that remember a room enter it again by themselves.  If the name were free, whoever came
first would own what all others take for the old room.  So for `rooms.destroyed_days` those who
owned it may make it anew, and others hear that it is gone, and where to go instead.
"""

from typing import Final
from urllib.parse import quote

from hausbote.base.jid import JID
from hausbote.base.settings import Settings
from hausbote.rooms.house import CROWD, House
from hausbote.rooms.privileges import Affiliation
from hausbote.rooms.room import Room
from hausbote.storage import DestroyedRoom, Ticket
from hausbote.xmpp.errors import Gone

_DAY: Final = 86_400


def kept_name(
    settings: Settings, room: Room, now: float, venue: str
) -> tuple[DestroyedRoom | None, int]:
    """What is kept of a room that is destroyed at that time, None if nothing is; and how many such
    names its maker holds at most, or the people of another server together."""
    days, limit = settings.rooms.destroyed_days, settings.limits.rooms_per_account
    if room.locked or not days:
        return None, limit
    holder = room.creator
    if holder and JID.parse(holder).domain != settings.domain:
        holder, limit = JID.parse(holder).domain, limit * CROWD
    owners = frozenset(room.of_affiliation(Affiliation.OWNER))
    closed = room.configuration.closed
    told = [j for j, a in room.affiliations.items() if a.affiliation >= Affiliation.MEMBER]
    people = frozenset(told if venue and closed else ())
    until = int(now + days * _DAY)
    return DestroyedRoom(room.jid.local, holder, until, venue, closed, owners, people), limit


def destroy(house: House, room: Room, venue: str) -> Ticket[None]:
    """Forget a room that nobody is in any more, and keep its name for its owners."""
    kept, limit = kept_name(house.host.settings, room, house.host.clock(), venue)
    return house.destroy(room, kept, limit)


def refuse(house: House, local: str, who: JID) -> None:
    """Gone if there was a room of that name and who asks did not own it."""
    house.settle(local)
    kept = house.host.store.destroyed_rooms.find(local, house.host.surely())
    if kept is None or who.bare in kept.owners:
        return
    told = kept.venue and (not kept.closed or who.bare in kept.people)
    uri = f"xmpp:{quote(kept.venue, safe='@')}?join" if told else None
    raise Gone("this room was destroyed by its owners", uri=uri)
