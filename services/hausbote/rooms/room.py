"""A room as it is in memory: who belongs to it, who is in it, what was said last."""

import unicodedata
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from hausbote.base.jid import JID
from hausbote.rooms.configuration import Configuration
from hausbote.rooms.privileges import Affiliation, Role, Standing, default_role
from hausbote.storage import RoomMessage
from hausbote.xmpp.stanza import Child, Stanza

MAX_RECENT: Final = 100  # messages that a newcomer can be given
_LARGE: Final = 10_000  # bytes of a message; so many smaller ones are no problem
_MAX_RECENT_BYTES: Final = MAX_RECENT * _LARGE
_MAX_VOICES: Final = 1_000
_MAX_INVITED: Final = 1_000
# Symbols that show nothing; and joiners, which a word may have where PRECIS allows them, and which
# do not make it another nick.
_UNSEEN: Final = str.maketrans("\u2800\U0001d159", "  ", "\u200c\u200d")
_JOINERS: Final = str.maketrans("", "", "\u200c\u200d")


class Affiliated(NamedTuple):
    """Somebody who belongs to a room, or is banned; `nick` is reserved for them."""

    affiliation: Affiliation
    nick: str = ""
    reason: str = ""


class Visit:
    """A client that is in a room.  Its presence is kept packed, for rooms have many of these."""

    __slots__ = ("goodbye", "goodbye_id", "jid", "named", "nameless", "occupant", "packed")

    def __init__(self, jid: JID, occupant: "Occupant", packed: bytes) -> None:
        self.jid = jid
        self.occupant = occupant
        self.packed = packed  # what it sent, of which rooms pass on everything
        self.goodbye: tuple[Child, ...] = ()  # what it said when it left
        self.goodbye_id: str | None = None  # by which it waits for the answer
        self.named: bytes | None = None  # as those see it who are shown the real address
        self.nameless: bytes | None = None  # ... and as the others do

    def take(self, packed: bytes) -> None:
        """It sent other presence."""
        self.packed = packed
        self.forget_seen()

    def forget_seen(self) -> None:
        """What others see of it has changed."""
        self.named = self.nameless = None


class Occupant:
    """Somebody in a room under one nick, with one client or several."""

    __slots__ = ("id", "jid", "nick", "role", "visits")

    def __init__(self, nick: str, jid: JID, role: Role, id: str) -> None:
        self.nick = nick
        self.jid = jid  # without resource
        self.role = role
        self.id = id  # XEP-0421
        self.visits: list[Visit] = []

    @property
    def shown(self) -> Visit:
        """The client that stands for them: the last that sent presence."""
        return self.visits[-1]


class Subject(NamedTuple):
    """What a room talks about: since when in microseconds, and the message that said so."""

    at: int
    stanza: Stanza


def fold(nick: str) -> str:
    """Nicks that look alike are the same."""
    return " ".join(unicodedata.normalize("NFKC", nick).casefold().translate(_UNSEEN).split())


def is_nick(nick: str) -> bool:
    """Whether people can be called that, who are known by a prepared resourcepart: there is
    something to see, and nothing that is not."""
    seen = nick.translate(_JOINERS)
    return nick == nick.strip() and seen.isprintable() and bool(fold(nick))


class Room:
    """Changed by the functions of this package; what is to last is written by house.py."""

    def __init__(self, id: int, jid: JID, creator: str, configuration: Configuration) -> None:
        self.id = id
        self.jid = jid
        self.creator = creator
        self.configuration = configuration
        self.locked = True
        self.destroyed = False
        self.subject: Subject | None = None
        self.vcard: str | None = None
        self.affiliations: dict[str, Affiliated] = {}
        self.occupants: dict[str, Occupant] = {}  # by folded nick
        self.visits: dict[str, Visit] = {}  # by full address
        self.recent: deque[RoomMessage] = deque(maxlen=MAX_RECENT)
        self.voices: dict[str, Role] = {}  # of people who left with a role that is not the usual
        self.invited: dict[str, None] = {}  # bare addresses, those asked last at the end
        self._everybody: tuple[JID, ...] | None = None
        self.roll: bytes | None = None  # for absent.py: gone when people come, go or change
        self._reserved: dict[str, str] | None = None

    # -- who is who ----------------------------------------------------------------------------

    def affiliation(self, jid: JID) -> Affiliation:
        """Of an address, by its bare form; a whole domain can be banned (§9.2)."""
        return self.affiliation_of(jid.bare)

    def affiliation_of(self, bare: str) -> Affiliation:
        """The same of a bare address as `JID.bare` writes it: nothing has to be read for that."""
        found = self.affiliations.get(bare)
        if found is not None:
            return found.affiliation
        whole = self.affiliations.get(bare.rpartition("@")[2])
        banned = whole is not None and whole.affiliation is Affiliation.OUTCAST
        return Affiliation.OUTCAST if banned else Affiliation.NONE

    def standing(self, jid: JID) -> Standing:
        """Of an address: the role is that of the client, or of another one of the same person."""
        visit = self.visits.get(jid.full)
        role = Role.NONE if visit is None else visit.occupant.role
        if visit is None:
            role = max((o.role for o in self.of_person(jid.bare)), default=Role.NONE)
        return Standing(role, self.affiliation(jid))

    def exists_for(self, jid: JID) -> bool:
        """Until it is configured it is there for its owners only (§7.2.10)."""
        return not self.locked or self.affiliation(jid) is Affiliation.OWNER

    def of_person(self, bare: str) -> list[Occupant]:
        """Their occupants, for somebody can be there under several nicks."""
        return [occupant for occupant in self.occupants.values() if occupant.jid.full == bare]

    def occupant(self, nick: str) -> Occupant | None:
        return self.occupants.get(fold(nick))

    def reserved(self, nick: str) -> str | None:
        """The bare address that this nick is reserved for."""
        if self._reserved is None:
            named = [(a.nick, jid) for jid, a in self.affiliations.items() if a.nick]
            self._reserved = {fold(nick): jid for nick, jid in named}
        return self._reserved.get(fold(nick))

    def affiliate(self, jid: str, affiliated: Affiliated) -> None:
        """Somebody belongs to the room in another way; the affiliation "none" forgets them."""
        self._reserved = self.roll = None
        self.voices.pop(jid, None)
        if affiliated.affiliation is Affiliation.NONE:
            self.affiliations.pop(jid, None)
        else:
            self.affiliations[jid] = affiliated

    def of_affiliation(self, affiliation: Affiliation) -> list[str]:
        return sorted(j for j, a in self.affiliations.items() if a.affiliation is affiliation)

    def sees_addresses(self, role: Role) -> bool:
        """Whether somebody with that role sees people's real addresses."""
        return not self.configuration.anonymous or role is Role.MODERATOR

    def address(self, nick: str) -> str:
        """The occupant's address."""
        return f"{self.jid.full}/{nick}"

    def note(self, message: RoomMessage) -> None:
        """Newcomers are given this, too, and for large ones they are given fewer."""
        self.recent.append(message)
        if len(message.stanza) > _LARGE:
            size = sum(len(one.stanza) for one in self.recent)
            while size > _MAX_RECENT_BYTES:
                size -= len(self.recent.popleft().stanza)

    # -- coming and going ----------------------------------------------------------------------

    def add(self, occupant: Occupant, visit: Visit) -> None:
        """The client is there, and stands for its occupant now."""
        occupant.visits = [*_without(occupant.visits, visit), visit]
        self.occupants[fold(occupant.nick)] = occupant
        self.visits[visit.jid.full] = visit
        self._everybody = self.roll = None

    def remove(self, visit: Visit) -> None:
        occupant = visit.occupant
        self.visits.pop(visit.jid.full, None)
        occupant.visits = _without(occupant.visits, visit)
        if not occupant.visits and self.occupant(occupant.nick) is occupant:
            del self.occupants[fold(occupant.nick)]
            self._note_voice(occupant)
        self._everybody = self.roll = None

    def usual_role(self, jid: JID) -> Role:
        """What somebody is who enters for the first time."""
        return default_role(self.affiliation(jid), moderated=self.configuration.moderated)

    def role_of_newcomer(self, jid: JID) -> Role:
        """The usual one, or the one that they left with (§5.1)."""
        return self.voices.get(jid.bare, self.usual_role(jid))

    def _note_voice(self, occupant: Occupant) -> None:
        self.voices.pop(occupant.jid.full, None)
        if occupant.role is Role.MODERATOR or occupant.role is self.usual_role(occupant.jid):
            return
        if len(self.voices) >= _MAX_VOICES:
            del self.voices[next(iter(self.voices))]
        self.voices[occupant.jid.full] = occupant.role

    def note_invitation(self, jid: JID) -> None:
        """Somebody was asked in; of many the earliest are forgotten."""
        self.invited.pop(jid.bare, None)
        if len(self.invited) >= _MAX_INVITED:
            del self.invited[next(iter(self.invited))]
        self.invited[jid.bare] = None

    def rename(self, occupant: Occupant, nick: str) -> None:
        self.occupants.pop(fold(occupant.nick), None)
        occupant.nick, self.roll = nick, None
        self.occupants[fold(nick)] = occupant
        for visit in occupant.visits:
            visit.forget_seen()

    def forget_seen(self) -> None:
        """What others see of people has changed for all of them."""
        for visit in self.visits.values():
            visit.forget_seen()

    @property
    def everybody(self) -> tuple[JID, ...]:
        """All clients that are here."""
        if self._everybody is None:
            self._everybody = tuple([visit.jid for visit in self.visits.values()])
        return self._everybody

    def others(self, occupant: Occupant) -> Iterator[Visit]:
        """All clients but those of one occupant."""
        return (visit for visit in self.visits.values() if visit.occupant is not occupant)


def _without(visits: list[Visit], visit: Visit) -> list[Visit]:
    return [other for other in visits if other.jid != visit.jid]


def jids(visits: Iterable[Visit]) -> tuple[JID, ...]:
    return tuple([visit.jid for visit in visits])
