"""Telling those who want to know (XEP-0060 §7.1.2, XEP-0163 §4.3).

An event is written once; only the to address differs between its copies.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from hausbote.base.clock import timestamp
from hausbote.base.jid import JID
from hausbote.base.tokens import token
from hausbote.core.dispatch import route
from hausbote.core.host import breathe
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
    prepared(event)()


def prepared(event: Event, *, waiting: bool = False) -> Callable[[], None]:
    """What tells those who may hear of the event now, for when the node will be gone; `waiting`
    if those hear of it, too, whom no owner has let in yet."""
    if not event.config.on("deliver_notifications"):
        return lambda: None
    sessions, elsewhere = [], []
    if event.service.personal:
        sessions, elsewhere = list(_interested(event)), list(_interested_elsewhere(event))
    told = {session.jid.full for session in sessions} | set(elsewhere)
    told |= {jid.partition("/")[0] for jid in told}
    subscribers = [jid for jid in _subscribers(event, waiting) if jid not in told]
    return partial(_send, event, sessions, elsewhere + subscribers)


def _send(event: Event, sessions: list[Session], others: list[str]) -> None:
    message = _message(event.service, event.config, event.what)
    before, after = message.around()
    head, tail = before.encode(), after.encode()
    for session in sessions:
        session.write(head + escape_attribute(session.jid.full).encode() + tail, message)
        breathe()
    for jid in others:
        send(event.service, message.replace(id=token(96)), jid)
        breathe()


def send(service: Service, message: Stanza, jid: str) -> None:
    """To somebody, unless one blocks the other."""
    if not service.apart(JID.parse(jid)):
        route(service.host, message.replace(to=jid))


def _subscribers(event: Event, waiting: bool) -> Iterator[str]:
    """Somebody whose access was lost meanwhile is no subscriber any more (XEP-0163 §7.1)."""
    service = event.service
    for one in service.people.subscriptions(event.node.id):
        if one.state == "pending":
            if waiting:
                yield one.jid
            continue
        if may_retrieve(service, event.node, JID.parse(one.jid)):
            yield one.jid
        else:
            service.people.unsubscribe(event.node.id, one.jid)
            subscription_changed(service, event.node, one.jid, "none")


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
        wanted = [
            s for s in sessions if name in interest_of(s).nodes and not event.service.apart(s.jid)
        ]
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
    affiliations = service.people.affiliations(node.id)
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


def let_in(service: Service, before: Node) -> None:
    """Contacts who may see a node of an account now, and could not before, get its last item."""
    store = service.host.store.pubsub
    node = service.node(before.name)
    if node is None or not sends_last(service.config(node), "on_sub_and_presence"):
        return
    was, now = (Event(service, one, service.config(one), Markup("")) for one in (before, node))
    known = {session.jid.full for session in _interested(was)} | set(_interested_elsewhere(was))
    new = {session.jid.full for session in _interested(now)} | set(_interested_elsewhere(now))
    for item in store.newest(node.id, 1):
        for jid in sorted(new - known):
            send(service, last_item(service, node, item, jid), jid)


def sends_last(config: NodeConfig, *when: str) -> bool:
    """Whether the last item is sent then."""
    return config.on("deliver_notifications") and config.value("send_last_published_item") in when


def subscription_changed(service: Service, node: Node, jid: str, state: str) -> None:
    """Tell a subscriber, or one who was (§8.8.4)."""
    what = el("subscription", node=node.name, jid=jid, subscription=state)
    message = _message(service, service.config(node), what)
    send(service, message, jid)


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
