"""Requests of moderators and admins (XEP-0045 §8, §9): lists, and changes of one or many."""

from hausbote.base.jid import JID
from hausbote.core.feature import Feature, Target
from hausbote.core.request import Request
from hausbote.rooms.affiliations import affiliation_list, change_affiliations
from hausbote.rooms.house import house_of
from hausbote.rooms.roles import change_roles, role_list
from hausbote.rooms.room import Room
from hausbote.xmpp import ns
from hausbote.xmpp.errors import BadRequest, ItemNotFound, ResourceConstraint
from hausbote.xmpp.stanza import Child, child
from hausbote.xmpp.xml import Tree

feature = Feature("administration of rooms", xeps={"0045": "1.35.5"})

_ADMIN = f"{{{ns.MUC_ADMIN}}}"
_MAX_ITEMS = 500


def room_of(request: Request) -> tuple[Room, JID]:
    """The room that is asked, and who asks."""
    room = house_of(request.host).find(request.to.local)
    if room is None or request.sender is None or not room.exists_for(request.sender):
        raise ItemNotFound("there is no such room")
    return room, request.sender


@feature.iq("get", ns.MUC_ADMIN, "query", Target.ACCOUNT)
def get_list(request: Request) -> Child:
    room, sender = room_of(request)
    items = request.tree().findall(f"{_ADMIN}item")
    if len(items) != 1:
        raise BadRequest("one list is asked for with one item")
    role, affiliation = items[0].get("role"), items[0].get("affiliation")
    if (role is None) is (affiliation is None):
        raise BadRequest("a list is one of a role, or of an affiliation")
    who = room.standing(sender)
    if role is not None:
        return child(ns.MUC_ADMIN, "query", *role_list(room, who, role))
    return child(ns.MUC_ADMIN, "query", *affiliation_list(room, who, affiliation or ""))


@feature.iq("set", ns.MUC_ADMIN, "query", Target.ACCOUNT)
def change(request: Request) -> None:
    room, _ = room_of(request)
    house = house_of(request.host)
    elements = request.tree().findall(f"{_ADMIN}item")
    if not elements:
        raise BadRequest("a change needs items")
    if len(elements) > _MAX_ITEMS:
        raise ResourceConstraint(f"at most {_MAX_ITEMS} people are changed at once")
    items = [(element, _reason(element)) for element in elements]
    roles = [item for item in items if item[0].get("role") is not None]
    if len(roles) == len(items):
        change_roles(house, room, request, items)
    elif not roles:
        change_affiliations(house, room, request, items)
    else:
        raise BadRequest("roles and affiliations are changed apart")


def _reason(element: Tree) -> str:
    return (element.findtext(f"{_ADMIN}reason") or "")[:1_000]
