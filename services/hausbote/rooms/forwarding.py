"""Members who are mentioned while they are not in the room get the message (XEP-0452): so their
own server can wake them, wherever they are."""

from typing import Final

from hausbote.base.jid import JID
from hausbote.core.feature import Feature
from hausbote.rooms.history import delay
from hausbote.rooms.house import House
from hausbote.rooms.post import post
from hausbote.rooms.privileges import Affiliation
from hausbote.rooms.room import Room
from hausbote.xmpp import ns
from hausbote.xmpp.mentions import Mentions
from hausbote.xmpp.stanza import Stanza, child
from hausbote.xmpp.xml import Markup, el

feature = Feature("forwarding of mentions", xeps={"0452": "0.2.2"})

_MAX_FORWARDED: Final = 20  # of one message
_SPEAKING: Final = frozenset((ns.REFERENCES, ns.REPLY, ns.MENTIONS))


def forward(house: House, room: Room, message: Stanza, id: int) -> None:
    """If the room does so, and to those only who belong to it."""
    if not room.configuration.forward_mentions:
        return
    if not any(part.ns in _SPEAKING for part in message.children):
        return
    people = sorted(_mentioned(room, Mentions(message)))[:_MAX_FORWARDED]
    if not people:
        return
    inner = Stanza("message", {"xmlns": ns.CLIENT, **message.attrs}, message.children)
    parts = [Markup(delay(room, id).xml), Markup(inner.wire().decode())]
    forwarded = el("forwarded", *parts, xmlns=ns.FORWARD)
    attrs = {"from": room.jid.full, "id": f"mention-{id}"}
    copy = Stanza("message", attrs, (child(ns.MENTION_NOTIFICATIONS, "mentions", forwarded),))
    post(house.host, copy, [JID.parse(bare) for bare in people], "mention")


def _mentioned(room: Room, mentions: Mentions) -> set[str]:
    """Bare addresses of members who are not there."""
    found = set()
    for address in mentions.addresses:
        bare, _, nick = address.partition("/")
        jid = room.reserved(nick) if nick and bare == room.jid.full else bare
        if jid is None or room.of_person(jid):
            continue
        belongs = room.affiliations.get(jid)
        if belongs is not None and belongs.affiliation >= Affiliation.MEMBER:
            found.add(jid)
    return found
