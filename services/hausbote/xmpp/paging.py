"""One page of a long list, and where it is in the whole (XEP-0059)."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from hausbote.xmpp import ns
from hausbote.xmpp.errors import BadRequest, ItemNotFound
from hausbote.xmpp.xml import Markup, Tree, el

_SET: Final = f"{{{ns.PAGING}}}set"


class Paging(NamedTuple):
    """What was asked for.  `before` is "" for the last page, `start` a number from 0."""

    max: int | None = None
    after: str | None = None
    before: str | None = None
    start: int | None = None


class Page(NamedTuple):
    """A slice of the whole list."""

    start: int
    end: int
    total: int


def read(parent: Tree) -> Paging | None:
    """The <set/> among the children of an element; BadRequest if it makes no sense."""
    element = parent.find(_SET)
    if element is None:
        return None
    texts = {child.tag: child.text or "" for child in element if isinstance(child.tag, str)}
    after, before = texts.get(_q("after")), texts.get(_q("before"))
    if after is not None and before is not None:
        raise BadRequest("a page is after or before something, not both")
    size, place = _number(texts.get(_q("max"))), _number(texts.get(_q("index")))
    return Paging(size, after or None, before, place)


def choose(ids: Sequence[str], paging: Paging, limit: int) -> Page:
    """The page of a list that is known as a whole; ItemNotFound if its place is not known (§2.5).

    No page is longer than `limit` (0 = no limit).
    """
    total = len(ids)
    size = total if paging.max is None else paging.max
    if limit:
        size = min(size, limit)
    if paging.start is not None:
        start = paging.start
        if start >= max(total, 1):
            raise ItemNotFound
        return Page(start, min(start + size, total), total)
    if paging.after is not None:
        start = _place(ids, paging.after) + 1
        return Page(start, min(start + size, total), total)
    if paging.before is not None:
        end = _place(ids, paging.before) if paging.before else total
        return Page(max(0, end - size), end, total)
    return Page(0, min(size, total), total)


def write(ids: Sequence[str], page: Page) -> Markup:
    """The <set/> of a result."""
    shown = ids[page.start : page.end]
    ends = (el("first", shown[0], index=str(page.start)), el("last", shown[-1])) if shown else ()
    return el("set", *ends, el("count", str(page.total)), xmlns=ns.PAGING)


def _place(ids: Sequence[str], id: str) -> int:
    try:
        return ids.index(id)
    except ValueError:
        raise ItemNotFound from None


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BadRequest("a page's size and index are numbers")
    return int(text)


def _q(name: str) -> str:
    return f"{{{ns.PAGING}}}{name}"
