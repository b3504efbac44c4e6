"""Members of private groups who are away: the clients' service is told, for it knows how to wake
them.  People of other servers have the archive, and what their own server does for them."""

from typing import NamedTuple

from hausbote.core.bus.frame import Frame
from hausbote.core.feature import Feature
from hausbote.core.host import Host
from hausbote.core.said import KIND, pack, pack_roll
from hausbote.rooms.house import House
from hausbote.rooms.privileges import Affiliation
from hausbote.rooms.room import Room, Visit
from hausbote.xmpp.mentions import Mentions
from hausbote.xmpp.stanza import Stanza

feature = Feature("absent members of groups")


class _Member(NamedTuple):
    local: str
    bare: str
    nicks: list[str]


class Roll(NamedTuple):
    """The members that are the box's own people, and the same packed for the bus."""

    members: list[_Member]
    packed: bytes


def tell(house: House, room: Room, visit: Visit, message: Stanza) -> None:
    """Something was said; before occupants get it, so that it is known for what the room is."""
    host, configuration = house.host, room.configuration
    service = host.services.get(host.settings.domain)
    if service is None or not (configuration.members_only and configuration.persistent):
        return
    if not any(part.name in ("body", "encrypted") for part in message.children):
        return
    roll = room.roll
    if roll is None:
        roll = room.roll = _call(room, host.settings.domain)
    mentioned = _mentioned(house, room, roll, Mentions(message))
    payload = pack(roll.packed, mentioned, visit.occupant.jid.full, message.pack())
    host.bus.send(service, KIND, room.jid.full, (), payload)


@feature.frame(KIND)
def not_told(host: Host, frame: Frame) -> None:
    """The clients' service was away for too long: those who were to be woken look by themselves."""


def _call(room: Room, domain: str) -> Roll:
    here: dict[str, list[str]] = {}
    names: dict[str, list[str]] = {}
    for visit in room.visits.values():
        bare = visit.occupant.jid.full
        here.setdefault(bare, []).append(visit.jid.resource)
        names.setdefault(bare, []).append(visit.occupant.nick)
    end, members = f"@{domain}", []
    for bare, affiliated in room.affiliations.items():
        if bare.endswith(end) and affiliated.affiliation >= Affiliation.MEMBER:
            nicks = {affiliated.nick, *names.get(bare, ())} - {""}
            members.append(_Member(bare.removesuffix(end), bare, sorted(nicks)))
    return Roll(members, pack_roll({one.local: here.get(one.bare, []) for one in members}))


def _mentioned(house: House, room: Room, roll: Roll, mentions: Mentions) -> list[str]:
    if mentions.everybody:
        return [member.local for member in roll.members]
    address = room.jid.full
    return [
        member.local
        for member in roll.members
        if mentions.of(member.bare, address, member.nicks)
        or (mentions.ids and house.occupant_id_of(room, member.bare) in mentions.ids)
    ]
