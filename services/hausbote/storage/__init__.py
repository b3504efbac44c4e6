"""What survives a restart: one SQLite file, one writer, one class per kind of thing kept.

Nothing of the database leaves this package: callers speak of accounts, rosters and messages.
"""

from hausbote.storage.abuse_reports import AbuseReport
from hausbote.storage.account_events import AccountEvent, EventKind
from hausbote.storage.accounts import Account, AccountExists, Keys
from hausbote.storage.archives import Archived
from hausbote.storage.archiving import Preferences
from hausbote.storage.before_upgrade import (
    copies_by_version,
    copy_of,
    forget_copy,
    keep_copy,
    keep_what_is_new,
    last_copy,
    put_back,
    undone_of,
    version_in,
)
from hausbote.storage.bounds import Bounds, bounds_of
from hausbote.storage.circles import Circle
from hausbote.storage.clients import Client, Revoked
from hausbote.storage.database import path_of
from hausbote.storage.destroyed_rooms import DestroyedRoom
from hausbote.storage.errors import StorageError
from hausbote.storage.invitation import (
    MOST_DAYS,
    MOST_NOTE,
    MOST_TIMES,
    Invitation,
    InvitationRefused,
    Joined,
    Kind,
    Role,
    State,
    Why,
)
from hausbote.storage.migrating import migrate, schema_version
from hausbote.storage.migrations import NEWEST
from hausbote.storage.notices import MOTD
from hausbote.storage.offline import OfflineMessage
from hausbote.storage.outgoing import Kept, Outgoing, Returned, Room, Waiting
from hausbote.storage.peers import Certificate, Peer
from hausbote.storage.private import Piece
from hausbote.storage.pubsub import (
    Item,
    Limits,
    NewItem,
    NewNode,
    Node,
    Outcome,
    Published,
)
from hausbote.storage.pubsub_people import Affiliation, People, Subscription
from hausbote.storage.pushes import PushService
from hausbote.storage.ranges import Portion, Range
from hausbote.storage.reserve import Reserve, make_way, spare_in
from hausbote.storage.room_list import ListedRoom
from hausbote.storage.rooms import (
    PublicRoom,
    RoomMessage,
    StoredAffiliation,
    StoredOccupant,
    StoredRoom,
)
from hausbote.storage.rosters import Removed, Request, Roster, RosterItem
from hausbote.storage.server_rules import MOST_RULES, ServerRule
from hausbote.storage.snapshot import (
    Copy,
    StoredFile,
    copy_database,
    copy_small_database,
    go_on_from,
)
from hausbote.storage.soundness import all_damage, quick_damage
from hausbote.storage.store import Store, open_store
from hausbote.storage.ticket import Ticket
from hausbote.storage.tokens import CURRENT, ENDED, NEW, Token
from hausbote.storage.uploads import Upload, Usage
from hausbote.storage.usage import AccountUsage, RoomUsage
from hausbote.storage.vacuum import shrink
from hausbote.storage.web_logins import WebLogin

__all__ = [
    "CURRENT",
    "ENDED",
    "MOST_DAYS",
    "MOST_NOTE",
    "MOST_RULES",
    "MOST_TIMES",
    "MOTD",
    "NEW",
    "NEWEST",
    "AbuseReport",
    "Account",
    "AccountEvent",
    "AccountExists",
    "AccountUsage",
    "Affiliation",
    "Archived",
    "Bounds",
    "Certificate",
    "Circle",
    "Client",
    "Copy",
    "DestroyedRoom",
    "EventKind",
    "Invitation",
    "InvitationRefused",
    "Item",
    "Joined",
    "Kept",
    "Keys",
    "Kind",
    "Limits",
    "ListedRoom",
    "NewItem",
    "NewNode",
    "Node",
    "OfflineMessage",
    "Outcome",
    "Outgoing",
    "Peer",
    "People",
    "Piece",
    "Portion",
    "Preferences",
    "PublicRoom",
    "Published",
    "PushService",
    "Range",
    "Removed",
    "Request",
    "Reserve",
    "Returned",
    "Revoked",
    "Role",
    "Room",
    "RoomMessage",
    "RoomUsage",
    "Roster",
    "RosterItem",
    "ServerRule",
    "State",
    "StorageError",
    "Store",
    "StoredAffiliation",
    "StoredFile",
    "StoredOccupant",
    "StoredRoom",
    "Subscription",
    "Ticket",
    "Token",
    "Upload",
    "Usage",
    "Waiting",
    "WebLogin",
    "Why",
    "all_damage",
    "bounds_of",
    "copies_by_version",
    "copy_database",
    "copy_of",
    "copy_small_database",
    "forget_copy",
    "go_on_from",
    "keep_copy",
    "keep_what_is_new",
    "last_copy",
    "make_way",
    "migrate",
    "open_store",
    "path_of",
    "put_back",
    "quick_damage",
    "schema_version",
    "shrink",
    "spare_in",
    "undone_of",
    "version_in",
]
