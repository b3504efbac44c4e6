"""Which rooms a client is in, and under which nick, as its own presence tells (XEP-0045 §7.2)."""

from hausbote.base.jid import JID, InvalidJID
from hausbote.core.feature import Feature
from hausbote.core.host import Host
from hausbote.core.session import Session
from hausbote.features.presence import Directed
from hausbote.xmpp import ns
from hausbote.xmpp.stanza import Stanza

feature = Feature("rooms that clients are in")

_MAX_ROOMS = 1_000  # of one session


class _Rooms:
    """A session's addresses in rooms, by the rooms' bare JIDs; some of them it may have left."""

    __slots__ = ("by_room",)

    def __init__(self) -> None:
        self.by_room: dict[str, str] = {}


@feature.stamp
def note(_host: Host, session: Session, presence: Stanza) -> Stanza:
    """It enters a room, or has another nick there."""
    if presence.to is None:
        return presence
    try:
        to = JID.parse(presence.to)
    except InvalidJID:
        return presence
    rooms = session.state(_Rooms).by_room
    if to.bare in rooms or presence.child(ns.MUC, "x") is not None:
        if len(rooms) >= _MAX_ROOMS:
            _forget(session, rooms)
        rooms[to.bare] = to.full
    return presence


def _forget(session: Session, rooms: dict[str, str]) -> None:
    """Those that it has left, or the one that it has been in for longest."""
    there = session.state(Directed).jids
    for room in [room for room, address in rooms.items() if address not in there] or list(rooms)[
        :1
    ]:
        del rooms[room]


def address_in(session: Session, room: str) -> str | None:
    """The session's address in a room; None if it is not there."""
    address = session.state(_Rooms).by_room.get(room)
    return address if address in session.state(Directed).jids else None
