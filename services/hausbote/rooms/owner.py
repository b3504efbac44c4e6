"""Requests of owners (XEP-0045 §10): setting a room up and destroying it."""

from hausbote.base.jid import JID, InvalidJID
from hausbote.core.addresses import parse_all
from hausbote.core.feature import Feature, Target
from hausbote.core.host import Host
from hausbote.core.request import Request
from hausbote.rooms import affiliations, announce
from hausbote.rooms.admin import room_of
from hausbote.rooms.announce import Change
from hausbote.rooms.configuration import ADMINS, OWNERS, Configuration, filled_in, form_fields
from hausbote.rooms.house import House, house_of
from hausbote.rooms.leaving import put_out
from hausbote.rooms.post import post
from hausbote.rooms.privileges import Action, Affiliation, Role, may
from hausbote.rooms.roles import expel, give_role
from hausbote.rooms.room import Affiliated, Room
from hausbote.xmpp import ns
from hausbote.xmpp.data_form import DataForm, FilledForm, form_in
from hausbote.xmpp.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    ItemNotFound,
    JidMalformed,
    NotAcceptable,
)
from hausbote.xmpp.stanza import Child, Stanza, child
from hausbote.xmpp.xml import Tree, el

feature = Feature("owners of rooms", xeps={"0045": "1.35.5"}, disco=(ns.MUC_CONFIG,))

_OWNER = f"{{{ns.MUC_OWNER}}}"
_MAX_REASON = 1_000


@feature.iq("get", ns.MUC_OWNER, "query", Target.ACCOUNT)
def configuration(request: Request) -> Child:
    """The form, with everything as it is now."""
    room, sender = room_of(request)
    if not may(room.standing(sender), Action.CONFIGURE):
        raise Forbidden("owners do that")
    admins, owners = (room.of_affiliation(a) for a in (Affiliation.ADMIN, Affiliation.OWNER))
    fields = form_fields(room.configuration, admins, owners)
    title = f"Configuration of {room.jid.local}"
    form = DataForm(ns.MUC_CONFIG, fields, title, "Choose how the room shall be.")
    return child(ns.MUC_OWNER, "query", form.markup("form"))


@feature.iq("set", ns.MUC_OWNER, "query", Target.ACCOUNT)
def change(request: Request) -> None:
    room, sender = room_of(request)
    query = request.tree()
    destroy, form = query.find(f"{_OWNER}destroy"), form_in(query)
    action = Action.CONFIGURE if destroy is None else Action.DESTROY
    if not may(room.standing(sender), action):
        raise Forbidden("owners do that")
    if destroy is not None:
        _destroy(request.host, room, destroy)
    elif form is None:
        raise BadRequest("a form is needed here")
    elif form.type == "cancel":
        if room.locked:
            put_out(request.host, room, "The room was not configured.")
    elif form.type == "submit" and form.form_type in ("", ns.MUC_CONFIG):
        _configure(house_of(request.host), room, request, form)
    else:
        raise BadRequest("a form of another kind is needed here")


def _destroy(host: Host, room: Room, destroy: Tree) -> None:
    venue = destroy.get("jid")
    if venue is not None:
        try:
            venue = JID.parse(venue).full
        except InvalidJID as problem:
            raise JidMalformed(str(problem)) from None
    reason = (destroy.findtext(f"{_OWNER}reason") or "")[:_MAX_REASON]
    password = (destroy.findtext(f"{_OWNER}password") or "")[:_MAX_REASON]
    put_out(host, room, reason, venue, password, by_owner=True).wait()


# -- configuration -----------------------------------------------------------------------------


def _configure(house: House, room: Room, request: Request, form: FilledForm) -> None:
    assert request.sender is not None
    wanted = {var: _addresses(form.values[var]) for var in (ADMINS, OWNERS) if var in form.values}
    if room.destroyed:  # while the addresses were read
        raise ItemNotFound("there is no such room")
    if not may(room.standing(request.sender), Action.CONFIGURE):
        raise Forbidden("owners do that")
    after = filled_in(room.configuration, form)
    below = Affiliation.MEMBER if after.members_only else Affiliation.NONE
    people = _people(room, wanted, below)
    if people:
        affiliations.apply(house, room, request.sender, people, request)
        after = filled_in(room.configuration, form)  # it may have been changed meanwhile
    set_up(house, room, after)


def set_up(house: House, room: Room, after: Configuration) -> None:
    """Give a room these settings, and tell those who are in it; who may not be there has to go.

    Waits for the disk; StorageError leaves all as it was.
    """
    before, unlocked = room.configuration, room.locked
    house.configure(room, after).wait()
    if unlocked:
        return
    codes = _codes(before, after)
    if codes:
        tell(house.host, room, *codes)
    _apply_to_occupants(house, room, before, after)


def _people(room: Room, wanted: dict[str, set[str]], below: Affiliation) -> dict[str, Affiliated]:
    """The changes that full lists of admins and owners mean (§10.5, §10.8); who is no admin any
    more is what is `below`."""
    changes: dict[str, Affiliated] = {}
    if not wanted:
        return changes
    if OWNERS in wanted and not wanted[OWNERS]:
        raise Conflict("a room needs an owner")
    kinds = {ADMINS: Affiliation.ADMIN, OWNERS: Affiliation.OWNER}
    for var, jids in wanted.items():
        for jid in set(room.of_affiliation(kinds[var])) - jids:
            changes[jid] = Affiliated(below if var == ADMINS else Affiliation.ADMIN)
    for var in (ADMINS, OWNERS):  # who is in both lists is an owner
        for jid in wanted.get(var, ()):
            if room.affiliation_of(jid) is not kinds[var] or jid in changes:
                changes[jid] = Affiliated(kinds[var])
    kept = wanted.get(OWNERS, set(room.of_affiliation(Affiliation.OWNER)))
    if ADMINS in wanted:
        changes = {
            j: a for j, a in changes.items() if j not in kept or a.affiliation is Affiliation.OWNER
        }
        if OWNERS in wanted:  # an owner who is named as nothing any more becomes nothing
            for jid in set(room.of_affiliation(Affiliation.OWNER)) - kept - wanted[ADMINS]:
                changes[jid] = Affiliated(Affiliation.ADMIN)
    return {jid: _with_nick(room, jid, one) for jid, one in changes.items()}


def _with_nick(room: Room, jid: str, affiliated: Affiliated) -> Affiliated:
    """Whoever still belongs to the room keeps their reserved nick."""
    before = room.affiliations.get(jid)
    if before is None or affiliated.affiliation <= Affiliation.NONE:
        return affiliated
    return affiliated._replace(nick=before.nick)


def _addresses(values: list[str]) -> set[str]:
    try:
        jids = parse_all(value.strip() for value in values if value.strip())
    except InvalidJID as problem:
        raise NotAcceptable(str(problem)) from None
    if not all(jid.local for jid in jids):
        raise NotAcceptable("a domain can be banned, and nothing else")
    return {jid.bare for jid in jids}


def _codes(before: Configuration, after: Configuration) -> list[int]:
    """What occupants are told of a change (§10.2.1)."""
    codes = []
    if before.logged != after.logged:
        codes.append(170 if after.logged else 171)
    if before.anonymous != after.anonymous:
        codes.append(173 if after.anonymous else 172)
    known = {"logged": after.logged, "anonymous": after.anonymous}
    if Configuration(**(vars(before) | known)) != after:
        codes.append(104)
    return codes


def tell(host: Host, room: Room, *codes: int) -> None:
    """Occupants may look what is new."""
    status = [el("status", code=str(code)) for code in codes]
    attrs = {"from": room.jid.full, "type": "groupchat"}
    news = Stanza("message", attrs, (child(ns.MUC_USER, "x", *status),))
    post(host, news, room.everybody)


def _apply_to_occupants(
    house: House, room: Room, before: Configuration, after: Configuration
) -> None:
    if after.members_only and not before.members_only:
        for occupant in list(room.occupants.values()):
            if room.affiliation(occupant.jid) < Affiliation.MEMBER:
                expel(house, room, occupant, Change(codes=(322,)), None)
    _show_and_hide(house.host, room, before, after)  # not to those who had to go
    if before.moderated and not after.moderated:
        room.voices.clear()
        for occupant in list(room.occupants.values()):
            if occupant.role is Role.VISITOR:
                give_role(house, room, occupant, Role.PARTICIPANT)


def _show_and_hide(host: Host, room: Room, before: Configuration, after: Configuration) -> None:
    """Occupants whose role is announced now come into sight, and the others go out of it; with
    addresses where these are not hidden any more."""
    shown = before.anonymous and not after.anonymous
    for occupant in list(room.occupants.values()):
        if not occupant.visits:
            continue  # they went while others were told
        seen, is_seen = before.announces(occupant.role), after.announces(occupant.role)
        if seen and not is_seen:
            announce.vanished(host, room, occupant.shown)
        elif is_seen and (shown or not seen):
            announce.available_to_others(host, room, occupant.shown)
