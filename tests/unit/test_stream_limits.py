"""What a peer may cost: every limit is kept, however the bytes arrive."""

import itertools
import tracemalloc

import pytest

from hausbote.xmpp import ns
from hausbote.xmpp.errors import StreamError
from hausbote.xmpp.stanza import Stanza
from hausbote.xmpp.stream import BEFORE_LOGIN, ParserLimits, StreamParser

HEADER = (
    b"<stream:stream version='1.0'"
    b" xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
)
PIECE = 4096  # what a connection reads at once
SMALL = ParserLimits(stanza=10_000, token=1_000, depth=5, attributes=4, name=50, names=20)
_fresh = itertools.count()


def fed(data, limits=SMALL, piece=PIECE):
    """All events behind the header; the parser gets `piece` bytes at a time."""
    parser = StreamParser(limits)
    parser.feed(HEADER)
    return [e for at in range(0, len(data), piece) for e in parser.feed(data[at : at + piece])]


def refused(events):
    return isinstance(events[-1], StreamError) and events[-1].condition == "policy-violation"


def names(count):
    """Names that no stream has used before."""
    return [f"n{next(_fresh)}" for _ in range(count)]


def nested(depth):
    return b"<a>" * depth + b"</a>" * depth


@pytest.mark.parametrize("piece", [1, 100, PIECE])
def test_a_stanza_may_be_as_large_as_the_limit(piece):
    body = b"x" * 9_000
    (message,) = fed(b"<message><body>" + body + b"</body></message>", piece=piece)
    assert len(message.text(ns.CLIENT, "body")) == 9_000


@pytest.mark.parametrize("piece", [1, 100, PIECE])
@pytest.mark.parametrize(
    "content",
    [
        b"<body>" + b"x" * 50_000,
        b"x" * 50_000,
        b"<a/>" * 12_500,
        b"<body><![CDATA[" + b"x" * 50_000,
        b"&amp;" * 10_000,
    ],
)
def test_a_stanza_that_is_too_large_is_refused_before_it_ends(content, piece):
    assert refused(fed(b"<message>" + content, piece=piece))


def test_the_limit_is_per_stanza_and_not_per_stream():
    events = fed(b"<message><body>" + b"x" * 4_000 + b"</body></message>", piece=100) * 100
    assert all(isinstance(event, Stanza) for event in events)
    data = (b"<message><body>" + b"x" * 4_000 + b"</body></message>") * 100
    assert [type(event) for event in fed(data)] == [Stanza] * 100


@pytest.mark.parametrize("piece", [1, 100, PIECE])
@pytest.mark.parametrize(
    "tag",
    [
        b"<message to='" + b"x" * 50_000,
        b"<" + b"x" * 50_000,
        b"<message" + b" " * 50_000,
        b"<message " + b"x" * 50_000,
        b"<message></" + b"x" * 50_000,
        b"<message>&" + b"x" * 50_000,
        b"<!--" + b"x" * 50_000,
        b"<?x " + b"x" * 50_000,
    ],
)
def test_a_tag_that_never_ends_is_refused(tag, piece):
    events = fed(tag, piece=piece)
    assert isinstance(events[-1], StreamError)
    assert events[-1].condition in ("policy-violation", "restricted-xml")


def test_no_limit_means_no_limit():
    body = b"x" * 1_000_000
    unlimited = ParserLimits(stanza=0)
    (message,) = fed(b"<message><body>" + body + b"</body></message>", unlimited)
    assert len(message.inner) > 1_000_000


def test_namespaces_that_our_writing_repeats_count_too():
    """A short prefix stands for a long namespace in every element; we write it out each time."""
    namespace = b"urn:" + b"x" * 40
    data = b"<message xmlns:a='" + namespace + b"'>" + b"<a:a/>" * 1_000 + b"</message>"
    assert len(data) < SMALL.stanza
    assert refused(fed(data))


def test_elements_may_be_as_deep_as_the_limit():
    assert isinstance(fed(nested(SMALL.depth))[-1], Stanza)
    assert refused(fed(nested(SMALL.depth + 1)))


def test_an_element_may_have_as_many_attributes_as_the_limit():
    few = " ".join(f"{name}='1'" for name in "abcd")
    assert isinstance(fed(f"<message {few}/>".encode())[-1], Stanza)
    assert refused(fed(f"<message {few} e='1'/>".encode()))


@pytest.mark.parametrize(
    "form",
    [
        "<message><{}/></message>",
        "<message {}='1'/>",
        "<message><a xmlns='urn:{}'/></message>",
        "<message xmlns:{}='urn:x' {}:a='1'/>",
        "<{} xmlns='x'/>",
    ],
)
def test_a_name_may_be_as_long_as_the_limit(form):
    limits = ParserLimits(name=2_000)
    long_name = names(1)[0] + "x" * 1_900
    assert isinstance(fed(form.replace("{}", long_name).encode(), limits)[-1], Stanza)
    too_long = names(1)[0] + "x" * 2_000
    assert refused(fed(form.replace("{}", too_long).encode(), limits))


@pytest.mark.parametrize(
    "form",
    [
        "<message><{}/></message>",
        "<message {}='1'/>",
        "<message><a xmlns='{}'/></message>",
        "<message xmlns:{}='x'/>",
        "<message xmlns:p='{}'/>",
        "<{}:message xmlns:{}='jabber:client'/>",
    ],
)
def test_a_stream_may_have_only_so_many_names(form):
    within = "".join(form.replace("{}", name) for name in names(SMALL.names // 2 - 6))
    beyond = "".join(form.replace("{}", name) for name in names(SMALL.names + 1))
    assert isinstance(fed(within.encode())[-1], Stanza)
    assert refused(fed(beyond.encode()))


def test_names_that_others_have_used_count_all_the_same():
    """expat keeps them for each of its parsers."""
    known = "".join(f"<{name}/>" for name in names(200))
    xml = f"<message>{known}</message>".encode()
    assert isinstance(fed(xml, ParserLimits())[-1], Stanza)
    assert refused(fed(xml, SMALL))


def test_names_of_others_do_not_count():
    """Not even when there are so many that what all share is forgotten again and again."""
    mine = "".join(f"<message><{name}/></message>" for name in names(SMALL.names // 2 - 6)).encode()
    parser = StreamParser(SMALL)
    parser.feed(HEADER)
    for _ in range(10):
        for _ in range(3):
            fed(
                "".join(f"<message><{name}/></message>" for name in names(3_000)).encode(),
                ParserLimits(),
            )
        assert isinstance(parser.feed(mine)[-1], Stanza)


def test_what_expat_keeps_is_given_back_after_some_names():
    """A busy stream has no silence to rest in."""
    parser = StreamParser(ParserLimits())
    parser.feed(HEADER)
    for name in names(30_000):
        (event,) = parser.feed(f"<message><{name}/></message>".encode())
        assert isinstance(event, Stanza)


def test_many_new_names_do_not_disturb_what_follows():
    """The parser is renewed on the way."""
    xml = "".join(f"<message><{name}/></message>" for name in names(1_000)).encode()
    events = fed(xml, ParserLimits())
    assert [type(event) for event in events] == [Stanza] * 1_000


@pytest.mark.parametrize(
    "form", ["<message><{}/></message>", "<message xmlns:{}='x'/>", "<message xmlns:x='{}'/>"]
)
def test_a_million_names_do_not_fill_the_memory(form):
    """From ever new streams, since each may only make up so many."""

    def use_names():
        for _ in range(4):
            fed("".join(form.replace("{}", name) for name in names(5_000)).encode(), ParserLimits())

    use_names()
    tracemalloc.start()
    use_names()
    use_names()
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 8_000_000


def test_before_login_little_is_allowed_and_a_login_fits():
    login = b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" + b"x" * 4_000 + b"</auth>"
    assert isinstance(fed(login, BEFORE_LOGIN)[-1], Stanza)
    assert refused(fed(b"<auth xmlns='x'>" + b"x" * 30_000, BEFORE_LOGIN))
    assert refused(fed(nested(BEFORE_LOGIN.depth + 1), BEFORE_LOGIN))


def test_limits_can_be_raised_on_the_way():
    parser = StreamParser(SMALL)
    parser.feed(HEADER)
    parser.allow(ParserLimits())
    assert isinstance(parser.feed(nested(50))[-1], Stanza)
