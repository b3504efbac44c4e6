"""Bookmarks of rooms, in all the places where clients look for them (XEP-0402, XEP-0411).

The newest form, an item per room (XEP-0402), is the one that counts.  The old form, one list of all
rooms (XEP-0048), is kept in step with it: as a node for clients that use PEP, and as private XML,
which is made from it when it is asked for.  Nodes that others may see are left alone, lest
bookmarks come to places where they are seen.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

from hausbote.base.jid import JID, InvalidJID
from hausbote.core.feature import Feature
from hausbote.core.host import Host, breathe
from hausbote.features import room_wishes
from hausbote.features.pubsub.config import default
from hausbote.features.pubsub.notify import retracted, tell
from hausbote.features.pubsub.publishing import new_node, put
from hausbote.features.pubsub.service import Service
from hausbote.storage import NewItem, NewNode, Node
from hausbote.xmpp import ns
from hausbote.xmpp.data_form import truth
from hausbote.xmpp.stanza import Child, tree
from hausbote.xmpp.xml import Markup, Tree, el, write_tree

feature = Feature(
    "bookmarks",
    xeps={"0402": "1.2.0", "0048": "1.2", "0411": "1.1.0"},
    account_disco=(
        ns.BOOKMARKS_CONVERSION,
        f"{ns.BOOKMARKS}#compat",
        f"{ns.BOOKMARKS}#compat-pep",
    ),
)

Later = list[Callable[[], None]]
_LIST: str = "current"  # the id of the only item in the old node
_OLD_ROOM = f"{{{ns.OLD_BOOKMARKS}}}conference"
_EXTENSIONS = f"{{{ns.BOOKMARKS}}}extensions"


class Bookmark(NamedTuple):
    """What both forms say of a room."""

    name: str | None
    autojoin: bool
    nick: str | None
    password: str | None


# -- keeping both in step ----------------------------------------------------------------------


@feature.follows(ns.BOOKMARKS)
def to_old(host: Host, local: str, later: Later) -> None:
    """Rooms were bookmarked in the new way."""
    service = Service(host, local)
    if not _private(service, ns.BOOKMARKS):
        return
    text = _old_form(service)
    if text is not None and text != _old_item(service):
        _put(service, ns.OLD_BOOKMARKS, [NewItem(_LIST, text)], later)


@feature.follows(ns.OLD_BOOKMARKS)
def to_new(host: Host, local: str, later: Later) -> None:
    """The list was replaced in the old way: only what changed is published, or retracted."""
    service = Service(host, local)
    text = _old_item(service)
    if text is None or not _private(service, ns.OLD_BOOKMARKS):
        return
    storage = _parsed(text)
    if storage.tag == f"{{{ns.OLD_BOOKMARKS}}}storage":  # or else it is not even an empty list
        _take_over(service, storage, later)


def read_private(host: Host, local: str) -> str | None:
    """The list for clients that look for it in private XML."""
    service = Service(host, local)
    return _old_form(service) or _old_item(service)


def write_private(host: Host, local: str, storage: Tree, later: Later) -> None:
    """The list was replaced in private XML."""
    service = Service(host, local)
    _put(service, ns.OLD_BOOKMARKS, [NewItem(_LIST, write_tree(storage))], later)
    _take_over(service, storage, later)
    room_wishes.changed(host, local, later)


def converted(storage: Tree) -> list[NewItem]:
    """The rooms of a list in the old form, each as an item of the new one."""
    rooms = {
        _address(room.get("jid", "")): _bookmark(room, ns.OLD_BOOKMARKS)
        for room in storage.findall(_OLD_ROOM)
    }
    return [NewItem(jid, _new_form(room, None)) for jid, room in rooms.items() if jid]


def old_form(rooms: Iterable[tuple[str, Tree]], old: Tree | None) -> Markup:
    """The list of these rooms, each by its address, with what only the old list knows: bookmarks of
    pages, and what clients keep there, and in each bookmark, in namespaces of their own (XEP-0049,
    XEP-0048)."""
    others, foreign = [], {}
    for element in old if old is not None else ():
        if element.tag == _OLD_ROOM:
            foreign[_address(element.get("jid", ""))] = _foreign(element)
        else:
            others.append(write_tree(element, ns.OLD_BOOKMARKS))
    written = [
        _conference(_bookmark(element, ns.BOOKMARKS), *foreign.get(jid, ()), jid=jid)
        for jid, element in rooms
    ]
    return el("storage", *written, *others, xmlns=ns.OLD_BOOKMARKS)


def _take_over(service: Service, storage: Tree, later: Later) -> None:
    if not _private(service, ns.BOOKMARKS):
        return
    wanted = {}
    for room in storage.findall(_OLD_ROOM):
        wanted[_address(room.get("jid", ""))] = _bookmark(room, ns.OLD_BOOKMARKS)
        breathe()
    wanted.pop("", None)
    known = _rooms(service)
    changed = [
        NewItem(jid, _new_form(bookmark, known.get(jid)))
        for jid, bookmark in wanted.items()
        if jid not in known or _bookmark(known[jid], ns.BOOKMARKS) != bookmark
    ]
    if changed:
        _put(service, ns.BOOKMARKS, changed, later)
    _retract(service, [jid for jid in known if jid not in wanted], later)


def _address(text: str) -> str:
    """Of a room, as it stands in the id of an item; old clients write what people typed."""
    try:
        return JID.parse(text).full
    except InvalidJID:
        return text


def _put(service: Service, name: str, items: list[NewItem], later: Later) -> None:
    """All or none of them; clients expect to be told of each bookmark by itself."""
    if not _private(service, name):
        return
    node = service.host.store.pubsub.node(service.local, name)
    config = default(True, name) if node is None else service.config(node)
    target: Node | NewNode = node or new_node(service, name, config)
    events = put(service, target, config, items, service.jid, apart=True)
    later += [partial(tell, event) for event in events]


def _retract(service: Service, ids: list[str], later: Later) -> None:
    node = service.host.store.pubsub.node(service.local, ns.BOOKMARKS)
    if node is not None and ids and service.host.store.pubsub.retract(node.id, ids).wait():
        later.append(partial(tell, retracted(service, node, ids)))


def _private(service: Service, name: str) -> bool:
    """Whether nobody else sees what is in that node, if there is one."""
    node = service.host.store.pubsub.node(service.local, name)
    if node is None:
        return True
    others = [jid for jid in service.people.affiliations(node.id) if jid != service.jid]
    return service.config(node).value("access_model") == "whitelist" and not others


# -- the two forms -----------------------------------------------------------------------------


def _rooms(service: Service) -> dict[str, Tree]:
    """Items of the new form by the address of the room."""
    node = service.host.store.pubsub.node(service.local, ns.BOOKMARKS)
    items = service.host.store.pubsub.newest(node.id, -1) if node is not None else []
    return {item.id: _parsed(item.payload) for item in items if item.payload}


def _old_item(service: Service) -> str | None:
    node = service.host.store.pubsub.node(service.local, ns.OLD_BOOKMARKS)
    items = service.host.store.pubsub.newest(node.id, 1) if node is not None else []
    return items[0].payload or None if items else None


def _old_form(service: Service) -> str | None:
    """The list made of the new form."""
    if service.host.store.pubsub.node(service.local, ns.BOOKMARKS) is None:
        return None
    old = _old_item(service)
    return old_form(_rooms(service).items(), None if old is None else _parsed(old))


def _foreign(room: Tree) -> list[Markup]:
    """What is in a bookmark of the old form that its specification does not know."""
    own = f"{{{ns.OLD_BOOKMARKS}}}"
    return [write_tree(one, ns.OLD_BOOKMARKS) for one in room if not one.tag.startswith(own)]


def _new_form(bookmark: Bookmark, known: Tree | None) -> Markup:
    """With the extensions that the room's bookmark had; old clients do not know of them."""
    extensions = None if known is None else known.find(_EXTENSIONS)
    kept = () if extensions is None else (write_tree(extensions, ns.BOOKMARKS),)
    return _conference(bookmark, *kept, xmlns=ns.BOOKMARKS)


def _conference(bookmark: Bookmark, *more: Markup, **attributes: str) -> Markup:
    return el(
        "conference",
        el("nick", bookmark.nick) if bookmark.nick is not None else None,
        el("password", bookmark.password) if bookmark.password is not None else None,
        *more,
        name=bookmark.name,
        autojoin="true" if bookmark.autojoin else "false",
        **attributes,
    )


def _bookmark(element: Tree, namespace: str) -> Bookmark:
    autojoin = truth(element.get("autojoin", "false")) or False
    nick, password = (element.findtext(f"{{{namespace}}}{one}") for one in ("nick", "password"))
    return Bookmark(element.get("name"), autojoin, nick, password)


def _parsed(xml: str) -> Tree:
    return tree(Child("", "", xml))
