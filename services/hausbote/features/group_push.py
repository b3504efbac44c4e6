"""Waking members of private groups who are not in the room (XEP-0357, for what XEP-0492 says)."""

from typing import Final

from hausbote.base.jid import JID
from hausbote.base.log import bug
from hausbote.core.bus.frame import Frame
from hausbote.core.feature import Feature
from hausbote.core.host import Host
from hausbote.core.said import KIND, Member, Roll, Said, split, unpack_roll
from hausbote.features import push, room_wishes
from hausbote.features.blocklist import blocks

feature = Feature("push for groups")

_MAX_ROLLS: Final = 200


class _Rolls:
    """The last ones of rooms: packed as they came, and unpacked."""

    def __init__(self) -> None:
        self.by_room: dict[str, tuple[bytes, Roll]] = {}

    def unpack(self, room: str, data: bytes) -> Roll:
        known = self.by_room.get(room)
        if known is None or known[0] != data:
            if known is None and len(self.by_room) >= _MAX_ROLLS:
                del self.by_room[next(iter(self.by_room))]
            known = self.by_room[room] = data, unpack_roll(data)
        return known[1]


@feature.frame(KIND)
def heard(host: Host, frame: Frame) -> None:
    """Something was said in a private group of the box."""
    try:
        packed, said = split(frame.payload)
        roll = host.state(_Rolls).unpack(frame.sender, packed)
    except ValueError as problem:
        bug(problem)
        return
    host.state(room_wishes.Private).note(frame.sender)
    sender, speaker = JID.parse(said.message.attrs["from"]), JID.parse(said.speaker)
    for local in push.holders(host) & roll.keys():
        own = speaker.local == local and speaker.domain == host.domain
        if not own and not blocks(host, local, sender):
            _wake(host, local, roll[local], said)


def _wake(host: Host, local: str, member: Member, said: Said) -> None:
    """Those clients that neither are here nor hear of it as a client that is in the room."""
    account = host.directory.account(local)
    away = []
    for service in push.services(host, account):
        session = account.sessions.get(service.resource)
        asleep = session is None or session.asleep is not None
        if asleep and service.resource not in member.inside:
            away.append(service)
    mentioned = local in said.mentioned
    if not away or not host.is_account(local):  # who is about to leave hears no more of it
        return
    if room_wishes.wanted(host, account, said.message, member.nicks, mentioned=mentioned):
        for service in away:
            push.notify(host, local, service, said.message)
