"""Parts of an archive, whoever's it is: an account's (`archives`), or a room's (`rooms`)."""

import json
import sys
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol, TypeVar


class Range(NamedTuple):
    """A part of an archive: ids between `after` and `before`, both not included.

    `peer` is a bare JID, "" for all: of the other side, or in a room of the sender.  `ids` are
    those that may be in it.
    """

    after: int = 0
    before: int = sys.maxsize
    peer: str = ""
    ids: tuple[int, ...] | None = None


class Portion(NamedTuple):
    """How many entries were counted, and the id of the last of them."""

    number: int
    last: int


class Kept(Protocol):
    """A message as it is kept."""

    @property
    def stanza(self) -> bytes: ...


T = TypeVar("T", bound=Kept)


def narrowed(where: Range, id: str) -> tuple[str, list[object]]:
    """The bounds of a range and its ids, as SQL that follows other conditions, and its values."""
    sql, values = "", list[object]()
    if where.after:
        sql += f" AND {id} > ?"
        values.append(where.after)
    if where.before != sys.maxsize:
        sql += f" AND {id} < ?"
        values.append(where.before)
    if where.ids is not None:
        sql += f" AND {id} IN (SELECT value FROM json_each(?))"
        values.append(json.dumps(where.ids))
    return sql, values


def taken(rows: Iterable[Any], make: Callable[..., T], size: int) -> list[T]:
    """What `make` makes of the first rows, until that has so many bytes together; no more rows are
    read then."""
    found = []
    for row in rows:
        one = make(*row)
        found.append(one)
        size -= len(one.stanza)
        if size <= 0:
            break
    return found
