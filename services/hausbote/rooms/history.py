"""What newcomers are given of the talk so far, and the subject (XEP-0045 §7.2.13 to §7.2.15)."""

from hausbote.base.clock import moment
from hausbote.rooms.house import House, stamp
from hausbote.rooms.post import post, post_all
from hausbote.rooms.room import Room, Visit
from hausbote.storage import RoomMessage
from hausbote.xmpp import ns
from hausbote.xmpp.stanza import Child, Stanza, child, start_tag
from hausbote.xmpp.unfold import unfold


def send(house: House, room: Room, visit: Visit, x: Child | None) -> None:
    """History as far as it was asked for, then the subject."""
    asked = None if x is None else unfold(x).child(ns.MUC, "history")
    wanted = _Wanted(house, {} if asked is None else start_tag(asked))
    chosen = _choose(room, list(room.recent), wanted, visit.jid.full)
    post_all(house.host, room.jid.full, chosen, visit.jid)
    post(house.host, subject_message(room), (visit.jid,))


class _Wanted:
    """The limits of a <history/>; what cannot be understood limits nothing."""

    def __init__(self, house: House, attributes: dict[str, str]) -> None:
        self.stanzas = _number(attributes.get("maxstanzas"))
        self.characters = _number(attributes.get("maxchars"))
        self.since = 0
        seconds = _number(attributes.get("seconds"))
        if seconds is not None:
            self.since = int((house.host.clock() - seconds) * 1_000_000)
        since = moment(attributes.get("since", ""))
        if since is not None:
            self.since = max(self.since, since)


def _choose(room: Room, recent: list[RoomMessage], wanted: _Wanted, recipient: str) -> list[bytes]:
    count = room.configuration.max_history
    if wanted.stanzas is not None:
        count = min(count, wanted.stanzas)
    left = wanted.characters
    chosen: list[bytes] = []
    for message in reversed(recent):
        if len(chosen) >= count or message.id < wanted.since:
            break
        delayed = _delayed(room, message)
        if left is not None:
            left -= len(delayed.replace(to=recipient).wire().decode())
            if left < 0:
                break
        chosen.append(delayed.pack())
    return chosen[::-1]


def _delayed(room: Room, message: RoomMessage) -> Stanza:
    stanza = Stanza.unpack(message.stanza)
    return stanza.with_children((*stanza.children, delay(room, message.id)))


def delay(room: Room, id: int) -> Child:
    return child(ns.DELAY, "delay", from_=room.jid.full, stamp=stamp(id))


def subject_message(room: Room) -> Stanza:
    """The subject as a newcomer gets it; empty if there never was one."""
    if room.subject is None:
        empty = Child(ns.CLIENT, "subject", "<subject/>")
        return Stanza("message", {"from": room.jid.full, "type": "groupchat"}, (empty,))
    stanza = room.subject.stanza
    return stanza.with_children((*stanza.children, delay(room, room.subject.at)))


def _number(text: str | None) -> int | None:
    if text is None or not (text.isascii() and text.isdigit() and len(text) < 12):
        return None
    return int(text)
