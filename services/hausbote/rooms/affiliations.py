"""Changing what people are for a room, and the lists of it
(XEP-0045 §9.1 to §9.5, §10.3 to §10.8)."""

from collections.abc import Iterable

from hausbote.base.jid import JID, InvalidJID
from hausbote.core.addresses import parse_all
from hausbote.core.request import Request
from hausbote.rooms import announce, courtesy, invitations, places
from hausbote.rooms.announce import Change
from hausbote.rooms.house import House
from hausbote.rooms.privileges import (
    AFFILIATIONS,
    Action,
    Affiliation,
    Role,
    Standing,
    affiliation_refusal,
    default_role,
    may,
)
from hausbote.rooms.roles import about_item, actor_nick, expel, give_role
from hausbote.rooms.room import Affiliated, Occupant, Room, fold
from hausbote.xmpp.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    ItemNotFound,
    JidMalformed,
    NotAcceptable,
)
from hausbote.xmpp.xml import Markup, Tree, el

_MAX_REASON = 1_000


def affiliation_list(room: Room, who: Standing, word: str) -> list[Markup]:
    """Everybody with that affiliation."""
    affiliation = AFFILIATIONS.get(word)
    if affiliation is None or affiliation is Affiliation.NONE:
        raise BadRequest("there is no such list")
    if not may_see_list(room, who, affiliation):
        raise Forbidden
    present = {occupant.jid.full: occupant for occupant in room.occupants.values()}
    return [
        _item(jid, room.affiliations[jid], present.get(jid))
        for jid in room.of_affiliation(affiliation)
    ]


def may_see_list(room: Room, who: Standing, affiliation: Affiliation) -> bool:
    """Where addresses are hidden, lists are for those who see them anyway; elsewhere for everybody
    who belongs to the room, or is in it and has a role that may see lists (§5.2.1, §9.5)."""
    if may(who, Action.CONFIGURE):
        return True
    if affiliation is Affiliation.OUTCAST:
        return may(who, Action.SEE_BAN_LIST)
    if who.affiliation is Affiliation.OUTCAST:
        return False
    listed = who.role.word in room.configuration.listed_to
    if not room.configuration.anonymous:
        return who.affiliation >= Affiliation.MEMBER or listed
    if affiliation is Affiliation.MEMBER:
        return who.affiliation is Affiliation.ADMIN or (who.role is Role.MODERATOR and listed)
    return False


def _item(jid: str, affiliated: Affiliated, occupant: Occupant | None) -> Markup:
    reason = el("reason", affiliated.reason) if affiliated.reason else None
    nick = affiliated.nick or None if occupant is None else occupant.nick
    return el("item", reason, affiliation=affiliated.affiliation.word, jid=jid, nick=nick)


def change_affiliations(
    house: House, room: Room, request: Request, items: list[tuple[Tree, str]]
) -> None:
    """All of them, or none if one is refused; each item with its reason."""
    assert request.sender is not None
    _check_actor(room, request.sender, items)
    named = _named(element for element, _ in items)
    _check_actor(room, request.sender, items)  # others had their turn meanwhile
    actor = room.affiliation(request.sender)
    changes: dict[str, Affiliated] = {}
    for element, reason in items:
        jid, affiliated = _understood(house, room, element, reason, named)
        own = jid == request.sender.bare
        before = room.affiliation(JID.parse(jid))
        refusal = affiliation_refusal(actor, before, affiliated.affiliation, own=own)
        if refusal is not None:
            raise about_item(refusal, element)
        holder = room.reserved(affiliated.nick) if affiliated.nick else None
        if holder not in (None, jid):
            raise Conflict("this nick is reserved for somebody else")
        if changes.get(jid, affiliated) != affiliated:
            raise BadRequest("somebody is named twice")
        changes[jid] = affiliated
    nicks = [fold(affiliated.nick) for affiliated in changes.values() if affiliated.nick]
    if len(set(nicks)) < len(nicks):
        raise Conflict("two people cannot have one nick")
    apply(house, room, request.sender, changes, request)


def _check_actor(room: Room, actor: JID, items: list[tuple[Tree, str]]) -> None:
    """Others do not learn either whether a nick is there."""
    if room.destroyed:
        raise ItemNotFound("there is no such room")
    if room.affiliation(actor) < Affiliation.ADMIN:
        raise about_item(Forbidden("admins and owners do that"), items[0][0])


def _named(elements: Iterable[Tree]) -> dict[str, JID]:
    """The addresses in the items, by how they are written."""
    texts = [text for element in elements if (text := element.get("jid")) is not None]
    try:
        return dict(zip(texts, parse_all(texts), strict=True))
    except InvalidJID as problem:
        raise JidMalformed(str(problem)) from None


def _understood(
    house: House, room: Room, element: Tree, reason: str, named: dict[str, JID]
) -> tuple[str, Affiliated]:
    affiliation = AFFILIATIONS.get(element.get("affiliation", ""))
    if affiliation is None or element.get("role") is not None:
        raise BadRequest("an item has an address and an affiliation")
    given = element.get("jid")
    if given is None:
        occupant = room.occupant(element.get("nick", ""))
        if occupant is None:
            raise BadRequest("an item has an address and an affiliation")
        jid, nick = occupant.jid, None
    else:
        jid, nick = _person(room, named[given]), element.get("nick")
        if nick and affiliation > Affiliation.NONE:
            nick = house.proper_nick(nick)
            if nick is None:
                raise NotAcceptable("this cannot be a nick")
    if not jid.local and affiliation > Affiliation.NONE:
        raise NotAcceptable("a domain can be banned, and nothing else")
    before = room.affiliations.get(jid.full)
    kept = before.nick if before is not None and nick is None else nick or ""
    if affiliation <= Affiliation.NONE:
        kept = ""
    return jid.full, Affiliated(affiliation, kept, reason[:_MAX_REASON])


def _person(room: Room, jid: JID) -> JID:
    """Whose address it is; somebody in the room is known by their address there, too."""
    if jid.bare != room.jid.full:
        return jid.to_bare()
    occupant = room.occupant(jid.resource)
    if occupant is None:
        raise ItemNotFound("there is nobody with this nick")
    return occupant.jid


def apply(
    house: House,
    room: Room,
    actor: JID,
    changes: dict[str, Affiliated],
    request: Request | None = None,
) -> None:
    """Make changes that are allowed: Conflict if no owner would be left."""
    owners = set(room.of_affiliation(Affiliation.OWNER))
    for jid, affiliated in changes.items():
        owners.discard(jid)
        if affiliated.affiliation is Affiliation.OWNER:
            owners.add(jid)
    if not owners:
        raise Conflict("a room needs an owner")
    new = [j for j, a in changes.items() if a.affiliation is not Affiliation.NONE]
    places.check(house, room, actor, new)
    before = {jid: room.affiliation_of(jid) for jid in changes}
    people = {o.jid.full: room.affiliation(o.jid) for o in room.occupants.values()}
    house.affiliate(room, changes).wait()
    nick = None if request is None else actor_nick(room, request)
    _show(house, room, changes, people, nick, request)
    absent = {jid: affiliated for jid, affiliated in changes.items() if jid not in people}
    announce.absent(house, room, absent, before)
    courtesy.tell(house, room, absent, before)
    for jid, affiliated in changes.items():
        joins = affiliated.affiliation is Affiliation.MEMBER and before[jid] is Affiliation.NONE
        if room.configuration.members_only and joins and not room.of_person(jid):
            invitations.send(house.host, room, actor, JID.parse(jid))


def _show(
    house: House,
    room: Room,
    changes: dict[str, Affiliated],
    before: dict[str, Affiliation],
    nick: str | None,
    request: Request | None,
) -> None:
    """What it means for those who are in the room."""
    for occupant in list(room.occupants.values()):
        after = room.affiliation(occupant.jid)
        was = before.get(occupant.jid.full, after)  # who came meanwhile came as what they are now
        if after is was:
            continue
        found = changes.get(occupant.jid.full) or changes.get(occupant.jid.domain)
        change = Change(actor=nick, reason=found.reason if found is not None else "")
        if after is Affiliation.OUTCAST:
            expel(house, room, occupant, change._replace(codes=(301,)), request)
        elif after is Affiliation.NONE and room.configuration.members_only:
            expel(house, room, occupant, change._replace(codes=(321,)), request)
        else:
            role = _role(room, occupant.role, was, after)
            give_role(house, room, occupant, role, change)


def _role(room: Room, role: Role, before: Affiliation, after: Affiliation) -> Role:
    """What is gained with an affiliation; what is lost with admin is being moderator by it
    (§5.1.3)."""
    granted = default_role(after, moderated=room.configuration.moderated)
    if before >= Affiliation.ADMIN > after:
        return granted
    return max(role, granted) if after > Affiliation.NONE else role
