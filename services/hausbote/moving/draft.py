"""An account that is being imported: what comes for it is written as it comes, in portions, under a
name that nobody sees (`storage.moves`), until all of it is there."""

import time
from collections.abc import Iterable
from typing import Any, Final

from hausbote.base.jid import JID
from hausbote.base.moment_ids import MICROSECONDS
from hausbote.base.settings import Settings
from hausbote.features.archive.ids import sealer
from hausbote.features.pubsub.config import NodeConfig, default
from hausbote.moving.content import Kept, seconds, without_id
from hausbote.moving.files import MovingError
from hausbote.storage import (
    Affiliation,
    Item,
    Keys,
    Limits,
    NewItem,
    NewNode,
    Piece,
    Preferences,
    RosterItem,
    Store,
    Subscription,
    Ticket,
)
from hausbote.xmpp import ns
from hausbote.xmpp.stanza import Child, Stanza
from hausbote.xmpp.xml import el

_AT_ONCE: Final = 500  # messages or contacts that are written together
_ITEMS_AT_ONCE: Final = 50
_BYTES_AT_ONCE: Final = 1_048_576
# A running service makes ids of archives from the present on: what is imported stays behind it.
_MARGIN: Final = 60 * MICROSECONDS


class Draft:
    """One account; nothing of it is there for others before `finish`."""

    def __init__(self, store: Store, settings: Settings, own: JID) -> None:
        self._store = store
        self._settings = settings
        self._own = own
        self._seal = sealer(store)
        self.name = store.moves.begin(own.local)
        self._contacts: list[RosterItem] = []
        self._tickets: list[Ticket[Any]] = []
        self._size = 0  # of what waits for the disk
        self._ids: set[int] = set()  # of messages among that
        self._told = self._last = 0  # the latest message's time as it was told, and its id
        self._offline: list[Kept] = []
        self._wanted: dict[str, int] = {}  # ids of offline messages, and what they are now
        self._node = ""
        self._items: list[NewItem] = []
        self._publisher = own.bare

    # -- contacts ------------------------------------------------------------------------------

    def contact(self, item: RosterItem) -> None:
        self._contacts.append(item)
        if len(self._contacts) >= _AT_ONCE:
            self._put_contacts()

    def _put_contacts(self) -> None:
        if self._contacts:
            self._store.rosters.put_all(self.name, self._contacts)
            self._contacts = []

    def request(self, presence: Stanza) -> None:
        sender = presence.attrs["from"]
        self._store.rosters.add_request(self.name, sender, presence.pack(), time.time())

    def block(self, jids: list[str]) -> None:
        self._store.blocklists.add(self.name, jids, 0)

    # -- messages ------------------------------------------------------------------------------

    def archived(self, kept: Kept) -> None:
        """A message of the archive; it keeps its time, or the next that no other has."""
        newest = int(time.time() * MICROSECONDS) - _MARGIN
        id = self._last + 1 if kept.at == self._told else min(kept.at, newest)
        while id in self._ids or self._store.archives.is_taken(id):
            id += 1
        self._told, self._last = kept.at, id
        self._ids.add(id)
        if kept.id in self._wanted:
            self._wanted[kept.id] = id
        message = without_id(kept.message, self._own)
        wire = message.wire()
        sender, to = JID.parse(message.attrs["from"]), JID.parse(message.attrs["to"])
        peer = to.bare if sender.bare == self._own.bare else sender.bare
        self._tickets.append(self._store.archives.keep(id, wire, [(self.name, peer)]))
        self._grow(len(wire))

    def offline(self, kept: Kept) -> None:
        """It is written at the end, with the id that it has in the archive by then."""
        self._offline.append(kept)
        if kept.id:
            self._wanted[kept.id] = 0

    def preferences(self, wanted: Preferences) -> None:
        self._store.archiving.set_preferences(self.name, wanted)

    def _put_offline(self) -> None:
        for kept in self._offline:
            message = kept.message
            id = self._wanted.get(kept.id, 0)
            if id:
                message = message.with_children((*message.children, self._stanza_id(id)))
            at = seconds(kept.at) if kept.at else time.time()
            packed = message.pack()
            self._tickets.append(self._store.offline.keep(self.name, packed, at, 0))
            self._grow(len(packed))
        self._offline = []

    def _stanza_id(self, id: int) -> Child:
        sealed = self._seal(self._own.local, [id])[0]
        xml = el("stanza-id", xmlns=ns.STANZA_ID, by=self._own.bare, id=sealed)
        return Child(ns.STANZA_ID, "stanza-id", xml)

    def _grow(self, size: int) -> None:
        """What is not on the disk yet is in memory."""
        self._size += size
        if len(self._tickets) >= _AT_ONCE or self._size >= _BYTES_AT_ONCE:
            self._settle()

    def _settle(self) -> None:
        for ticket in self._tickets:
            ticket.wait()
        self._tickets, self._size = [], 0
        self._ids.clear()
        if self._store.reserve.is_low:
            raise MovingError("The disk is nearly full: 'hausbote purge' tells what could go.")

    # -- nodes ---------------------------------------------------------------------------------

    def configure(self, name: str, config: NodeConfig) -> None:
        self._put_items()
        node = self._store.pubsub.node(self.name, name)
        if node is None:
            self._store.pubsub.create(self._new(name, config)).wait()
        else:
            keep = config.max_items(self._settings.limits.pubsub_items) or -1
            self._store.pubsub.configure(node.id, config.changed, keep).wait()

    def affiliate(self, name: str, people: Iterable[Affiliation]) -> None:
        node = self._store.pubsub.node(self.name, name)
        changes = {
            one.jid: (one.affiliation, self._local(one.jid))
            for one in people
            if one.jid != self._own.bare
        }
        if node is not None and changes:
            self._store.pubsub.people.affiliate(node.id, changes).wait()

    def subscribe(self, name: str, people: Iterable[Subscription]) -> None:
        node = self._store.pubsub.node(self.name, name)
        for number, one in enumerate(people):
            if node is not None:
                bare = JID.parse(one.jid).bare
                subid, local = one.subid or f"moved-{number}", self._local(bare)
                self._store.pubsub.people.subscribe(
                    node.id, one.jid, bare, subid, one.state, local, 0
                ).wait()

    def item(self, name: str, item: NewItem, publisher: str = "") -> None:
        """One more item of a node, newer than those before."""
        publisher = publisher or self._own.bare
        if (name, publisher) != (self._node, self._publisher):
            self._put_items()
            self._node, self._publisher = name, publisher
        self._items.append(item)
        self._size += len(item.payload)
        if len(self._items) >= _ITEMS_AT_ONCE or self._size >= _BYTES_AT_ONCE:
            self._put_items()

    def items_of(self, name: str) -> list[Item]:
        """What has come for a node so far, the oldest first."""
        self._put_items()
        node = self._store.pubsub.node(self.name, name)
        return [] if node is None else self._store.pubsub.newest(node.id, -1)

    def _put_items(self) -> None:
        items, self._items = self._items, []
        if not items:
            return
        node = self._store.pubsub.node(self.name, self._node)
        config = default(True, self._node) if node is None else NodeConfig(True, node.config)
        target = self._new(self._node, config) if node is None else node.id
        keep = Limits(config.max_items(self._settings.limits.pubsub_items))
        self._store.pubsub.publish(target, items, self._publisher, time.time(), keep).wait()

    def _new(self, name: str, config: NodeConfig) -> NewNode:
        return NewNode(self.name, name, self.name, self._own.bare, time.time(), config.changed)

    def _local(self, jid: str) -> str:
        """Of a person of the box."""
        parsed = JID.parse(jid)
        return parsed.local if parsed.domain == self._own.domain else ""

    # -- what is of the account alone ----------------------------------------------------------

    def private(self, piece: Piece) -> None:
        self._store.private.put(self.name, [piece], 0, 0).wait()

    def vcard(self, xml: str) -> None:
        self._store.vcards.put(self.name, xml).wait()

    def finish(
        self, keys: Keys, *, locked: bool = False, admin: bool = False, created: int = 0
    ) -> bool:
        """The account is there for everybody now, all of it; False if somebody has made one of that
        name meanwhile."""
        self._put_contacts()
        self._put_items()
        self._put_offline()
        self._settle()
        self._store.archives.sort_in()
        return self._store.moves.finish(
            self._own.local, keys, locked=locked, admin=admin, created=created
        )
