"""Answers what clients ask of their archives (XEP-0313 §4, §5), paged by XEP-0059.

The number of all results is told if it was asked for (by a page of 0) or if they are all on the
page: to count a large archive costs more than the page, and §4.3.2 lets us leave it out.
"""

import sys
from collections.abc import Iterator
from typing import Final

from hausbote.core.feature import Feature, Target
from hausbote.core.host import Host, breathe
from hausbote.core.request import Request
from hausbote.core.session import Session
from hausbote.features.archive import ids
from hausbote.features.archive.query import FORM, Query, read
from hausbote.features.archive.readers import note_reader
from hausbote.features.archive.results import fin, metadata, results
from hausbote.storage import Archived, Range
from hausbote.xmpp import ns
from hausbote.xmpp.errors import BadRequest, Forbidden, ItemNotFound, ResourceConstraint
from hausbote.xmpp.stanza import Child, child
from hausbote.xmpp.xml import Markup, escape_attribute

feature = Feature(
    "archive queries",
    xeps={"0059": "1.0", "0313": "1.1.3"},
    account_disco=(ns.MAM, f"{ns.MAM}#extended", f"{ns.MAM}#groupchat-field"),
)

_PAGE_BYTES: Final = 1_048_576  # of one page
_MAX_QUERYID: Final = 1_023  # characters, which are repeated in every result
_COUNTED_AT_ONCE: Final = 5_000  # a millisecond's work
_LOOKED_AT_AT_ONCE: Final = 200
_LOOKED_AT: Final = 50_000  # for one query by a full JID


@feature.iq("get", ns.MAM, "query", Target.ACCOUNT)
def describe(request: Request) -> Child:
    _owner(request)
    return child(ns.MAM, "query", FORM)


@feature.iq("get", ns.MAM, "metadata", Target.ACCOUNT)
def tell_ends(request: Request) -> Child:
    _owner(request)
    return Child(ns.MAM, "metadata", metadata(request.host, request.to.local))


@feature.bind_result()
def tell_ends_at_login(host: Host, session: Session) -> Markup:
    """Who binds like this reads what it missed from the archive (XEP-0386 §4)."""
    note_reader(host, session, lasting=False)
    return metadata(host, session.account.local)


@feature.iq("set", ns.MAM, "query", Target.ACCOUNT)
def answer(request: Request) -> Child:
    """The results are on their way before this returns the <fin/>."""
    session = _owner(request)
    host, local = request.host, request.to.local
    tree = request.tree()
    queryid = tree.get("queryid")
    if queryid is not None and len(queryid) > _MAX_QUERYID:
        raise BadRequest("the queryid is too long")
    query = read(tree, lambda text: ids.unseal(host, local, text))
    if query.known and not host.store.archives.has(local, query.known):
        raise ItemNotFound
    note_reader(host, session)
    if query.limit == 0:
        number = _count(host, local, query)
        return fin((), complete=number == 0, count=number)
    page, complete = _page(host, local, query)
    sealed = ids.seal_all(host, local, [message.id for message in page])
    count = len(page) if complete and not query.paged else None
    shown = list(results(host, session.jid.full, local, queryid, page, sealed))
    for result in reversed(shown) if query.flipped else shown:
        session.write(result)
    return fin(sealed, complete=complete, count=count)


def _owner(request: Request) -> Session:
    """The session that asks for its own archive; nobody else may."""
    if not request.own or request.session is None:
        raise Forbidden
    return request.session


def _page(host: Host, local: str, query: Query) -> tuple[list[Archived], bool]:
    """A page, and whether there is nothing beyond it."""
    limit = host.settings.archive.page or sys.maxsize - 1
    if query.limit is not None:
        limit = min(limit, query.limit)
    if query.resource:
        found, more = _page_of_resource(host, local, query, limit + 1)
    else:
        found = host.store.archives.page(
            local, query.where, limit + 1, size=_PAGE_BYTES, backwards=query.backwards
        )
        more = sum([len(message.stanza) for message in found]) >= _PAGE_BYTES
    if len(found) > limit:
        return found[1:] if query.backwards else found[:limit], False
    return found, not more


def _page_of_resource(
    host: Host, local: str, query: Query, limit: int
) -> tuple[list[Archived], bool]:
    """The messages from or to one full JID, of which the store knows nothing; and whether there
    may be more of them than are here."""
    found: list[Archived] = []
    size, more = 0, False
    try:
        for message in _along(host, local, query.where, backwards=query.backwards):
            if _names(message, query.resource):
                found.append(message)
                size += len(message.stanza)
                if len(found) == limit or size >= _PAGE_BYTES:
                    break
    except ResourceConstraint:
        if not found:  # a client that gets some can go on from there
            raise
        more = True
    if query.backwards:
        found.reverse()
    return found, more or size >= _PAGE_BYTES


def _along(host: Host, local: str, where: Range, *, backwards: bool) -> Iterator[Archived]:
    """One message after the other, letting others work in between."""
    seen = 0
    while portion := host.store.archives.page(
        local, where, _LOOKED_AT_AT_ONCE, size=_PAGE_BYTES, backwards=backwards
    ):
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


def _names(message: Archived, jid: str) -> bool:
    """Whether a message is from or to that address; all quotes in values are escaped."""
    head = message.stanza[: message.stanza.index(b">")]
    value = f"='{escape_attribute(jid)}'".encode()
    return b" from" + value in head or b" to" + value in head


def _count(host: Host, local: str, query: Query) -> int:
    if query.resource:
        along = _along(host, local, query.where, backwards=False)
        return sum(_names(message, query.resource) for message in along)
    total, where = 0, query.where
    while True:
        portion = host.store.archives.count(local, where, _COUNTED_AT_ONCE)
        total += portion.number
        if portion.number < _COUNTED_AT_ONCE:
            return total
        where = where._replace(after=portion.last)
        breathe()
