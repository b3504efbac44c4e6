"""Changing what people are during a visit, and the lists of it
(XEP-0045 §8.2 to §8.5, §9.6 to §9.8)."""

from hausbote.core.request import Request
from hausbote.rooms import announce
from hausbote.rooms.announce import Change
from hausbote.rooms.house import House
from hausbote.rooms.leaving import take_away, tell_of_leaving
from hausbote.rooms.post import post_each
from hausbote.rooms.privileges import ROLES, Action, Role, Standing, may, role_refusal
from hausbote.rooms.room import Occupant, Room
from hausbote.xmpp import ns
from hausbote.xmpp.errors import BadRequest, Forbidden, ItemNotFound, StanzaError
from hausbote.xmpp.stanza import child
from hausbote.xmpp.xml import Markup, Tree, el


def role_list(room: Room, who: Standing, word: str) -> list[Markup]:
    """Everybody with that role."""
    role = ROLES.get(word)
    if role is None or role is Role.NONE:
        raise BadRequest("there is no such list")
    moderators = role is Role.MODERATOR
    action = Action.SEE_MODERATOR_LIST if moderators else Action.SEE_VOICE_LIST
    if not may(who, action):
        raise Forbidden
    return [
        el(
            "item",
            affiliation=room.affiliation(occupant.jid).word,
            role=role.word,
            nick=occupant.nick,
            jid=occupant.shown.jid.full,
        )
        for occupant in room.occupants.values()
        if occupant.role is role
    ]


def change_roles(house: House, room: Room, request: Request, items: list[tuple[Tree, str]]) -> None:
    """All of them, or none if one is refused; each item with its reason."""
    assert request.sender is not None
    actor = room.standing(request.sender)
    chosen = [_understood(room, actor, element) for element, _ in items]
    if len({occupant.id + occupant.nick for occupant, _ in chosen}) < len(chosen):
        raise BadRequest("somebody is named twice")
    nick = actor_nick(room, request)
    for (occupant, role), (_, reason) in zip(chosen, items, strict=True):
        if role is Role.NONE:
            change = Change(codes=(307,), actor=nick, reason=reason)
            expel(house, room, occupant, change, request)
        elif role is not occupant.role:
            give_role(house, room, occupant, role, Change(actor=nick, reason=reason))


def _understood(room: Room, actor: Standing, element: Tree) -> tuple[Occupant, Role]:
    role = ROLES.get(element.get("role", ""))
    nick = element.get("nick")
    if role is None or nick is None or element.get("affiliation") is not None:
        raise BadRequest("an item has a nick and a role")
    occupant = room.occupant(nick)
    if occupant is None:
        if not may(actor, Action.SEE_VOICE_LIST):
            raise about_item(Forbidden("moderators do that"), element)
        raise ItemNotFound("nobody has this nick")
    target = Standing(occupant.role, room.affiliation(occupant.jid))
    refusal = role_refusal(actor, target, role)
    if refusal is not None:
        raise about_item(refusal, element)
    return occupant, role


def about_item(refusal: StanzaError, element: Tree) -> StanzaError:
    """The refusal, with the item that it is for (§8.4): there may be many."""
    given = {name: element.get(name) for name in ("affiliation", "jid", "nick", "role")}
    refusal.about = child(ns.MUC_ADMIN, "query", el("item", **given))
    return refusal


def give_role(
    house: House, room: Room, occupant: Occupant, role: Role, change: Change = announce.NOTHING
) -> None:
    """Somebody in the room becomes something else, and everybody is told."""
    if not occupant.visits:
        return  # they went while others were told
    seen = room.configuration.announces(occupant.role)
    saw_addresses = room.sees_addresses(occupant.role)
    occupant.role = role
    for visit in occupant.visits:
        visit.forget_seen()
        house.remember(room, visit)
    if seen and not room.configuration.announces(role):
        announce.vanished(house.host, room, occupant.shown)
    if occupant.visits:
        announce.available(house.host, room, occupant.shown, change)
    if room.sees_addresses(role) and not saw_addresses:
        for visit in occupant.visits:
            announce.roster(house.host, room, visit)


def expel(
    house: House, room: Room, occupant: Occupant, change: Change, request: Request | None
) -> None:
    """Somebody is put out: they hear it first, then who did it, then the others (§8.2)."""
    visits = list(occupant.visits)
    if not visits:
        return  # they went while others were told
    for visit in visits:
        take_away(house.host, room, visit)
    if occupant.role is not Role.VISITOR:
        room.voices.pop(occupant.jid.full, None)
    told = [announce.gone_to_self(room, visit, change) for visit in visits]
    if request is None:
        tell_of_leaving(house.host, room, visits[-1], change, *told)
    else:
        request.afterwards.append(lambda: tell_of_leaving(house.host, room, visits[-1], change))
        post_each(house.host, told)


def actor_nick(room: Room, request: Request) -> str | None:
    """Who did it, as the others know them."""
    assert request.sender is not None
    visit = room.visits.get(request.sender.full)
    occupants = [visit.occupant] if visit is not None else room.of_person(request.sender.bare)
    return occupants[0].nick if occupants else None
