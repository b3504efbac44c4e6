"""Rooms for group chat (XEP-0045): what they are, who belongs to them, who is there, what was said.

Whoever keeps a room in memory reads it once and writes every change.  A message's id is the time
at which the room took it, in microseconds since 1970, and grows from one message to the next.
"""

import sqlite3
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Final, NamedTuple, TypeVar

from peewee import SqliteDatabase

from hausbote.base.domains import registrable_domain
from hausbote.storage import destroyed_rooms, room_sizes
from hausbote.storage.destroyed_rooms import DestroyedRoom
from hausbote.storage.ranges import Portion, Range, narrowed, taken
from hausbote.storage.ticket import Ticket
from hausbote.storage.writer import Writer

T = TypeVar("T")

_ROOM: Final = "SELECT id, local, creator, public, locked, config, subject, vcard FROM room"
_CREATE: Final = (
    "INSERT INTO room (local, creator, created, public, locked, config, subject, vcard)"
    " SELECT ?, ?, ?, ?, ?, ?, NULL, NULL"
    " WHERE (? = 0 OR (SELECT count(*) FROM room WHERE creator = ?) < ?)"
    " AND (? = 0 OR (SELECT count(*) FROM room WHERE substr(creator, -?) IN (?, ?)) < ?)"
)
_AFFILIATE: Final = (
    "INSERT INTO room_affiliation (room_id, jid, affiliation, nick, reason)"
    " SELECT id, ?, ?, ?, ? FROM room WHERE id = ?"
    " ON CONFLICT (room_id, jid) DO UPDATE SET"
    " affiliation = excluded.affiliation, nick = excluded.nick, reason = excluded.reason"
)
_ENTER: Final = (
    "INSERT INTO room_occupant (room_id, jid, nick, role, presence)"
    " SELECT id, ?, ?, ?, ? FROM room WHERE id = ?"
    " ON CONFLICT (room_id, jid) DO UPDATE SET"
    " nick = excluded.nick, role = excluded.role, presence = excluded.presence"
)
_SAY: Final = (
    "INSERT INTO room_message (room_id, id, occupant, sender, stanza, cause)"
    " SELECT id, ?, ?, ?, ?, ? FROM room WHERE id = ?"
)
_ENDS: Final = (
    "SELECT (SELECT min(id) FROM room_message WHERE room_id = ?),"
    " (SELECT max(id) FROM room_message WHERE room_id = ?)"
)
_COUNTED_AFTER: Final = 65_536  # bytes that came into a room


class StoredRoom(NamedTuple):
    """A room; `config`, `subject` and `vcard` are texts of whoever keeps rooms."""

    id: int
    local: str
    creator: str
    public: bool
    locked: bool
    config: str
    subject: str | None
    vcard: str | None


class PublicRoom(NamedTuple):
    """What people see of a room before they enter."""

    local: str
    config: str


class StoredAffiliation(NamedTuple):
    jid: str
    affiliation: str
    nick: str
    reason: str


class StoredOccupant(NamedTuple):
    """A session in a room: its full address, and the packed presence that it sent last."""

    jid: str
    nick: str
    role: str
    presence: bytes


class RoomMessage(NamedTuple):
    """A packed stanza; `occupant` is its sender's id in the room, `sender` their bare address,
    `cause` the frame of the bus that brought it, which may come again after a crash."""

    id: int
    occupant: str
    sender: str
    stanza: bytes
    cause: str = ""


class Rooms:
    """All rooms of the box."""

    def __init__(self, reader: SqliteDatabase, writer: Writer, bytes_each: int = 0) -> None:
        """The messages of a room have `bytes_each` at most, or the oldest go (0 = no limit)."""
        self._reader = reader
        self._writer = writer
        self._bytes_each = bytes_each
        self._uncounted: dict[int, int] = {}  # bytes that came into rooms

    # -- rooms ---------------------------------------------------------------------------------

    def find(self, local: str) -> StoredRoom | None:
        return self._one(f"{_ROOM} WHERE local = ?", (local,))

    def create(
        self,
        local: str,
        creator: str,
        at: float,
        config: str,
        *,
        public: bool,
        limit: int,
        limit_of_domain: int = 0,
    ) -> StoredRoom | None:
        """A new locked room; None if its creator has `limit` of them, or all people of servers of
        the creator's registrable domain have `limit_of_domain` (0 = no limit)."""

        def create(connection: sqlite3.Connection) -> StoredRoom | None:
            domain = registrable_domain(creator.rpartition("@")[2])
            ends = (f"@{domain}", f".{domain}")
            of_domain = (limit_of_domain, len(domain) + 1, *ends, limit_of_domain)
            values = (local, creator, int(at), public, True, config, limit, creator, limit)
            row = connection.execute(_CREATE, (*values, *of_domain))
            if row.rowcount < 1 or row.lastrowid is None:
                return None
            destroyed_rooms.forget(connection, local)
            return StoredRoom(row.lastrowid, local, creator, public, True, config, None, None)

        return self._writer.submit(create).wait()

    def configure(self, room: int, config: str, *, public: bool) -> Ticket[None]:
        """Keep a configuration; the room is no longer locked."""
        sql = "UPDATE room SET config = ?, public = ?, locked = 0 WHERE id = ?"
        return self._writer.insert(sql, (config, public, room))

    def set_subject(self, room: int, subject: str) -> Ticket[None]:
        return self._writer.insert("UPDATE room SET subject = ? WHERE id = ?", (subject, room))

    def set_vcard(self, room: int, vcard: str | None) -> Ticket[None]:
        return self._writer.insert("UPDATE room SET vcard = ? WHERE id = ?", (vcard, room))

    def destroy(self, room: int, kept: DestroyedRoom | None = None, limit: int = 0) -> Ticket[None]:
        """Delete a room with all that was in it, in steps that a full disk has room for; its name
        can be kept for those who owned it, and of one holder's names `limit` are."""
        self._uncounted.pop(room, None)

        def destroy(connection: sqlite3.Connection) -> bool:
            if room_sizes.delete_some(connection, room):
                return True
            connection.execute("DELETE FROM room WHERE id = ?", (room,))
            if kept is not None:
                destroyed_rooms.keep(connection, kept, limit)
            return False

        return self._writer.repeat(destroy)

    def public(self) -> list[PublicRoom]:
        """Rooms that people may find, by name."""
        rows = self._reader.execute_sql(
            "SELECT local, config FROM room WHERE public = 1 AND locked = 0 ORDER BY local"
        )
        return [PublicRoom(*row) for row in rows]

    def names(self) -> list[str]:
        """The local parts of all rooms."""
        rows = self._reader.execute_sql("SELECT local FROM room ORDER BY local")
        return [str(row[0]) for row in rows]

    def ownerless(self) -> list[str]:
        """The local parts of rooms that were set up and belong to nobody any more."""
        rows = self._reader.execute_sql(
            "SELECT local FROM room WHERE locked = 0 AND NOT EXISTS"
            " (SELECT 1 FROM room_affiliation WHERE room_id = room.id AND affiliation = 'owner')"
            " ORDER BY local"
        )
        return [str(row[0]) for row in rows]

    def occupied(self) -> list[str]:
        """The local parts of rooms that somebody is in, or that are still locked."""
        rows = self._reader.execute_sql(
            "SELECT local FROM room WHERE locked = 1"
            " OR id IN (SELECT room_id FROM room_occupant) ORDER BY local"
        )
        return [str(row[0]) for row in rows]

    # -- affiliations --------------------------------------------------------------------------

    def affiliations(self, room: int) -> list[StoredAffiliation]:
        rows = self._reader.execute_sql(
            "SELECT jid, affiliation, nick, reason FROM room_affiliation WHERE room_id = ?", (room,)
        )
        return [StoredAffiliation(*row) for row in rows]

    def affiliate(self, room: int, changes: Sequence[StoredAffiliation]) -> Ticket[None]:
        """Make these changes together; the affiliation "none" forgets an address."""

        def change(connection: sqlite3.Connection) -> None:
            for jid, affiliation, nick, reason in changes:
                if affiliation == "none":
                    connection.execute(
                        "DELETE FROM room_affiliation WHERE room_id = ? AND jid = ?", (room, jid)
                    )
                else:
                    connection.execute(_AFFILIATE, (jid, affiliation, nick, reason, room))

        return self._writer.submit(change)

    # -- occupants -----------------------------------------------------------------------------

    def occupants(self, room: int) -> list[StoredOccupant]:
        """Those who were in the room when it was last written, in the order of their addresses."""
        rows = self._reader.execute_sql(
            "SELECT jid, nick, role, presence FROM room_occupant WHERE room_id = ? ORDER BY jid",
            (room,),
        )
        return [StoredOccupant(*row) for row in rows]

    def enter(self, room: int, occupant: StoredOccupant) -> Ticket[None]:
        """Keep that somebody is in the room, or what changed about them."""
        jid, nick, role, presence = occupant
        return self._writer.insert(_ENTER, (jid, nick, role, presence, room))

    def leave(self, room: int, jid: str) -> Ticket[None]:
        return self._writer.insert(
            "DELETE FROM room_occupant WHERE room_id = ? AND jid = ?", (room, jid)
        )

    # -- messages ------------------------------------------------------------------------------

    def say(self, room: int, message: RoomMessage) -> Ticket[None]:
        ticket = self._writer.insert(_SAY, (*message, room))
        # A room that is new to this process is counted at once: there may be some from before.
        uncounted = self._uncounted.get(room, _COUNTED_AFTER) + len(message.stanza)
        if uncounted >= _COUNTED_AFTER:
            uncounted = 0
            self._writer.submit(lambda c: room_sizes.count(c, room, self._bytes_each))
        self._uncounted[room] = uncounted
        return ticket

    def causes(self, room: int, limit: int) -> dict[str, int]:
        """What brought the newest messages, with their ids."""
        rows = self._reader.execute_sql(
            "SELECT cause, id FROM room_message WHERE room_id = ? ORDER BY id DESC LIMIT ?",
            (room, limit),
        )
        return {cause: id for cause, id in rows if cause}

    def replace(self, room: int, id: int, stanza: bytes) -> Ticket[None]:
        """Put something else in a message's place."""
        return self._writer.submit(lambda c: room_sizes.replace(c, room, id, stanza))

    def page(
        self,
        room: int,
        where: Range,
        limit: int,
        *,
        size: int = sys.maxsize,
        backwards: bool = False,
    ) -> list[RoomMessage]:
        """The first messages of the range, or its last; oldest first either way.

        No more than `limit`, and no more once they have `size` bytes together.  All that was said
        before the call is seen.
        """
        condition, values = _condition(room, where)
        order = "DESC" if backwards else "ASC"
        sql = f"SELECT id, occupant, sender, stanza {condition} ORDER BY id {order} LIMIT ?"

        def look(connection: sqlite3.Connection) -> list[RoomMessage]:
            with closing(connection.execute(sql, (*values, limit))) as rows:
                return taken(rows, RoomMessage, size)

        found = self._look(look)
        return found[::-1] if backwards else found

    def count(self, room: int, where: Range, limit: int = sys.maxsize) -> Portion:
        """How many messages are in the range, from its beginning and up to `limit`."""
        condition, values = _condition(room, where)
        sql = (
            "SELECT count(*), coalesce(max(id), 0) FROM"
            f" (SELECT id {condition} ORDER BY id LIMIT ?)"
        )

        def look(connection: sqlite3.Connection) -> Portion:
            return Portion(*connection.execute(sql, (*values, limit)).fetchone())

        return self._look(look)

    def ends(self, room: int) -> tuple[int, int] | None:
        """The ids of the oldest and of the newest message; None if there are none."""

        def look(connection: sqlite3.Connection) -> tuple[int, int] | None:
            first, last = connection.execute(_ENDS, (room, room)).fetchone()
            return None if first is None else (first, last)

        return self._look(look)

    def expire(self, before: int) -> None:
        """Delete messages with ids below that."""
        self._writer.repeat(lambda c: room_sizes.expire_some(c, before)).wait()

    def _look(self, look: Callable[[sqlite3.Connection], T]) -> T:
        """What is read after all that was given to the writer before; it may wait for that."""
        if self._writer.idle:
            return look(self._reader.connection())
        return self._writer.submit(look).wait()

    def _one(self, sql: str, values: tuple[object, ...]) -> StoredRoom | None:
        row = self._reader.execute_sql(sql, values).fetchone()
        return None if row is None else _room(row)


def _condition(room: int, where: Range) -> tuple[str, list[object]]:
    """FROM and WHERE, and their values."""
    more, bounds = narrowed(where, "id")
    if not where.peer:
        return f"FROM room_message WHERE room_id = ?{more}", [room, *bounds]
    # SQLite would rather go along everything that was said in the room.
    by_sender = "FROM room_message INDEXED BY room_message_sender WHERE sender = ? AND room_id = ?"
    return by_sender + more, [where.peer, room, *bounds]


def _room(row: tuple[int, str, str, int, int, str, str | None, str | None]) -> StoredRoom:
    id, local, creator, public, locked, config, subject, vcard = row
    return StoredRoom(id, local, creator, bool(public), bool(locked), config, subject, vcard)
