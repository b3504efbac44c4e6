"""What the rooms hear of the box itself: its clients' service was started anew."""

from hausbote.core.delivery import Delivery
from hausbote.core.feature import Feature
from hausbote.core.host import Host
from hausbote.rooms.announce import Change
from hausbote.rooms.house import house_of
from hausbote.rooms.leaving import leave
from hausbote.xmpp import ns

feature = Feature("restarts")


@feature.domain_message
def restarted(delivery: Delivery) -> bool:
    """Nobody but the box itself speaks as its domain: clients are stamped with their own address,
    and other servers only speak for theirs."""
    notice = delivery.stanza.child(ns.RESTARTED, "restarted")
    if notice is None or delivery.sender.full != delivery.host.settings.domain:
        return False
    forget_clients(delivery.host, delivery.sender.domain)
    return True


def forget_clients(host: Host, domain: str) -> None:
    """Everybody of that domain who was in a room is not there any more."""
    for room in list(house_of(host).inhabited().values()):
        for visit in list(room.visits.values()):
            if visit.jid.domain == domain:
                leave(host, room, visit, Change(codes=(333,)))
