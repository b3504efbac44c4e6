"""Subscribing, and what owners do about it (XEP-0060 §6.1, §6.2, §5.6, §8.6, §8.8)."""

from functools import partial

from hausbote.base.jid import JID, InvalidJID
from hausbote.base.tokens import token
from hausbote.core.delivery import Delivery
from hausbote.core.host import breathe
from hausbote.features.pubsub import errors
from hausbote.features.pubsub.access import check_subscribe
from hausbote.features.pubsub.action import Action, answer, owner_answer, q
from hausbote.features.pubsub.notify import last_item, send, sends_last, subscription_changed
from hausbote.features.pubsub.service import Service, address
from hausbote.storage import Node, Subscription
from hausbote.xmpp import ns
from hausbote.xmpp.data_form import DataForm, Field, FilledForm, read_form, truth
from hausbote.xmpp.errors import BadRequest, Forbidden, NotAcceptable, StanzaError
from hausbote.xmpp.stanza import Child, stanza, tree
from hausbote.xmpp.xml import Markup, Tree, el

_GONE = ("gone", "item-not-found")
_SERVER = 4  # the part of a node's subscriptions that people of one other server may have
_STATES = ("subscribed", "none", "pending")


def subscribe(action: Action) -> Child:
    """For the actor's own address, bare or full (§6.1)."""
    service = action.service
    jid = _own_address(action, errors.bad("invalid-jid"))
    node = action.node()
    if action.beside("options") is not None:
        raise errors.unsupported("subscription-options")
    at_once = check_subscribe(service, node, action.actor)
    if not service.config(node).on("subscribe"):
        raise errors.unsupported("subscribe")
    known = service.people.subscription(node.id, jid.full)
    if known is not None:
        if known.state == "pending":
            raise errors.pending()
        return answer(_markup(known))
    made = Subscription(node.name, jid.full, token(96), "subscribed" if at_once else "pending")
    _put(service, node, made)
    later = action.request.afterwards
    if at_once:
        later.append(partial(_send_last, service, node, jid.full))
    else:
        later.append(partial(_ask_owners, service, node, made))
    if service.config(node).on("notify_sub"):
        later.append(partial(_tell_owners, service, node, made))
    return answer(_markup(made))


def unsubscribe(action: Action) -> Child:
    """§6.2"""
    service = action.service
    jid = _own_address(action, Forbidden())
    node = action.node()
    known = service.people.subscription(node.id, jid.full)
    if known is None:
        raise errors.no_such_subscription()
    if action.element.get("subid") not in (None, known.subid):
        raise errors.invalid_subid()
    service.people.unsubscribe(node.id, jid.full).wait()
    gone = known._replace(state="none")
    if service.config(node).on("notify_sub"):
        action.request.afterwards.append(partial(_tell_owners, service, node, gone))
    return answer(_markup(gone))


def own(action: Action) -> Child:
    """The actor's subscriptions, all of them or those to one node (§5.6)."""
    service, name = action.service, action.name
    if name:
        service.find(name)
    found = service.people.subscriptions_of(service.local, action.actor.bare)
    shown = [_markup(one) for one in found if name in (None, one.node)]
    return answer(el("subscriptions", *shown, node=name))


def of_node(action: Action) -> Child:
    """Everybody's, for an owner (§8.8.1)."""
    node = action.owned()
    found = action.service.people.subscriptions(node.id)
    shown = [_for_owner(one) for one in found if one.state == "subscribed"]
    return owner_answer(el("subscriptions", *shown, node=node.name))


def manage(action: Action) -> None:
    """An owner grants, ends or makes subscriptions: all that are named, or none (§8.8.2)."""
    node = action.owned()
    service = action.service
    elements = action.element.findall(q("subscription", ns.PUBSUB_OWNER))
    changes = []
    for one in elements:
        changes.append((address(one.get("jid")).full, one))
        breathe()
    known = {one.jid: one for one in service.people.subscriptions(node.id)}
    try:
        for jid, element in changes:
            _check_change(element, known.get(jid))
        wanted = {jid: one.get("subscription", "") for jid, one in changes}
        limit = service.host.settings.limits.pubsub_subscriptions
        new = {jid for jid, state in wanted.items() if state not in ("", "none")} - set(known)
        if new and 0 < limit < len(known) + len(new):
            raise errors.too_many_subscriptions()
    except StanzaError as problem:
        unchanged = [_unchanged(jid, known.get(jid)) for jid, _ in changes]
        problem.about = owner_answer(el("subscriptions", *unchanged, node=node.name))
        raise
    for jid, state in wanted.items():
        if state:
            _decide(service, node, jid, state)


def _check_change(element: Tree, known: Subscription | None) -> None:
    if element.get("subscription", "none") not in _STATES:
        raise NotAcceptable(f"a subscription is one of {', '.join(_STATES)}")
    if element.get("subid") is not None and (known is None or known.subid != element.get("subid")):
        raise errors.invalid_subid()


def _unchanged(jid: str, known: Subscription | None) -> Markup:
    if known is None:
        return el("subscription", jid=jid, subscription="none")
    return _for_owner(known)


# -- messages with forms -----------------------------------------------------------------------


def decide(delivery: Delivery) -> bool:
    """An owner's answer to a request (§8.6); True if the message was one."""
    x = delivery.stanza.child(ns.DATA_FORMS, "x")
    # Forms of other kinds are nobody's business here, and reading them costs.
    if x is None or delivery.to.resource or ns.PUBSUB_AUTHORIZATION not in x.xml:
        return False
    form = read_form(tree(x))
    if form.form_type != ns.PUBSUB_AUTHORIZATION:
        return False
    if form.type == "submit":
        _answered(Service(delivery.host, delivery.to.local), form, delivery.sender)
    return True


def bounced(delivery: Delivery) -> bool:
    """Whoever an event was for is not there any more: their subscriptions end (§12.4)."""
    if delivery.type != "error":
        return False
    reason = delivery.stanza.child(ns.CLIENT, "error")
    if reason is not None and any(f"<{name} " in reason.xml for name in _GONE):
        service, sender = Service(delivery.host, delivery.to.local), delivery.sender
        for one in service.people.subscriptions_of(service.local, sender.bare):
            node = service.host.store.pubsub.node(service.local, one.node)
            if node is not None and one.jid == sender.full:
                service.people.unsubscribe(node.id, one.jid).wait()
    return True


def _answered(service: Service, form: FilledForm, owner: JID) -> None:
    allow = truth(form.value("pubsub#allow") or "")
    jid = address(form.value("pubsub#subscriber_jid"))
    node = service.owned(form.value("pubsub#node"), owner)
    known = service.people.subscription(node.id, jid.full)
    if allow is None:
        raise BadRequest("pubsub#allow is a truth value")
    if known is not None and known.state == "pending":
        _decide(service, node, jid.full, "subscribed" if allow else "none")


def _decide(service: Service, node: Node, jid: str, state: str) -> None:
    known = service.people.subscription(node.id, jid)
    if state == (known.state if known is not None else "none"):
        return
    if state == "none":
        service.people.unsubscribe(node.id, jid).wait()
    else:
        subid = known.subid if known is not None else token(96)
        _put(service, node, Subscription(node.name, jid, subid, state), by_owner=True)
    subscription_changed(service, node, jid, state)
    if state == "subscribed":
        _send_last(service, node, jid)


def review(service: Service, name: str) -> None:
    """Who may subscribe has changed: those who wait are let in if nobody has to agree any more, and
    those who may not be there go."""
    node = service.host.store.pubsub.node(service.local, name)
    for one in service.people.subscriptions(node.id) if node is not None else ():
        assert node is not None
        _review(service, node, one)
        breathe()


def review_person(service: Service, bare: str) -> None:
    """The same for one who is something else to the owner now (XEP-0163 §7.1)."""
    for one in service.people.subscriptions_of(service.local, bare):
        node = service.host.store.pubsub.node(service.local, one.node)
        if node is not None:
            _review(service, node, one)


def _review(service: Service, node: Node, one: Subscription) -> None:
    try:
        let_in = check_subscribe(service, node, JID.parse(one.jid))
    except StanzaError:
        _decide(service, node, one.jid, "none")
    else:
        if let_in and one.state == "pending":
            _decide(service, node, one.jid, "subscribed")


def pending(service: Service, node: Node) -> list[Child]:
    """A question to an owner for everybody who waits (§8.7)."""
    found = service.people.subscriptions(node.id)
    return [_question(node, one) for one in found if one.state == "pending"]


def _ask_owners(service: Service, node: Node, asked: Subscription) -> None:
    _to_owners(service, node, _question(node, asked))


def _question(node: Node, asked: Subscription) -> Child:
    fields = (
        Field("pubsub#subid", (asked.subid,), "hidden"),
        Field("pubsub#node", (node.name,), label="Node"),
        Field("pubsub#subscriber_jid", (asked.jid,), "jid-single", "Who asks"),
        Field("pubsub#allow", ("0",), "boolean", "Allow this?"),
    )
    asking = DataForm(ns.PUBSUB_AUTHORIZATION, fields, "Somebody wants to subscribe")
    return Child(ns.DATA_FORMS, "x", asking.markup("form"))


def _tell_owners(service: Service, node: Node, changed: Subscription) -> None:
    event = el("event", _markup(changed), xmlns=ns.PUBSUB_EVENT)
    _to_owners(service, node, Child(ns.PUBSUB_EVENT, "event", event))


def _to_owners(service: Service, node: Node, payload: Child) -> None:
    for jid, affiliation in service.people.affiliations(node.id).items():
        if affiliation == "owner":
            message = stanza("message", payload, from_=service.jid, to=jid, id=token(96))
            send(service, message, jid)


def _send_last(service: Service, node: Node, jid: str) -> None:
    if not sends_last(service.config(node), "on_sub", "on_sub_and_presence"):
        return
    for item in service.host.store.pubsub.newest(node.id, 1):
        send(service, last_item(service, node, item, jid), jid)


# -- what they need ----------------------------------------------------------------------------


def _own_address(action: Action, refusal: StanzaError) -> JID:
    text = action.element.get("jid")
    if not text:
        raise errors.bad("jid-required")
    try:
        jid = JID.parse(text)
    except InvalidJID:
        raise errors.bad("invalid-jid") from None
    if jid.bare != action.actor.bare:
        raise refusal
    return jid


def _put(service: Service, node: Node, made: Subscription, *, by_owner: bool = False) -> None:
    """People of other servers leave a part of the places to the owner, and all of one server most
    of the others to the rest."""
    host, jid = service.host, JID.parse(made.jid)
    limit, of_server = host.settings.limits.pubsub_subscriptions, 0
    local = service.local_part(jid)
    if limit and not local and not by_owner:
        of_server = max(1, limit // _SERVER)
        limit -= limit // _SERVER
    kept = host.store.pubsub.people.subscribe(
        node.id, jid.full, jid.bare, made.subid, made.state, local, limit, of_server
    )
    if not kept.wait():
        raise errors.too_many_subscriptions()


def _markup(one: Subscription) -> Markup:
    return el("subscription", node=one.node, jid=one.jid, subid=one.subid, subscription=one.state)


def _for_owner(one: Subscription) -> Markup:
    return el("subscription", jid=one.jid, subscription=one.state, subid=one.subid)
