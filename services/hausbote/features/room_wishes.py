"""Of which messages of a room somebody wants to hear (XEP-0492): what they set in its bookmark.

Who set nothing wants to hear of everything in private groups, and elsewhere of what speaks to them.
The server wakes phones, so it reads what is said for a phone.
"""

from collections.abc import Callable
from enum import Enum, auto
from typing import Final, NamedTuple

from hausbote.base.jid import JID
from hausbote.core.directory import Account
from hausbote.core.feature import Feature
from hausbote.core.host import Host
from hausbote.core.session import Session
from hausbote.features.presence import address_in
from hausbote.xmpp import ns
from hausbote.xmpp.errors import StanzaError, StreamError
from hausbote.xmpp.mentions import Mentions
from hausbote.xmpp.stanza import Child, Stanza, start_tag
from hausbote.xmpp.unfold import text_of, unfold

feature = Feature("notification settings of rooms", xeps={"0492": "0.2.0", "0372": "0.5.0"})

_MAX_REMEMBERED: Final = 200  # rooms of an account
_MAX_PRIVATE: Final = 5_000


class Wish(Enum):
    NEVER = auto()
    MENTION = auto()
    ALWAYS = auto()


_WISHES: Final = {"never": Wish.NEVER, "on-mention": Wish.MENTION, "always": Wish.ALWAYS}


class _Bookmark(NamedTuple):
    wish: Wish | None = None
    nick: str = ""


class _Bookmarks:
    """Those of an account that were looked at, by room."""

    __slots__ = ("by_room",)

    def __init__(self) -> None:
        self.by_room: dict[str, _Bookmark] = {}


class Private:
    """Rooms of the box that are known to be private groups, because they told of a message."""

    def __init__(self) -> None:
        self.rooms: dict[str, None] = {}

    def note(self, room: str) -> None:
        if room not in self.rooms and len(self.rooms) >= _MAX_PRIVATE:
            del self.rooms[next(iter(self.rooms))]
        self.rooms[room] = None


@feature.follows(ns.BOOKMARKS, ns.OLD_BOOKMARKS)
def changed(host: Host, local: str, _later: list[Callable[[], None]]) -> None:
    """Read them again when they are needed."""
    host.directory.account(local).state(_Bookmarks).by_room.clear()


def wanted(
    host: Host, account: Account, message: Stanza, nicks: list[str], *, mentioned: bool
) -> bool:
    """Whether somebody with these nicks wants to hear of a message in a private group; what is
    encrypted may speak to anybody."""
    room = JID.parse(message.attrs["from"]).bare
    bookmark = _bookmark(host, account, room)
    if bookmark.wish is not Wish.MENTION:
        return bookmark.wish is not Wish.NEVER
    return mentioned or _speaks_to(host, account, message, room, [*nicks, bookmark.nick])


def wanted_inside(host: Host, session: Session, message: Stanza) -> bool:
    """The same of a client that is in whatever room."""
    sender, account = JID.parse(message.attrs["from"]), session.account
    room, own = sender.bare, address_in(session, sender.bare)
    if own == sender.full or message.child(ns.DELAY, "delay") is not None:
        return False  # their own words, or what was said before they came
    bookmark = _bookmark(host, account, room)
    default = Wish.ALWAYS if room in host.state(Private).rooms else Wish.MENTION
    wish = bookmark.wish or default
    if wish is not Wish.MENTION:
        return wish is Wish.ALWAYS
    nick = "" if own is None else own.partition("/")[2]
    return _speaks_to(host, account, message, room, [nick, bookmark.nick])


def _speaks_to(host: Host, account: Account, message: Stanza, room: str, nicks: list[str]) -> bool:
    mentions = Mentions(message)
    return mentions.sealed or mentions.of(f"{account.local}@{host.domain}", room, nicks)


# -- bookmarks ---------------------------------------------------------------------------------


def _bookmark(host: Host, account: Account, room: str) -> _Bookmark:
    known = account.state(_Bookmarks).by_room
    found = known.get(room)
    if found is None:
        if len(known) >= _MAX_REMEMBERED:
            known.clear()
        found = known[room] = _read(host, account.local, room)
    return found


def _read(host: Host, local: str, room: str) -> _Bookmark:
    node = host.store.pubsub.node(local, ns.BOOKMARKS)
    items = [] if node is None else host.store.pubsub.items(node.id, [room])
    if not items or not items[0].payload:
        return _Bookmark()
    try:
        conference = unfold(Child(ns.BOOKMARKS, "conference", items[0].payload))
        nick = conference.child(ns.BOOKMARKS, "nick")
        extensions = conference.child(ns.BOOKMARKS, "extensions")
        notify = None
        if extensions is not None:
            notify = unfold(extensions).child(ns.NOTIFICATION_SETTINGS, "notify")
        wish = None if notify is None else _for_phones(unfold(notify).children)
    except (StanzaError, StreamError):
        return _Bookmark()
    return _Bookmark(wish, "" if nick is None else text_of(nick))


def _for_phones(settings: tuple[Child, ...]) -> Wish | None:
    """The one that is most specific to a phone (§4)."""
    by_identity: dict[tuple[str, str], Wish] = {}
    for one in settings:
        if one.ns == ns.NOTIFICATION_SETTINGS and one.name in _WISHES:
            said = start_tag(one)
            identity = said.get("identity-category", ""), said.get("identity-type", "")
            by_identity.setdefault(identity, _WISHES[one.name])
    for identity in (("client", "phone"), ("client", ""), ("", "")):
        if identity in by_identity:
            return by_identity[identity]
    return None
