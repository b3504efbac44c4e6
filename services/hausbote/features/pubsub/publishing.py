"""Publishing items, with the node made on the way if need be (XEP-0060 §7.1)."""

from collections.abc import Sequence
from functools import partial

from hausbote.base.tokens import token
from hausbote.core.space import need_space
from hausbote.features.pubsub import errors
from hausbote.features.pubsub.access import may_publish
from hausbote.features.pubsub.action import Action, answer, q
from hausbote.features.pubsub.config import NodeConfig, checked_form, default
from hausbote.features.pubsub.notify import Event, published, retracted, tell
from hausbote.features.pubsub.service import Service
from hausbote.storage import Item, Limits, NewItem, NewNode, Node, Outcome
from hausbote.xmpp import ns
from hausbote.xmpp.data_form import FilledForm, form_in
from hausbote.xmpp.errors import Conflict, Forbidden, ResourceConstraint
from hausbote.xmpp.stanza import Child
from hausbote.xmpp.xml import el, write_tree

_LITTLE = 1_024  # characters of items that fill no disk
_MAX_ID = 1023  # bytes of an item's or a node's id


class NodeAppeared(Conflict):
    """Somebody else made the node meanwhile, and wants it otherwise."""


def publish(action: Action) -> Child:
    """Answered when the items are on disk; who is interested hears of them after that."""
    if not action.name:
        raise errors.node_required()
    try:
        return _publish(action)
    except NodeAppeared:
        return _publish(action)  # if that is what was wanted, too


def _publish(action: Action) -> Child:
    assert action.name is not None
    service, name = action.service, action.name
    node = service.node(name)
    options = _options(action)
    if node is None:
        config = _new_config(action, name, options)
    else:
        if not may_publish(service, node, action.actor):
            raise Forbidden
        config = service.config(node)
        differing = None if options is None else config.differs(options)
        if differing is not None:
            raise errors.precondition_not_met(differing)
    items = _items(action, config)
    events = put(service, node or new_node(service, name, config), config, items, action.actor.bare)
    action.request.afterwards += [partial(tell, event) for event in events]
    action.changed(name)
    return answer(el("publish", *[el("item", id=item.id) for item in items], node=name))


def put(
    service: Service,
    node: Node | NewNode,
    config: NodeConfig,
    items: Sequence[NewItem],
    publisher: str,
    *,
    apart: bool = False,
) -> list[Event]:
    """Put items into a node, on disk, without asking whether `publisher` may.

    Returns what is to be told: of each item by itself if they are to be told `apart`.
    """
    host = service.host
    limits, store = host.settings.limits, host.store.pubsub
    at = host.clock()
    if _fills(node, config, items):
        need_space(host)
    reject = config.value("publish_node_full") == "reject"
    keep = Limits(config.max_items(limits.pubsub_items), limits.pubsub_bytes, reject)
    target = node if isinstance(node, NewNode) else node.id
    outcome, removed = store.publish(target, items, publisher, at, keep).wait()
    _check(outcome)
    made = service.find(node.name)
    told = [Item(item.id, item.payload, publisher, at) for item in items]
    events = [
        published(service, made, part) for part in ([[one] for one in told] if apart else [told])
    ]
    if removed and config.on("notify_retract") and config.value("max_items") != "1":
        events.append(retracted(service, made, list(removed)))
    return events


def _fills(node: Node | NewNode, config: NodeConfig, items: Sequence[NewItem]) -> bool:
    """Whether there is more to keep then; a little that takes the place of what is there may say
    that it is gone, or what was read."""
    little = sum([len(item.payload) for item in items]) <= _LITTLE
    return not (little and isinstance(node, Node) and config.value("max_items") == "1")


def new_node(service: Service, name: str, config: NodeConfig) -> NewNode:
    """A node of an account, to be made by publishing to it."""
    host = service.host
    most = host.settings.limits.pubsub_nodes
    owner, at = service.jid, host.clock()
    return NewNode(service.local, name, service.local, owner, at, config.changed, most)


def _new_config(action: Action, name: str, options: FilledForm | None) -> NodeConfig:
    """Of a node that is made by publishing to it: only at accounts, only by their owners."""
    service = action.service
    if not service.personal:
        raise errors.no_such_node()
    if action.actor.bare != service.jid:
        raise Forbidden
    check_name(name)
    config = default(True, name)
    if options is None:
        return config
    wanted = config.with_form(options)
    unknown = wanted.differs(options)
    if unknown is not None:
        raise errors.precondition_not_met(unknown)
    return wanted


def check_name(name: str) -> None:
    """NodeIDs are short enough to be a resource (§4.6.1)."""
    if len(name.encode()) > _MAX_ID:
        raise errors.bad("invalid-nodeid")


def _options(action: Action) -> FilledForm | None:
    element = action.beside("publish-options")
    if element is None:
        return None
    return checked_form(form_in(element), ns.PUBSUB_OPTIONS)


def _items(action: Action, config: NodeConfig) -> list[NewItem]:
    """The items of a request, if the node's configuration takes them (§7.1.3.6)."""
    elements = action.element.findall(q("item"))
    kept, payloads = config.on("persist_items"), config.on("deliver_payloads")
    if elements and not kept and not payloads:
        raise errors.bad("item-forbidden")
    if not elements and (kept or payloads):
        raise errors.bad("item-required")
    limits = action.service.host.settings.limits
    if 0 < config.max_items(limits.pubsub_items) < len(elements):
        raise errors.too_many_items()
    biggest = config.max_payload(limits.pubsub_item_bytes)
    found = []
    for element in elements:
        if len(element) > 1:
            raise errors.bad("invalid-payload")
        if len(element) == 0 and payloads:
            raise errors.bad("payload-required")
        payload = write_tree(element[0]) if len(element) else ""
        if 0 < biggest < len(payload.encode()):
            raise errors.too_big()
        id = element.get("id") or token(96)
        if len(id.encode()) > _MAX_ID:
            raise errors.bad("invalid-item-id")
        found.append(NewItem(id, payload))
    return found


def _check(outcome: Outcome) -> None:
    if outcome is Outcome.MISSING:
        raise errors.no_such_node()
    if outcome is Outcome.EXISTS:
        raise NodeAppeared
    if outcome is Outcome.ITEMS_FULL:
        raise errors.node_full()
    if outcome is Outcome.NODES_FULL:
        raise ResourceConstraint("you have as many nodes as you may")
    if outcome is Outcome.BYTES_FULL:
        raise ResourceConstraint("what you published is as large as it may be")
