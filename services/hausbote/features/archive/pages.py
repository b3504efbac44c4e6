"""Pages of an archive, whoever's it is (XEP-0313 §4 and §5, XEP-0059): an account's or a room's.

The number of all results is told if they are all on the page, or if it was asked for by a page of
0 and is less than `COUNTED`.  Beyond that it is left out, as XEP-0059 §2.7 allows where it costs
much: to count takes longer than the page, and XEP-0313 §4.3.2 has clients do without it.
"""

import sys
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from typing import ClassVar, Final, Generic, NamedTuple, Protocol, TypeVar

from hausbote.base.jid import JID
from hausbote.core.host import breathe
from hausbote.features.archive.query import Query, read
from hausbote.storage import Portion, Range
from hausbote.xmpp import ns
from hausbote.xmpp.errors import BadRequest, ItemNotFound, ResourceConstraint
from hausbote.xmpp.stanza import Child, child
from hausbote.xmpp.xml import Markup, Tree, el

PAGE_BYTES: Final = 1_048_576  # of one page
COUNTED: Final = 10_000  # messages; no more are counted for one query
_MAX_QUERYID: Final = 1_023  # characters, which are repeated in every result
_COUNTED_AT_ONCE: Final = 1_000  # some milliseconds' work where messages lie beside their ids
_LOOKED_AT_AT_ONCE: Final = 200
_LOOKED_AT: Final = 50_000  # for one query by a full JID


class Message(Protocol):
    """A message as it is kept: its id is its time in microseconds since 1970."""

    @property
    def id(self) -> int: ...
    @property
    def stanza(self) -> bytes: ...


T = TypeVar("T", bound=Message)


class Archive(ABC, Generic[T]):
    """Whose archive it is, for one who may read it: what is in it, and under which names."""

    tick: ClassVar[int]  # microseconds: no finer time is told of its messages
    groupchat_field: ClassVar[bool] = False  # whether "include-groupchat" is understood

    @abstractmethod
    def page(self, where: Range, limit: int, *, size: int, backwards: bool) -> list[T]:
        """The first messages of the range, or its last; oldest first either way.

        No more than `limit`, and no more once they have `size` bytes together.
        """

    @abstractmethod
    def count(self, where: Range, limit: int) -> Portion:
        """How many messages are in the range, from its beginning and up to `limit`."""

    @abstractmethod
    def total(self) -> int | None:
        """How many messages it has; None if that is not known without counting them."""

    @abstractmethod
    def ends(self) -> tuple[int, int] | None:
        """The ids of the oldest and of the newest message; None for an empty archive."""

    @abstractmethod
    def seal(self, ids: Sequence[int]) -> list[str]:
        """Ids as clients see them."""

    @abstractmethod
    def unseal(self, text: str) -> int | None:
        """The id in the store; None if it cannot be one of this archive."""

    @abstractmethod
    def is_ahead(self, id: int) -> bool:
        """Whether an id was made when the clock was ahead by more than a day."""

    @abstractmethod
    def stamp(self, id: int) -> str:
        """The time of a message (XEP-0082)."""

    @abstractmethod
    def peer(self, jid: JID) -> tuple[str, str]:
        """Whom a client means by `with`: a bare JID, and the full one if that makes a difference.

        A StanzaError if the client may not ask for it.
        """

    def names(self, message: T, jid: str) -> bool:
        """Whether a message is from or to that full JID."""
        return False

    def has(self, ids: Collection[int]) -> bool:
        """Whether all of these are there."""
        wanted = tuple(set(ids))
        return self.count(Range(ids=wanted), len(wanted)).number == len(wanted)


class Page(NamedTuple, Generic[T]):
    """What a query brings: messages with their ids as clients see them, in the order in which they
    are to be sent, and the <fin/> that ends them."""

    results: list[tuple[T, str]]
    fin: Child
    queryid: str | None


def answer(archive: Archive[T], element: Tree, most: int) -> Page[T]:
    """The page that a <query/> asks for, of `most` messages at most (0 = as many as fit); a
    StanzaError if the query is wrong.  Others may work meanwhile."""
    queryid = element.get("queryid")
    if queryid is not None and len(queryid) > _MAX_QUERYID:
        raise BadRequest("the queryid is too long")
    query = read(element, archive)
    if query.known and not archive.has(query.known):
        raise ItemNotFound("there is no such message")
    if query.limit == 0:
        number = _count(archive, query)
        return Page([], _fin((), complete=number == 0, count=number), queryid)
    page, complete = _page(archive, query, most)
    sealed = archive.seal([message.id for message in page])
    count = len(page) if complete and not query.paged else None
    results = list(zip(page, sealed, strict=True))
    fin = _fin(sealed, complete=complete, count=count)
    return Page(results[::-1] if query.flipped else results, fin, queryid)


def metadata(archive: Archive[T]) -> Markup:
    """Where an archive begins and ends (XEP-0313 §5)."""
    ends = archive.ends()
    if ends is None:
        return el("metadata", xmlns=ns.MAM)
    start, end = [
        el(name, id=id, timestamp=archive.stamp(at))
        for name, id, at in zip(("start", "end"), archive.seal(ends), ends, strict=True)
    ]
    return el("metadata", start, end, xmlns=ns.MAM)


def _fin(ids: Sequence[str], *, complete: bool, count: int | None) -> Child:
    """What ends a page.  The number of all results is told where it is known."""
    ends: list[Markup] = []
    if ids:
        index = "0" if complete and count is not None else None
        ends = [el("first", ids[0], index=index), el("last", ids[-1])]
    total = el("count", str(count)) if count is not None else None
    paging = el("set", *ends, total, xmlns=ns.PAGING)
    return child(ns.MAM, "fin", paging, complete="true" if complete else None)


def _page(archive: Archive[T], query: Query, most: int) -> tuple[list[T], bool]:
    """A page, and whether there is nothing beyond it."""
    limit = most or sys.maxsize - 1
    if query.limit is not None:
        limit = min(limit, query.limit)
    if query.resource:
        found, more = _page_of_resource(archive, query, limit + 1)
    else:
        found = archive.page(query.where, limit + 1, size=PAGE_BYTES, backwards=query.backwards)
        more = sum([len(message.stanza) for message in found]) >= PAGE_BYTES
    if len(found) > limit:
        return found[1:] if query.backwards else found[:limit], False
    return found, not more


def _page_of_resource(archive: Archive[T], query: Query, limit: int) -> tuple[list[T], bool]:
    """The messages from or to one full JID, of which the store knows nothing; and whether there
    may be more of them than are here."""
    found: list[T] = []
    size, more = 0, False
    try:
        for message in _along(archive, query.where, backwards=query.backwards):
            if archive.names(message, query.resource):
                found.append(message)
                size += len(message.stanza)
                if len(found) == limit or size >= PAGE_BYTES:
                    break
    except ResourceConstraint:
        if not found:  # a client that gets some can go on from there
            raise
        more = True
    if query.backwards:
        found.reverse()
    return found, more or size >= PAGE_BYTES


def _along(archive: Archive[T], where: Range, *, backwards: bool) -> Iterator[T]:
    """One message after the other, letting others work in between."""
    seen = 0
    while portion := archive.page(where, _LOOKED_AT_AT_ONCE, size=PAGE_BYTES, backwards=backwards):
        yield from reversed(portion) if backwards else portion
        seen += len(portion)
        if seen >= _LOOKED_AT:
            raise ResourceConstraint("ask for the bare address, or for less time")
        where = (
            where._replace(before=portion[0].id)
            if backwards
            else where._replace(after=portion[-1].id)
        )
        breathe()


def _count(archive: Archive[T], query: Query) -> int | None:
    """How many results there are; None if they are too many to be counted."""
    total, where = 0, query.where
    if where == Range() and not query.resource and (known := archive.total()) is not None:
        return known
    if query.resource:
        try:
            for message in _along(archive, where, backwards=False):
                total += archive.names(message, query.resource)
        except ResourceConstraint:
            return None
        return total
    while total < COUNTED:
        portion = archive.count(where, _COUNTED_AT_ONCE)
        total += portion.number
        if portion.number < _COUNTED_AT_ONCE:
            return total
        where = where._replace(after=portion.last)
        breathe()
    return None
