"""Frames and vets an XML stream (RFC 6120 §4, §11) and writes its stanzas anew.

expat in namespace mode reads; every start tag, text and end tag becomes a piece of XML of our own,
with the namespace written out wherever it differs from the parent's.  Peers' prefixes, CDATA
sections, quoting and declarations on the stream's root are gone after that, and with them the
disagreements between parsers that other servers were smuggled through.

The cost of a peer is bounded here: bytes per stanza, bytes per token (expat scans an unfinished
token again with every piece that arrives), depth, attributes, different names, and the namespaces
that our writing repeats.  expat keeps each name for its parser's life, so parsers are renewed; and
because a parser is 12 KB, an idle stream `rest`s without one.
"""

from dataclasses import dataclass
from pyexpat import ExpatError, ParserCreate
from pyexpat import errors as expat_errors
from typing import Any, Final, NamedTuple

from hausbote.xmpp import ns
from hausbote.xmpp.declaration import check_declaration, check_encoding
from hausbote.xmpp.errors import StreamError
from hausbote.xmpp.stanza import Child, Stanza
from hausbote.xmpp.xml import escape_attribute, escape_text

_LANGUAGE: Final = 35  # characters of a language's tag (RFC 5646 §4.4.1)


@dataclass(frozen=True, slots=True)
class Opened:
    """The peer's stream header: its attributes, `xml:lang` among them."""

    attrs: dict[str, str]


def language_of(attrs: dict[str, str], ours: str) -> str | None:
    """What a header names as the language of its stanzas, if that is another than ours.

    It is written into every stanza, so what is too long for a language is none.
    """
    language = attrs.get("xml:lang")
    return None if language is None or language == ours or len(language) > _LANGUAGE else language


@dataclass(frozen=True, slots=True)
class Closed:
    """The peer's </stream:stream>."""


Event = Opened | Stanza | Closed | StreamError


@dataclass(frozen=True, slots=True)
class ParserLimits:
    """What one peer may cost."""

    stanza: int = 262_144  # bytes; 0 = no limit
    token: int = 16_384  # bytes of one tag
    depth: int = 100  # elements within each other
    attributes: int = 100  # of one element
    name: int = 512  # characters of one name, its namespace included
    names: int = 10_000  # different ones that expat is given before it can be renewed


BEFORE_LOGIN: Final = ParserLimits(stanza=16_384, token=8_192, depth=8, attributes=16, names=200)
"""Enough for every way to log in, and for nothing else."""
LOGIN_SECONDS: Final = 30
"""From the first byte to a bound resource."""

_RENEW_AFTER_NAMES: Final = 500
_RENEW_AFTER_BYTES: Final = 262_144  # it keeps each spelling of a name; renewing costs 8 µs
_CACHED_NAMES: Final = 8_192


class _Tag(NamedTuple):
    ns: str
    name: str
    bare: str  # "<name", for a parent in the same namespace
    full: str  # "<name xmlns='...'"
    end: str


# By expat's name ("namespace local").  Names are the peers' choice: the caches are emptied when
# full, which one peer can bring about; it costs all others a microsecond for each of their names.
_tags: dict[str, _Tag] = {}
_attributes: dict[str, str] = {}

_STANZAS: Final = frozenset({"message", "presence", "iq"})
_RESTRICTED: Final = "no DOCTYPE, entity, comment or processing instruction (RFC 6120 §11.1)"
_CONDITIONS: Final = {
    expat_errors.codes[expat_errors.XML_ERROR_UNDEFINED_ENTITY]: "restricted-xml",
    expat_errors.codes[expat_errors.XML_ERROR_UNKNOWN_ENCODING]: "unsupported-encoding",
    expat_errors.codes[expat_errors.XML_ERROR_INCORRECT_ENCODING]: "unsupported-encoding",
    expat_errors.codes[expat_errors.XML_ERROR_JUNK_AFTER_DOC_ELEMENT]: "bad-format",
}


class StreamParser:
    """Bytes in, events out.  A StreamError is the last event; no further byte is read then."""

    __slots__ = (
        "_begun",
        "_children",
        "_content_ns",
        "_events",
        "_expat",
        "_extra",
        "_failed",
        "_fed",
        "_last",
        "_limits",
        "_loose",
        "_pieces",
        "_scope",
        "_stack",
        "_stanza",
        "_stanza_at",
        "_start_tag",
    )

    def __init__(self, limits: ParserLimits = BEFORE_LOGIN, content_ns: str = ns.CLIENT) -> None:
        self._limits = limits
        self._content_ns = content_ns
        self.reset()

    def reset(self) -> None:
        """Forget the stream; the next bytes begin another (after TLS, after SASL)."""
        self._expat: Any = None
        self._begun = self._failed = False
        self._scope: dict[str | None, str] = {}  # the declarations on the root
        self._events: list[Event] = []
        self._stack: list[_Tag] = []  # open elements, the root first
        self._stanza: tuple[_Tag, dict[str, str]] | None = None
        self._children: list[Child] = []  # of that stanza, complete
        self._pieces: list[str] = []  # of the child being read
        self._loose: list[str] = []  # text beside the children
        self._start_tag = ""  # the last piece if it may still become <empty/>
        self._fed = 0  # bytes given to this expat
        self._last = b""  # the last of them
        self._stanza_at = 0  # where in them the stanza began
        self._extra = 0  # characters of namespaces written into the stanza

    def allow(self, limits: ParserLimits) -> None:
        """Replace the limits, as after a login."""
        self._limits = limits

    def rest(self) -> bool:
        """Give expat's memory back until the next byte; False in the middle of something.

        The names that it was given are forgotten, too.
        """
        if self._expat is None:
            return True
        if not self.between:
            return False
        if len(self._root_prefixes()) != 1:
            return False  # what the root was called in the peer's spelling is not known any more
        self._expat = None
        return True

    @property
    def between(self) -> bool:
        """Whether the last byte ended an element below the root."""
        if self._expat is None:
            return len(self._stack) == 1
        return len(self._stack) == 1 and self._expat.CurrentByteIndex >= self._fed

    def feed(self, data: bytes) -> list[Event]:
        """The events that `data` completes."""
        if self._failed:
            return []
        events = self._events = []
        try:
            self._parse(data)
        except StreamError as error:
            self._fail(error)
        except ExpatError as error:
            self._fail(self._explain(error, data))
        return events

    def _parse(self, data: bytes) -> None:
        if not self._begun:
            # White space kept the last stream alive; a single byte does not show the encoding.
            data = (self._last + data).lstrip(b" \t\r\n")
            check_encoding(data)
            self._last = data if len(data) == 1 else b""
            if len(data) < 2:
                return
            self._begun = True
            if data[:2] == b"</":  # it ends the stream that was to be begun again
                self._failed = True
                self._events.append(Closed())
                return
        if self._expat is None:
            self._expat = self._continued() if self._stack else self._fresh()
        self._fed += len(data)
        self._expat.Parse(data, False)
        self._last = data[-1:]
        self._check_size()
        names = len(self._expat.intern)
        if names > self._limits.names:
            raise StreamError("policy-violation", "too many different names")
        if names > _RENEW_AFTER_NAMES or self._fed > _RENEW_AFTER_BYTES:
            self.rest()

    def _explain(self, error: ExpatError, data: bytes) -> StreamError:
        # Inside the root expat calls <!DOCTYPE and its like an invalid token after the "!".
        known = self._last + data
        at = self._expat.ErrorByteIndex - (self._fed - len(known))
        around = known[max(at - 1, 0) : at + 1]
        if around[:1] == b"!" and around[1:].isalpha():
            return StreamError("restricted-xml", _RESTRICTED)
        condition = _CONDITIONS.get(error.code, "not-well-formed")
        return StreamError(condition, expat_errors.messages.get(error.code))

    def _fail(self, error: StreamError) -> None:
        self._events.append(error)
        self._failed = True
        self._expat = None

    # -- limits --------------------------------------------------------------------------------

    def _check_size(self) -> None:
        limits = self._limits
        if self._fed - self._expat.CurrentByteIndex > limits.token:
            raise StreamError("policy-violation", "a tag is too long")
        if self._stanza is not None and 0 < limits.stanza < self._fed - self._stanza_at:
            raise StreamError("policy-violation", "a stanza is too large")

    def _check_length(self, name: str) -> None:
        if len(name) > self._limits.name:
            raise StreamError("policy-violation", "a name is too long")

    def _learn_tag(self, name: str) -> _Tag:
        self._check_length(name)
        uri, _, local = name.rpartition(" ")
        if uri == ns.XML:
            raise StreamError("not-well-formed", "there are no elements in the namespace of XML")
        start = f"<{local}"
        tag = _Tag(uri, local, start, f"{start} xmlns='{escape_attribute(uri)}'", f"</{local}>")
        if len(_tags) >= _CACHED_NAMES:
            _tags.clear()
        _tags[name] = tag
        return tag

    def _learn_attribute(self, name: str) -> str:
        self._check_length(name)
        if len(_attributes) >= _CACHED_NAMES:
            _attributes.clear()
        uri, _, local = name.rpartition(" ")
        written = _attributes[name] = f"xml:{local}" if uri == ns.XML else name
        return written

    # -- expat ---------------------------------------------------------------------------------

    def _fresh(self) -> Any:
        expat = _make_expat()
        expat.XmlDeclHandler = check_declaration
        expat.StartNamespaceDeclHandler = self._declared
        expat.StartElementHandler = self._root
        expat.CharacterDataHandler = self._text
        self._fed = 0
        return expat

    def _continued(self) -> Any:
        """A new expat in the place where the last one went to rest: inside the root."""
        expat = _make_expat()
        declared = "".join(
            f" xmlns{':' + prefix if prefix else ''}='{escape_attribute(uri)}'"
            for prefix, uri in self._scope.items()
        )
        root = f"<{self._root_prefixes()[0]}:stream{declared}>".encode()
        expat.Parse(root, False)
        self._fed = len(root)
        self._listen(expat)
        return expat

    def _root_prefixes(self) -> list[str]:
        return [prefix for prefix, uri in self._scope.items() if prefix and uri == ns.STREAMS]

    def _declared_inside(self, prefix: str | None, uri: str | None) -> None:
        """expat keeps prefixes, too; being told of them is what makes them count."""
        longest = self._limits.name
        if (uri and len(uri) > longest) or (prefix and len(prefix) > longest):
            raise StreamError("policy-violation", "a name is too long")

    def _listen(self, expat: Any) -> None:
        expat.StartNamespaceDeclHandler = self._declared_inside
        expat.StartElementHandler = self._start
        expat.EndElementHandler = self._end
        expat.CharacterDataHandler = self._text

    def _declared(self, prefix: str | None, uri: str | None) -> None:
        self._scope[prefix] = uri or ""

    def _root(self, name: str, attrs: dict[str, str]) -> None:
        if name != f"{ns.STREAMS} stream":
            wrong_namespace = name.rpartition(" ")[2] == "stream"
            raise StreamError("invalid-namespace" if wrong_namespace else "bad-format")
        if self._scope.get(None) != self._content_ns:
            raise StreamError("invalid-namespace", f"the content namespace is {self._content_ns}")
        self._stack.append(_Tag(ns.STREAMS, "stream", "", "", ""))
        self._events.append(Opened(self._written(attrs)))
        self._listen(self._expat)

    def _start(self, name: str, attrs: dict[str, str]) -> None:
        tag = _tags.get(name) or self._learn_tag(name)
        stack = self._stack
        depth = len(stack)
        if depth > self._limits.depth or len(attrs) > self._limits.attributes:
            raise StreamError("policy-violation", "elements too deep or too many attributes")
        if depth == 1:
            if tag.ns == ns.STREAMS and tag.name == "stream":
                raise StreamError("bad-format", "a stream inside the stream")
            self._stanza = (tag, self._written(attrs))
            self._stanza_at = self._expat.CurrentByteIndex
            self._children = []
            self._loose = []
            self._extra = 0
        else:
            # A child stands on its own; only the content namespace is known wherever it goes.
            if tag.ns == stack[-1].ns and (depth > 2 or tag.ns == self._content_ns):
                start = tag.bare
            else:
                start = tag.full
                self._extra += len(start)
                if 0 < self._limits.stanza < self._extra:
                    raise StreamError("policy-violation", "a stanza is too large")
            for key, value in self._written(attrs).items() if attrs else ():
                start += f" {key}='{escape_attribute(value)}'"
            self._start_tag = start = start + ">"
            self._pieces.append(start)
        stack.append(tag)

    def _written(self, attrs: dict[str, str]) -> dict[str, str]:
        """Attributes by the names that we write, declarations of our own prefixes among them."""
        written: dict[str, str] = {}
        for key, value in attrs.items():
            name = _attributes.get(key) or self._learn_attribute(key)
            if " " in name:
                uri, _, local = name.rpartition(" ")
                prefix = f"ns{len(written)}"
                self._extra += len(uri)
                written[f"xmlns:{prefix}"] = uri
                name = f"{prefix}:{local}"
            written[name] = value
        return written

    def _text(self, text: str) -> None:
        depth = len(self._stack)
        if depth > 2:
            self._pieces.append(escape_text(text))
            self._start_tag = ""
        elif depth == 2:
            self._loose.append(text)
        elif not text.isspace():
            raise StreamError("bad-format", "text between stanzas")

    def _end(self, _name: str) -> None:
        stack = self._stack
        tag = stack.pop()
        depth = len(stack)
        if depth > 1:
            pieces = self._pieces
            if self._start_tag:
                pieces[-1] = self._start_tag[:-1] + "/>"
                self._start_tag = ""
            else:
                pieces.append(tag.end)
            if depth == 2:
                self._end_of_child(tag)
        elif depth == 1:
            self._end_of_stanza()
        else:
            self._events.append(Closed())

    def _end_of_child(self, tag: _Tag) -> None:
        namespace = ns.CLIENT if tag.ns == self._content_ns else tag.ns
        self._children.append(Child(namespace, tag.name, "".join(self._pieces)))
        self._pieces = []

    def _end_of_stanza(self) -> None:
        assert self._stanza is not None
        tag, attrs = self._stanza
        self._stanza = None
        children = tuple(self._children)
        if tag.ns == self._content_ns and tag.name in _STANZAS:
            # No stanza's specification gives a meaning to text beside its children.
            self._events.append(Stanza(tag.name, attrs, children))
        else:
            text = escape_text("".join(self._loose))
            inner = text + "".join([child.xml for child in children])
            self._events.append(Stanza(tag.name, attrs, children, inner, ns=tag.ns))


def _make_expat() -> Any:
    expat = ParserCreate("UTF-8", " ")
    if hasattr(expat, "SetReparseDeferralEnabled"):
        # A stanza must come out with its last byte; the token limit bounds the cost instead.
        expat.SetReparseDeferralEnabled(False)
    expat.buffer_text = True
    expat.StartDoctypeDeclHandler = _restricted
    expat.EntityDeclHandler = _restricted
    expat.CommentHandler = _restricted
    expat.ProcessingInstructionHandler = _restricted
    return expat


def _restricted(*_: object) -> None:
    raise StreamError("restricted-xml", _RESTRICTED)
