"""Who takes how much of the disk, and what can be deleted to make room."""

from collections.abc import Callable
from contextlib import suppress
from sqlite3 import Connection, OperationalError
from typing import Final, NamedTuple

from peewee import SqliteDatabase

from hausbote.base.moment_ids import MICROSECONDS
from hausbote.storage import archive_sizes, room_sizes
from hausbote.storage.archives import Archives
from hausbote.storage.reserve import spare_bytes
from hausbote.storage.writer import Writer

_ACCOUNTS: Final = """
SELECT account.local,
    coalesce((SELECT bytes FROM archive_size WHERE account_id = account.id), 0),
    (SELECT coalesce(sum(size), 0) FROM offline WHERE account_id = account.id),
    (SELECT coalesce(sum(size), 0) FROM pubsub_node WHERE account_id = account.id),
    (SELECT coalesce(sum(length(xml)), 0) FROM private_xml WHERE account_id = account.id)
        + (SELECT coalesce(sum(length(xml)), 0) FROM vcard WHERE account_id = account.id)
        + (SELECT coalesce(sum(length(jid) + length(name) + length(groups)), 0) FROM contact
            WHERE account_id = account.id)
        + (SELECT coalesce(sum(length(jid) + length(stanza)), 0) FROM subscription_request
            WHERE account_id = account.id)
        + (SELECT coalesce(sum(length(jid)), 0) FROM blocked WHERE account_id = account.id)
        + (SELECT coalesce(sum(length(jid) + length(node) + length(options)), 0) FROM push
            WHERE account_id = account.id),
    (SELECT coalesce(sum(bytes + length(config) + coalesce(length(subject), 0)
        + coalesce(length(vcard), 0)), 0) FROM room
        WHERE creator = account.local || '@' || :domain),
    (SELECT coalesce(sum(size), 0) FROM upload WHERE account_id = account.id)
FROM account WHERE CASE WHEN :local IS NULL THEN account.local NOT GLOB '/*'
    ELSE account.local = :local END ORDER BY account.local
"""
_ROOMS: Final = """
SELECT local, creator, bytes, length(config), coalesce(length(subject), 0)
    + coalesce(length(vcard), 0) FROM room ORDER BY local
"""
_OLDER: Final = (
    "SELECT count(*) FROM archive JOIN account ON account.id = account_id"
    " WHERE (?1 IS NULL OR local = ?1) AND archive.id < ?2"
)
_OLDER_IN_ROOMS: Final = (
    "SELECT count(*) FROM room_message JOIN room ON room.id = room_id"
    " WHERE (?1 IS NULL OR local = ?1) AND room_message.id < ?2"
)
_OTHERS: Final = "SELECT coalesce(sum(size), 0) FROM outgoing"


class AccountUsage(NamedTuple):
    """Bytes of an account: messages in its archive and those that wait for it, what it publishes,
    what it keeps for itself (private XML, vCard, contacts, lists), the rooms that it has made, and
    its files.  A message in the archives of two people counts for both."""

    local: str
    archive: int
    offline: int
    published: int
    private: int
    rooms: int
    files: int

    @property
    def total(self) -> int:
        return sum(self[1:])


class RoomUsage(NamedTuple):
    """Bytes of a room: what was said there, how it is set up, and its subject and vCard."""

    local: str
    creator: str
    archive: int
    config: int
    described: int

    @property
    def total(self) -> int:
        return self.archive + self.config + self.described


class Usages:
    """Reads here take time: they are for the owner, who asks rarely."""

    def __init__(self, reader: SqliteDatabase, writer: Writer, archives: Archives) -> None:
        self._reader = reader
        self._writer = writer
        self._archives = archives

    def accounts(self, domain: str, local: str | None = None) -> list[AccountUsage]:
        """Of all accounts, or of that one; `domain` is where they are."""
        self._count()
        rows = self._reader.connection().execute(_ACCOUNTS, {"domain": domain, "local": local})
        return [AccountUsage(*row) for row in rows]

    def rooms(self) -> list[RoomUsage]:
        self._count()
        return [RoomUsage(*row) for row in self._reader.connection().execute(_ROOMS)]

    def outgoing(self) -> int:
        """Bytes of all that waits for other servers."""
        return self._number(_OTHERS)

    def shorten_log(self) -> None:
        """Give the disk back what the write-ahead log has grown to; if somebody reads from it just
        now, it shrinks later."""
        with suppress(OperationalError):
            self._reader.connection().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    def spare(self) -> int:
        """Bytes that are free inside the database."""
        return spare_bytes(self._reader.connection())

    # -- making room ---------------------------------------------------------------------------

    def purge_archives(self, before: float, local: str | None = None) -> int:
        """Delete messages that came before that time from the archives of all accounts, or of one;
        returns how many.  In small steps, which need little room on a full disk."""
        self._archives.sort_in()
        sql = "SELECT id FROM account WHERE ?1 IS NULL OR local = ?1"
        accounts = [id for (id,) in self._reader.connection().execute(sql, (local,)).fetchall()]
        until = int(before * MICROSECONDS)
        return sum(self._repeat(archive_sizes.delete_some, account, until) for account in accounts)

    def purge_rooms(self, before: float, local: str | None = None) -> int:
        """The same for what was said in all rooms, or in one."""
        sql = "SELECT id FROM room WHERE ?1 IS NULL OR local = ?1"
        rooms = [id for (id,) in self._reader.connection().execute(sql, (local,)).fetchall()]
        until = int(before * MICROSECONDS)
        return sum(self._repeat(room_sizes.delete_some, room, until) for room in rooms)

    def older(self, before: float, local: str | None = None) -> int:
        """How many messages `purge_archives` would delete."""
        self._archives.sort_in()
        return self._number(_OLDER, local, int(before * MICROSECONDS))

    def older_in_rooms(self, before: float, local: str | None = None) -> int:
        """How many messages `purge_rooms` would delete."""
        return self._number(_OLDER_IN_ROOMS, local, int(before * MICROSECONDS))

    def _count(self) -> None:
        """What came lately is counted, too."""
        self._archives.sort_in()
        self._writer.submit(_count_rooms).wait()

    def _repeat(self, step: Callable[[Connection, int, int], int], id: int, before: int) -> int:
        """Until nothing is left to do; others' writes come in between."""
        gone = 0
        while deleted := self._writer.submit(lambda c: step(c, id, before)).wait():
            gone += deleted
        return gone

    def _number(self, sql: str, *values: object) -> int:
        return int(self._reader.connection().execute(sql, values).fetchone()[0])


def _count_rooms(connection: Connection) -> None:
    for (room,) in connection.execute("SELECT id FROM room").fetchall():
        room_sizes.count(connection, room, 0)
