"""Reading and removing items (XEP-0060 §6.5, §7.2, §8.5)."""

import re
from functools import partial

from hausbote.features.pubsub import errors
from hausbote.features.pubsub.access import check_retrieve, may_publish
from hausbote.features.pubsub.action import Action, answer, q
from hausbote.features.pubsub.notify import happened, retracted, tell
from hausbote.storage import Item, Node
from hausbote.xmpp import paging
from hausbote.xmpp.data_form import truth
from hausbote.xmpp.errors import BadRequest, Forbidden, ItemNotFound
from hausbote.xmpp.stanza import Child
from hausbote.xmpp.xml import Markup, el

_MAX_ANSWER = 2_000_000  # characters of payloads


def retrieve(action: Action) -> Child:
    """All items, those that are named, the newest few, or a page."""
    node = action.node()
    check_retrieve(action.service, node, action.actor)
    store = action.service.host.store.pubsub
    _check_subid(action, node)
    wanted = paging.read(action.pubsub)
    named = [element.get("id", "") for element in action.element.findall(q("item"))]
    ids = [] if named else store.ids(node.id)
    if named:
        found = store.items(node.id, named)
        start = 0
    elif wanted is not None:
        page = paging.choose(ids, wanted, action.service.host.settings.limits.pubsub_items)
        found, start = store.items(node.id, ids[page.start : page.end]), page.start
    else:
        found = store.newest(node.id, _most(action))
        start = len(ids) - len(found)
    fitting = _fitting(found)
    items = [el("item", Markup(item.payload), id=item.id) for item in fitting]
    content = el("items", *items, node=node.name)
    if named or (wanted is None and len(fitting) == len(found)):
        return answer(content)
    page = paging.Page(start, start + len(fitting), len(ids))
    return answer(content, paging.write(ids, page))


def _check_subid(action: Action, node: Node) -> None:
    """Whoever is subscribed and names a subscription names theirs (§6.5.9.2)."""
    named, actor = action.element.get("subid"), action.actor.bare
    if named is None:
        return
    known = action.service.people.subscriptions_of(action.service.local, actor)
    own = [one.subid for one in known if one.node == node.name]
    if own and named not in own:
        raise errors.invalid_subid()


def _fitting(items: list[Item]) -> list[Item]:
    """As many of them as one answer may hold; the client can ask for the rest (§6.5.4)."""
    size = 0
    fitting: list[Item] = []
    for item in items:
        size += len(item.payload)
        if size > _MAX_ANSWER and fitting:
            break
        fitting.append(item)
    return fitting


def _most(action: Action) -> int:
    text = action.element.get("max_items")
    if text is None:
        return -1
    if not re.fullmatch("[0-9]{1,9}", text):
        raise BadRequest("max_items is a number")
    return int(text)


def retract(action: Action) -> None:
    """Remove items: owners all of them, those who may publish their own."""
    node = action.node()
    service = action.service
    ids = [element.get("id") for element in action.element.findall(q("item"))]
    named = [id for id in ids if id]
    if not named or len(named) < len(ids):
        raise errors.bad("item-required")
    config = service.config(node)
    if not config.on("persist_items"):
        raise errors.unsupported("persistent-items")
    items = service.host.store.pubsub.items(node.id, named)
    _check_remover(action, node, items)
    if not service.host.store.pubsub.retract(node.id, named).wait():
        raise ItemNotFound
    if truth(action.element.get("notify", "0")) or config.on("notify_retract"):
        action.request.afterwards.append(partial(tell, retracted(service, node, named)))
    action.changed(node.name)


def _check_remover(action: Action, node: Node, items: list[Item]) -> None:
    if action.service.affiliation(node, action.actor) == "owner":
        return
    own = all(item.publisher == action.actor.bare for item in items)
    if not own or not may_publish(action.service, node, action.actor):
        raise Forbidden


def purge(action: Action) -> None:
    """Remove all items: for owners."""
    node = action.owned()
    service = action.service
    if not service.config(node).on("persist_items"):
        raise errors.unsupported("persistent-items")
    service.host.store.pubsub.purge(node.id).wait()
    action.request.afterwards.append(partial(tell, happened(service, node, "purge")))
    action.changed(node.name)
