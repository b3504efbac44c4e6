"""What the rooms hear of the box itself: its clients' service was started anew, an account is gone;
and of other servers: one of them is away.

Nobody but the box speaks as its domain: clients are stamped with their own address, and other
servers only speak for theirs.
"""

from hausbote.base.jid import JID
from hausbote.core.delivery import Delivery
from hausbote.core.feature import Feature
from hausbote.core.host import Host
from hausbote.core.request import Presence
from hausbote.rooms import affiliations, invitations
from hausbote.rooms.announce import Change
from hausbote.rooms.house import house_of
from hausbote.rooms.leaving import leave, put_out
from hausbote.rooms.privileges import Affiliation
from hausbote.rooms.roles import expel
from hausbote.xmpp import ns
from hausbote.xmpp.stanza import start_tag
from hausbote.xmpp.unfold import text_of

feature = Feature("news of the box")


@feature.domain_message
def heard(delivery: Delivery) -> bool:
    host, box = delivery.host, delivery.host.settings.domain
    if delivery.sender.full != box:
        return False
    deleted = delivery.stanza.child(ns.BOX, "deleted")
    if deleted is not None:
        house_of(host).forget_person(f"{start_tag(deleted).get('account')}@{box}")
        find_owners(host)
    joined = delivery.stanza.child(ns.BOX, "joined")
    if joined is not None:
        attributes = start_tag(joined)
        new = f"{attributes.get('account')}@{box}"
        circle_changed(host, {"room": attributes.get("room") or "", "new": new})
    restarted = delivery.stanza.child(ns.BOX, "restarted")
    if restarted is not None:
        forget_clients(host, box, frozenset(text_of(restarted).split("\n")))
    return True


def find_owners(host: Host) -> None:
    """A room has an owner (XEP-0045 §10): one whose last owner is gone belongs to its admins, and
    if it has none, one that is for members to all of them."""
    house = house_of(host)
    for local in host.store.rooms.ownerless():
        room = house.find(local)
        if room is None or room.of_affiliation(Affiliation.OWNER):
            continue
        heirs = room.of_affiliation(Affiliation.ADMIN)
        if not heirs and room.configuration.members_only:
            heirs = room.of_affiliation(Affiliation.MEMBER)
        changes = {
            jid: room.affiliations[jid]._replace(affiliation=Affiliation.OWNER) for jid in heirs
        }
        if changes:
            affiliations.apply(house, room, room.jid, changes)


@feature.inbound("server error")
def server_is_away(presence: Presence) -> None:
    """Nobody of that server can be reached; s2s says so after some attempts."""
    forget_clients(presence.host, presence.sender.domain)


def forget_clients(host: Host, domain: str, here: frozenset[str] = frozenset()) -> None:
    """Everybody of that domain who was in a room is not there any more, but for those `here`."""
    for room in list(house_of(host).inhabited().values()):
        for visit in list(room.visits.values()):
            if visit.jid.domain == domain and visit.jid.full not in here:
                leave(host, room, visit, Change(codes=(333,)))


def circle_changed(host: Host, message: dict[str, str]) -> None:
    """The store has others who belong to a circle: newcomers are invited to its room, and who does
    not belong to it any more leaves."""
    local = message.get("room", "")
    house = house_of(host)
    if message.get("change") == "destroyed":
        found = house.inhabited().get(local)
        if found is not None:
            put_out(host, found, by_owner=True)
        return
    room = house.reread(local)
    if room is None:
        return
    for occupant in list(room.occupants.values()):
        if room.affiliation(occupant.jid) < Affiliation.MEMBER:
            expel(house, room, occupant, Change(codes=(321,)), None)
    for bare in message.get("new", "").split():
        invitations.send(host, room, room.jid, JID.parse(bare))
