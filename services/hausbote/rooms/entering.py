"""Coming in, being there, going (XEP-0045 §7.1, §7.2, §7.6, §7.7, §7.14, §10.1): by presence."""

from typing import Final

from hausbote.base.jid import JID
from hausbote.core.feature import Feature
from hausbote.core.host import Host
from hausbote.core.request import Presence
from hausbote.core.space import need_space
from hausbote.rooms import announce, destroyed, history
from hausbote.rooms.configuration import of_kind
from hausbote.rooms.forgeries import cleaned
from hausbote.rooms.house import House, house_of
from hausbote.rooms.leaving import FAULTS, leave, not_there, put_out
from hausbote.rooms.post import need_room, post, post_each
from hausbote.rooms.privileges import Action, Role, Standing, may
from hausbote.rooms.room import Occupant, Room, Visit, is_nick
from hausbote.xmpp import ns
from hausbote.xmpp.errors import (
    Conflict,
    Forbidden,
    ItemNotFound,
    JidMalformed,
    NotAcceptable,
    NotAllowed,
    NotAuthorized,
    PolicyViolation,
    RegistrationRequired,
    ResourceConstraint,
    ServiceUnavailable,
    StanzaError,
)
from hausbote.xmpp.stanza import Stanza, child, error
from hausbote.xmpp.unfold import text_of, unfold
from hausbote.xmpp.xml import el

feature = Feature("entering rooms", xeps={"0045": "1.35.5"})

_EXTRA: Final = 50  # admins and owners who may come into a full room


@feature.inbound("available")
def arrive(presence: Presence) -> None:
    """Every refusal repeats the <x/> of the request, by which clients find it."""
    host, to, sender = presence.host, presence.recipient, presence.sender
    try:
        _arrive(house_of(host), presence.stanza, sender, to)
    except StanzaError as problem:
        problem.by = to.bare
        answer = error(presence.stanza, problem)
        x = presence.stanza.child(ns.MUC, "x")
        if x is not None:
            answer = answer.with_children((x, *answer.children))
        post(host, answer.replace(to=None), (sender,))


@feature.inbound("unavailable")
def depart(presence: Presence) -> None:
    room = house_of(presence.host).find(presence.recipient.local)
    visit = None if room is None else room.visits.get(presence.sender.full)
    if room is None or visit is None:
        return
    goodbye = _kept(presence.host, room.jid, presence.stanza)
    if _fits(presence.host, goodbye):
        visit.goodbye = goodbye.children
    visit.goodbye_id = presence.stanza.id
    if room.locked:
        put_out(presence.host, room, "The room was not configured.")
    else:
        leave(presence.host, room, visit)


@feature.inbound("error")
def bounced(presence: Presence) -> None:
    """What we sent could not be delivered: whoever it was for is not there (§9.1 of that text)."""
    room = house_of(presence.host).find(presence.recipient.local)
    visit = None if room is None else room.visits.get(presence.sender.full)
    if room is not None and visit is not None and FAULTS.search(presence.stanza.inner):
        not_there(presence.host, room, visit)


@feature.inbound("probe")
def probed(presence: Presence) -> None:
    """An occupant who asks after another is told; nobody else is."""
    host, to = presence.host, presence.recipient
    room = house_of(host).find(to.local)
    visit = None if room is None else room.visits.get(presence.sender.full)
    if room is None or visit is None or not to.resource:
        return
    other = room.occupant(to.resource)
    if other is not None and room.configuration.announces(other.role):
        address = room.sees_addresses(visit.occupant.role)
        packed = announce.seen(room, other.shown, address=address)
        post(host, Stanza.unpack(packed), (visit.jid,))


# -- available presence ------------------------------------------------------------------------


def _arrive(house: House, stanza: Stanza, sender: JID, to: JID) -> None:
    need_room(house.host, to.to_bare())  # it may wait, so it comes first
    room = house.find(to.local)
    visit = None if room is None else room.visits.get(sender.full)
    joins = stanza.child(ns.MUC, "x") is not None
    if not to.resource:
        raise JidMalformed("a nick is needed: room@service/nick")
    presence = _kept(house.host, to.to_bare(), stanza)
    _check(house.host, to.resource, presence)
    if joins or visit is not None:
        house.pace.change(to.local, sender)
    if room is not None and visit is not None:
        if visit.occupant.nick != to.resource:
            _change_nick(house, room, visit, to.resource, presence, stanza.id)
        elif not joins:
            _take(house, room, visit, presence)
            announce.available(house.host, room, visit, id=stanza.id)
        elif presence.pack() != visit.packed:
            _take(house, room, visit, presence)
            announce.taken(house.host, room, visit)
        if joins:  # it has lost track of the room (§7.2.1)
            _introduce(house, room, visit, stanza, ())
        return
    if not joins:
        _not_there(house.host, sender, to)
        return
    house.pace.enter(sender)
    if sender.domain != house.host.settings.domain:  # there may be any number of them
        need_space(house.host)
    if room is None:
        with house.lock:
            room = house.find(to.local)
            if room is None:
                destroyed.refuse(house, to.local, sender)
                _create(house, stanza, sender, to, presence)
                return
    _enter(house, room, stanza, sender, to.resource, presence)


def _kept(host: Host, room: JID, stanza: Stanza) -> Stanza:
    """The presence with what rooms pass on of it."""
    attrs = {k: v for k, v in stanza.attrs.items() if k == "xml:lang"}
    return Stanza("presence", attrs, cleaned(host, room, stanza))


def _check(host: Host, nick: str, presence: Stanza) -> None:
    limits = host.settings.limits
    if not is_nick(nick):
        raise NotAcceptable("this cannot be a nick", type="modify")
    if 0 < limits.room_nick < len(nick):
        raise NotAcceptable(f"a nick has at most {limits.room_nick} characters", type="modify")
    if not _fits(host, presence):
        raise PolicyViolation(f"presence has at most {limits.room_presence_bytes} bytes here")


def _fits(host: Host, presence: Stanza) -> bool:
    return not 0 < host.settings.limits.room_presence_bytes < len(presence.inner.encode())


def _not_there(host: Host, sender: JID, to: JID) -> None:
    """The client thinks that it is in a room, and is not (§7.2.17)."""
    reason = el("reason", "You are not in the room.")
    item = el("item", reason, affiliation="none", role="none")
    x = child(ns.MUC_USER, "x", item, *announce.status(110, 307, 333))
    post(host, Stanza("presence", {"from": to.full, "type": "unavailable"}, (x,)), (sender,))


def _create(house: House, stanza: Stanza, sender: JID, to: JID, presence: Stanza) -> None:
    """A new room, locked until it is configured (§10.1)."""
    if not may_create(house.host, sender):
        raise NotAllowed("you may not make rooms here")
    room = house.create(to.local, sender, of_kind(house.host.settings.rooms.default))
    if room is None:
        raise ResourceConstraint("you have as many rooms as one may have")
    _let_in(house, room, stanza, sender, to.resource, presence, (201,))


def may_create(host: Host, who: JID) -> bool:
    """By the setting: all people of the box, its administrators, or nobody from a client."""
    chosen = host.settings.rooms.creation
    if chosen == "everybody":
        return True
    if who.domain != host.settings.domain or not who.local or chosen == "nobody":
        return False
    return chosen == "users" or host.store.accounts.is_admin(who.local)


def _enter(
    house: House, room: Room, stanza: Stanza, sender: JID, nick: str, presence: Stanza
) -> None:
    affiliation = room.affiliation(sender)
    here = Standing(Role.NONE, affiliation)
    configuration = room.configuration
    if not room.exists_for(sender):
        raise ItemNotFound("the room is not configured yet")
    if not may(here, Action.ENTER_OPEN):
        raise Forbidden("you are banned from this room")
    if configuration.members_only and not may(here, Action.ENTER_MEMBERS_ONLY):
        raise RegistrationRequired("this room is for its members")
    if configuration.protected and _password(stanza) != configuration.password:
        raise NotAuthorized("the password is needed")
    wanted, nick = nick, _locked_nick(room, sender) or nick
    _free(room, sender, nick)
    most = _most(house, room)
    if most and len(room.occupants) >= most and room.occupant(nick) is None:
        full = len(room.occupants) >= most + _EXTRA
        if full or not may(here, Action.ENTER_FULL):
            raise ServiceUnavailable("the room is full", type="wait")
    _let_in(house, room, stanza, sender, nick, presence, () if nick == wanted else (210,))


def _locked_nick(room: Room, who: JID) -> str:
    """The only nick that somebody may have, where these are locked down (§7.2.2)."""
    own = room.affiliations.get(who.bare)
    return own.nick if own is not None and room.configuration.locked_nicks else ""


def _most(house: House, room: Room) -> int:
    limits = [house.host.settings.limits.room_occupants, room.configuration.max_users]
    return min([limit for limit in limits if limit], default=0)


def _password(stanza: Stanza) -> str:
    x = stanza.child(ns.MUC, "x")
    assert x is not None
    given = unfold(x).child(ns.MUC, "password")
    return "" if given is None else text_of(given)


def _free(room: Room, sender: JID, nick: str) -> None:
    occupant = room.occupant(nick)
    if occupant is not None and occupant.jid.full != sender.bare:
        raise Conflict("somebody else has this nick")
    if room.reserved(nick) not in (None, sender.bare):
        raise Conflict("this nick is reserved for somebody else")


def _let_in(
    house: House,
    room: Room,
    stanza: Stanza,
    sender: JID,
    nick: str,
    presence: Stanza,
    codes: tuple[int, ...],
) -> None:
    occupant = room.occupant(nick)
    if occupant is None:
        role = room.role_of_newcomer(sender)
        occupant = Occupant(nick, sender.to_bare(), role, house.occupant_id(room, sender))
    visit = Visit(sender, occupant, presence.pack())
    _take(house, room, visit, presence)
    announce.taken(house.host, room, visit)
    _introduce(house, room, visit, stanza, codes)


def _introduce(
    house: House, room: Room, visit: Visit, stanza: Stanza, codes: tuple[int, ...]
) -> None:
    """What a newcomer is told, in the order that the standard names (§7.1).

    Each part may wait, and they may have left, or been put out, meanwhile.
    """
    host = house.host
    if _is_there(room, visit):
        announce.roster(host, room, visit)
    if not _is_there(room, visit):
        return
    if not room.configuration.anonymous:
        codes = (100, *codes)
    if room.configuration.logged:
        codes = (170, *codes)
    announce.self_presence(host, room, visit, codes, stanza.id)
    if _is_there(room, visit):
        history.send(house, room, visit, stanza.child(ns.MUC, "x"))


def _is_there(room: Room, visit: Visit) -> bool:
    return room.visits.get(visit.jid.full) is visit


def _take(house: House, room: Room, visit: Visit, presence: Stanza) -> None:
    """The presence is the one that others see now."""
    visit.take(presence.pack())
    room.add(visit.occupant, visit)
    house.remember(room, visit)


def _change_nick(
    house: House, room: Room, visit: Visit, nick: str, presence: Stanza, id: str | None
) -> None:
    """All clients of the occupant get it (§7.6)."""
    occupant = visit.occupant
    if not may(room.standing(visit.jid), Action.CHANGE_NICK):
        raise Forbidden("you may not change your nick here")
    if _locked_nick(room, visit.jid) not in ("", nick):
        raise NotAcceptable("people have the nicks here that they registered", type="cancel")
    _free(room, visit.jid, nick)
    taken = room.occupant(nick)
    if taken is not None and taken is not occupant:
        raise Conflict("you are there already under this nick")
    told = announce.renamed(room, visit, nick)
    room.rename(occupant, nick)
    _take(house, room, visit, presence)
    for one in occupant.visits:
        house.remember(room, one)
    post_each(house.host, [*told, *announce.news(room, visit, id=id)])
