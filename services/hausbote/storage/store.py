"""The open store: a connection to read, a writer, and one object per kind of thing kept."""

import secrets
import time
from collections.abc import Callable

from hausbote.storage.abuse_reports import AbuseReports
from hausbote.storage.account_events import AccountEvents
from hausbote.storage.accounts import Accounts
from hausbote.storage.activity import LastActivity
from hausbote.storage.archives import Archives
from hausbote.storage.archiving import Archiving
from hausbote.storage.arrivals import Arrivals
from hausbote.storage.blocklists import BlockLists
from hausbote.storage.bounds import Bounds
from hausbote.storage.circles import Circles
from hausbote.storage.clients import Clients
from hausbote.storage.database import connect, path_of
from hausbote.storage.destroyed_rooms import DestroyedRooms
from hausbote.storage.errors import StorageError
from hausbote.storage.invitations import Invitations
from hausbote.storage.migrating import schema_version
from hausbote.storage.migrations import NEWEST
from hausbote.storage.moves import Moves
from hausbote.storage.notices import Notices
from hausbote.storage.offline import OfflineMessages
from hausbote.storage.outgoing import OutgoingQueue
from hausbote.storage.peers import Peers
from hausbote.storage.private import PrivateStorage
from hausbote.storage.pubsub import Pubsub
from hausbote.storage.pushes import Pushes
from hausbote.storage.reserve import Reserve, make_way, spare_bytes
from hausbote.storage.room_list import RoomList
from hausbote.storage.rooms import Rooms
from hausbote.storage.rosters import Rosters
from hausbote.storage.server_rules import ServerRules
from hausbote.storage.sessions import Sessions
from hausbote.storage.ticket import ThreadRoom, WaitingRoom
from hausbote.storage.tokens import Tokens
from hausbote.storage.uploads import Uploads
from hausbote.storage.usage import Usages
from hausbote.storage.vcards import Vcards
from hausbote.storage.web_logins import WebLogins
from hausbote.storage.writer import Writer


class Store:
    """Everything of one box that lasts; opened with `open_store`."""

    def __init__(
        self, url: str, room: WaitingRoom, bounds: Bounds, clock: Callable[[], float]
    ) -> None:
        path = path_of(url)
        self._reader = connect(path)
        self.reserve = Reserve(path, bounds.reserve, lambda: spare_bytes(self._reader.connection()))
        self._writer = Writer(connect(path), room, self.reserve.give_up)
        self.accounts = Accounts(self._reader, self._writer)
        self.account_events = AccountEvents(self._reader, self._writer)
        self.moves = Moves(self._reader, self._writer, self.accounts)
        self.rosters = Rosters(self._reader, self._writer)
        self.offline = OfflineMessages(self._reader, self._writer)
        self.archives = Archives(self._reader, self._writer, clock, bounds.archive_bytes)
        self.arrivals = Arrivals(self._reader, self._writer)
        self.archiving = Archiving(self._reader, self._writer)
        self.activity = LastActivity(self._reader, self._writer)
        self.blocklists = BlockLists(self._reader, self._writer)
        self.abuse_reports = AbuseReports(self._reader, self._writer)
        self.pushes = Pushes(self._reader, self._writer)
        self.notices = Notices(self._reader, self._writer)
        self.clients = Clients(self._reader, self._writer)
        self.tokens = Tokens(self._reader, self._writer)
        self.web_logins = WebLogins(self._reader, self._writer)
        self.pubsub = Pubsub(self._reader, self._writer)
        self.private = PrivateStorage(self._reader, self._writer)
        self.vcards = Vcards(self._reader, self._writer)
        self.outgoing = OutgoingQueue(self._reader, self._writer)
        self.peers = Peers(self._reader, self._writer)
        self.server_rules = ServerRules(self._reader, self._writer)
        self.destroyed_rooms = DestroyedRooms(self._reader, self._writer)
        self.rooms = Rooms(self._reader, self._writer, bounds.room_bytes)
        self.room_list = RoomList(self._reader, self._writer)
        self.circles = Circles(self._reader, self._writer)
        self.invitations = Invitations(self._reader, self._writer)
        self.sessions = Sessions(self._reader, self._writer)
        self.uploads = Uploads(self._reader, self._writer)
        self.usage = Usages(self._reader, self._writer, self.archives)

    @property
    def failed_at(self) -> float:
        """When writing began to fail, in seconds since 1970; 0 if the last write succeeded."""
        return self._writer.failed_at

    def secret(self, name: str) -> bytes:
        """32 random bytes, the same ones for ever and for every process."""
        select = "SELECT value FROM secret WHERE name = ?"
        row = self._reader.execute_sql(select, (name,)).fetchone()
        if row is None:
            insert = "INSERT OR IGNORE INTO secret (name, value) VALUES (?, ?)"
            self._writer.insert(insert, (name, secrets.token_bytes(32))).wait()
            row = self._reader.execute_sql(select, (name,)).fetchone()
        return bytes(row[0])

    def flush(self) -> None:
        """Write what may wait a little, for the sake of the disk."""
        self.activity.flush()
        self.clients.flush()

    def settle(self) -> None:
        """Return when everything written so far is on disk."""
        self.flush()
        self._writer.settle()

    def close(self) -> None:
        """Finish all writes."""
        self.flush()
        self._writer.close()
        self._reader.close()


def open_store(
    url: str,
    room: WaitingRoom | None = None,
    bounds: Bounds | None = None,
    clock: Callable[[], float] = time.time,
) -> Store:
    """The store of a migrated database; StorageError if it is of another version.

    `room` is where writes are waited for: in greenlets, or by default in threads.  By the `clock`
    messages get their ids.
    """
    make_way(path_of(url))
    version = schema_version(url)
    if version != NEWEST:
        raise StorageError(
            f"{path_of(url)} has version {version}, this Hausbote needs {NEWEST}: "
            "'hausbote run' brings it up to date"
        )
    return Store(url, room or ThreadRoom(), bounds or Bounds(), clock)
