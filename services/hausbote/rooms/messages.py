"""What is said in a room, to everybody or in private (XEP-0045 §7.4, §7.5, §8.1)."""

from typing import Final

from hausbote.base.tokens import token
from hausbote.core.delivery import Delivery
from hausbote.core.feature import Feature, Stage
from hausbote.core.space import keep_for
from hausbote.rooms import absent, announce, forwarding, invitations, retraction, voice
from hausbote.rooms.forgeries import cleaned
from hausbote.rooms.house import House, house_of, is_talk
from hausbote.rooms.leaving import FAULTS, GONE, not_there
from hausbote.rooms.post import need_room, post
from hausbote.rooms.privileges import Action, may
from hausbote.rooms.room import Room, Subject, Visit, jids
from hausbote.storage import RoomMessage
from hausbote.xmpp import ns
from hausbote.xmpp.errors import (
    BadRequest,
    Forbidden,
    ItemNotFound,
    NotAcceptable,
    StanzaError,
)
from hausbote.xmpp.stanza import Stanza, child

feature = Feature(
    "messages in rooms", xeps={"0249": "1.2", "0359": "0.7.0", "0203": "2.0", "0421": "1.0.1"}
)

_OMEMO: Final = ("eu.siacs.conversations.axolotl", "urn:xmpp:omemo:1", "urn:xmpp:omemo:2")
_KEPT: Final = frozenset(
    (
        (ns.CLIENT, "body"),
        (ns.RETRACT, "retract"),
        (ns.REACTIONS, "reactions"),
        (ns.HINTS, "store"),
        *((omemo, "encrypted") for omemo in _OMEMO),
    )
)
_NOT_KEPT: Final = frozenset(((ns.HINTS, "no-store"), (ns.HINTS, "no-permanent-store")))
_REMEMBERED: Final = 1_000
_MAX_SUBJECT: Final = 10_000  # bytes, with what is in the message beside it


class _Private:
    """Private messages on their way: an error for one of these is for its sender."""

    __slots__ = ("sent",)

    def __init__(self) -> None:
        self.sent: dict[tuple[str, str], None] = {}

    def note(self, recipient: str, id: str) -> None:
        if len(self.sent) >= _REMEMBERED:
            del self.sent[next(iter(self.sent))]
        self.sent[recipient, id] = None


@feature.message(Stage.GUARD)
def receive(delivery: Delivery) -> bool:
    """Every message for a room."""
    try:
        _receive(house_of(delivery.host), delivery)
    except StanzaError as problem:
        problem.by = delivery.to.bare
        raise
    return True


def _receive(house: House, delivery: Delivery) -> None:
    if delivery.type == "groupchat":
        need_room(house.host, delivery.to.to_bare())  # it may wait, so it comes first
    room = house.find(delivery.to.local)
    if delivery.type == "error":
        if room is not None:
            _bounced(room, delivery)
        return
    if room is None or not room.exists_for(delivery.sender):
        raise ItemNotFound("there is no such room")
    visit = room.visits.get(delivery.sender.full)
    if delivery.to.resource:
        _private(room, visit, delivery)
    elif delivery.type == "groupchat":
        if visit is None:
            raise NotAcceptable("you are not in the room", type="cancel")
        if _changes_subject(delivery.stanza):
            _set_subject(house, room, visit, delivery)
        else:
            _say(house, room, visit, delivery)
    elif not (invitations.receive(house, room, delivery) or voice.receive(house, room, delivery)):
        raise BadRequest("messages to everybody have the type groupchat")


# -- to everybody ------------------------------------------------------------------------------


def _say(house: House, room: Room, visit: Visit, delivery: Delivery) -> None:
    _need_voice(room, visit)
    retraction.check(delivery.stanza)
    stanza, id = _reflected(house, room, visit, delivery.stanza)
    names = {(c.ns, c.name) for c in stanza.children}
    if not names & _KEPT or names & _NOT_KEPT:
        post(house.host, stanza, room.everybody, "said")
        return
    stanza = keep(house, room, stanza, id, visit, delivery)
    absent.tell(house, room, visit, stanza)
    post(house.host, stanza, room.everybody, "said")
    forwarding.forward(house, room, stanza, id)
    retraction.apply(house, room, stanza, id)


def _need_voice(room: Room, visit: Visit) -> None:
    if not may(room.standing(visit.jid), Action.SPEAK):
        raise Forbidden("you have no voice in this room")


def _reflected(house: House, room: Room, visit: Visit, stanza: Stanza) -> tuple[Stanza, int]:
    """The message as everybody gets it, and its id in the archive."""
    occupant = visit.occupant
    attrs = {"from": room.address(occupant.nick), "type": "groupchat"}
    attrs |= {k: v for k, v in stanza.attrs.items() if k in ("id", "xml:lang")}
    if "id" not in attrs:  # what is taken back is known by it
        attrs["id"] = token(64)
    said = cleaned(house.host, room.jid, stanza)
    children = (*said, announce.occupant_id(occupant.id))
    return Stanza("message", attrs, children), house.handled() or house.next_id()


def keep(
    house: House, room: Room, stanza: Stanza, id: int, visit: Visit, delivery: Delivery
) -> Stanza:
    """The message with its id, which is in the archive now and in what newcomers get."""
    archived = room.configuration.archived
    if archived:
        stanza_id = child(ns.STANZA_ID, "stanza-id", id=str(id), by=room.jid.full)
        stanza = stanza.with_children((*stanza.children, stanza_id))
    occupant = visit.occupant
    if house.handled() is not None:
        return stanza
    packed = stanza.pack()
    if archived:
        keep_for(house.host, visit.jid, len(packed))
    message = RoomMessage(id, occupant.id, occupant.jid.full, packed, house.cause())
    if is_talk(stanza):
        room.note(message)
    if archived:
        delivery.tickets.append(house.host.store.rooms.say(room.id, message))
    return stanza


# -- the subject -------------------------------------------------------------------------------


def _changes_subject(stanza: Stanza) -> bool:
    """§8.1: a subject without a body or a thread."""
    return (
        stanza.child(ns.CLIENT, "subject") is not None
        and stanza.child(ns.CLIENT, "body") is None
        and stanza.child(ns.CLIENT, "thread") is None
    )


def _set_subject(house: House, room: Room, visit: Visit, delivery: Delivery) -> None:
    if not may(room.standing(visit.jid), Action.CHANGE_SUBJECT):
        if not room.configuration.subject_by_all:
            raise Forbidden("moderators change the subject here")
        _need_voice(room, visit)
    if len(delivery.stanza.inner.encode()) > _MAX_SUBJECT:
        raise NotAcceptable("every newcomer gets the subject: this is too long")
    stanza, id = _reflected(house, room, visit, delivery.stanza)
    stanza = keep(house, room, stanza, id, visit, delivery)
    delivery.tickets.append(house.set_subject(room, Subject(id, stanza)))
    post(house.host, stanza, room.everybody, "said")


# -- to one ------------------------------------------------------------------------------------


def _private(room: Room, visit: Visit | None, delivery: Delivery) -> None:
    """§7.5: to all clients of an occupant."""
    if visit is None:
        raise NotAcceptable("you are not in the room", type="cancel")
    if delivery.type == "groupchat":
        raise BadRequest("messages to one occupant do not have the type groupchat")
    other = room.occupant(delivery.to.resource)
    if other is None:
        raise ItemNotFound("there is nobody with this nick")
    if not room.configuration.may_send_privately(visit.occupant.role):
        raise Forbidden("you may not send private messages here")
    stanza = delivery.stanza
    mark = stanza.child(ns.MUC_USER, "x")
    if mark is None or mark.xml != _MARK.xml:
        mark = _MARK
    occupant = visit.occupant
    attrs = dict(stanza.attrs) | {"from": room.address(occupant.nick)}
    attrs.pop("to", None)
    said = cleaned(delivery.host, room.jid, stanza)
    children = (*said, mark, announce.occupant_id(occupant.id))
    attrs.setdefault("id", token(64))  # an error is known by it
    private = delivery.host.state(_Private)
    for one in other.visits:
        private.note(one.jid.full, attrs["id"])
    post(delivery.host, Stanza("message", attrs, children), jids(other.visits), "private")


_MARK: Final = child(ns.MUC_USER, "x")


def _bounced(room: Room, delivery: Delivery) -> None:
    """An error: one for a private message is passed on, another says that nobody is there."""
    visit = room.visits.get(delivery.sender.full)
    if visit is None:
        return
    stanza = delivery.stanza
    sent = delivery.host.state(_Private).sent
    if delivery.to.resource and (visit.jid.full, stanza.id or "") in sent:
        other = room.occupant(delivery.to.resource)
        if other is not None:
            attrs = dict(stanza.attrs) | {"from": room.address(visit.occupant.nick)}
            attrs.pop("to", None)
            children = cleaned(delivery.host, room.jid, stanza)
            passed = Stanza("message", attrs, announce.nameless(children))
            post(delivery.host, passed, jids(other.visits), "private")
        if GONE.search(stanza.inner):
            not_there(delivery.host, room, visit)
    elif FAULTS.search(stanza.inner):
        not_there(delivery.host, room, visit)
