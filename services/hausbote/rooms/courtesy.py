"""A word to those who lose what they were for a room while they are not there (XEP-0045 §18.1).

Who gains something is invited, or sees it when they come.
"""

from hausbote.base.jid import JID
from hausbote.core.host import breathe
from hausbote.rooms.announce import status
from hausbote.rooms.house import House
from hausbote.rooms.post import post
from hausbote.rooms.privileges import Affiliation, Role
from hausbote.rooms.room import Affiliated, Room
from hausbote.xmpp import ns
from hausbote.xmpp.stanza import Stanza, child
from hausbote.xmpp.xml import el


def tell(
    house: House, room: Room, absent: dict[str, Affiliated], before: dict[str, Affiliation]
) -> None:
    """Only to people who belonged to it: nobody is written to who has nothing to do with it."""
    for jid, (affiliation, _, reason) in absent.items():
        if not affiliation < before[jid] >= Affiliation.MEMBER:
            continue
        breathe()
        if room.affiliation_of(jid) is not affiliation:  # any more
            continue
        why = el("reason", reason) if reason else None
        item = el("item", why, affiliation=affiliation.word, role=Role.NONE.word)
        attrs = {"from": room.jid.full, "id": f"loss-{house.next_id()}"}
        news = Stanza("message", attrs, (child(ns.MUC_USER, "x", item, *status(101)),))
        post(house.host, news, (JID.parse(jid),))
