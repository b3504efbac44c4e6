"""Who may subscribe to a node and see its items: access models and affiliations (XEP-0060 §4.5)."""

from hausbote.base.jid import JID
from hausbote.core.host import Host
from hausbote.features.contacts import contacts_of, is_subscribed, may_see
from hausbote.features.pubsub import errors
from hausbote.features.pubsub.config import NodeConfig
from hausbote.features.pubsub.service import Service
from hausbote.storage import Node
from hausbote.xmpp.errors import Forbidden, StanzaError

_ALWAYS = ("owner", "publisher", "member")


def check_retrieve(service: Service, node: Node, who: JID) -> None:
    """Refuse somebody who may not see the items."""
    problem = _problem(service, node, who, subscribing=False)
    if problem is not None:
        raise problem


def check_subscribe(service: Service, node: Node, who: JID) -> bool:
    """Refuse somebody who may not subscribe; False if an owner has to agree first."""
    problem = _problem(service, node, who, subscribing=True)
    if problem is not None:
        raise problem
    if service.config(node).value("access_model") != "authorize":
        return True
    return service.affiliation(node, who) in _ALWAYS


def may_retrieve(service: Service, node: Node, who: JID) -> bool:
    return _problem(service, node, who, subscribing=False) is None


def may_publish(service: Service, node: Node, who: JID) -> bool:
    affiliation = service.affiliation(node, who)
    if affiliation in ("owner", "publisher", "publish-only"):
        return True
    model = service.config(node).value("publish_model")
    if affiliation == "outcast" or model == "publishers":
        return False
    return model == "open" or _is_subscribed(service, node, who)


def _is_subscribed(service: Service, node: Node, who: JID) -> bool:
    """By a subscription to the node, or to an account's presence (XEP-0060 §9.1.2)."""
    if service.people.is_subscribed(node.id, who.bare):
        return True
    if not service.personal or not is_subscribed(service.host, service.local, who):
        return False
    return may_retrieve(service, node, who)


def _problem(service: Service, node: Node, who: JID, *, subscribing: bool) -> StanzaError | None:
    affiliation = service.affiliation(node, who)
    if affiliation in _ALWAYS:
        return None
    if affiliation in ("outcast", "publish-only"):
        return Forbidden()
    config = service.config(node)
    model = config.value("access_model")
    if model == "presence":
        return None if _sees_an_owner(service, node, who) else errors.presence_required()
    if model == "roster":
        return None if _in_group(service, node, config, who) else errors.not_in_group()
    if model == "whitelist":
        return errors.closed()
    if model == "authorize" and not subscribing:
        known = service.people.is_subscribed(node.id, who.bare)
        return None if known else errors.not_subscribed()
    return None


def _sees_an_owner(service: Service, node: Node, who: JID) -> bool:
    return any(
        may_see(contacts_of(people, people.directory.account(local)).get(who.bare))
        for people, local in _owners(service, node)
    )


def _in_group(service: Service, node: Node, config: NodeConfig, who: JID) -> bool:
    groups = set(config.values("roster_groups_allowed"))
    for people, local in _owners(service, node):
        item = contacts_of(people, people.directory.account(local)).get(who.bare)
        if may_see(item) and not groups.isdisjoint(item.groups):
            return True
    return False


def _owners(service: Service, node: Node) -> list[tuple[Host, str]]:
    """The accounts of this box that own the node, with the host that has their contacts."""
    host = service.host
    if service.personal:
        return [(host, service.local)]
    people = host.neighbours.get(host.settings.domain)
    if people is None:
        return []
    owners = [
        JID.parse(jid)
        for jid, affiliation in host.store.pubsub.people.affiliations(node.id).items()
        if affiliation == "owner"
    ]
    return [(people, owner.local) for owner in owners if owner.domain == people.domain]
