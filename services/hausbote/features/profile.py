"""The name that people give themselves, in all places where clients look for it: a nickname by PEP
(XEP-0172), the vCard (XEP-0054), and the newer vCard by PEP (XEP-0292)."""

from collections.abc import Callable
from functools import partial
from typing import Final

from hausbote.core.host import Host
from hausbote.features.pubsub.config import NodeConfig, default
from hausbote.features.pubsub.notify import tell
from hausbote.features.pubsub.publishing import new_node, put
from hausbote.features.pubsub.service import Service
from hausbote.storage import NewItem, Store
from hausbote.xmpp import ns
from hausbote.xmpp.errors import ResourceConstraint
from hausbote.xmpp.soundness import leaves
from hausbote.xmpp.stanza import Child, tree
from hausbote.xmpp.xml import Markup, Tree, el, write_tree

MOST: Final = 100  # characters of a name
_ITEM: Final = "current"  # the id of the only item of a node
_FULL_NAMES: Final = (f"{{{ns.VCARD}}}FN", f"{{{ns.VCARD}}}NICKNAME")
_FN4: Final = f"{{{ns.VCARD4}}}fn"

Later = list[Callable[[], None]]


def name_of(store: Store, local: str) -> str:
    """What contacts see: the nickname, or else what the vCard says; "" if there is neither."""
    found = _newest(store, local, ns.NICK)
    said = "" if found is None else (found.text or "").strip()
    if said:
        return said
    vcard = _vcard(store, local)
    texts = [] if vcard is None else [vcard.findtext(name) or "" for name in _FULL_NAMES]
    return next((text.strip() for text in texts if text.strip()), "")


def set_name(host: Host, local: str, name: str, later: Later) -> None:
    """On disk when this returns; `later` tells contacts.  ResourceConstraint if it does not fit."""
    service = Service(host, local)
    _into_vcard(host, local, name)
    _publish(service, ns.NICK, el("nick", name or None, xmlns=ns.NICK), later)
    newer = _newest(host.store, local, ns.VCARD4_NODE)
    if newer is not None or name:
        _publish(service, ns.VCARD4_NODE, _newer_vcard(newer, name), later, access="open")


def _into_vcard(host: Host, local: str, name: str) -> None:
    """What else is in it stays."""
    kept = _vcard(host.store, local)
    others = [] if kept is None else [part for part in kept if part.tag not in _FULL_NAMES]
    called = (el("FN", name), el("NICKNAME", name)) if name else ()
    text = el("vCard", *called, *[write_tree(one, ns.VCARD) for one in others], xmlns=ns.VCARD)
    if 0 < host.settings.limits.vcard_bytes < len(text.encode()):
        raise ResourceConstraint("the vCard is too large")
    host.store.vcards.put(local, text).wait()


def _newer_vcard(kept: Tree | None, name: str) -> Markup:
    others = [] if kept is None else [part for part in kept if part.tag != _FN4]
    called = el("fn", el("text", name)) if name else None
    shown = [write_tree(one, ns.VCARD4) for one in others]
    return el("vcard", called, *shown, xmlns=ns.VCARD4)


def _publish(
    service: Service, name: str, payload: Markup, later: Later, access: str = "presence"
) -> None:
    """`access` is who sees a node that is made for it."""
    node, item = service.host.store.pubsub.node(service.local, name), NewItem(_ITEM, payload)
    if node is not None:
        events = put(service, node, service.config(node), [item], service.jid)
    else:
        config = NodeConfig(True, default(True, name).changed | {"access_model": [access]})
        events = put(service, new_node(service, name, config), config, [item], service.jid)
    later += [partial(tell, event) for event in events]


def _newest(store: Store, local: str, name: str) -> Tree | None:
    """What is published there last."""
    node = store.pubsub.node(local, name)
    items = [] if node is None else store.pubsub.newest(node.id, 1)
    return _parsed(items[0].payload) if items and items[0].payload else None


def _vcard(store: Store, local: str) -> Tree | None:
    kept = store.vcards.get(local)
    return _parsed(kept) if kept is not None and leaves(kept) else None


def _parsed(xml: str) -> Tree:
    return tree(Child("", "", xml))
