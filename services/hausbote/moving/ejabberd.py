"""What `ejabberdctl dump` writes, as a document of XEP-0227.

ejabberd's own export by that specification leaves out archives and what people publish.  A dump has
everything that is in its own database (Mnesia), table by table; first it is noted where in the file
the rows of each account are, and then one account after the other is written.
"""

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, BinaryIO, Final

from hausbote.base.clock import exact_timestamp
from hausbote.moving import ejabberd_rows as rows
from hausbote.moving.ejabberd_rows import Row
from hausbote.moving.erlang_terms import TermError, head, parse, terms
from hausbote.xmpp import ns
from hausbote.xmpp.soundness import is_sound
from hausbote.xmpp.xml import Markup, el, escape_attribute

_FIRST: Final = b"{tables,["
_OF_ACCOUNT: Final = (
    *("passwd", "vcard", "privacy", "private_storage", "roster"),
    *("offline_msg", "archive_prefs", "archive_msg"),
)
_OF_NODES: Final = ("pubsub_node", "pubsub_state", "pubsub_item")
_STRANGE: Final = (LookupError, TypeError, ValueError, OverflowError)
_DAMAGED: Final = "<damaged-row/>"  # something that is known nowhere, and told of

Owner = tuple[bytes, bytes]
"""Name and server."""


def is_dump(file: BinaryIO) -> bool:
    """Whether it begins as a dump does."""
    return file.read(len(_FIRST)) == _FIRST


class _Places:
    """Where rows are in the file, and the time of each, by which they are sorted."""

    __slots__ = ("_at", "_times")

    def __init__(self) -> None:
        self._at = array("Q")
        self._times = array("Q")

    def add(self, at: int, time: int = 0) -> None:
        self._at.append(at)
        self._times.append(time)

    def sorted(self) -> list[int]:
        order = sorted(range(len(self._at)), key=self._times.__getitem__)
        return [self._at[number] for number in order]


class Dump:
    """An open dump; TermError if it cannot be read."""

    def __init__(self, file: BinaryIO, progress: Callable[[int], None]) -> None:
        self._file = file
        self._fields: dict[str, tuple[str, ...]] = {}
        self._of: dict[Owner, dict[str, _Places]] = defaultdict(lambda: defaultdict(_Places))
        self._nodes: dict[Owner, list[tuple[int, int]]] = defaultdict(list)  # index and place
        self._parts: dict[str, dict[int, _Places]] = defaultdict(lambda: defaultdict(_Places))
        self._note_all(progress)

    def _note_all(self, progress: Callable[[int], None]) -> None:
        for at, line, text in terms(self._file):
            try:
                self._note(at, text)
            except (TermError, *_STRANGE):
                raise TermError(f"line {line}: this row cannot be read") from None
            progress(len(text))

    def _note(self, at: int, text: bytes) -> None:
        (table,) = head(text, 1)
        if table == "tables":
            for name, properties in parse(text)[1]:
                self._fields[name] = tuple(dict(properties)["attributes"])
        elif table in _OF_ACCOUNT:
            row = self._head(text)
            time = rows.microseconds(row.get("timestamp"))
            self._of[_owner(next(iter(row.values())))][table].add(at, time)
        elif table == "pubsub_node":
            row = self._head(text)
            host = row["nodeid"][0]
            if isinstance(host, tuple):
                self._nodes[_owner(host)].append((row["id"], at))
        elif table in _OF_NODES:
            row = self._head(text)
            key = row.get("itemid") or row["stateid"]
            changed = row.get("modification")
            time = rows.microseconds(changed[0]) if isinstance(changed, tuple) else 0
            self._parts[table][key[1]].add(at, time)

    def _head(self, text: bytes) -> Row:
        """The first fields: whose the row is, and when it was made."""
        table, *values = head(text, 5)
        return dict(zip(self._fields[table], values, strict=False))

    def _row(self, at: int) -> Row:
        self._file.seek(at)
        _, _, text = next(terms(self._file))
        table, *values = parse(text)
        return dict(zip(self._fields[table], values, strict=False))

    def _written(self, at: int, write: Callable[[Row], Markup | None]) -> str:
        """A row as an element that can be read again: a database may have more than XML allows."""
        try:
            markup = write(self._row(at))
        except (TermError, *_STRANGE):
            return _DAMAGED
        if markup is None:
            return ""
        return f"{markup}\n" if is_sound(markup) else _DAMAGED

    # -- writing -------------------------------------------------------------------------------

    def document(self) -> Iterator[bytes]:
        """The document in pieces."""
        yield f"<server-data xmlns='{ns.PIE}'>".encode()
        servers: dict[bytes, list[Owner]] = defaultdict(list)
        for owner, tables in self._of.items():
            if "passwd" in tables:
                servers[owner[1]].append(owner)
        for server, owners in servers.items():
            yield f"<host jid='{_text(server)}'>".encode()
            for owner in owners:
                try:
                    for piece in self._user(owner):
                        yield piece.encode()
                except _STRANGE:
                    told = f"the rows of {rows.text(owner[0])} are not as ejabberd writes them"
                    raise TermError(told) from None
            yield b"</host>"
        yield b"</server-data>"

    def _user(self, owner: Owner) -> Iterator[str]:
        tables = self._of[owner]
        (*_, last) = tables["passwd"].sorted()
        secret = self._row(last)["password"]
        password = f" password='{_text(secret)}'" if isinstance(secret, bytes) else ""
        yield f"<user name='{_text(owner[0])}'{password}>"
        for at in tables["passwd"].sorted():
            yield self._written(at, rows.keys)
        for table, write in (
            ("vcard", rows.vcard),
            ("privacy", rows.privacy),
            ("archive_prefs", rows.preferences),
        ):
            for at in tables[table].sorted() if table in tables else ():
                yield self._written(at, write)
        yield from self._roster(tables)
        yield from self._list(
            tables, "private_storage", f"query xmlns='{ns.PRIVATE}'", rows.private
        )
        yield from self._configurations(owner)
        yield from self._items(owner)
        yield from self._list(tables, "offline_msg", "offline-messages", rows.offline)
        yield from self._list(tables, "archive_msg", f"archive xmlns='{ns.PIE_ARCHIVE}'", _archived)
        yield "</user>"

    def _list(
        self,
        tables: dict[str, _Places],
        table: str,
        start: str,
        write: Callable[[Row], Markup | None],
    ) -> Iterator[str]:
        if table in tables:
            yield f"<{start}>"
            for at in tables[table].sorted():
                yield self._written(at, write)
            yield f"</{start.partition(' ')[0]}>"

    def _roster(self, tables: dict[str, _Places]) -> Iterator[str]:
        places = tables["roster"].sorted() if "roster" in tables else []
        requests = []
        yield f"<query xmlns='{ns.ROSTER}'>"
        for at in places:
            yield self._written(at, rows.contact)
            requests.append(self._written(at, rows.request))
        yield "</query>"
        yield from requests

    def _configurations(self, owner: Owner) -> Iterator[str]:
        yield f"<pubsub xmlns='{ns.PUBSUB_OWNER}'>"
        for index, at in self._nodes.get(owner, ()):
            name = rows.text(self._row(at)["nodeid"][1])
            yield self._written(at, rows.configuration)
            for place in self._parts["pubsub_state"][index].sorted():
                yield self._written(place, partial(rows.affiliation, name))
                yield self._written(place, partial(rows.subscriptions, name))
        yield "</pubsub>"

    def _items(self, owner: Owner) -> Iterator[str]:
        yield f"<pubsub xmlns='{ns.PUBSUB}'>"
        for index, at in self._nodes.get(owner, ()):
            yield f"<items node='{_text(self._row(at)['nodeid'][1])}'>"
            for place in self._parts["pubsub_item"][index].sorted():
                yield self._written(place, rows.item)
            yield "</items>"
        yield "</pubsub>"


def _archived(row: Row) -> Markup:
    message = rows.element(row["packet"], ns.CLIENT)
    stamp = exact_timestamp(rows.microseconds(row["timestamp"]))
    delay = el("delay", xmlns=ns.DELAY, stamp=stamp)
    forwarded = el("forwarded", delay, message, xmlns=ns.FORWARD)
    return el("result", forwarded, xmlns=ns.MAM, id=rows.text(row["id"]))


def _owner(key: Any) -> Owner:
    """The first two of what a row is called by."""
    name, server = key[:2]
    if not isinstance(name, bytes) or not isinstance(server, bytes):
        raise TermError("a row is of nobody")
    return name, server


def _text(value: bytes) -> str:
    return escape_attribute(rows.text(value))
