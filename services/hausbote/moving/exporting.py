"""Exports accounts by XEP-0227, as text in pieces whose size does not grow with an archive."""

from collections.abc import Iterator, Sequence
from typing import Final

from hausbote.base.clock import exact_timestamp, timestamp
from hausbote.base.moment_ids import MICROSECONDS
from hausbote.base.settings import Settings
from hausbote.features.archive.ids import sealer
from hausbote.features.avatars import in_vcard, published
from hausbote.features.bookmarks import old_form
from hausbote.features.contacts import contact_markup
from hausbote.features.pubsub.config import NodeConfig
from hausbote.storage import (
    Account,
    AccountEvent,
    Item,
    Node,
    Preferences,
    Range,
    RosterItem,
    Store,
)
from hausbote.xmpp import ns
from hausbote.xmpp.sasl import ScramKeys, encode
from hausbote.xmpp.soundness import is_sound, is_sound_packed
from hausbote.xmpp.stanza import Child, Stanza, tree
from hausbote.xmpp.xml import Markup, Tree, el, escape_attribute, write_tree

_MESSAGES_AT_ONCE: Final = 500
_BYTES_AT_ONCE: Final = 1_048_576
_ITEMS_AT_ONCE: Final = 50
_MESSAGE: Final = b"<message"
_FIRST: Final = "<?xml version='1.0' encoding='UTF-8'?>\n"


def export(settings: Settings, store: Store, accounts: Sequence[Account]) -> Iterator[str]:
    """The whole file, in pieces; an account ends with a piece."""
    domain = escape_attribute(settings.domain)
    yield f"{_FIRST}<server-data xmlns='{ns.PIE}'>\n<host jid='{domain}'>\n"
    for account in accounts:
        yield from _Export(settings.domain, store, account).all()
    yield "</host>\n</server-data>\n"


class _Export:
    """One account."""

    def __init__(self, domain: str, store: Store, account: Account) -> None:
        self._store = store
        self._account = account
        self._local = account.local
        self._own = f"{account.local}@{domain}"
        self._domain = domain
        self._seal = sealer(store)
        self._nodes = store.pubsub.nodes(account.local)

    def all(self) -> Iterator[str]:
        yield f"<user name='{escape_attribute(self._local)}'>\n"
        for part in self._small_parts():
            yield f"{part}\n"
        yield from self._items()
        yield from self._offline()
        yield from self._archive()
        yield "</user>\n"

    def _small_parts(self) -> Iterator[Markup]:
        yield _said(self._account)
        for hash, keys in self._store.accounts.all_keys(self._local).items():
            yield _keys(hash, keys)
        items = self._store.rosters.load(self._local).items.values()
        yield el("query", *map(_contact, items), xmlns=ns.ROSTER)
        for request in self._store.rosters.requests(self._local):
            if is_sound_packed(request.stanza):
                yield Stanza.unpack(request.stanza).standalone()
        yield from self._vcard()
        yield from self._private()
        yield from _blocked(self._store.blocklists.load(self._local))
        preferences = self._store.archiving.preferences(self._local)
        if preferences != Preferences():
            yield _preferences(preferences)
        yield from _events(self._store.account_events.of(self._local))
        if self._nodes:
            yield el("pubsub", *self._configurations(), xmlns=ns.PUBSUB_OWNER)

    # -- what people say of themselves, and keep for themselves --------------------------------

    def _vcard(self) -> Iterator[Markup]:
        """With the picture, which is published and nothing else here."""
        kept = self._store.vcards.get(self._local)
        parts = list(_parsed(kept)) if kept is not None and is_sound(kept) else []
        picture = published(self._store, self._local)
        photo = None if picture is None else in_vcard(picture)
        if kept is None and photo is None:
            return
        shown = [
            write_tree(one, ns.VCARD)
            for one in parts
            if photo is None or one.tag != f"{{{ns.VCARD}}}PHOTO"
        ]
        yield el("vCard", *shown, photo, xmlns=ns.VCARD)

    def _private(self) -> Iterator[Markup]:
        """With the bookmarks in the form that other servers know."""
        pieces = [Markup(p.xml) for p in self._store.private.all(self._local) if is_sound(p.xml)]
        rooms = self._bookmarks()
        if rooms is not None:
            pieces.append(rooms)
        if pieces:
            yield el("query", *pieces, xmlns=ns.PRIVATE)

    def _bookmarks(self) -> Markup | None:
        rooms = self._newest(ns.BOOKMARKS, -1)
        lists = self._newest(ns.OLD_BOOKMARKS, 1)
        old = _parsed(lists[0].payload) if lists and lists[0].payload else None
        if not rooms and old is None:
            return None
        return old_form([(one.id, _parsed(one.payload)) for one in rooms if one.payload], old)

    def _newest(self, name: str, count: int) -> list[Item]:
        node = next((node for node in self._nodes if node.name == name), None)
        return [] if node is None else self._store.pubsub.newest(node.id, count)

    # -- nodes ---------------------------------------------------------------------------------

    def _configurations(self) -> Iterator[Markup]:
        people = self._store.pubsub.people
        for node in self._nodes:
            yield el("configure", NodeConfig(True, node.config).plain_form(), node=node.name)
            others = {j: a for j, a in people.affiliations(node.id).items() if j != self._own}
            if others:
                rows = [
                    el("affiliation", jid=jid, affiliation=what) for jid, what in others.items()
                ]
                yield el("affiliations", *rows, node=node.name)
            subscribed = [
                el("subscription", jid=one.jid, subid=one.subid, subscription=one.state)
                for one in people.subscriptions(node.id)
            ]
            if subscribed:
                yield el("subscriptions", *subscribed, node=node.name)

    def _items(self) -> Iterator[str]:
        if not self._nodes:
            return
        yield f"<pubsub xmlns='{ns.PUBSUB}'>\n"
        for node in self._nodes:
            yield f"<items node='{escape_attribute(node.name)}'>\n"
            yield from self._items_of(node)
            yield "</items>\n"
        yield "</pubsub>\n"

    def _items_of(self, node: Node) -> Iterator[str]:
        """The oldest first: that is the order in which they were published."""
        ids = self._store.pubsub.ids(node.id)
        for at in range(0, len(ids), _ITEMS_AT_ONCE):
            for item in self._store.pubsub.items(node.id, ids[at : at + _ITEMS_AT_ONCE]):
                publisher = item.publisher if item.publisher != self._own else None
                payload = Markup(item.payload) if item.payload else None
                yield f"{el('item', payload, id=item.id, publisher=publisher)}\n"

    # -- messages ------------------------------------------------------------------------------

    def _offline(self) -> Iterator[str]:
        kept = self._store.offline.pending(self._local)
        sound = [message for message in kept if is_sound_packed(message.stanza)]
        if not sound:
            return
        yield "<offline-messages>\n"
        for message in sound:
            stamp = exact_timestamp(round(message.at * MICROSECONDS))
            delay = el("delay", xmlns=ns.DELAY, from_=self._domain, stamp=stamp)
            stanza = Stanza.unpack(message.stanza)
            children = (Child(ns.DELAY, "delay", delay), *stanza.children)
            yield f"{stanza.with_children(children).standalone()}\n"
        yield "</offline-messages>\n"

    def _archive(self) -> Iterator[str]:
        archives, last = self._store.archives, 0
        if archives.ends(self._local) is None:
            return
        yield f"<archive xmlns='{ns.PIE_ARCHIVE}'>\n"
        while page := archives.page(
            self._local, Range(after=last), _MESSAGES_AT_ONCE, size=_BYTES_AT_ONCE
        ):
            sealed = self._seal(self._local, [message.id for message in page])
            for id, message in zip(sealed, page, strict=True):
                if is_sound(message.stanza):
                    yield f"{_result(id, exact_timestamp(message.id), message.stanza)}\n"
            last = page[-1].id
        yield "</archive>\n"


def _said(account: Account) -> Markup:
    """What only Hausbote knows of an account."""
    return el(
        "account",
        xmlns=ns.PIE_ACCOUNT,
        created=str(account.created),
        admin="true" if account.admin else None,
        locked="true" if account.locked else None,
    )


def _events(events: list[AccountEvent]) -> Iterator[Markup]:
    """What happened to the account here, which no other server takes over."""
    if events:
        rows = [
            el("event", one.told or None, kind=one.kind, at=timestamp(one.at), count=str(one.times))
            for one in events
        ]
        yield el("events", *rows, xmlns=ns.PIE_ACCOUNT)


def _keys(hash: str, keys: ScramKeys) -> Markup:
    return el(
        "scram-credentials",
        el("iter-count", str(keys.iterations)),
        el("salt", encode(keys.salt)),
        el("server-key", encode(keys.server_key)),
        el("stored-key", encode(keys.stored_key)),
        xmlns=ns.PIE_SCRAM,
        mechanism=f"SCRAM-{hash}",
    )


def _contact(item: RosterItem) -> Markup:
    written = contact_markup(item)
    if item.listed:
        return written
    hidden = f"<item xmlns:own='{ns.PIE_ACCOUNT}' own:listed='false'"
    return Markup(hidden + written.removeprefix("<item"))


def _blocked(jids: list[str]) -> Iterator[Markup]:
    """As a privacy list (XEP-0016), which is what XEP-0227 has for it."""
    if jids:
        items = [
            el("item", type="jid", value=jid, action="deny", order=str(number))
            for number, jid in enumerate(jids, 1)
        ]
        name = "blocked"
        lists = el("list", *items, name=name)
        yield el("query", el("default", name=name), lists, xmlns=ns.PRIVACY)


def _preferences(preferences: Preferences) -> Markup:
    lists = [
        el(name, *[el("jid", jid) for jid in jids])
        for name, jids in (("always", preferences.always), ("never", preferences.never))
    ]
    return el("prefs", *lists, xmlns=ns.MAM, default=preferences.fallback)


def _result(id: str, stamp: str, message: bytes) -> Markup:
    """A message of the archive; `message` is as it goes over the wire, in the content namespace."""
    own = Markup(message.replace(_MESSAGE, b"<message xmlns='jabber:client'", 1).decode())
    delay = el("delay", xmlns=ns.DELAY, stamp=stamp)
    return el("result", el("forwarded", delay, own, xmlns=ns.FORWARD), xmlns=ns.MAM, id=id)


def _parsed(xml: str) -> Tree:
    return tree(Child("", "", xml))
