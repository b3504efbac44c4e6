"""Frames of RFC 7395 without I/O: what is an element, what ends a stream."""

import pytest

from hausbote.xmpp.errors import StreamError
from hausbote.xmpp.framing import DOCUMENT, FRAMES, FrameParser, alone
from hausbote.xmpp.stanza import Stanza
from hausbote.xmpp.stream import BEFORE_LOGIN, Closed, Opened, ParserLimits

OPEN = b"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='h' version='1.0' xml:lang='de'/>"
CLOSE = b"<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"
MESSAGE = b"<message xmlns='jabber:client' to='a'><body>x</body></message>"


def parser(limits=BEFORE_LOGIN, *, opened=True):
    made = FrameParser(limits)
    if opened:
        assert isinstance(made.feed(OPEN)[0], Opened)
    return made


def condition(events):
    (error,) = events
    assert isinstance(error, StreamError)
    return error.condition


def test_a_stream_opens_says_something_and_closes():
    read = parser(opened=False)
    (opened,) = read.feed(OPEN)
    assert opened == Opened({"to": "h", "version": "1.0", "xml:lang": "de"})
    (stanza,) = read.feed(MESSAGE)
    assert (stanza.name, stanza.attrs, stanza.inner) == ("message", {"to": "a"}, "<body>x</body>")
    assert read.feed(CLOSE) == [Closed()]


def test_a_restart_is_another_open():
    read = parser()
    read.reset()
    assert isinstance(read.feed(OPEN)[0], Opened)
    read.feed(MESSAGE)
    assert condition(read.feed(OPEN)) == "bad-format"


def test_a_rested_parser_goes_on():
    read = parser()
    assert read.rest()
    assert isinstance(read.feed(MESSAGE)[0], Stanza)


@pytest.mark.parametrize("space", [b"", b" ", b"\r\n\t "])
def test_white_space_keeps_a_stream_alive(space):
    assert parser().feed(space) == []


@pytest.mark.parametrize(
    "declaration",
    [
        b"<?xml version='1.0'?>",
        b'<?xml version="1.0" encoding="UTF-8"?>\n',
        b"<?xml version = '1.0' encoding='utf-8' standalone='yes' ?>",
    ],
)
def test_a_frame_may_have_a_declaration(declaration):
    """It should not, and some clients' libraries write one all the same (RFC 7395 §3.3.3)."""
    read = parser(opened=False)
    assert isinstance(read.feed(declaration + OPEN)[0], Opened)
    (stanza,) = read.feed(declaration + MESSAGE)
    assert (stanza.name, stanza.inner) == ("message", "<body>x</body>")
    assert read.feed(declaration + CLOSE) == [Closed()]


@pytest.mark.parametrize(
    ("declaration", "expected"),
    [
        (b"<?xml version='1.0' encoding='ISO-8859-1'?>", "unsupported-encoding"),
        (b"<?xml version='1.1'?>", "not-well-formed"),
        (b"<?xml encoding='UTF-8'?>", "not-well-formed"),
        (b"<?xml version='1.0'", "not-well-formed"),
        (b"<?xml version='1.0'?><?xml version='1.0'?>", "not-well-formed"),
        (b"<?xml " + b" " * 200 + b"version='1.0'?>", "not-well-formed"),
        (b"<?xml-stylesheet href='x'?>", "restricted-xml"),
        (b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'b'>]>", "restricted-xml"),
        (b"<?xml version='1.0'?><?x y?>", "restricted-xml"),
    ],
)
def test_a_declaration_is_vetted_like_that_of_a_stream(declaration, expected):
    assert condition(parser().feed(declaration + MESSAGE)) == expected


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (MESSAGE + MESSAGE, "bad-format"),
        (MESSAGE[:-1], "bad-format"),
        (MESSAGE + b"<iq", "bad-format"),
        (b"hello", "bad-format"),
        (MESSAGE + b"hello", "bad-format"),
        (b"</stream:stream>", "bad-format"),
        (MESSAGE + b"</stream:stream>", "bad-format"),
        (CLOSE + MESSAGE, "bad-format"),
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]>", "restricted-xml"),
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + MESSAGE, "restricted-xml"),
        (b"<!-- x -->", "restricted-xml"),
        (b"<message>&lol;</message>", "restricted-xml"),
        (b"<message><un:bound/></message>", "not-well-formed"),
        (b"<message to='a' to='b'/>", "not-well-formed"),
        (b"<message>\xff</message>", "not-well-formed"),
        (b"<message>" + b"<a>" * 20 + b"</a>" * 20 + b"</message>", "policy-violation"),
        (b"<message><body>" + b"x" * 20_000 + b"</body></message>", "policy-violation"),
    ],
)
def test_a_frame_is_one_element_of_plain_xml(frame, expected):
    read = parser()
    assert condition(read.feed(frame)) == expected
    assert read.feed(MESSAGE) == []


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (MESSAGE, "bad-format"),
        (b"<open xmlns='jabber:client' to='h'/>", "invalid-namespace"),
        (b"<stream:stream xmlns:stream='http://etherx.jabber.org/streams'/>", "bad-format"),
        (b"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'", "bad-format"),
        (b"<!DOCTYPE open [<!ENTITY a 'aaaaaaaaaa'>]>" + OPEN, "restricted-xml"),
    ],
)
def test_a_stream_begins_with_open(frame, expected):
    assert condition(parser(opened=False).feed(frame)) == expected


def test_limits_grow_with_the_login():
    read = parser()
    read.allow(ParserLimits(stanza=100_000))
    big = b"<message><body>" + b"x" * 50_000 + b"</body></message>"
    assert isinstance(read.feed(big)[0], Stanza)


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        (b"<iq/>", b"<iq xmlns='jabber:client'/>"),
        (b"<iq id='1'/>", b"<iq xmlns='jabber:client' id='1'/>"),
        (b"<message><x/></message>", b"<message xmlns='jabber:client'><x/></message>"),
        (
            b"<stream:features><a/></stream:features>",
            b"<stream:features xmlns:stream='http://etherx.jabber.org/streams'><a/></stream:features>",
        ),
        (b"<success xmlns='u'>x</success>", b"<success xmlns='u'>x</success>"),
        (CLOSE, CLOSE),
    ],
)
def test_what_we_write_stands_alone(element, expected):
    assert alone(element) == expected


def test_both_framings_name_the_same_things():
    said = {"from": "h", "id": "1", "version": "1.0"}
    assert FRAMES.opening(said).startswith(
        b"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='h'"
    )
    assert DOCUMENT.opening(said).startswith(b"<?xml version='1.0'?><stream:stream from='h'")
    assert DOCUMENT.parser().feed(DOCUMENT.opening(said)) == [Opened(said)]
    assert FRAMES.parser().feed(FRAMES.opening(said)) == [Opened(said)]
    assert FRAMES.parser().feed(FRAMES.closing) == [Closed()]
