"""Reads what another server has exported (XEP-0227), piece by piece: an account may be larger than
the memory.

No I/O: bytes go in, pieces come out, and who reads the files follows what they include.  expat
reads; document types, and with them entities, are refused, and every piece is bounded.
"""

from enum import IntEnum
from pyexpat import ExpatError, ParserCreate
from pyexpat import errors as expat_errors
from typing import Any, Final, NamedTuple, cast
from xml.etree.ElementTree import TreeBuilder

from hausbote.xmpp import ns
from hausbote.xmpp.xml import Tree

_MOST_BYTES: Final = 16_777_216  # of one piece: a message, an item, a vCard
_MOST_DEPTH: Final = 100  # elements within each other in a piece
_MOST_NAMES: Final = 100_000  # different ones of a file, which expat keeps
_CONTAINERS: Final = {
    (ns.PIE, "offline-messages"): "offline",
    (ns.PIE_ARCHIVE, "archive"): "archive",
    (ns.ROSTER, "query"): "roster",
    (ns.PRIVATE, "query"): "private",
    (ns.PUBSUB_OWNER, "pubsub"): "configurations",
    (ns.PUBSUB, "pubsub"): "nodes",
}


class Level(IntEnum):
    """What an element is in, as far as XEP-0227 says what that may be."""

    DOCUMENT = 0  # <server-data/> is in nothing
    SERVER = 1
    HOST = 2
    USER = 3


_EXPECTED: Final = {Level.DOCUMENT: "server-data", Level.SERVER: "host", Level.HOST: "user"}


class Host(NamedTuple):
    """What follows is of this domain."""

    jid: str
    line: int


class User(NamedTuple):
    """An account begins; `password` is "" if it is not told."""

    name: str
    password: str
    line: int


class Part(NamedTuple):
    """A whole element of an account: `inside` says of which of its lists, or is "" for a child of
    <user/>; `node` is the node whose item it is."""

    inside: str
    node: str
    element: Tree
    line: int


class Ignored(NamedTuple):
    """An element that this specification says nothing of."""

    name: str
    line: int


class UserEnd(NamedTuple):
    line: int


class Include(NamedTuple):
    """Another file stands here, for something that is in a `level`."""

    href: str
    level: Level
    line: int


Piece = Host | User | Part | Ignored | UserEnd | Include


class PieError(Exception):
    """What is wrong with a file, and in which line."""

    def __init__(self, sentence: str, line: int) -> None:
        super().__init__(sentence)
        self.line = line


class PieReader:
    """One file: `level` is what its root element is in."""

    def __init__(self, level: Level = Level.DOCUMENT) -> None:
        self._open: list[Level | str] = [level]  # levels, then names of lists
        self._node = ""
        self._pieces: list[Piece] = []
        self._builder: TreeBuilder | None = None
        self._depth = 0  # in the piece that is being read
        self._began = (0, 0)  # its line and its first byte
        self._fed = 0
        self._ended = False
        expat = self._expat = ParserCreate(None, " ")
        expat.buffer_text = True
        expat.StartElementHandler = self._start
        expat.EndElementHandler = self._end
        expat.CharacterDataHandler = self._text
        expat.StartDoctypeDeclHandler = self._refuse

    def feed(self, data: bytes) -> list[Piece]:
        """The pieces that end in `data`; PieError at the first thing that is wrong."""
        self._parse(data, False)
        self._fed += len(data)
        if self._fed - max(self._expat.CurrentByteIndex, 0) > _MOST_BYTES:
            raise self._error("an element is too large")
        if len(cast(Any, self._expat).intern) > _MOST_NAMES:
            raise self._error("there are too many different names")
        return self._taken()

    def close(self) -> list[Piece]:
        """The file ends here."""
        self._parse(b"", True)
        return self._taken()

    def _taken(self) -> list[Piece]:
        pieces, self._pieces = self._pieces, []
        return pieces

    def _parse(self, data: bytes, last: bool) -> None:
        try:
            self._expat.Parse(data, last)
        except ExpatError as error:
            told = expat_errors.messages.get(error.code, "it cannot be read")
            raise PieError(f"this is not well-formed XML ({told})", error.lineno) from None
        except ValueError as error:  # an encoding that nobody knows
            raise self._error(f"it cannot be read: {error}") from None

    def _error(self, sentence: str) -> PieError:
        return PieError(sentence, self._expat.CurrentLineNumber)

    def _refuse(self, *_: object) -> None:
        raise self._error("document types and entities are not read")

    # -- what expat tells ----------------------------------------------------------------------

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if self._builder is not None:
            self._inside(name, attributes)
            return
        uri, _, local = name.rpartition(" ")
        uri = ns.PIE if uri == ns.OLD_PIE else uri
        place = self._open[-1]
        if place == Level.USER and (uri, local) in _CONTAINERS:
            self._open.append(_CONTAINERS[uri, local])
        elif place == "nodes" and (uri, local) == (ns.PUBSUB, "items"):
            self._node = attributes.get("node", "")
            self._open.append("items")
        elif isinstance(place, Level) and uri == ns.PIE and local == _EXPECTED.get(place):
            self._enter(place, attributes)
        elif place == Level.DOCUMENT or (self._is_root() and place != Level.USER):
            expected = _EXPECTED[cast(Level, place)]
            raise self._error(
                f"this is no export by XEP-0227: it does not begin with <{expected}/>"
            )
        else:
            self._begin(name, attributes)

    def _is_root(self) -> bool:
        return len(self._open) == 1

    def _enter(self, place: Level, attributes: dict[str, str]) -> None:
        line = self._expat.CurrentLineNumber
        if place == Level.SERVER:
            self._pieces.append(Host(attributes.get("jid", ""), line))
        elif place == Level.HOST:
            name, password = attributes.get("name", ""), attributes.get("password", "")
            self._pieces.append(User(name, password, line))
        self._open.append(Level(place + 1))

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        self._builder, self._depth = TreeBuilder(), 0
        self._began = (self._expat.CurrentLineNumber, self._expat.CurrentByteIndex)
        self._inside(name, attributes)

    def _inside(self, name: str, attributes: dict[str, str]) -> None:
        assert self._builder is not None
        self._depth += 1
        if self._depth > _MOST_DEPTH:
            raise self._error("elements are too deep within each other")
        self._check_size()
        self._builder.start(_braced(name), {_braced(k): v for k, v in attributes.items()})

    def _text(self, text: str) -> None:
        if self._builder is not None:
            self._check_size()
            self._builder.data(text)

    def _end(self, name: str) -> None:
        if self._builder is not None:
            self._builder.end(_braced(name))
            self._depth -= 1
            if not self._depth:
                self._finish(cast(Tree, self._builder.close()))
            return
        place = self._open.pop()
        if place == Level.USER:
            self._pieces.append(UserEnd(self._expat.CurrentLineNumber))

    def _check_size(self) -> None:
        if self._expat.CurrentByteIndex - self._began[1] > _MOST_BYTES:
            raise self._error("an element is too large")

    def _finish(self, element: Tree) -> None:
        self._builder = None
        place, line = self._open[-1], self._began[0]
        if element.tag == f"{{{ns.XINCLUDE}}}include" and isinstance(place, Level):
            self._pieces.append(_include(element, place, line))
        elif isinstance(place, str):
            self._pieces.append(Part(place, self._node if place == "items" else "", element, line))
        elif place == Level.USER:
            self._pieces.append(Part("", "", element, line))
        else:
            self._pieces.append(Ignored(element.tag.rpartition("}")[2], line))


def _include(element: Tree, level: Level, line: int) -> Include:
    href = element.get("href", "")
    if not href or element.get("xpointer") is not None or element.get("parse", "xml") != "xml":
        raise PieError("only whole files of XML can be included", line)
    return Include(href, level, line)


def _braced(name: str) -> str:
    uri, _, local = name.rpartition(" ")
    return f"{{{uri}}}{local}" if uri else local
