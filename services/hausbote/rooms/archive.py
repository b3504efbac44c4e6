"""Whose archive it is when a room's is asked for, who may read it, and what they see (XEP-0313)."""

from collections.abc import Sequence
from typing import Final

from hausbote.base.jid import JID
from hausbote.core.dispatch import answer_at_length
from hausbote.core.feature import Feature, Target
from hausbote.core.host import Host, breathe
from hausbote.core.request import LATER, Request
from hausbote.features.archive import pages
from hausbote.features.archive.query import form
from hausbote.rooms.access import readable
from hausbote.rooms.house import house_of, stamp
from hausbote.rooms.post import post_bulky
from hausbote.rooms.privileges import Role
from hausbote.rooms.room import Room
from hausbote.storage import Portion, Range, RoomMessage
from hausbote.xmpp import ns
from hausbote.xmpp.errors import Forbidden, ItemNotFound
from hausbote.xmpp.soundness import leaves_packed
from hausbote.xmpp.stanza import Child, Stanza, child
from hausbote.xmpp.xml import Markup, el

feature = Feature("archives of rooms", xeps={"0313": "1.1.3", "0059": "1.0"})

_PORTION: Final = 65_536  # bytes of results that are sent at once


class RoomArchive(pages.Archive[RoomMessage]):
    """The archive of a room, as one of its readers may ask for it."""

    tick = 1

    def __init__(self, host: Host, room: Room, reader: JID) -> None:
        self._host = host
        self._room = room
        self._reader = reader

    def page(self, where: Range, limit: int, *, size: int, backwards: bool) -> list[RoomMessage]:
        rooms = self._host.store.rooms
        return rooms.page(self._room.id, where, limit, size=size, backwards=backwards)

    def count(self, where: Range, limit: int) -> Portion:
        return self._host.store.rooms.count(self._room.id, where, limit)

    def total(self) -> None:
        return None

    def ends(self) -> tuple[int, int] | None:
        return self._host.store.rooms.ends(self._room.id)

    def seal(self, ids: Sequence[int]) -> list[str]:
        return [str(id) for id in ids]

    def unseal(self, text: str) -> int | None:
        known = text.isascii() and text.isdigit() and len(text) < 19 and str(int(text)) == text
        return int(text) if known else None

    def is_ahead(self, id: int) -> bool:
        return house_of(self._host).ids.is_ahead(id)

    def stamp(self, id: int) -> str:
        return stamp(id)

    def peer(self, jid: JID) -> tuple[str, str]:
        """Who spoke: only for those who know who said what anyway, and by bare addresses, for no
        others are kept."""
        room = self._room
        if jid.bare == room.jid.bare:
            occupant = room.occupant(jid.resource) if jid.resource else None
            if jid.resource and occupant is None:
                raise ItemNotFound("there is nobody with this nick")
            return "" if occupant is None else occupant.jid.full, ""
        if room.configuration.anonymous and room.standing(self._reader).role is not Role.MODERATOR:
            raise Forbidden("addresses are hidden in this room")
        return jid.bare, ""


@feature.iq("get", ns.MAM, "query", Target.ACCOUNT)
def fields(request: Request) -> Child:
    """What can be asked for."""
    return child(ns.MAM, "query", form(_archive(request)))


@feature.iq("get", ns.MAM, "metadata", Target.ACCOUNT)
def metadata(request: Request) -> Child:
    """The first and the last message that are kept."""
    return Child(ns.MAM, "metadata", pages.metadata(_archive(request)))


@feature.iq("set", ns.MAM, "query", Target.ACCOUNT)
def query(request: Request) -> Child:
    """A page of messages, each in a message of its own, and then how far it reached."""
    readable(request)
    answer_at_length(request, lambda service: _send(request, service))
    return LATER


def _archive(request: Request) -> RoomArchive:
    room = readable(request)
    assert request.sender is not None
    return RoomArchive(request.host, room, request.sender)


# -- what is answered --------------------------------------------------------------------------


def _send(request: Request, service: str) -> Child:
    """The results are on their way before this returns the <fin/>.  Others work meanwhile, so who
    may read is looked at again before anything is shown."""
    host, reader = request.host, request.sender
    assert reader is not None
    archive = _archive(request)
    page = pages.answer(archive, request.tree(), host.settings.archive.page)
    packed: list[bytes] = []
    size = 0
    for message, id in page.results:
        if not leaves_packed(message.stanza):
            continue
        result = _result(readable(request), reader, message, id, page.queryid)
        if packed and size + len(result) > _PORTION:
            post_bulky(host, service, request.to.bare, packed, reader)
            packed, size = [], 0
            breathe()
        packed.append(result)
        size += len(result)
    post_bulky(host, service, request.to.bare, packed, reader)
    return page.fin


def _result(room: Room, reader: JID, message: RoomMessage, id: str, queryid: str | None) -> bytes:
    sees = room.sees_addresses(room.standing(reader).role)
    stanza = Stanza.unpack(message.stanza)
    forwarded = el(
        "forwarded",
        el("delay", xmlns=ns.DELAY, stamp=stamp(message.id)),
        Markup(_with_address(stanza, message.sender if sees else "")),
        xmlns=ns.FORWARD,
    )
    wrapped = child(ns.MAM, "result", forwarded, id=id, queryid=queryid)
    return Stanza("message", {"from": room.jid.full}, (wrapped,)).pack()


def _with_address(stanza: Stanza, sender: str) -> str:
    """The message as XML of its own, without to."""
    children = tuple([c for c in stanza.children if (c.ns, c.name) != (ns.MUC_USER, "x")])
    if sender:
        children = (*children, child(ns.MUC_USER, "x", el("item", jid=sender)))
    attrs = {"xmlns": ns.CLIENT, **stanza.attrs}
    return Stanza("message", attrs, children).wire().decode()
