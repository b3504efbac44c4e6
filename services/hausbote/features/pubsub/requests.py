"""Requests of the publish-subscribe protocol (XEP-0060), at accounts (XEP-0163) and at the box's
own service: each is an action named by a child of <pubsub/>."""

from collections.abc import Callable
from typing import Final

from hausbote.core.delivery import Delivery
from hausbote.core.feature import Feature, Stage, Target
from hausbote.core.request import Request
from hausbote.features.contacts import is_subscribed
from hausbote.features.pubsub import (
    affiliations,
    discovery,
    errors,
    items,
    nodes,
    publishing,
    subscriptions,
    waiting,
)
from hausbote.features.pubsub.action import Action
from hausbote.features.pubsub.service import Service
from hausbote.xmpp import ns
from hausbote.xmpp.errors import (
    BadRequest,
    ServiceUnavailable,
    StanzaError,
)
from hausbote.xmpp.stanza import Child

_COMMON: Final = (
    "access-authorize",
    "access-open",
    "access-presence",
    "access-roster",
    "access-whitelist",
    "config-node",
    "config-node-max",
    "create-and-configure",
    "create-nodes",
    "delete-items",
    "delete-nodes",
    "instant-nodes",
    "item-ids",
    "manage-subscriptions",
    "member-affiliation",
    "meta-data",
    "modify-affiliations",
    "multi-items",
    "outcast-affiliation",
    "persistent-items",
    "publish",
    "publish-node-full",
    "publish-only-affiliation",
    "publish-options",
    "publisher-affiliation",
    "purge-nodes",
    "retract-items",
    "retrieve-affiliations",
    "retrieve-default",
    "retrieve-items",
    "retrieve-subscriptions",
    "rsm",
    "subscribe",
    "subscription-notifications",
)
_AT_ACCOUNTS: Final = (
    "auto-create",
    "auto-subscribe",
    "filtered-notifications",
    "last-published",
    "presence-subscribe",
    "pubsub-on-a-jid",
)


def _features(*names: str) -> tuple[str, ...]:
    return (ns.PUBSUB, ns.PAGING, *(f"{ns.PUBSUB}#{name}" for name in names))


_XEPS: Final = {"0060": "1.30.0", "0059": "1.0"}
pep = Feature(
    "PEP",
    xeps=_XEPS
    | {
        "0163": "1.2.2",
        "0172": "1.1",
        "0222": "1.0",
        "0223": "1.1.1",
        "0292": "0.12.0",
        "0384": "0.9.1",
    },
    partial={
        "0060": "no collections (XEP-0248), subscription options and leases",
    },
    disco=(f"{ns.PUBSUB}#publish-options",),
    identities=(("pubsub", "pep"),),
    account_disco=_features(*_COMMON, *_AT_ACCOUNTS),
    account_identities=(("pubsub", "pep"),),
)
pubsub = Feature(
    "pubsub",
    xeps=_XEPS,
    disco=_features("get-pending", *_COMMON),
)

_Handler = Callable[[Action], "Child | None"]
_ACTIONS: Final[dict[tuple[str, str, str], _Handler]] = {
    ("set", ns.PUBSUB, "publish"): publishing.publish,
    ("set", ns.PUBSUB, "retract"): items.retract,
    ("set", ns.PUBSUB, "create"): nodes.create,
    ("set", ns.PUBSUB, "subscribe"): subscriptions.subscribe,
    ("set", ns.PUBSUB, "unsubscribe"): subscriptions.unsubscribe,
    ("get", ns.PUBSUB, "items"): items.retrieve,
    ("get", ns.PUBSUB, "subscriptions"): subscriptions.own,
    ("get", ns.PUBSUB, "affiliations"): affiliations.own,
    ("get", ns.PUBSUB_OWNER, "configure"): nodes.configuration,
    ("set", ns.PUBSUB_OWNER, "configure"): nodes.configure,
    ("get", ns.PUBSUB_OWNER, "default"): nodes.defaults,
    ("set", ns.PUBSUB_OWNER, "delete"): nodes.delete,
    ("set", ns.PUBSUB_OWNER, "purge"): items.purge,
    ("get", ns.PUBSUB_OWNER, "subscriptions"): subscriptions.of_node,
    ("set", ns.PUBSUB_OWNER, "subscriptions"): subscriptions.manage,
    ("get", ns.PUBSUB_OWNER, "affiliations"): affiliations.of_node,
    ("set", ns.PUBSUB_OWNER, "affiliations"): affiliations.modify,
}
_NOT_HERE: Final = {"options": "subscription-options", "default": "subscription-options"}


@pep.iq("get", ns.PUBSUB, "pubsub", Target.ACCOUNT)
@pep.iq("set", ns.PUBSUB, "pubsub", Target.ACCOUNT)
@pep.iq("get", ns.PUBSUB_OWNER, "pubsub", Target.ACCOUNT)
@pep.iq("set", ns.PUBSUB_OWNER, "pubsub", Target.ACCOUNT)
def at_account(request: Request) -> Child | None:
    """Strangers who are refused hear what they would hear of an account that does not exist."""
    try:
        return at_service(request)
    except StanzaError as problem:
        sender = request.sender
        if sender is None or not is_subscribed(request.host, request.to.local, sender):
            raise ServiceUnavailable from problem
        raise


@pubsub.iq("get", ns.PUBSUB, "pubsub", Target.HOST)
@pubsub.iq("set", ns.PUBSUB, "pubsub", Target.HOST)
@pubsub.iq("get", ns.PUBSUB_OWNER, "pubsub", Target.HOST)
@pubsub.iq("set", ns.PUBSUB_OWNER, "pubsub", Target.HOST)
def at_service(request: Request) -> Child | None:
    tree = request.tree()
    kind = request.stanza.type or ""
    assert request.sender is not None
    for element in tree:
        namespace, _, name = str(element.tag)[1:].rpartition("}")
        handler = _ACTIONS.get((kind, namespace, name))
        if handler is not None:
            service = Service(request.host, request.to.local)
            return handler(Action(request, service, request.sender, tree, element))
        if namespace == ns.PUBSUB and name in _NOT_HERE:
            raise errors.unsupported(_NOT_HERE[name])
    raise BadRequest("this is no request of the protocol")


@pep.message(Stage.GUARD)
def to_account(delivery: Delivery) -> bool:
    """An owner answers a request to subscribe, to the address that the request came from."""
    own = delivery.sender.bare == delivery.to.bare
    return own and subscriptions.decide(delivery)


waiting.offer(pubsub)
pubsub.domain_message(subscriptions.bounced)
pubsub.domain_message(subscriptions.decide)
pep.lists(discovery.list_nodes)
pubsub.lists(discovery.list_nodes)
pep.node(ns.DISCO_INFO)(discovery.node_info)
pubsub.node(ns.DISCO_INFO)(discovery.node_info)
pep.node(ns.DISCO_ITEMS)(discovery.node_items)
pubsub.node(ns.DISCO_ITEMS)(discovery.node_items)
