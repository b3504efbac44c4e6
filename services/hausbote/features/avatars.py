"""Pictures of people: published by PEP (XEP-0084), and seen as well by clients that look for them
in vCards and presence (XEP-0153, XEP-0398).

There is one picture, in PEP.  A vCard shows it to those who may see its nodes, a photo in a new
vCard replaces it, and presence speaks of it.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from hausbote.base.jid import JID, InvalidJID
from hausbote.core.feature import Feature
from hausbote.core.host import Host
from hausbote.core.session import Session
from hausbote.features.contacts import is_subscribed
from hausbote.features.presence import broadcast
from hausbote.features.pubsub.access import may_retrieve
from hausbote.features.pubsub.config import NodeConfig, default
from hausbote.features.pubsub.notify import tell
from hausbote.features.pubsub.publishing import new_node, put
from hausbote.features.pubsub.service import Service
from hausbote.storage import NewItem, Node, Store
from hausbote.xmpp import ns
from hausbote.xmpp.errors import StanzaError
from hausbote.xmpp.stanza import Child, Stanza, child, tree
from hausbote.xmpp.xml import Markup, Tree, el

feature = Feature(
    "avatars",
    xeps={"0084": "1.1.4", "0153": "1.1.1", "0398": "1.0.0"},
    account_disco=(ns.AVATAR_CONVERSION,),
)

Later = list[Callable[[], None]]
_NOTHING = "nothing"


class Picture(NamedTuple):
    """`id` is the SHA-1 of the data, `text` the data in base64."""

    id: str
    type: str
    text: str
    size: int


class Shown:
    """What an account's presence says of its picture; `audience` is open, presence or nothing."""

    __slots__ = ("audience", "hash", "known")

    def __init__(self) -> None:
        self.known = False
        self.hash = ""
        self.audience = _NOTHING


class Wish:
    """Whether a client said in its presence that there is no picture: what we wrote there is not
    its word."""

    __slots__ = ("none",)

    def __init__(self) -> None:
        self.none = False


# -- the picture -------------------------------------------------------------------------------


def decoded(text: str, type: str) -> Picture | None:
    """A picture given in base64, with white space as it likes; None if it is none."""
    text = "".join(text.split())
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    if not data:
        return None
    id = hashlib.sha1(data, usedforsecurity=False).hexdigest()
    return Picture(id, type, text, len(data))


def current(service: Service) -> Picture | None:
    """What is published, if its data is here and is what its metadata says (XEP-0398 §3.1)."""
    return published(service.host.store, service.local)


def published(store: Store, local: str) -> Picture | None:
    """Likewise, of an account."""
    data = store.pubsub.node(local, ns.AVATAR_DATA)
    named = _named(store, local)
    return None if data is None or named is None else _picture(store, data, *named)


def _named(store: Store, local: str) -> tuple[str, str] | None:
    """The id and type of the picture that the metadata speaks of, and that is in PEP."""
    metadata = store.pubsub.node(local, ns.AVATAR_METADATA)
    if metadata is None:
        return None
    for item in store.pubsub.newest(metadata.id, 1):
        for info in _parsed(item.payload).findall(f"{{{ns.AVATAR_METADATA}}}info"):
            if info.get("url") is None:
                return info.get("id", ""), info.get("type", "")
    return None


def _is_being_replaced(service: Service, hash: str) -> bool:
    """Whether the metadata still speaks of that picture, but only newer data is there: until new
    metadata comes, too, by which the picture changes (XEP-0084), the old one is what is shown."""
    _, data = _nodes(service)
    named = _named(service.host.store, service.local)
    if data is None or named is None or not hash or named[0].lower() != hash:
        return False
    return bool(service.host.store.pubsub.newest(data.id, 1))


def _picture(store: Store, data: Node, id: str, type: str) -> Picture | None:
    for item in store.pubsub.items(data.id, [id]):
        picture = decoded(_parsed(item.payload).text or "", type)
        if picture is not None and picture.id == id.lower():
            return picture
    return None


def photo(host: Host, local: str, who: JID) -> Markup | None:
    """The picture as a vCard has it, for somebody who may see it."""
    service = Service(host, local)
    nodes = _nodes(service)
    if not all(node is not None and may_retrieve(service, node, who) for node in nodes):
        return None
    picture = current(service)
    return None if picture is None else in_vcard(picture)


def in_vcard(picture: Picture) -> Markup:
    """The picture as a vCard has it (XEP-0054)."""
    return el("PHOTO", el("TYPE", picture.type), el("BINVAL", picture.text))


def replace(host: Host, local: str, picture: Picture | None, later: Later) -> None:
    """The account has another picture now, or none."""
    service = Service(host, local)
    known = current(service)
    if (known.id if known else None) == (picture.id if picture else None):
        return
    if picture is None:
        empty = el("metadata", xmlns=ns.AVATAR_METADATA)
        _put(service, ns.AVATAR_METADATA, NewItem(_NOTHING, empty), later)
    else:
        data = el("data", picture.text, xmlns=ns.AVATAR_DATA)
        size = str(picture.size)
        info = el("info", bytes=size, id=picture.id, type=picture.type or "image/png")
        metadata = el("metadata", info, xmlns=ns.AVATAR_METADATA)
        _put(service, ns.AVATAR_DATA, NewItem(picture.id, data), later)
        _put(service, ns.AVATAR_METADATA, NewItem(picture.id, metadata), later)
    changed(host, local, later)


def _put(service: Service, name: str, item: NewItem, later: Later) -> None:
    """Into nodes that everybody may see if they are new, for everybody may see a vCard."""
    node = service.host.store.pubsub.node(service.local, name)
    if node is not None:
        config = service.config(node)
        events = put(service, node, config, [item], service.jid)
    else:
        config = NodeConfig(True, default(True, name).changed | {"access_model": ["open"]})
        events = put(service, new_node(service, name, config), config, [item], service.jid)
    later += [partial(tell, event) for event in events]


def _nodes(service: Service) -> tuple[Node | None, Node | None]:
    store = service.host.store.pubsub
    return (
        store.node(service.local, ns.AVATAR_METADATA),
        store.node(service.local, ns.AVATAR_DATA),
    )


# -- presence ----------------------------------------------------------------------------------


@feature.stamp
def speak_of_it(host: Host, session: Session, presence: Stanza) -> Stanza:
    """Put the picture's hash into presence, unless its client says that there is no picture."""
    said = presence.child(ns.VCARD_UPDATE, "x")
    photo = None if said is None else _said(said)
    if presence.to is None:
        session.state(Wish).none = said is not None and photo == ""
    if said is not None and photo == "":
        return presence
    shown = _shown(host, session.account.local)
    if not _for(host, session, shown, presence):
        return presence if photo or said is None else _with(presence, "")
    return presence if photo == shown.hash else _with(presence, shown.hash)


@feature.follows(ns.AVATAR_METADATA, ns.AVATAR_DATA)
def changed(host: Host, local: str, later: Later) -> None:
    """Another picture, or none: presence is sent again if it says something else now."""
    before = _shown(host, local)
    was = (before.hash, before.audience)
    before.known = False
    now = _shown(host, local)
    account = host.directory.online(local)
    if account is not None and was != (now.hash, now.audience):
        later += [partial(_say_again, host, session) for session in account.available()]


def _say_again(host: Host, session: Session) -> None:
    presence = session.presence
    if presence is None or session.state(Wish).none:
        return
    shown = _shown(host, session.account.local)
    session.presence = _with(presence, shown.hash if shown.audience != _NOTHING else "")
    broadcast(host, session, session.presence)


def _shown(host: Host, local: str) -> Shown:
    shown = host.directory.account(local).state(Shown)
    if not shown.known:
        service = Service(host, local)
        try:
            picture = current(service)
        except StanzaError:  # it cannot be looked into
            picture, shown.hash = None, ""
        if picture is not None:
            shown.hash = picture.id
        elif not _is_being_replaced(service, shown.hash):
            shown.hash = ""
        shown.audience = _audience(service) if shown.hash else _NOTHING
        shown.known = True
    return shown


def _audience(service: Service) -> str:
    models = {service.config(n).value("access_model") for n in _nodes(service) if n is not None}
    if models == {"open"}:
        return "open"
    return "presence" if models <= {"open", "presence"} else _NOTHING


def _for(host: Host, session: Session, shown: Shown, presence: Stanza) -> bool:
    """Whether those who get the presence may see the picture."""
    if shown.audience != "presence" or presence.to is None:
        return shown.audience != _NOTHING
    try:
        return is_subscribed(host, session.account.local, JID.parse(presence.to))
    except InvalidJID:
        return False


def _said(x: Child) -> str | None:
    """The hash that a client spoke of, "" for no picture, None if it does not know yet."""
    try:
        photo = tree(x).find(f"{{{ns.VCARD_UPDATE}}}photo")
    except StanzaError:  # it cannot be looked into
        return None
    return None if photo is None else (photo.text or "").strip().lower()


def _with(presence: Stanza, hash: str) -> Stanza:
    others = [part for part in presence.children if part.ns != ns.VCARD_UPDATE]
    said = child(ns.VCARD_UPDATE, "x", el("photo", hash))
    return presence.with_children((*others, said))


def _parsed(xml: str) -> Tree:
    return tree(Child("", "", xml or "<x/>"))
