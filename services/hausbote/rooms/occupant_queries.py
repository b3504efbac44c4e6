"""IQs to occupants: a client asks whether it is still there (XEP-0410), or asks another client
through the room (XEP-0045 §17.4)."""

from hausbote.base.jid import JID
from hausbote.core.dispatch import route
from hausbote.core.feature import Feature, Target
from hausbote.core.host import Host
from hausbote.core.request import Request
from hausbote.rooms import announce
from hausbote.rooms.admin import room_of
from hausbote.rooms.house import house_of
from hausbote.rooms.room import Occupant, Room, Visit
from hausbote.xmpp import ns
from hausbote.xmpp.errors import BadRequest, Forbidden, ItemNotFound, NotAcceptable, StanzaError
from hausbote.xmpp.stanza import Stanza, result

feature = Feature("queries in rooms", xeps={"0410": "1.1.0"})

_DISCO = (ns.DISCO_INFO, ns.DISCO_ITEMS)
# What an account answers, whichever of its clients is there.
_OF_ACCOUNTS = (ns.VCARD, ns.PUBSUB)


@feature.iq("get", ns.PING, "ping", Target.ACCOUNT)
def ping(request: Request) -> None:
    """The room is there."""
    room_of(request)


@feature.resource_iq
def receive(host: Host, stanza: Stanza, sender: JID, to: JID) -> bool:
    """Every IQ to an occupant's address."""
    if stanza.type in ("result", "error"):
        host.queries.answered(stanza, sender)
        return True
    try:
        _ask(host, stanza, sender, to)
    except StanzaError as problem:
        problem.by = to.bare
        raise
    return True


def _ask(host: Host, stanza: Stanza, sender: JID, to: JID) -> None:
    room = house_of(host).find(to.local)
    visit = None if room is None else room.visits.get(sender.full)
    payload = stanza.children[0]
    if room is None or visit is None:
        if payload.ns in _DISCO:
            raise BadRequest("you are not in the room")
        raise NotAcceptable("you are not in the room", type="cancel")
    other = room.occupant(to.resource)
    if other is None:
        raise ItemNotFound("there is nobody with this nick")
    if payload.ns == ns.PING and other is visit.occupant:
        route(host, result(stanza))
    else:
        _pass_on(host, room, visit, other, stanza)


def _pass_on(host: Host, room: Room, visit: Visit, other: Occupant, stanza: Stanza) -> None:
    """The one who is asked sees an occupant, and answers the occupant."""
    if not room.configuration.may_send_privately(visit.occupant.role):
        raise Forbidden("people may not be asked in this room")
    payload, asked = stanza.children[0], other.shown.jid
    target = asked.to_bare() if payload.ns in _OF_ACCOUNTS else asked
    sender = room.address(visit.occupant.nick)
    asker, nick = visit.jid, other.nick

    def answered(answer: Stanza) -> None:
        attrs = dict(answer.attrs)
        attrs |= {"from": room.address(nick), "to": asker.full, "id": stanza.id or ""}
        route(host, Stanza("iq", attrs, announce.nameless(answer.children)))

    question = host.queries.ask(stanza.attrs["type"], payload, sender, target, answered)
    route(host, question)
