"""Members of private groups who are away: the clients' service is told, for it knows how to wake
them.  People of other servers have the archive, and what their own server does for them."""

from hausbote.core.bus.cause import purpose
from hausbote.core.bus.frame import Frame
from hausbote.core.feature import Feature
from hausbote.core.host import Host
from hausbote.core.said import KIND, Member, pack, pack_roll
from hausbote.rooms.house import House
from hausbote.rooms.privileges import Affiliation
from hausbote.rooms.room import Room, Visit
from hausbote.xmpp.mentions import Mentions
from hausbote.xmpp.stanza import Stanza

feature = Feature("absent members of groups")


def tell(house: House, room: Room, visit: Visit, message: Stanza) -> None:
    """Something was said; before occupants get it, so that it is known for what the room is."""
    host, configuration = house.host, room.configuration
    service = host.services.get(host.settings.domain)
    if service is None or not (configuration.members_only and configuration.persistent):
        return
    if not any(part.name in ("body", "encrypted") for part in message.children):
        return
    if room.roll is None:
        room.roll = _call(room, host.settings.domain)
    mentioned = _mentioned(house, room, Mentions(message))
    payload = pack(room.roll, visit.occupant.jid.full, mentioned, message)
    with purpose("absent"):
        host.bus.send(service, KIND, room.jid.full, (), payload)


@feature.frame(KIND)
def not_told(host: Host, frame: Frame) -> None:
    """The clients' service was away for too long: those who were to be woken look by themselves."""


def _call(room: Room, domain: str) -> bytes:
    here: dict[str, list[Visit]] = {}
    for visit in room.visits.values():
        here.setdefault(visit.occupant.jid.full, []).append(visit)
    roll: dict[str, Member] = {}
    for local in _members(room, domain):
        bare = f"{local}@{domain}"
        visits = here.get(bare, ())
        nicks = {room.affiliations[bare].nick, *[visit.occupant.nick for visit in visits]}
        inside = [visit.jid.resource for visit in visits]
        roll[local] = Member(inside, sorted(nicks - {""}))
    return pack_roll(roll)


def _members(room: Room, domain: str) -> list[str]:
    """The local parts of those that are the box's own people."""
    end = f"@{domain}"
    return [
        bare.removesuffix(end)
        for bare, affiliated in room.affiliations.items()
        if bare.endswith(end) and affiliated.affiliation >= Affiliation.MEMBER
    ]


def _mentioned(house: House, room: Room, mentions: Mentions) -> list[str]:
    """Those of whom only the room can tell; c2s looks for names."""
    if not (mentions.everybody or mentions.ids):
        return []
    domain = house.host.settings.domain
    return [
        local
        for local in _members(room, domain)
        if mentions.everybody or house.occupant_id_of(room, f"{local}@{domain}") in mentions.ids
    ]
