"""Takes in the pieces of an export, account by account."""

import re
from collections.abc import Callable
from typing import Final, NamedTuple, cast

from hausbote.base.jid import JID, InvalidJID, prepare_domain, prepare_local, prepare_password
from hausbote.base.settings import Settings
from hausbote.features.avatars import Picture, decoded
from hausbote.features.bookmarks import converted, old_form
from hausbote.features.pubsub.config import NodeConfig, default
from hausbote.moving import content
from hausbote.moving.content import Unusable
from hausbote.moving.draft import Draft
from hausbote.moving.files import MovingError, Place
from hausbote.moving.vcard4 import in_old_form
from hausbote.storage import NewItem, Piece
from hausbote.xmpp import ns
from hausbote.xmpp.data_form import form_in
from hausbote.xmpp.pie import Host, Ignored, Part, User, UserEnd
from hausbote.xmpp.pie import Piece as FilePiece
from hausbote.xmpp.sasl import ScramKeys, keys_for
from hausbote.xmpp.xml import Tree, el, parse_element, write_tree

_MOST_NODE: Final = 1_023  # bytes of the name of a node or an item
_SECONDS: Final = re.compile(r"[0-9]{1,10}")  # since 1970
_PHOTO: Final = f"{{{ns.VCARD}}}PHOTO"
_BOOKMARKS: Final = f"{{{ns.OLD_BOOKMARKS}}}storage"


class Whole(NamedTuple):
    """An account that has been read to its end; without a draft no keys are made of a password."""

    local: str
    keys: dict[str, ScramKeys]
    locked: bool
    admin: bool
    created: int


class Account:
    """What is remembered of an account while it is read; `draft` is None where it is only looked
    at."""

    __slots__ = ("draft", "has_vcard", "keys", "own", "password", "photo", "rooms", "said")

    def __init__(self, own: JID, password: str, draft: Draft | None) -> None:
        self.own = own
        self.password = password
        self.draft = draft
        self.keys: dict[str, ScramKeys] = {}
        self.rooms: Tree | None = None  # bookmarks in the old form
        self.photo: Tree | None = None
        self.said: Tree | None = None  # what only Hausbote says of an account
        self.has_vcard = False


class Intake:
    """`opened` makes the draft of an account, or none for one that is only looked at; `closed` is
    given what has been read to its end; `note` hears of what cannot be taken over, and where it is.

    MovingError at what makes an import pointless.
    """

    def __init__(
        self,
        settings: Settings,
        opened: Callable[[JID, Place], Draft | None],
        closed: Callable[[Whole, Draft | None], None],
        note: Callable[[Place, str], None],
    ) -> None:
        self._settings = settings
        self._opened = opened
        self._closed = closed
        self._note = note
        self._here = False  # whether this is the host of the box
        self._account: Account | None = None
        self._domain = ""
        self.others: dict[str, int] = {}  # accounts of other hosts, which are left out

    def take(self, place: Place, piece: FilePiece) -> None:
        if isinstance(piece, Host):
            self._host(place, piece)
        elif isinstance(piece, User):
            self._begin(place, piece)
        elif isinstance(piece, UserEnd):
            self._end()
        elif isinstance(piece, Ignored):
            self._note(place, f"<{piece.name}/> is not known here")
        elif isinstance(piece, Part) and self._account is not None:
            try:
                self._part(self._account, piece, place)
            except Unusable as problem:
                self._note(place, str(problem))

    def _host(self, place: Place, host: Host) -> None:
        try:
            domain = prepare_domain(host.jid)
        except InvalidJID as problem:
            raise MovingError(f"{place}: the host has no name: {problem}.") from None
        self._here = domain == self._settings.domain
        if not self._here:
            self.others.setdefault(domain, 0)
        self._domain = domain

    def _begin(self, place: Place, user: User) -> None:
        if not self._here:
            self.others[self._domain] += 1
            return
        try:
            own = JID.parse(f"{prepare_local(user.name)}@{self._settings.domain}")
        except InvalidJID as problem:
            raise MovingError(f"{place}: this cannot be an account's name: {problem}.") from None
        keys = content.old_keys(user.password)
        password = "" if keys else user.password
        if password:
            try:
                prepare_password(password)
            except InvalidJID as problem:
                self._note(place, f"the password cannot be one: {problem}")
                password = ""
        self._account = Account(own, password, self._opened(own, place))
        if keys:
            self._account.keys = dict([keys])

    def _end(self) -> None:
        account, self._account = self._account, None
        if account is None:
            return
        if account.draft is not None:
            _put_rooms(account, account.draft)
            _put_vcard(account, account.draft)
            _put_photo(account, account.draft)
            if account.password:
                account.keys = keys_for(account.password)
        said = account.said
        known = {} if said is None else said.attrib
        created = known.get("created", "")
        whole = Whole(
            account.own.local,
            account.keys,
            locked=known.get("locked") == "true",
            admin=known.get("admin") == "true",
            created=int(created) if _SECONDS.fullmatch(created) else 0,
        )
        self._closed(whole, account.draft)

    # -- parts of an account -------------------------------------------------------------------

    def _part(self, account: Account, part: Part, place: Place) -> None:
        element, draft, own = part.element, account.draft, account.own
        uri, _, name = element.tag.rpartition("}")
        if part.inside == "roster":
            item = content.contact(element)
            if draft is not None and item.jid != own.bare:
                draft.contact(item)
        elif part.inside == "offline":
            kept = content.offline(element, own)
            if draft is not None:
                draft.offline(kept)
        elif part.inside == "archive":
            kept = content.archived(element, own)
            if draft is not None:
                draft.archived(kept)
        elif part.inside == "private":
            self._private(account, element, uri[1:], name)
        elif part.inside == "configurations":
            self._configuration(account, element, name)
        elif part.inside == "items":
            self._item(account, part)
        else:
            self._child(account, element, uri[1:], name, place)

    def _child(self, account: Account, element: Tree, uri: str, name: str, place: Place) -> None:
        draft, own = account.draft, account.own
        if (uri, name) == (ns.PIE_SCRAM, "scram-credentials"):
            self._keys(account, element, place)
        elif (uri, name) == (ns.PIE_ACCOUNT, "account"):
            account.said = element
        elif (uri, name) == (ns.PIE_ACCOUNT, "events"):
            pass  # they happened elsewhere, and are for reading
        elif (uri, name) == (ns.VCARD, "vCard"):
            self._vcard(account, element)
        elif name == "presence" and uri in (ns.CLIENT, ns.PIE):
            presence = content.request(element, own.bare)
            if draft is not None and presence.type == "subscribe":
                draft.request(presence)
        elif (uri, name) == (ns.MAM, "prefs"):
            wanted = content.preferences(element)
            if draft is not None:
                draft.preferences(wanted)
        elif (uri, name) == (ns.PRIVACY, "query"):
            jids, whole = content.blocked(element)
            if draft is not None and jids:
                draft.block(jids)
            if not whole:
                raise Unusable("privacy lists are kept as far as they block addresses for all")
        else:
            raise Unusable(f"<{name}/> is not known here")

    def _keys(self, account: Account, element: Tree, place: Place) -> None:
        try:
            hash, keys = content.keys(element)
        except Unusable as problem:
            raise MovingError(f"{place}: {problem}.") from None
        if hash in account.keys:
            raise MovingError(f"{place}: there are two pairs of keys for SCRAM-{hash}.")
        account.keys[hash] = keys

    def _vcard(self, account: Account, element: Tree) -> None:
        account.has_vcard = True
        picture = element.find(_PHOTO)
        if picture is not None and _picture(picture) is not None:
            account.photo = picture
        parts = [write_tree(one, ns.VCARD) for one in element if one is not account.photo]
        if account.draft is not None and (parts or account.photo is None):
            account.draft.vcard(el("vCard", *parts, xmlns=ns.VCARD))

    def _private(self, account: Account, element: Tree, uri: str, name: str) -> None:
        if not uri or uri in (ns.PRIVATE, ns.PIE):
            raise Unusable("private XML has a namespace of its own")
        if element.tag == _BOOKMARKS:
            account.rooms = element
        elif account.draft is not None:
            account.draft.private(Piece(uri, name, write_tree(element)))

    def _configuration(self, account: Account, element: Tree, name: str) -> None:
        node, draft = _checked_node(element.get("node", "")), account.draft
        if name == "configure":
            form = form_in(element)
            config = default(True, node)
            if form is not None:
                config = config.with_what_fits(form)
            if draft is not None:
                draft.configure(node, config)
        elif name == "affiliations":
            people = list(content.affiliations(element, node))
            if draft is not None:
                draft.affiliate(node, people)
        elif name == "subscriptions":
            subscribed = list(content.subscriptions(element, node))
            if draft is not None:
                draft.subscribe(node, subscribed)

    def _item(self, account: Account, part: Part) -> None:
        node, element = _checked_node(part.node), part.element
        id = element.get("id", "")
        if element.tag != f"{{{ns.PUBSUB}}}item" or not 0 < len(id.encode()) <= _MOST_NODE:
            raise Unusable("this is no item with an id")
        publisher = element.get("publisher")
        bare = content.address(publisher).bare if publisher else ""
        if account.draft is not None:
            payload = write_tree(element[0]) if len(element) else ""
            account.draft.item(node, NewItem(id, payload), bare)


def _checked_node(name: str) -> str:
    if not 0 < len(name.encode()) <= _MOST_NODE:
        raise Unusable("a node has no name, or one that is too long")
    return name


def _put_rooms(account: Account, draft: Draft) -> None:
    """Bookmarks are kept in two forms: what is missing of them is made of the other."""
    rooms = draft.items_of(ns.BOOKMARKS)
    lists = draft.items_of(ns.OLD_BOOKMARKS)
    old = account.rooms
    if lists and lists[-1].payload:
        old = parse_element(lists[-1].payload)
    if not rooms and old is not None:
        draft.configure(ns.BOOKMARKS, default(True, ns.BOOKMARKS))
        for item in converted(old):
            draft.item(ns.BOOKMARKS, item)
    if not lists and (rooms or old is not None):
        known = [(one.id, parse_element(one.payload)) for one in rooms if one.payload]
        text = old_form(known, old) if rooms else write_tree(cast(Tree, old))
        draft.configure(ns.OLD_BOOKMARKS, default(True, ns.OLD_BOOKMARKS))
        draft.item(ns.OLD_BOOKMARKS, NewItem("current", text))


def _put_vcard(account: Account, draft: Draft) -> None:
    """Of a server that has one of the newer kind alone."""
    newer = draft.items_of(ns.VCARD4_NODE)
    if not account.has_vcard and newer and newer[-1].payload:
        draft.vcard(in_old_form(parse_element(newer[-1].payload)))


def _put_photo(account: Account, draft: Draft) -> None:
    """The photo of a vCard is published for everybody, unless there is a picture already."""
    picture = None if account.photo is None else _picture(account.photo)
    if picture is None or draft.items_of(ns.AVATAR_METADATA):
        return
    info = el("info", bytes=str(picture.size), id=picture.id, type=picture.type)
    data = el("data", picture.text, xmlns=ns.AVATAR_DATA)
    metadata = el("metadata", info, xmlns=ns.AVATAR_METADATA)
    for name, payload in ((ns.AVATAR_DATA, data), (ns.AVATAR_METADATA, metadata)):
        everybody = default(True, name).changed | {"access_model": ["open"]}
        draft.configure(name, NodeConfig(True, everybody))
        draft.item(name, NewItem(picture.id, payload))


def _picture(photo: Tree) -> Picture | None:
    kind = (photo.findtext(f"{{{ns.VCARD}}}TYPE") or "").strip()
    binary = photo.findtext(f"{{{ns.VCARD}}}BINVAL") or ""
    return decoded(binary, kind if 0 < len(kind) <= 100 else "image/png")
