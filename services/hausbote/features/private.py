"""Private XML: what clients keep for themselves (XEP-0049).  Bookmarks live elsewhere by now."""

from hausbote.core.feature import Feature, Target
from hausbote.core.request import Request
from hausbote.core.space import need_space
from hausbote.features.bookmarks import read_private, write_private
from hausbote.storage import Piece
from hausbote.xmpp import ns
from hausbote.xmpp.errors import BadRequest, Forbidden, NotAcceptable, ResourceConstraint
from hausbote.xmpp.soundness import leaves
from hausbote.xmpp.stanza import Child, child
from hausbote.xmpp.xml import Markup, Tree, el, write_tree

feature = Feature("private XML", xeps={"0049": "1.2"}, disco=(ns.PRIVATE,))

_BOOKMARKS = (ns.OLD_BOOKMARKS, "storage")


@feature.iq("get", ns.PRIVATE, "query", Target.ACCOUNT)
def get(request: Request) -> Child:
    """What is kept by that name, or the name alone."""
    (element, *others) = _elements(request)
    if others:
        raise NotAcceptable("ask for one thing at a time")
    namespace, name = _name(element)
    host, local = request.host, request.to.local
    if (namespace, name) == _BOOKMARKS:
        found = read_private(host, local)
    else:
        found = host.store.private.get(local, namespace, name)
    if found and not leaves(found):
        found = None
    return child(ns.PRIVATE, "query", Markup(found) if found else el(name, xmlns=namespace))


@feature.iq("set", ns.PRIVATE, "query", Target.ACCOUNT)
def keep(request: Request) -> None:
    """All of the elements, or none of them."""
    host, local, limits = request.host, request.to.local, request.host.settings.limits
    elements = {_name(element): element for element in _elements(request)}
    bookmarks = elements.pop(_BOOKMARKS, None)
    pieces = [Piece(*name, write_tree(element)) for name, element in elements.items()]
    if any(len(element) or element.text for element in elements.values()):  # or it deletes
        need_space(host)
    if pieces:
        kept = host.store.private.put(local, pieces, limits.private_entries, limits.private_bytes)
        if not kept.wait():
            raise ResourceConstraint("you keep as much here as you may")
    if bookmarks is not None:
        write_private(host, local, bookmarks, request.afterwards)


def _elements(request: Request) -> list[Tree]:
    if not request.own:
        raise Forbidden
    elements = list(request.tree())
    if not elements and request.stanza.type == "get":
        raise BadRequest("nothing is named")
    if not elements:  # §2.3
        raise NotAcceptable("there is nothing to keep")
    return elements


def _name(element: Tree) -> tuple[str, str]:
    """Namespace and name; private XML is in a namespace of its own (§2.3)."""
    namespace, _, name = str(element.tag)[1:].rpartition("}")
    if namespace in ("", ns.PRIVATE):
        raise NotAcceptable("an element needs a namespace of its own")
    return namespace, name
