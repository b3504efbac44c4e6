"""All rooms of the service: found when they are needed, kept while somebody is in them."""

import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable
from typing import Final
from weakref import WeakValueDictionary

from hausbote.base.domains import party_of
from hausbote.base.jid import JID, InvalidJID, prepare_resource
from hausbote.base.moment_ids import MomentIds
from hausbote.base.shares import Shares
from hausbote.core.bus.cause import current
from hausbote.core.directory import new_lock
from hausbote.core.host import Host
from hausbote.core.space import need_space
from hausbote.rooms.configuration import Configuration
from hausbote.rooms.pace import Pace
from hausbote.rooms.privileges import AFFILIATIONS, ROLES, Affiliation
from hausbote.rooms.room import (
    MAX_RECENT,
    Affiliated,
    Occupant,
    Room,
    Subject,
    Visit,
    is_nick,
)
from hausbote.storage import (
    DestroyedRoom,
    Range,
    StoredAffiliation,
    StoredOccupant,
    StoredRoom,
    Ticket,
)
from hausbote.xmpp import ns
from hausbote.xmpp.soundness import leaves, leaves_packed
from hausbote.xmpp.stanza import Stanza

_MAX_EMPTY: Final = 500  # rooms kept in memory that nobody is in
CROWD: Final = 10  # times as many rooms have all people of one other server
_DAY: Final = 86_400
_BODY: Final = (ns.CLIENT, "body")
_NOBODY: Final = Affiliated(Affiliation.NONE)
_MAX_HANDLED: Final = 2_000  # messages of a room that may come again after a crash


class House:
    """The rooms of a host."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.lock = new_lock()  # held while a room is made
        self.pace = Pace(host.settings)
        self._rooms: dict[str, Room] = {}
        self._known: WeakValueDictionary[str, Room] = WeakValueDictionary()  # and those put away
        self._ending: dict[str, Ticket[None]] = {}  # rooms that the database may still show
        self._making: set[str] = set()  # rooms that it may show already
        self._secret = host.store.secret("occupant-id")
        self.ids = MomentIds(lambda: host.clock())
        self._trims = False
        self._handled: dict[str, int] = {}  # frames of the bus that brought what is kept
        for local in host.store.rooms.occupied():
            room = self.find(local)
            if room is not None:
                self._handled |= host.store.rooms.causes(room.id, _MAX_HANDLED)
        for room in list(self._rooms.values()):
            if not room.visits and (room.locked or not room.configuration.persistent):
                self.destroy(room)

    # -- rooms ---------------------------------------------------------------------------------

    def find(self, local: str) -> Room | None:
        """The room, if there is one."""
        room = self._rooms.get(local)
        if room is None and (away := self._known.get(local)) is not None:
            room = away
            self._keep(room)
        if room is None and self._is_settled(local):
            stored = self.host.store.rooms.find(local)
            if stored is None:
                return None
            loaded = self._load(stored)
            room = self._rooms.get(local)  # reading can wait, and somebody else have read it first
            if room is None and self._is_settled(local):
                room = loaded
                self._keep(room)
        return room

    def _is_settled(self, local: str) -> bool:
        """Whether what the database says of a room is true."""
        return local not in self._ending and local not in self._making

    def create(self, local: str, creator: JID, configuration: Configuration) -> Room | None:
        """A new room that is locked; None if the creator has too many, ResourceConstraint on a full
        disk.  For who holds `lock`.

        Another server has as many names as it likes, so all of its people have a limit together.
        """
        host = self.host
        need_space(host)
        limit = host.settings.limits.rooms_per_account
        here = creator.domain == host.settings.domain
        self._making.add(local)
        try:
            stored = host.store.rooms.create(
                local,
                creator.bare,
                host.clock(),
                configuration.pack(),
                public=configuration.public,
                limit=limit,
                limit_of_domain=0 if here else limit * CROWD,
            )
            if stored is None:
                return None
            room = Room(stored.id, self._jid(local), creator.bare, configuration)
            self._keep(room)
        finally:
            self._making.discard(local)
        self.affiliate(room, {creator.bare: Affiliated(Affiliation.OWNER)}).wait()
        return room

    def destroy(
        self, room: Room, kept: DestroyedRoom | None = None, limit: int = 0
    ) -> Ticket[None]:
        """Forget a room that nobody is in any more; the store says what `kept` and `limit` are."""
        room.destroyed = True
        local = room.jid.local
        self._rooms.pop(local, None)
        self._known.pop(local, None)
        ticket = self._ending[local] = self.host.store.rooms.destroy(room.id, kept, limit)

        def ended() -> None:
            if self._ending.get(local) is ticket:
                del self._ending[local]

        ticket.then(ended)
        return ticket

    def settle(self, local: str) -> None:
        """Wait until the database knows that the room of that name is destroyed, if it is."""
        ending = self._ending.get(local)
        if ending is not None:
            ending.wait()

    def inhabited(self) -> dict[str, Room]:
        """The rooms in memory, which are all that somebody is in, by local part."""
        return self._rooms

    # -- what lasts ----------------------------------------------------------------------------

    def configure(self, room: Room, configuration: Configuration) -> Ticket[None]:
        """Set a room up, which unlocks it."""
        before = room.configuration, room.locked
        if configuration.anonymous != room.configuration.anonymous:
            room.forget_seen()
        room.configuration, room.locked = configuration, False

        def undo() -> None:
            if room.configuration is configuration:
                room.forget_seen()
                room.configuration, room.locked = before

        text = configuration.pack()
        kept = self.host.store.rooms.configure(room.id, text, public=configuration.public)
        return _or(undo, kept)

    def affiliate(self, room: Room, changes: dict[str, Affiliated]) -> Ticket[None]:
        rows, before = [], {jid: room.affiliations.get(jid, _NOBODY) for jid in changes}

        def undo() -> None:
            for jid, affiliated in changes.items():
                if room.affiliations.get(jid, _NOBODY) == affiliated:
                    room.affiliate(jid, before[jid])

        for jid, affiliated in changes.items():
            room.affiliate(jid, affiliated)
            word, nick, reason = affiliated.affiliation.word, affiliated.nick, affiliated.reason
            rows.append(StoredAffiliation(jid, word, nick, reason))
        return _or(undo, self.host.store.rooms.affiliate(room.id, rows))

    def reread(self, local: str) -> Room | None:
        """Who belongs to a room was changed from outside."""
        room = self._known.get(local)
        if room is not None:
            rows = {row.jid: row for row in self.host.store.rooms.affiliations(room.id)}
            for jid in [jid for jid in room.affiliations if jid not in rows]:
                room.affiliate(jid, Affiliated(Affiliation.NONE))
            for jid, row in rows.items():
                room.affiliate(jid, _affiliated(row))
        return room if room is not None else self.find(local)

    def forget_person(self, bare: str) -> None:
        """An account of that address was deleted, and what the store had of it."""
        for room in list(self._known.values()):
            room.affiliate(bare, Affiliated(Affiliation.NONE))

    def set_subject(self, room: Room, subject: Subject) -> Ticket[None]:
        before, room.subject = room.subject, subject

        def undo() -> None:
            if room.subject is subject:
                room.subject = before

        text = json.dumps([subject.at, subject.stanza.pack().decode()])
        return _or(undo, self.host.store.rooms.set_subject(room.id, text))

    def set_vcard(self, room: Room, vcard: str | None) -> Ticket[None]:
        before, room.vcard = room.vcard, vcard

        def undo() -> None:
            if room.vcard is vcard:
                room.vcard = before

        return _or(undo, self.host.store.rooms.set_vcard(room.id, vcard))

    def remember(self, room: Room, visit: Visit) -> None:
        """Keep that a client is there, and what it is, in case the service is restarted."""
        occupant = visit.occupant
        row = StoredOccupant(visit.jid.full, occupant.nick, occupant.role.word, visit.packed)
        self.host.store.rooms.enter(room.id, row)

    def forget(self, room: Room, visit: Visit) -> None:
        self.host.store.rooms.leave(room.id, visit.jid.full)

    def expire(self) -> None:
        """Forget what was said longer ago than the box keeps it, and names that nobody holds."""
        self.host.store.destroyed_rooms.expire(self.host.surely())
        days = self.host.settings.retention.archive_days
        if not days:
            return
        oldest = int((self.host.surely() - days * _DAY) * 1_000_000)
        self.host.store.rooms.expire(oldest)
        for room in list(self._known.values()):
            while room.recent and room.recent[0].id < oldest:
                room.recent.popleft()

    def proper_nick(self, text: str) -> str | None:
        """A nick that somebody asks for, prepared; None if it cannot be one."""
        try:
            nick = prepare_resource(text.strip())
        except InvalidJID:
            return None
        most = self.host.settings.limits.room_nick
        return nick if is_nick(nick) and not 0 < most < len(nick) else None

    # -- ids -----------------------------------------------------------------------------------

    def next_id(self) -> int:
        """Of a message that a room takes now: the time in microseconds, and never the same."""
        return self.ids.next()

    def cause(self) -> str:
        """The frame of the bus that is handled now."""
        cause = current.get()
        return "" if cause is None else cause.id

    def handled(self) -> int | None:
        """The id of the message that this frame brought already, before a crash of the service:
        it is said again, for nobody may have heard it, and kept once."""
        return self._handled.get(self.cause()) if self._handled else None

    def occupant_id(self, room: Room, jid: JID) -> str:
        """The same for ever, for that person in that room and for nobody else (XEP-0421 §3)."""
        return self.occupant_id_of(room, jid.bare)

    def occupant_id_of(self, room: Room, bare: str) -> str:
        text = f"{room.jid.full}\0{bare}".encode()
        digest = hmac.new(self._secret, text, hashlib.sha256).digest()
        return urlsafe_b64encode(digest[:24]).decode()

    # -- memory --------------------------------------------------------------------------------

    def _jid(self, local: str) -> JID:
        return JID(local, self.host.domain)

    def _keep(self, room: Room) -> None:
        self._rooms[room.jid.local] = self._known[room.jid.local] = room
        if len(self._rooms) > _MAX_EMPTY and not self._trims and len(self._empty()) > _MAX_EMPTY:
            self._trims = True
            self.host.pump.run(self._trim)

    def _trim(self) -> None:
        """Put rooms away that nobody is in: not in the middle of whoever just looked for one.

        Until what they were changed to can be read again they are found, and those that somebody
        holds are for as long: a room that were there twice would be two.
        """
        going = _too_many(self._empty(), self.host.settings.domain)
        for room in going:
            del self._rooms[room.jid.local]
        try:
            self.host.store.settle()
        finally:
            self._trims = False

    def _empty(self) -> list[Room]:
        return [one for one in self._rooms.values() if not one.visits]

    def _load(self, stored: StoredRoom) -> Room:
        rooms = self.host.store.rooms
        configuration = Configuration.unpack(stored.config)
        room = Room(stored.id, self._jid(stored.local), stored.creator, configuration)
        room.locked = stored.locked
        room.vcard = stored.vcard if stored.vcard is None or leaves(stored.vcard) else None
        if stored.subject is not None:
            room.subject = _subject(stored.subject)
        for row in rooms.affiliations(stored.id):
            room.affiliate(row.jid, _affiliated(row))
        kept = rooms.page(stored.id, Range(), MAX_RECENT, backwards=True)
        if kept:
            self.ids.note(kept[-1].id)
            if self.ids.is_ahead(kept[-1].id):
                present = Range(before=self.ids.horizon() + 1)
                for message in rooms.page(stored.id, present, 1, backwards=True):
                    self.ids.note(message.id)
        for message in kept:
            if leaves_packed(message.stanza) and is_talk(Stanza.unpack(message.stanza)):
                room.note(message)
        for occupant in rooms.occupants(stored.id):
            if not leaves_packed(occupant.presence):
                continue  # they enter again
            self._put_back(room, occupant)
        return room

    def _put_back(self, room: Room, stored: StoredOccupant) -> None:
        jid = JID.parse(stored.jid)
        occupant = room.occupant(stored.nick)
        if occupant is None:
            id = self.occupant_id(room, jid)
            occupant = Occupant(stored.nick, jid.to_bare(), ROLES[stored.role], id)
        room.add(occupant, Visit(jid, occupant, stored.presence))


def _too_many(rooms: Iterable[Room], home: str) -> list[Room]:
    """Those that are not kept in memory: the oldest of whoever made most of them."""
    shares: Shares[Room, None] = Shares(_MAX_EMPTY // 2)
    put = [shares.put(one, party_of(JID.parse(one.creator), home), None) for one in rooms]
    return [displaced.key for displaced in put if displaced is not None]


def _or(undo: Callable[[], None], ticket: Ticket[None]) -> Ticket[None]:
    """If it cannot be written, the room is in memory what it is on disk."""
    ticket.then(lambda: undo() if ticket.error is not None else None)
    return ticket


def _affiliated(row: StoredAffiliation) -> Affiliated:
    return Affiliated(AFFILIATIONS[row.affiliation], row.nick, row.reason)


def is_talk(message: Stanza) -> bool:
    """Whether newcomers get it: not a subject, and not what is left of a message.

    What is encrypted may have no body beside it; keys alone say nothing.
    """
    return any(
        (part.ns, part.name) == _BODY or (part.name == "encrypted" and "<payload" in part.xml)
        for part in message.children
    )


class _Holder:
    __slots__ = ("house",)

    def __init__(self) -> None:
        self.house: House | None = None


def open_house(host: Host) -> None:
    """Read what rooms there are; it waits for the disk, so it comes before anybody asks for one."""
    host.state(_Holder).house = House(host)


def house_of(host: Host) -> House:
    """The host's one house."""
    house = host.state(_Holder).house
    assert house is not None
    return house


def stamp(id: int) -> str:
    """The time that an id stands for (XEP-0082)."""
    whole, rest = divmod(id, 1_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{rest:06d}Z"


def _subject(kept: str) -> Subject | None:
    """What was kept of a subject; None if it cannot be read any more."""
    try:
        at, packed = json.loads(kept)
        data = packed.encode()
    except (ValueError, TypeError, AttributeError):
        at, data = 0, b""
    return Subject(at, Stanza.unpack(data)) if leaves_packed(data) else None
