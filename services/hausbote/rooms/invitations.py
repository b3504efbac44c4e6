"""Asking others in through the room, and saying no (XEP-0045 §7.8.2, §9.5)."""

from typing import Final

from hausbote.base.jid import JID, InvalidJID
from hausbote.core.delivery import Delivery
from hausbote.core.dispatch import route
from hausbote.core.host import Host
from hausbote.rooms import announce, places
from hausbote.rooms.house import House
from hausbote.rooms.privileges import Action, Affiliation, may
from hausbote.rooms.room import Affiliated, Room
from hausbote.xmpp import ns
from hausbote.xmpp.errors import (
    Forbidden,
    ItemNotFound,
    JidMalformed,
    NotAcceptable,
    ResourceConstraint,
)
from hausbote.xmpp.invitations import invitation
from hausbote.xmpp.stanza import Child, Stanza, child, tree
from hausbote.xmpp.xml import Markup, Tree, el

_USER: Final = f"{{{ns.MUC_USER}}}"
_MAX_INVITATIONS: Final = 20  # in one message
_MAX_REASON: Final = 1_000


def receive(house: House, room: Room, delivery: Delivery) -> bool:
    """Whether the message is an invitation or an answer to one."""
    x = delivery.stanza.child(ns.MUC_USER, "x")
    if x is None or delivery.type != "normal":
        return False
    payload = tree(x)
    invitations, decline = payload.findall(f"{_USER}invite"), payload.find(f"{_USER}decline")
    if invitations:
        _invite(house, room, delivery, invitations)
    elif decline is not None:
        _decline(house, room, delivery, decline)
    return bool(invitations) or decline is not None


def _invite(house: House, room: Room, delivery: Delivery, invitations: list[Tree]) -> None:
    """Nobody is asked if one of them cannot be."""
    standing = room.standing(delivery.sender)
    configuration = room.configuration
    if delivery.sender.full not in room.visits and standing.affiliation < Affiliation.ADMIN:
        raise NotAcceptable("you are not in the room", type="cancel")
    by_member = configuration.invitations_by_members and standing.affiliation >= Affiliation.MEMBER
    if not (by_member or may(standing, Action.INVITE_TO_MEMBERS_ONLY)):
        if configuration.members_only:
            raise Forbidden("admins invite to this room")
        if not may(standing, Action.INVITE):
            raise Forbidden("visitors invite nobody")
    if len(invitations) > _MAX_INVITATIONS:
        raise ResourceConstraint(f"at most {_MAX_INVITATIONS} invitations at once")
    invited = [(_invitee(house.host, one), one) for one in invitations]
    for jid, _ in invited:
        if room.affiliation(jid) is Affiliation.OUTCAST:
            raise Forbidden("this address is banned from the room")
        if configuration.members_only and not jid.local:
            raise NotAcceptable("a domain is no member")
    if configuration.members_only:
        new = {
            jid.bare: Affiliated(Affiliation.MEMBER)
            for jid, _ in invited
            if room.affiliation(jid) is Affiliation.NONE
        }
        places.check(house, room, delivery.sender, new)
        delivery.tickets.append(house.affiliate(room, new))
        announce.absent(house, room, new, dict.fromkeys(new, Affiliation.NONE))
    for jid, one in invited:
        room.note_invitation(jid)
        extra = [_reason(one), _continue(one)]
        send(house.host, room, delivery.sender, jid, *extra, id=delivery.stanza.id)


def send(
    host: Host, room: Room, sender: JID, to: JID, *extra: Markup | None, id: str | None = None
) -> None:
    """An invitation on behalf of somebody."""
    password = room.configuration.password if room.configuration.protected else None
    message = invitation(room.jid.full, sender.bare, to.full, *extra, password=password)
    route(host, message if id is None else message.replace(id=id))


def _invitee(host: Host, invite: Tree) -> JID:
    try:
        jid = JID.parse(invite.get("to", ""))
    except InvalidJID as problem:
        raise JidMalformed(str(problem)) from None
    accounts = host.store.accounts
    if jid.domain == host.settings.domain and not (jid.local and accounts.exists(jid.local)):
        raise ItemNotFound("there is no such address")
    return jid


def _reason(element: Tree) -> Markup | None:
    text = element.findtext(f"{_USER}reason")
    return None if text is None else el("reason", text[:_MAX_REASON])


def _continue(element: Tree) -> Markup | None:
    found = element.find(f"{_USER}continue")
    return None if found is None else el("continue", thread=found.get("thread"))


def _is_invited(room: Room, who: JID) -> bool:
    """Where only members enter, who is invited becomes one; a password is told to them, and that
    they were asked is remembered until the service is restarted."""
    return room.affiliation(who) >= Affiliation.MEMBER or (
        not room.configuration.members_only and who.bare in room.invited
    )


def _decline(house: House, room: Room, delivery: Delivery, decline: Tree) -> None:
    """Passed on to an occupant, or to somebody who belongs to the room: to nobody else, for a
    room is no way to write to strangers.  Whether there is such a person is not told: who declines
    need not be somebody who may know."""
    try:
        to = JID.parse(decline.get("to", ""))
    except InvalidJID as problem:
        raise JidMalformed(str(problem)) from None
    if room.affiliation(delivery.sender) is Affiliation.OUTCAST:
        raise Forbidden("you are banned from this room")
    house.pace.ask(delivery.sender)
    if to.bare == room.jid.bare and to.resource:
        other = room.occupant(to.resource)
        to = to if other is None else other.jid
    if room.configuration.closed and not _is_invited(room, delivery.sender):
        return
    if not room.of_person(to.bare) and room.affiliation(to) < Affiliation.MEMBER:
        return
    refusal = el("decline", _reason(decline), from_=delivery.sender.bare)
    payload: Child = child(ns.MUC_USER, "x", refusal)
    attrs = {"from": room.jid.full, "to": to.full}
    if delivery.stanza.id is not None:
        attrs["id"] = delivery.stanza.id
    route(delivery.host, Stanza("message", attrs, (payload,)))
