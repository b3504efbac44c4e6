"""Who is what to a node (XEP-0060 §4.1, §5.7, §8.9)."""

from functools import partial

from hausbote.features.pubsub.action import Action, answer, owner_answer, q
from hausbote.features.pubsub.service import address
from hausbote.features.pubsub.subscriptions import review
from hausbote.storage import Node
from hausbote.xmpp import ns
from hausbote.xmpp.errors import NotAcceptable, ResourceConstraint
from hausbote.xmpp.stanza import Child
from hausbote.xmpp.xml import el

_AFFILIATIONS = ("owner", "publisher", "publish-only", "member", "none", "outcast")


def own(action: Action) -> Child:
    """The actor's own, with all nodes or with one."""
    service, name = action.service, action.name
    if name:
        service.find(name)
    found = service.host.store.pubsub.affiliations_of(service.local, action.actor.bare)
    shown = [
        el("affiliation", node=one.node, affiliation=one.affiliation)
        for one in found
        if name in (None, one.node)
    ]
    return answer(el("affiliations", *shown, node=name))


def of_node(action: Action) -> Child:
    """Everybody's, for an owner."""
    node = action.owned()
    known = action.service.host.store.pubsub.affiliations(node.id)
    shown = [el("affiliation", jid=jid, affiliation=what) for jid, what in known.items()]
    return owner_answer(el("affiliations", *shown, node=node.name))


def modify(action: Action) -> None:
    """All of the changes, or none of them; somebody has to stay the owner."""
    node = action.owned()
    service = action.service
    changes = {}
    for element in action.element.findall(q("affiliation", ns.PUBSUB_OWNER)):
        jid, affiliation = address(element.get("jid")), element.get("affiliation")
        if affiliation is None:
            continue
        if affiliation not in _AFFILIATIONS:
            raise NotAcceptable(f"an affiliation is one of {', '.join(_AFFILIATIONS)}")
        changes[jid.bare] = (affiliation, service.local_part(jid))
    _check(action, node, changes)
    service.host.store.pubsub.affiliate(node.id, changes).wait()
    action.request.afterwards.append(partial(review, service, node.name))


def _check(action: Action, node: Node, changes: dict[str, tuple[str, str]]) -> None:
    service = action.service
    known = service.host.store.pubsub.affiliations(node.id)
    after = known | {jid: affiliation for jid, (affiliation, _) in changes.items()}
    if "owner" not in after.values() or (service.personal and after.get(service.jid) != "owner"):
        raise NotAcceptable("a node has an owner")
    limit = service.host.settings.limits.pubsub_subscriptions
    if 0 < limit < len(after) and len(after) > len(known):
        raise ResourceConstraint("too many people are affiliated with this node")
