"""Making, configuring and deleting nodes (XEP-0060 §8.1 to §8.4)."""

from functools import partial

from hausbote.base.tokens import token
from hausbote.core.space import need_space
from hausbote.features.pubsub import errors
from hausbote.features.pubsub.action import Action, answer, owner_answer
from hausbote.features.pubsub.config import NodeConfig, checked_form, default
from hausbote.features.pubsub.notify import Event, happened, let_in, prepared, tell
from hausbote.features.pubsub.publishing import check_name
from hausbote.features.pubsub.subscriptions import review
from hausbote.storage import NewNode, Outcome
from hausbote.xmpp import ns
from hausbote.xmpp.data_form import form_in
from hausbote.xmpp.errors import BadRequest, Conflict, Forbidden, ResourceConstraint
from hausbote.xmpp.stanza import Child
from hausbote.xmpp.xml import Markup, el

_WHO_MAY_SUBSCRIBE = ("access_model", "roster_groups_allowed")


def create(action: Action) -> Child:
    """A node with that name, or with one that we make up (§8.1)."""
    service, actor = action.service, action.actor
    host = service.host
    _check_creator(action)
    name = action.name or token(128)
    check_name(name)
    config = _wanted(action, name)
    most = host.settings.limits.pubsub_nodes
    node = NewNode(service.local, name, actor.local, actor.bare, host.clock(), config.changed, most)
    need_space(host)
    outcome = host.store.pubsub.create(node).wait()
    if outcome is Outcome.EXISTS:
        raise Conflict("there is a node of that name")
    if outcome is Outcome.NODES_FULL:
        raise ResourceConstraint("you have as many nodes as you may")
    if outcome is Outcome.MISSING:
        raise Forbidden
    return answer(el("create", node=name))


def _check_creator(action: Action) -> None:
    service, actor = action.service, action.actor
    if service.personal:
        if actor.bare != service.jid:
            raise Forbidden
        return
    local = service.local_part(actor)
    account = service.host.store.accounts.get(local) if local else None
    everybody = service.host.settings.pubsub.node_creation == "users"
    if account is None or not (account.admin or everybody):
        raise Forbidden("only some people may make nodes here")


def _wanted(action: Action, name: str) -> NodeConfig:
    config = default(action.service.personal, name)
    element = action.beside("configure")
    if element is None:
        return config
    order = list(action.pubsub)
    before = order.index(element) < order.index(action.element)
    if before or element.get("node") is not None:
        raise BadRequest("<configure/> follows <create/> and names no node")
    form = form_in(element)
    if form is None:
        return config
    return config.with_form(checked_form(form, ns.PUBSUB_CONFIG))


def configuration(action: Action) -> Child:
    """The form with what is configured (§8.2.1)."""
    node = action.owned()
    form = action.service.config(node).form()
    return owner_answer(el("configure", form, node=node.name))


def configure(action: Action) -> None:
    """Change what the form speaks of; a form that was cancelled changes nothing (§8.2.4)."""
    node = action.owned()
    service = action.service
    form = form_in(action.element)
    if form is not None and form.type == "cancel":
        return
    before = service.config(node)
    config = before.with_form(checked_form(form, ns.PUBSUB_CONFIG))
    limit = service.host.settings.limits.pubsub_items
    keep = config.max_items(limit) or -1
    if not config.on("persist_items"):
        keep = 0
    service.host.store.pubsub.configure(node.id, config.changed, keep).wait()
    if config.on("notify_config"):
        what = config.form("result") if config.on("deliver_payloads") else Markup("")
        told = Event(service, node, config, el("configuration", what, node=node.name))
        action.request.afterwards.append(partial(tell, told))
    if any(config.values(one) != before.values(one) for one in _WHO_MAY_SUBSCRIBE):
        action.request.afterwards.append(partial(review, service, node.name))
        if service.personal:
            action.request.afterwards.append(partial(let_in, service, node))
    action.changed(node.name)


def defaults(action: Action) -> Child:
    """What a new node is configured to (§8.3)."""
    if action.element.get("type", "leaf") != "leaf":
        raise errors.unsupported("collections")
    return owner_answer(el("default", default(action.service.personal).form()))


def delete(action: Action) -> None:
    """The node and everything in it (§8.4)."""
    node = action.owned()
    service = action.service
    redirect = action.element.find(f"{{{ns.PUBSUB_OWNER}}}redirect")
    more = () if redirect is None else (el("redirect", uri=redirect.get("uri", "")),)
    if service.config(node).on("notify_delete"):
        told = happened(service, node, "delete", *more)
        action.request.afterwards.append(prepared(told, waiting=True))
    service.host.store.pubsub.delete(node.id).wait()
    action.changed(node.name)
