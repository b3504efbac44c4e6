"""Telling those who want to know (XEP-0060 §7.1.2, XEP-0163 §4.3).

An event is written once; only the to address differs between its copies.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from hausbote.base.clock import timestamp
from hausbote.base.jid import JID
from hausbote.base.tokens import token
from hausbote.core.dispatch import route
from hausbote.core.session import Session
from hausbote.features.contacts import contacts_of
from hausbote.features.pubsub.access import may_retrieve
from hausbote.features.pubsub.config import NodeConfig
from hausbote.features.pubsub.interest import Remote, interest_of
from hausbote.features.pubsub.service import Service
from hausbote.storage import Item, Node
from hausbote.xmpp import ns
from hausbote.xmpp.stanza import Child, Stanza, child, stanza
from hausbote.xmpp.xml import Markup, el, escape_attribute


class Event(NamedTuple):
    """Something that happened to a node."""

    service: Service
    node: Node
    config: NodeConfig
    what: Markup


def published(service: Service, node: Node, items: list[Item]) -> Event:
    """Items were published."""
    config = service.config(node)
    return Event(service, node, config, _items(node, config, items))


def retracted(service: Service, node: Node, ids: list[str]) -> Event:
    """Items were removed."""
    gone = [el("retract", id=id) for id in ids]
    return Event(service, node, service.config(node), el("items", *gone, node=node.name))


def happened(service: Service, node: Node, what: str, *content: Markup) -> Event:
    """The node was purged, deleted or configured."""
    return Event(service, node, service.config(node), el(what, *content, node=node.name))


def _items(node: Node, config: NodeConfig, items: list[Item]) -> Markup:
    payloads = config.on("deliver_payloads")
    # Neither kept nor with content: what is told is that something happened, not what (§4.3).
    if not payloads and not config.on("persist_items"):
        return el("items", node=node.name)
    return el(
        "items",
        *[el("item", Markup(item.payload) if payloads else None, id=item.id) for item in items],
        node=node.name,
    )


def tell(event: Event) -> None:
    """Everybody who wants to hear of the event, and may."""
    if not event.config.on("deliver_notifications"):
        return
    message = _message(event.service, event.config, event.what)
    before, after = message.around()
    head, tail = before.encode(), after.encode()
    told: set[str] = set()
    if event.service.personal:
        for session in _interested(event):
            told.add(session.jid.full)
            told.add(session.jid.bare)
            data = head + escape_attribute(session.jid.full).encode() + tail
            session.write(data, message)
        for jid in _interested_elsewhere(event):
            told.add(jid)
            told.add(jid.partition("/")[0])
            route(event.service.host, message.replace(to=jid))
    for one in event.service.host.store.pubsub.subscriptions(event.node.id):
        if one.state == "subscribed" and one.jid not in told:
            _tell_subscriber(event, message, one.jid)


def _tell_subscriber(event: Event, message: Stanza, jid: str) -> None:
    """Somebody whose access was lost meanwhile is no subscriber any more (XEP-0163 §7.1)."""
    service = event.service
    if may_retrieve(service, event.node, JID.parse(jid)):
        route(service.host, message.replace(to=jid, id=token(96)))
    else:
        service.host.store.pubsub.unsubscribe(event.node.id, jid)


def _interested(event: Event) -> Iterator[Session]:
    """Available clients of the account, and of its contacts here, that asked for the node."""
    host, local, name = event.service.host, event.service.local, event.node.name
    account = host.directory.account(local)
    own = host.directory.online(local)
    if own is not None:
        yield from [s for s in own.available() if name in interest_of(s).nodes]
    may = _permission(event)
    for subscriber in contacts_of(host, account).subscribers(host.domain):
        contact = host.directory.online(subscriber.local) if subscriber.local else None
        sessions = contact.available() if contact is not None else []
        wanted = [s for s in sessions if name in interest_of(s).nodes]
        if wanted and may(subscriber.jid):
            yield from wanted


def _interested_elsewhere(event: Event) -> Iterator[str]:
    host, name = event.service.host, event.node.name
    account = host.directory.account(event.service.local)
    clients = account.state(Remote).clients
    may = _permission(event)
    for subscriber in contacts_of(host, account).subscribers(host.domain) if clients else ():
        for resource, interest in clients.get(subscriber.jid, {}).items():
            if name in interest.nodes and may(subscriber.jid):
                yield f"{subscriber.jid}/{resource}"


def _permission(event: Event) -> Callable[[str], bool]:
    """Whether a contact who may see the account's presence may see the node's items."""
    service, node = event.service, event.node
    affiliations = service.host.store.pubsub.affiliations(node.id)
    by_presence = event.config.value("access_model") in ("open", "presence")

    def may(jid: str) -> bool:
        if by_presence and jid not in affiliations:
            return True
        return may_retrieve(service, node, JID.parse(jid))

    return may


def last_item(service: Service, node: Node, item: Item, to: str) -> Stanza:
    """The last item, for somebody who comes later (§6.1.7)."""
    config = service.config(node)
    delay = child(ns.DELAY, "delay", stamp=timestamp(item.at))
    return _message(service, config, _items(node, config, [item]), delay).replace(to=to)


def sends_last(config: NodeConfig, *when: str) -> bool:
    """Whether the last item is sent then."""
    return config.on("deliver_notifications") and config.value("send_last_published_item") in when


def subscription_changed(service: Service, node: Node, jid: str, state: str) -> None:
    """Tell a subscriber, or one who was (§8.8.4)."""
    what = el("subscription", node=node.name, jid=jid, subscription=state)
    message = _message(service, service.config(node), what)
    route(service.host, message.replace(to=jid))


def _message(service: Service, config: NodeConfig, what: Markup, *more: Child) -> Stanza:
    event = child(ns.PUBSUB_EVENT, "event", what)
    kind = config.value("notification_type")
    return stanza(
        "message",
        event,
        *more,
        from_=service.jid,
        to="",
        type=None if kind == "normal" else kind,
        id=token(96),
    )
