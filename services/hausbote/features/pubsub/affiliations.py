"""Who is what to a node (XEP-0060 §4.1, §5.7, §8.9)."""

from functools import partial

from hausbote.base.jid import JID
from hausbote.core.host import breathe
from hausbote.features.pubsub.action import Action, answer, owner_answer, q
from hausbote.features.pubsub.service import Service, address
from hausbote.features.pubsub.subscriptions import review
from hausbote.xmpp import ns
from hausbote.xmpp.errors import BadRequest, NotAcceptable, ResourceConstraint, StanzaError
from hausbote.xmpp.stanza import Child
from hausbote.xmpp.xml import el

_AFFILIATIONS = ("owner", "publisher", "publish-only", "member", "none", "outcast")


def own(action: Action) -> Child:
    """The actor's own, with all nodes or with one."""
    service, name = action.service, action.name
    if name:
        service.find(name)
    found = service.people.affiliations_of(service.local, action.actor.bare)
    shown = [
        el("affiliation", node=one.node, affiliation=one.affiliation)
        for one in found
        if name in (None, one.node)
    ]
    return answer(el("affiliations", *shown, node=name))


def of_node(action: Action) -> Child:
    """Everybody's, for an owner."""
    node = action.owned()
    known = action.service.people.affiliations(node.id)
    shown = [el("affiliation", jid=jid, affiliation=what) for jid, what in known.items()]
    return owner_answer(el("affiliations", *shown, node=node.name))


def modify(action: Action) -> None:
    """All of the changes, or none of them; somebody has to stay the owner."""
    node = action.owned()
    service = action.service
    wanted = _wanted(action)
    known = service.people.affiliations(node.id)
    try:
        _check(service, known, wanted)
    except StanzaError as problem:
        unchanged = [
            el("affiliation", jid=jid, affiliation=known.get(jid, "none")) for jid in wanted
        ]
        problem.about = owner_answer(el("affiliations", *unchanged, node=node.name))
        raise
    changes = {jid: (what, service.local_part(JID.parse(jid))) for jid, what in wanted.items()}
    service.people.affiliate(node.id, changes).wait()
    action.request.afterwards.append(partial(review, service, node.name))


def _wanted(action: Action) -> dict[str, str]:
    """Affiliations by bare JID; nobody is named twice (§8.9.2.4)."""
    wanted: dict[str, str] = {}
    for element in action.element.findall(q("affiliation", ns.PUBSUB_OWNER)):
        jid, affiliation = address(element.get("jid")).bare, element.get("affiliation")
        if jid in wanted:
            raise BadRequest("somebody is named twice")
        if affiliation is not None:
            wanted[jid] = affiliation
        breathe()
    return wanted


def _check(service: Service, known: dict[str, str], wanted: dict[str, str]) -> None:
    if not set(_AFFILIATIONS).issuperset(wanted.values()):
        raise NotAcceptable(f"an affiliation is one of {', '.join(_AFFILIATIONS)}")
    after = {jid: what for jid, what in (known | wanted).items() if what != "none"}
    if "owner" not in after.values() or (service.personal and after.get(service.jid) != "owner"):
        raise NotAcceptable("a node has an owner")
    limit = service.host.settings.limits.pubsub_subscriptions
    if 0 < limit < len(after) and len(after) > len(known):
        raise ResourceConstraint("too many people are affiliated with this node")
