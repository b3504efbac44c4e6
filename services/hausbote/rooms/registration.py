"""Becoming a member, with a nick that is reserved (XEP-0045 §7.10, §9.9)."""

from typing import Final

from hausbote.base.jid import JID, InvalidJID
from hausbote.core.delivery import Delivery
from hausbote.core.feature import Feature, Target
from hausbote.core.request import Request
from hausbote.rooms import affiliations
from hausbote.rooms.access import has_entered
from hausbote.rooms.admin import room_of
from hausbote.rooms.house import House, house_of
from hausbote.rooms.post import post
from hausbote.rooms.privileges import Action, Affiliation, Role, affiliation_refusal, may
from hausbote.rooms.room import Affiliated, Room, jids
from hausbote.xmpp import ns
from hausbote.xmpp.data_form import DataForm, Field, FilledForm, form_in, truth
from hausbote.xmpp.errors import (
    BadRequest,
    Conflict,
    JidMalformed,
    NotAcceptable,
    NotAllowed,
    RegistrationRequired,
    ResourceConstraint,
)
from hausbote.xmpp.stanza import Child, Stanza, child
from hausbote.xmpp.xml import el

feature = Feature("registration in rooms", xeps={"0077": "2.4"}, disco=(ns.REGISTER,))

_NICK: Final = "muc#register_roomnick"
_ALLOW: Final = "muc#register_allow"
_JID: Final = "muc#register_jid"
_REMOVE: Final = f"{{{ns.REGISTER}}}remove"


@feature.iq("get", ns.REGISTER, "query", Target.ACCOUNT)
def get(request: Request) -> Child:
    room, sender = room_of(request)
    own = room.affiliations.get(sender.bare)
    if own is not None and own.affiliation > Affiliation.NONE and own.nick:
        return child(ns.REGISTER, "query", el("registered"), el("username", own.nick))
    _allowed(room, sender)
    fields = (Field(_NICK, (), "text-single", "Your nick", required=True),)
    text = "Choose the nick that shall be yours in this room."
    form = DataForm(ns.MUC_REGISTER, fields, "Registration", text).markup("form")
    return child(ns.REGISTER, "query", el("instructions", text), form)


@feature.iq("set", ns.REGISTER, "query", Target.ACCOUNT)
def put(request: Request) -> None:
    room, sender = room_of(request)
    house, query = house_of(request.host), request.tree()
    if query.find(_REMOVE) is not None:
        _remove(house, room, sender)
        return
    _allowed(room, sender)
    form = form_in(query)
    if form is None or form.type != "submit" or form.form_type != ns.MUC_REGISTER:
        raise BadRequest("the room's form is needed")
    nick = _nick(request, form)
    asks = _needs_consent(room, sender)
    if asks:  # nobody tries all names that people may have there
        house.pace.ask(sender)
        if not room.configuration.public:
            _ask_admins(house, room, sender, nick)  # strangers do not learn which nicks there are
            return
    if room.reserved(nick) not in (None, sender.bare):
        raise Conflict("this nick is reserved for somebody else")
    if asks:
        _ask_admins(house, room, sender, nick)
        return
    occupant = room.occupant(nick)
    if occupant is not None and occupant.jid.full != sender.bare:
        raise Conflict("somebody else has this nick")
    register(house, room, sender, nick)


def register(house: House, room: Room, jid: JID, nick: str) -> None:
    """The nick is theirs; who was nothing before is a member now."""
    affiliation = max(room.affiliation(jid), Affiliation.MEMBER)
    affiliations.apply(house, room, jid, {jid.bare: Affiliated(affiliation, nick)})


def _allowed(room: Room, sender: JID) -> None:
    if not may(room.standing(sender), Action.ENTER_OPEN):
        raise NotAllowed("you are banned from this room")
    registered = room.affiliation(sender) >= Affiliation.MEMBER
    if not registered and not room.configuration.registration:
        raise NotAllowed("this room does not take registrations")


def _needs_consent(room: Room, sender: JID) -> bool:
    """Nobody lets themselves into a members' room or past a password, nor gives themselves the
    voice of a member."""
    if room.affiliation(sender) >= Affiliation.MEMBER:
        return False
    role = room.standing(sender).role or room.role_of_newcomer(sender)
    configuration = room.configuration
    if configuration.members_only or (configuration.protected and not has_entered(room, sender)):
        return True
    return role < Role.PARTICIPANT


def _nick(request: Request, form: FilledForm) -> str:
    nick = house_of(request.host).proper_nick(form.value(_NICK) or "")
    if nick is None:
        raise BadRequest("this cannot be a nick")
    return nick


def _remove(house: House, room: Room, sender: JID) -> None:
    """A member is nobody afterwards; admins and owners only lose their nick."""
    own = room.affiliations.get(sender.bare)
    if own is None or own.affiliation is Affiliation.OUTCAST:
        raise RegistrationRequired("you are not registered")
    left = Affiliation.NONE if own.affiliation is Affiliation.MEMBER else own.affiliation
    affiliations.apply(house, room, sender, {sender.bare: Affiliated(left)})


# -- by admins ---------------------------------------------------------------------------------


def _ask_admins(house: House, room: Room, sender: JID, nick: str) -> None:
    admins = [
        visit for visit in room.visits.values() if room.affiliation(visit.jid) >= Affiliation.ADMIN
    ]
    if not admins:
        if not room.configuration.public:
            return  # nor who is there
        raise ResourceConstraint("no admin of the room is there now")
    fields = (
        Field(_NICK, (nick,), "text-single", "Their nick"),
        Field(_JID, (sender.bare,), "jid-single", "Who asks"),
        Field(_ALLOW, ("0",), "boolean", "Shall they be a member?"),
    )
    text = "Somebody would like to be a member."
    form = DataForm(ns.MUC_REGISTER, fields, "Registration request", text).markup("form")
    attrs = {"from": room.jid.full, "id": f"registration-{house.next_id()}"}
    question = Stanza("message", attrs, (Child(ns.DATA_FORMS, "x", form),))
    post(house.host, question, jids(admins))


def decide(house: House, room: Room, delivery: Delivery, form: FilledForm) -> None:
    """An admin's answer."""
    try:
        jid = JID.parse(form.value(_JID) or "").to_bare()
    except InvalidJID as problem:
        raise JidMalformed(str(problem)) from None
    actor, before = room.affiliation(delivery.sender), room.affiliation(jid)
    refusal = affiliation_refusal(actor, before, Affiliation.MEMBER, own=False)
    if refusal is not None:
        raise refusal
    if not jid.local:
        raise NotAcceptable("a domain is no member")
    given = form.value(_NICK) or ""
    nick = house.proper_nick(given) if given else ""
    if nick is None:
        raise NotAcceptable("this cannot be a nick")
    if form.type != "submit" or not truth(form.value(_ALLOW) or ""):
        return
    if nick and room.reserved(nick) not in (None, jid.full):
        raise Conflict("this nick is reserved for somebody else")
    member = Affiliated(max(before, Affiliation.MEMBER), nick)
    affiliations.apply(house, room, delivery.sender, {jid.full: member})
