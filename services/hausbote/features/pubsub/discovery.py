"""Nodes in service discovery (XEP-0060 §5.2 to §5.5): those that the asker may see.

At the box's own service everybody may ask whether a node is there, for who may not subscribe to it
is told why (§6.1.3); what is known of it is for those who may see its items.
"""

from hausbote.base.clock import timestamp
from hausbote.base.jid import JID
from hausbote.core.request import Request
from hausbote.features.pubsub.access import may_retrieve
from hausbote.features.pubsub.service import Service
from hausbote.storage import Node
from hausbote.xmpp import ns
from hausbote.xmpp.data_form import DataForm, Field
from hausbote.xmpp.stanza import Child, child
from hausbote.xmpp.xml import Markup, el


def list_nodes(request: Request) -> list[Markup]:
    """One item for each node."""
    service = Service(request.host, request.to.local)
    nodes = request.host.store.pubsub.nodes(service.local)
    visible = [node for node in nodes if _visible(service, node, request.sender)]
    return [el("item", jid=service.jid, node=n.name, name=_title(service, n)) for n in visible]


def _title(service: Service, node: Node) -> str | None:
    return service.config(node).value("title") or None


def node_info(request: Request, name: str) -> Child | None:
    """What the node is, and what is known of it."""
    service = Service(request.host, request.to.local)
    node = service.node(name)
    if node is None:
        return None
    visible = _visible(service, node, request.sender)
    if service.personal and not visible:
        return None
    metadata = DataForm(ns.PUBSUB_META_DATA, _metadata(service, node)) if visible else None
    return child(
        ns.DISCO_INFO,
        "query",
        el("identity", category="pubsub", type="leaf"),
        el("feature", var=ns.PUBSUB),
        el("feature", var=ns.DISCO_INFO),
        metadata.markup("result") if metadata is not None else None,
        node=name,
    )


def node_items(request: Request, name: str) -> Child | None:
    """The items of a node, by their ids."""
    service = Service(request.host, request.to.local)
    node = service.node(name)
    if node is None or not _visible(service, node, request.sender):
        return None
    ids = request.host.store.pubsub.ids(node.id)
    items = [el("item", jid=service.jid, name=id) for id in ids]
    return child(ns.DISCO_ITEMS, "query", *items, node=name)


def _visible(service: Service, node: Node, who: JID | None) -> bool:
    """Nodes that one must ask to subscribe to can be seen, or else nobody could ask."""
    if who is None:
        return False
    asks = service.config(node).value("access_model") == "authorize" and not service.personal
    return asks or may_retrieve(service, node, who)


def _metadata(service: Service, node: Node) -> tuple[Field, ...]:
    affiliations, subscriptions = service.people.affiliations, service.people.subscriptions
    owners = [jid for jid, what in affiliations(node.id).items() if what == "owner"]
    subscribed = [one for one in subscriptions(node.id) if one.state == "subscribed"]
    return (
        Field("pubsub#creation_date", (timestamp(node.created),)),
        Field("pubsub#creator", (f"{node.creator}@{service.host.settings.domain}",), "jid-single"),
        Field("pubsub#owner", tuple(owners), "jid-multi"),
        Field("pubsub#num_subscribers", (str(len(subscribed)),)),
        *service.config(node).metadata(),
    )
