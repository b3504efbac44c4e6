"""Owners ask again who waits for being let in: a command (XEP-0060 §8.7)."""

from functools import partial

from hausbote.base.jid import JID
from hausbote.base.tokens import token
from hausbote.core.command import Done, Values
from hausbote.core.feature import Feature
from hausbote.core.request import Request
from hausbote.features.pubsub.notify import send
from hausbote.features.pubsub.service import Service
from hausbote.features.pubsub.subscriptions import pending
from hausbote.storage import Node
from hausbote.xmpp import ns
from hausbote.xmpp.data_form import DataForm, Field
from hausbote.xmpp.errors import BadRequest
from hausbote.xmpp.stanza import stanza

_NODE = "pubsub#node"


def _owned(request: Request) -> list[str]:
    service, who = Service(request.host, request.to.local), request.sender
    found = service.people.affiliations_of(service.local, who.bare) if who else []
    return [one.node for one in found if one.affiliation == "owner"]


def _owns_any(request: Request) -> bool:
    return bool(_owned(request))


def _which(request: Request, _values: Values) -> DataForm:
    options = tuple((name, name) for name in _owned(request))
    field = Field(_NODE, (), "list-single", "The node", options, required=True)
    return DataForm(ns.PUBSUB_AUTHORIZATION, (field,), "Who waits for being let in")


def _show(request: Request, values: Values) -> Done:
    assert request.sender is not None
    service = Service(request.host, request.to.local)
    names = values.get(_NODE, [])
    if len(names) != 1:
        raise BadRequest("one node is needed")
    node = service.owned(names[0], request.sender)
    request.afterwards.append(partial(_ask, service, node, request.sender))
    return Done()


def _ask(service: Service, node: Node, owner: JID) -> None:
    for question in pending(service, node):
        message = stanza("message", question, from_=service.jid, to="", id=token(96))
        send(service, message, owner.full)


def offer(feature: Feature) -> None:
    """Let a feature have the command."""
    feature.command(ns.PUBSUB_GET_PENDING, "Who waits for being let in", _owns_any, _which)(_show)
