"""What is this, and what can it do? (XEP-0030)"""

from hausbote.core.feature import Feature, Target
from hausbote.core.host import Host
from hausbote.core.request import Request
from hausbote.features.caps import NODE, disco_forms, verification
from hausbote.features.contacts import is_subscribed
from hausbote.xmpp import ns
from hausbote.xmpp.errors import ItemNotFound, ServiceUnavailable
from hausbote.xmpp.stanza import Child, child
from hausbote.xmpp.xml import Markup, el

feature = Feature(
    "disco",
    xeps={"0030": "2.5rc3", "0128": "1.0.1", "0068": "1.3.0"},
    disco=(ns.DISCO_INFO, ns.DISCO_ITEMS),
    account_disco=(ns.DISCO_INFO, ns.DISCO_ITEMS),
)


@feature.iq("get", ns.DISCO_INFO, "query", Target.HOST)
def host_info(request: Request) -> Child:
    node = request.tree().get("node")
    if node is not None and node != caps_node(request.host):
        return _of_node(request, node)
    return child(ns.DISCO_INFO, "query", *description(request.host), node=node)


def caps_node(host: Host) -> str:
    """The node that stands for what the service's capabilities are now (XEP-0115 §6.2)."""
    return f"{NODE}#{verification(host)}"


def description(host: Host) -> list[Markup]:
    """The service's identity, features and forms."""
    category, type, name = host.identity
    features = [el("feature", var=name) for name in host.registry.disco(Target.HOST)]
    forms = [form.markup("result") for form in disco_forms(host)]
    own = el("identity", category=category, type=type, name=name)
    return [own, *_identities(host, Target.HOST), *features, *forms]


def _identities(host: Host, target: Target) -> list[Markup]:
    pairs = host.registry.identities(target)
    return [el("identity", category=category, type=type) for category, type in pairs]


def _of_node(request: Request, node: str) -> Child:
    """What a feature says of one of its nodes."""
    for handler in request.host.registry.nodes(request.payload.ns):
        answer = handler(request, node)
        if answer is not None:
            return answer
    if request.to.local and not _is_contact(request):
        return _for_strangers(request, node)
    raise ItemNotFound


@feature.iq("get", ns.DISCO_ITEMS, "query", Target.HOST)
def host_items(request: Request) -> Child:
    node = request.tree().get("node")
    if node is not None:
        return _of_node(request, node)
    parts = [el("item", jid=domain) for domain in sorted(request.host.parts)]
    items = [*parts, *_listed(request)]
    return child(ns.DISCO_ITEMS, "query", *items)


@feature.iq("get", ns.DISCO_INFO, "query", Target.ACCOUNT)
def account_info(request: Request) -> Child:
    node = request.tree().get("node")
    if node is not None:
        return _of_node(request, node)
    if not _is_contact(request):
        return _for_strangers(request, None)
    host = request.host
    features = [el("feature", var=name) for name in host.registry.disco(Target.ACCOUNT)]
    identity = el("identity", category="account", type="registered")
    others = _identities(host, Target.ACCOUNT)
    return child(ns.DISCO_INFO, "query", identity, *others, *features)


@feature.iq("get", ns.DISCO_ITEMS, "query", Target.ACCOUNT)
def account_items(request: Request) -> Child:
    node = request.tree().get("node")
    if node is not None:
        return _of_node(request, node)
    return child(ns.DISCO_ITEMS, "query", *_listed(request))


def _listed(request: Request) -> list[Markup]:
    return [item for lister in request.host.registry.listers for item in lister(request)]


def _is_contact(request: Request) -> bool:
    sender = request.sender
    return sender is not None and is_subscribed(request.host, request.to.local, sender)


def _for_strangers(request: Request, node: str | None) -> Child:
    """What they would get for an account that does not exist (§8)."""
    if request.payload.ns == ns.DISCO_INFO:
        raise ServiceUnavailable
    return child(ns.DISCO_ITEMS, "query", node=node)
