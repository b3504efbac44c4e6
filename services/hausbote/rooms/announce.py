"""What occupants see of each other: presence with roles, affiliations and status codes.

Those who may see real addresses get another payload than the others; each is made once.
"""

import re
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from hausbote.base.jid import JID
from hausbote.core.host import Host, breathe
from hausbote.rooms.configuration import Hat
from hausbote.rooms.house import House
from hausbote.rooms.post import post, post_all, post_each
from hausbote.rooms.privileges import Affiliation, Role
from hausbote.rooms.room import Affiliated, Occupant, Room, Visit, jids
from hausbote.xmpp import ns
from hausbote.xmpp.stanza import Child, Stanza, child
from hausbote.xmpp.xml import Markup, el

_ERROR: Final = (ns.CLIENT, "error")

Told = tuple[Stanza, tuple[JID, ...]]
"""A stanza, and those who get it."""


class Change(NamedTuple):
    """What happened to an occupant: status codes, those for the occupant alone, and why."""

    codes: tuple[int, ...] = ()
    own_codes: tuple[int, ...] = ()
    nick: str | None = None
    actor: str | None = None
    reason: str | None = None
    destroy: Markup | None = None


NOTHING: Final = Change()
_BY: Final = re.compile("^(<error\\b[^>]*?) by='[^']*'")


def nameless(children: tuple[Child, ...]) -> tuple[Child, ...]:
    """What an occupant answers, without the address that an error may have of who refused."""
    return tuple(
        [
            Child(c.ns, c.name, _BY.sub(r"\1", c.xml)) if (c.ns, c.name) == _ERROR else c
            for c in children
        ]
    )


def item(
    room: Room,
    occupant: Occupant,
    jid: str | None,
    change: Change = NOTHING,
    role: Role | None = None,
    affiliation: Affiliation | None = None,
) -> Markup:
    """The <item/> of an occupant; `jid` if it may be seen."""
    actor = None if change.actor is None else el("actor", nick=change.actor)
    reason = None if not change.reason else el("reason", change.reason)
    shown = room.affiliation(occupant.jid) if affiliation is None else affiliation
    return el(
        "item",
        actor,
        reason,
        affiliation=shown.word,
        role=(occupant.role if role is None else role).word,
        jid=jid,
        nick=change.nick,
    )


def status(*codes: int) -> list[Markup]:
    return [el("status", code=str(code)) for code in sorted(codes)]


def occupant_id(id: str) -> Child:
    """XEP-0421."""
    return Child(ns.OCCUPANT_ID, "occupant-id", occupant_id_markup(id))


def occupant_id_markup(id: str) -> Markup:
    return el("occupant-id", xmlns=ns.OCCUPANT_ID, id=id)


def seen(room: Room, visit: Visit, *, address: bool) -> bytes:
    """The available presence of an occupant's client as another one sees it, packed."""
    packed = visit.named if address else visit.nameless
    if packed is None:
        packed = _available(room, visit, address, NOTHING, ()).pack()
        if address:
            visit.named = packed
        else:
            visit.nameless = packed
    return packed


def _available(
    room: Room, visit: Visit, address: bool, change: Change, codes: Iterable[int]
) -> Stanza:
    occupant = visit.occupant
    shown = item(room, occupant, visit.jid.full if address else None, change)
    x = child(ns.MUC_USER, "x", shown, *status(*codes))
    sent = Stanza.unpack(visit.packed)
    attrs = dict(sent.attrs)
    attrs["from"] = room.address(occupant.nick)
    children = (*sent.children, x, occupant_id(occupant.id))
    if room.configuration.worn:
        children = (*children, *_hats(room, occupant.jid.full))
    return Stanza("presence", attrs, children)


def hats_of(room: Room, bare: str) -> list[Hat]:
    """What somebody wears (XEP-0317)."""
    worn = {one.uri for one in room.configuration.worn if one.title == bare}
    return [hat for hat in room.configuration.hats if hat.uri in worn]


def _hats(room: Room, bare: str) -> list[Child]:
    hats = hats_of(room, bare)
    if not hats:
        return []
    shown = [el("hat", title=hat.title, uri=hat.uri, hue=hat.hue or None) for hat in hats]
    return [child(ns.HATS, "hats", *shown)]


def roster(host: Host, room: Room, visit: Visit) -> None:
    """To a newcomer: presence of everybody else (§7.2.2)."""
    address = room.sees_addresses(visit.occupant.role)
    packed = [
        seen(room, other.shown, address=address)
        for other in room.occupants.values()
        if other is not visit.occupant and room.configuration.announces(other.role)
    ]
    post_all(host, room.jid.full, packed, visit.jid)


def available(
    host: Host, room: Room, visit: Visit, change: Change = NOTHING, id: str | None = None
) -> None:
    """To everybody: how this occupant is now; to the client itself with the id of its request."""
    post_each(host, news(room, visit, change, id))


def news(room: Room, visit: Visit, change: Change = NOTHING, id: str | None = None) -> list[Told]:
    """What `available` tells."""
    codes = (110, *change.codes, *change.own_codes)
    own = _available(room, visit, True, change, codes)
    told = _news_for_others(room, visit, change)
    if id is not None:
        told.append((own.replace(id=id), (visit.jid,)))
    others = [one for one in visit.occupant.visits if id is None or one is not visit]
    return [*told, (own, jids(others))]


def taken(host: Host, room: Room, visit: Visit) -> None:
    """To all but the client itself: how its occupant is now, and to the occupant's other clients
    which of them stands for all of them."""
    told = _news_for_others(room, visit, NOTHING)
    elsewhere = [one for one in visit.occupant.visits if one is not visit]
    if elsewhere:
        told.append((_available(room, visit, True, NOTHING, (110,)), jids(elsewhere)))
    post_each(host, told)


def available_to_others(host: Host, room: Room, visit: Visit, change: Change = NOTHING) -> None:
    """To all but the occupant, if they see people of that role."""
    post_each(host, _news_for_others(room, visit, change))


def _news_for_others(room: Room, visit: Visit, change: Change) -> list[Told]:
    if not room.configuration.announces(visit.occupant.role):
        return []
    return _for_others(
        room,
        visit.occupant,
        lambda address: _available(room, visit, address, change, change.codes),
    )


def self_presence(
    host: Host, room: Room, visit: Visit, codes: tuple[int, ...], id: str | None
) -> None:
    """To the occupant's client itself: its own presence, with the id of its request."""
    stanza = _available(room, visit, True, NOTHING, (110, *codes))
    post(host, stanza if id is None else stanza.replace(id=id), (visit.jid,))


def gone(
    room: Room, visit: Visit, address: bool, change: Change, codes: Iterable[int], role: Role
) -> Stanza:
    """The unavailable presence of an occupant."""
    occupant = visit.occupant
    shown = item(room, occupant, visit.jid.full if address else None, change, role)
    x = child(ns.MUC_USER, "x", shown, change.destroy, *status(*codes))
    attrs = {"from": room.address(occupant.nick), "type": "unavailable"}
    return Stanza("presence", attrs, (*visit.goodbye, x, occupant_id(occupant.id)))


def gone_to_self(room: Room, visit: Visit, change: Change) -> Told:
    """For a client that is not there any more."""
    codes = (110, *change.codes, *change.own_codes)
    stanza = gone(room, visit, True, change, codes, Role.NONE)
    id = visit.goodbye_id
    return (stanza if id is None else stanza.replace(id=id)), (visit.jid,)


def gone_to_others(room: Room, visit: Visit, change: Change) -> list[Told]:
    """For those who are still there, if they saw the occupant."""
    occupant = visit.occupant
    if not room.configuration.announces(occupant.role):
        return []
    return _for_others(
        room, occupant, lambda a: gone(room, visit, a, change, change.codes, Role.NONE)
    )


def vanished(host: Host, room: Room, visit: Visit) -> None:
    """To others: the occupant is still there, and is not seen any more."""
    told = _for_others(room, visit.occupant, lambda a: gone(room, visit, a, NOTHING, (), Role.NONE))
    post_each(host, told)


def renamed(room: Room, visit: Visit, nick: str) -> list[Told]:
    """For everybody, made before the nick is changed: who will be who (§7.6)."""
    change, role = Change(codes=(303,), nick=nick), visit.occupant.role
    told: list[Told] = []
    if room.configuration.announces(role):
        told = _for_others(
            room, visit.occupant, lambda a: gone(room, visit, a, change, (303,), role)
        )
    stanza = gone(room, visit, True, change, (110, 303), role)
    return [*told, (stanza, jids(visit.occupant.visits))]


def _for_others(room: Room, occupant: Occupant, make: Callable[[bool], Stanza]) -> list[Told]:
    others = room.others(occupant)
    if not room.configuration.anonymous:
        everybody = jids(others)
        return [(make(True), everybody)] if everybody else []
    seeing: list[JID] = []
    blind: list[JID] = []
    for other in others:
        chosen = seeing if other.occupant.role is Role.MODERATOR else blind
        chosen.append(other.jid)
    groups = ((True, tuple(seeing)), (False, tuple(blind)))
    return [(make(address), group) for address, group in groups if group]


def absent(
    house: House, room: Room, changes: dict[str, Affiliated], before: dict[str, Affiliation]
) -> None:
    """Those in the room who see addresses hear of people who are not there (§10.3).

    It pauses between them: what was changed again meanwhile is told by who did that.
    """
    for jid, affiliated in changes.items():
        if affiliated.affiliation is before[jid]:
            continue
        breathe()
        if room.of_person(jid) or room.affiliation_of(jid) is not affiliated.affiliation:
            continue
        seeing = [v for v in room.visits.values() if room.sees_addresses(v.occupant.role)]
        shown = el("item", affiliation=affiliated.affiliation.word, jid=jid, role=Role.NONE.word)
        attrs = {"from": room.jid.full, "id": f"affiliation-{house.next_id()}"}
        news = Stanza("message", attrs, (child(ns.MUC_USER, "x", shown),))
        post(house.host, news, jids(seeing))
