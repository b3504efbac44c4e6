"""An account's roster in memory, for as long as the account is in use.

Everyone who changes a roster does it here, holding the account's lock: the change goes to disk,
then to what is in memory, then to the clients that asked to be told (RFC 6121 §2.1.6).
"""

from typing import NamedTuple

from hausbote.base.jid import JID
from hausbote.base.tokens import token
from hausbote.core.directory import Account
from hausbote.core.host import Host
from hausbote.core.session import Session
from hausbote.core.space import need_space
from hausbote.storage import Removed, RosterItem
from hausbote.xmpp import ns
from hausbote.xmpp.errors import ResourceConstraint
from hausbote.xmpp.stanza import Child, child, stanza
from hausbote.xmpp.xml import Markup, el, escape_attribute


class Interest:
    """Whether a session asked for its roster, and so is told of changes."""

    __slots__ = ("roster",)

    def __init__(self) -> None:
        self.roster = False


class Subscriber(NamedTuple):
    """Someone who gets an account's presence; `local` is "" for people elsewhere."""

    jid: str
    local: str
    to: bytes  # the JID as it stands in a to attribute


class Contacts:
    """Loaded by `contacts_of` and never made by hand."""

    __slots__ = ("_subscribers", "items", "loaded", "version")

    def __init__(self) -> None:
        self.loaded = False
        self.version = 0
        self.items: dict[str, RosterItem] = {}
        self._subscribers: list[Subscriber] | None = None

    def load(self, host: Host, local: str) -> None:
        roster = host.store.rosters.load(local)
        self.version, self.items = roster.version, roster.items
        self.loaded = True

    def get(self, jid: str) -> RosterItem:
        """The contact, or what is true of somebody who is none."""
        return self.items.get(jid) or RosterItem(jid, listed=False)

    def subscribers(self, domain: str) -> list[Subscriber]:
        """Contacts that may see the account's presence."""
        if self._subscribers is None:
            self._subscribers = [
                _subscriber(item.jid, domain) for item in self.items.values() if may_see(item)
            ]
        return self._subscribers

    def clear(self) -> None:
        """The account was deleted: nobody is to hear of it any more."""
        self.items = {}
        self._subscribers = None

    def changed(self, version: int) -> None:
        self.version = version
        self._subscribers = None


def contacts_of(host: Host, account: Account) -> Contacts:
    """The account's contacts, read from the store at first use."""
    contacts = account.state(Contacts)
    if not contacts.loaded:
        contacts.load(host, account.local)
    return contacts


def may_see(item: RosterItem) -> bool:
    """Whether the contact gets our presence."""
    return item.subscription in ("from", "both")


def sees(item: RosterItem) -> bool:
    """Whether we get the contact's presence."""
    return item.subscription in ("to", "both")


def is_subscribed(host: Host, local: str, who: JID) -> bool:
    """Whether `who` may see the presence of an account of ours, or is that account."""
    if who.local == local and who.domain == host.domain:
        return True
    account = host.directory.account(local)
    return may_see(contacts_of(host, account).get(who.bare))


def put(host: Host, account: Account, item: RosterItem) -> None:
    """Add or replace a contact; ResourceConstraint if the roster or the disk is full.

    The account's lock must be held.
    """
    contacts = contacts_of(host, account)
    known = item.jid in contacts.items
    if not known and is_full(host, account):
        limit = host.settings.limits.roster_items
        raise ResourceConstraint(f"a roster may have {limit} contacts")
    if not (item.listed or item.approved):
        if known:
            remove(host, account, item.jid)
        return
    if not known:
        need_space(host)
    note(host, account, item, host.store.rosters.put(account.local, item))


def is_full(host: Host, account: Account) -> bool:
    """Whether the roster has no room for another contact."""
    return 0 < host.settings.limits.roster_items <= len(contacts_of(host, account).items)


def note(host: Host, account: Account, item: RosterItem, version: int) -> None:
    """The store has this contact now; the account's lock must be held."""
    contacts = contacts_of(host, account)
    contacts.items[item.jid] = item
    contacts.changed(version)
    if item.listed:
        push(account, item, version)


def remove(host: Host, account: Account, jid: str) -> None:
    """Remove a contact; the account's lock must be held."""
    contacts = contacts_of(host, account)
    version = host.store.rosters.remove(account.local, jid)
    contacts.items.pop(jid, None)
    contacts.changed(version)
    push(account, Removed(jid), version)


def forget_person(host: Host, jid: str) -> None:
    """A local account was deleted; the store knows already that nobody is subscribed to it."""
    for account in host.directory.in_use():
        contacts = account.state(Contacts)
        if contacts.loaded and jid in contacts.items:
            with account.lock:
                contacts.load(host, account.local)
                contacts.changed(contacts.version)
                if jid in contacts.items:
                    push(account, contacts.items[jid], contacts.version)


def push(account: Account, item: RosterItem | Removed, version: int) -> None:
    """Tell every interested client of a change."""
    payload = roster_payload([item], version)
    for session in interested(account):
        session.send(stanza("iq", payload, type="set", id=token(64), to=session.jid.full))


def interested(account: Account) -> list[Session]:
    """The sessions that asked for the roster."""
    return [s for s in account.sessions.values() if s.state(Interest).roster]


def roster_payload(items: "list[RosterItem | Removed]", version: int) -> Child:
    """<query xmlns='jabber:iq:roster'/> with items and version."""
    return child(ns.ROSTER, "query", *[_markup(item) for item in items], ver=str(version))


def _markup(item: RosterItem | Removed) -> Markup:
    if isinstance(item, Removed):
        return el("item", jid=item.jid, subscription="remove")
    return contact_markup(item)


def contact_markup(item: RosterItem) -> Markup:
    """<item/> of a roster (RFC 6121 §2.1.2)."""
    return el(
        "item",
        *[el("group", group) for group in item.groups],
        jid=item.jid,
        name=item.name or None,
        subscription=item.subscription,
        ask="subscribe" if item.ask else None,
        approved="true" if item.approved else None,
    )


def _subscriber(jid: str, domain: str) -> Subscriber:
    parsed = JID.parse(jid)
    local = parsed.local if parsed.domain == domain else ""
    return Subscriber(jid, local, escape_attribute(jid).encode())
