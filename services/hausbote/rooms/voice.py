"""Asking for voice, and being given it (XEP-0045 §7.13, §8.6)."""

from typing import Final

from hausbote.core.delivery import Delivery
from hausbote.rooms import registration
from hausbote.rooms.house import House
from hausbote.rooms.post import post
from hausbote.rooms.privileges import Action, Role, may, role_refusal
from hausbote.rooms.roles import give_role
from hausbote.rooms.room import Room, Visit, jids
from hausbote.xmpp import ns
from hausbote.xmpp.data_form import DataForm, Field, FilledForm, read_form, truth
from hausbote.xmpp.errors import BadRequest, Forbidden, ItemNotFound, NotAcceptable
from hausbote.xmpp.stanza import Child, Stanza, tree

_PARTICIPANT: Final = "participant"


def receive(house: House, room: Room, delivery: Delivery) -> bool:
    """Whether the message is a form that rooms understand."""
    x = delivery.stanza.child(ns.DATA_FORMS, "x")
    if x is None:
        return False
    form = read_form(tree(x))
    if form.form_type == ns.MUC_REGISTER:
        registration.decide(house, room, delivery, form)
        return True
    if form.form_type != ns.MUC_REQUEST:
        return False
    visit = room.visits.get(delivery.sender.full)
    if visit is None:
        raise NotAcceptable("you are not in the room", type="cancel")
    if form.value("muc#request_allow") is not None:
        _answer(house, room, visit, form)
    else:
        _ask(house, room, visit, form)
    return True


def _ask(house: House, room: Room, visit: Visit, form: FilledForm) -> None:
    if form.type != "submit" or form.value("muc#role") != _PARTICIPANT:
        raise BadRequest("one asks to become a participant")
    if visit.occupant.role is not Role.VISITOR:
        return
    house.pace.ask(visit.jid)
    moderators = [v for v in room.visits.values() if v.occupant.role is Role.MODERATOR]
    fields = (
        Field("muc#role", (_PARTICIPANT,), "list-single", "Requested role"),
        Field("muc#jid", (visit.jid.full,), "jid-single", "Who asks"),
        Field("muc#roomnick", (visit.occupant.nick,), "text-single", "Their nick"),
        Field("muc#request_allow", ("0",), "boolean", "Give them voice?"),
    )
    text = "Somebody would like to speak."
    form_text = DataForm(ns.MUC_REQUEST, fields, "Voice request", text).markup("form")
    attrs = {"from": room.jid.full, "id": f"voice-{house.next_id()}"}
    question = Stanza("message", attrs, (Child(ns.DATA_FORMS, "x", form_text),))
    post(house.host, question, jids(moderators))


def _answer(house: House, room: Room, visit: Visit, form: FilledForm) -> None:
    if not may(room.standing(visit.jid), Action.GIVE_VOICE):
        raise Forbidden("moderators give voice")
    if form.type != "submit" or not truth(form.value("muc#request_allow") or ""):
        return
    if form.value("muc#role") != _PARTICIPANT:
        raise BadRequest("one becomes a participant")
    other = room.occupant(form.value("muc#roomnick") or "")
    if other is None:
        raise ItemNotFound("they have left")
    refusal = role_refusal(
        room.standing(visit.jid), room.standing(other.shown.jid), Role.PARTICIPANT
    )
    if refusal is not None:
        raise refusal
    if other.role is Role.VISITOR:
        give_role(house, room, other, Role.PARTICIPANT)
