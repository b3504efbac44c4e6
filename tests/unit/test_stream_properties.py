"""Any stanza, in any spelling, in any pieces: what comes out says what went in."""

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from hausbote.xmpp import ns
from hausbote.xmpp.errors import StreamError
from hausbote.xmpp.stanza import Stanza, tree
from hausbote.xmpp.stream import Closed, Opened, ParserLimits, StreamParser
from support.trees import infoset

HEADER = (
    "<stream:stream version='1.0' xmlns:p='urn:p'"
    " xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
)
NAMESPACES = [ns.CLIENT, "urn:p", "urn:x?a&b='c'", "vcard-temp", ns.STREAMS, ""]

local_names = st.sampled_from(["a", "body", "x-1", "_y.z", "ü", "xmlnsx"])
characters = st.characters(
    exclude_categories=("Cs", "Cc", "Cn"), include_characters="\t\n\r<>&'\"]"
)
texts = st.text(characters, max_size=8)
attributes = st.dictionaries(
    st.tuples(st.sampled_from(["", "urn:p", "urn:q'&", ns.XML]), local_names), texts, max_size=3
)


@st.composite
def elements(draw, depth=3):
    """(namespace, name, attributes, [text, child, text, child, ..., text])."""
    count = draw(st.integers(0, 2)) if depth else 0
    content = [draw(texts)]
    for _ in range(count):
        content += [draw(elements(depth=depth - 1)), draw(texts)]
    return draw(st.sampled_from(NAMESPACES)), draw(local_names), draw(attributes), content


class Spelling:
    """Writes elements as a peer might: prefixes, quotes, CDATA and references as they come."""

    def __init__(self, draw):
        self.draw = draw
        self.count = 0

    def choice(self, *options):
        return self.draw(st.sampled_from(options))

    def prefix(self):
        self.count += 1
        return f"q{self.count}"

    def text(self, text):
        if "]]>" not in text and "\r" not in text and self.choice(True, False):
            return f"<![CDATA[{text}]]>" if text else ""
        return "".join(map(self.character, text))

    def character(self, character):
        if character in "<>&'\"\r\n\t" or self.choice(True, False, False):
            return self.choice(f"&#{ord(character)};", f"&#x{ord(character):x};")
        return character

    def attribute(self, key, value):
        quote = self.choice("'", '"')
        return f" {key}={quote}{''.join(map(self.character, value))}{quote}"

    def element(self, namespace, name, attributes, content):
        tag, declared = self.named(namespace, name)
        written = "".join(
            self.named_attribute(uri, key, value) for (uri, key), value in attributes.items()
        )
        inside = "".join(
            self.text(part) if isinstance(part, str) else self.element(*part) for part in content
        )
        space = self.choice("", " ", "\n")
        if not inside and self.choice(True, False):
            return f"<{tag}{declared}{written}{space}/>"
        return f"<{tag}{declared}{written}{space}>{inside}</{tag}{space}>"

    def named(self, namespace, name):
        if namespace and self.choice(True, False):
            prefix = self.prefix()
            return f"{prefix}:{name}", self.attribute(f"xmlns:{prefix}", namespace)
        return name, self.attribute("xmlns", namespace)

    def named_attribute(self, uri, key, value):
        if uri == ns.XML:
            return self.attribute(f"xml:{key}", value)
        if not uri:
            return self.attribute(key, value)
        prefix = self.prefix()
        return self.attribute(f"xmlns:{prefix}", uri) + self.attribute(f"{prefix}:{key}", value)


def meant(element):
    """An element of ours in the shape of `infoset`."""
    namespace, name, attributes, content = element
    pairs = list(zip(content[1::2], content[2::2], strict=True))
    return (
        _clark(namespace, name),
        {_clark(uri, key): value for (uri, key), value in attributes.items()},
        content[0],
        [(meant(child), tail) for child, tail in pairs],
    )


def _clark(namespace, name):
    return f"{{{namespace}}}{name}" if namespace else name


def sent(stanzas):
    """What another parser reads on a stream that these stanzas are sent on."""
    wires = [stanza.wire().decode() for stanza in stanzas]
    return list(ElementTree.fromstring(HEADER + "".join(wires) + "</stream:stream>"))


@st.composite
def documents(draw):
    """Stanzas with one child each, as they are meant, as a peer writes them, and in pieces."""
    inside = draw(st.lists(elements(), min_size=1, max_size=3))
    spelling = Spelling(draw)
    written = "".join(f"<message>{spelling.element(*one)}</message>\n" for one in inside)
    data = (HEADER + written + "</stream:stream>").encode()
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=8)))
    pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    return inside, pieces


@given(documents())
def test_what_was_meant_arrives_whatever_its_spelling_and_pieces(document):
    inside, pieces = document
    parser = StreamParser(ParserLimits())
    opened, *stanzas, closed = [event for piece in pieces for event in parser.feed(piece)]
    assert (type(opened), type(closed)) == (Opened, Closed)
    for element, message in zip(inside, sent(stanzas), strict=True):
        assert [infoset(child) for child in message] == [meant(element)]


@given(documents())
def test_a_stream_may_rest_between_any_two_pieces(document):
    inside, pieces = document
    parser = StreamParser(ParserLimits())
    events = []
    for piece in pieces:
        events += parser.feed(piece)
        parser.rest()
    assert [type(event) for event in events] == [Opened, *[Stanza] * len(inside), Closed]
    for element, message in zip(inside, sent(events[1:-1]), strict=True):
        assert [infoset(child) for child in message] == [meant(element)]


@given(documents())
def test_what_we_write_is_read_as_we_wrote_it(document):
    _, pieces = document
    stanzas = StreamParser(ParserLimits()).feed(b"".join(pieces))[1:-1]
    wires = [stanza.wire() for stanza in stanzas]
    again = StreamParser(ParserLimits()).feed(HEADER.encode() + b"".join(wires))[1:]
    assert [stanza.wire() for stanza in again] == wires
    assert [stanza.children for stanza in again] == [stanza.children for stanza in stanzas]
    assert [Stanza.unpack(stanza.pack()).wire() for stanza in stanzas] == wires


@given(documents())
def test_a_tree_says_what_was_meant(document):
    inside, pieces = document
    stanzas = StreamParser(ParserLimits()).feed(b"".join(pieces))[1:-1]
    for element, message in zip(inside, stanzas, strict=True):
        assert infoset(tree(message.children[0])) == meant(element)


@given(st.lists(st.binary(max_size=40), max_size=10))
def test_noise_gives_at_most_one_error_and_that_last(pieces):
    parser = StreamParser()
    events = [event for piece in pieces for event in parser.feed(piece)]
    assert not any(isinstance(event, StreamError) for event in events[:-1])
