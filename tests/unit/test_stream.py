"""Streams: what is one, what it may hold, and what ends it (RFC 6120 §4, §11)."""

import pytest

from hausbote.xmpp import ns
from hausbote.xmpp.errors import StreamError
from hausbote.xmpp.stanza import Stanza
from hausbote.xmpp.stream import Closed, Opened, ParserLimits, StreamParser

HEADER = (
    b"<?xml version='1.0'?><stream:stream to='example.org' version='1.0' xml:lang='de'"
    b" xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
)


def opened(limits=ParserLimits()):  # noqa: B008 (frozen)
    """A parser behind the header of a stream."""
    parser = StreamParser(limits)
    (event,) = parser.feed(HEADER)
    assert isinstance(event, Opened)
    return parser


def bytewise(parser, data):
    return [event for byte in data for event in parser.feed(bytes([byte]))]


def at_once(parser, data):
    return parser.feed(data)


def ends_with(events):
    assert isinstance(events[-1], StreamError), events
    return events[-1].condition


feeding = pytest.mark.parametrize("feed", [at_once, bytewise])


@feeding
def test_a_stream_is_its_header_its_stanzas_and_its_end(feed):
    events = feed(
        StreamParser(),
        HEADER + b"<presence/> <iq type='get' id='1'><q xmlns='x'/></iq></stream:stream>\n",
    )
    header, presence, iq, end = events
    assert header.attrs == {"to": "example.org", "version": "1.0", "xml:lang": "de"}
    assert (presence.name, presence.ns, presence.attrs) == ("presence", ns.CLIENT, {})
    assert (iq.type, iq.id) == ("get", "1")
    assert iq.children[0].xml == "<q xmlns='x'/>"
    assert end == Closed()


def test_a_stanza_is_there_with_its_last_byte():
    parser = opened()
    assert parser.feed(b"<message><body>Hark</body></message") == []
    (stanza,) = parser.feed(b">")
    assert stanza.text(ns.CLIENT, "body") == "Hark"


def test_what_else_is_said_on_a_stream_has_its_own_namespace():
    (auth,) = opened().feed(
        b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'>biws</auth>"
    )
    assert (auth.ns, auth.name, auth.inner) == (ns.SASL, "auth", "biws")
    assert auth.attrs == {"mechanism": "SCRAM-SHA-1"}


def test_prefixes_of_the_header_are_known_in_stanzas():
    header = HEADER.replace(b" to=", b" xmlns:x='urn:x' to=")
    (_, message) = StreamParser().feed(header + b"<message><x:y x:z='1'/></message>")
    assert (message.children[0].ns, message.children[0].name) == ("urn:x", "y")


def test_another_prefix_for_streams_is_as_good():
    header = HEADER.replace(b"stream:stream", b"s:stream").replace(b"xmlns:stream", b"xmlns:s")
    assert isinstance(StreamParser().feed(header)[0], Opened)


def test_servers_speak_in_their_own_namespace():
    header = HEADER.replace(b"jabber:client", b"jabber:server")
    parser = StreamParser(content_ns=ns.SERVER)
    _, message = parser.feed(header + b"<message><body>Hark</body></message>")
    assert (message.name, message.text(ns.CLIENT, "body")) == ("message", "Hark")


@feeding
@pytest.mark.parametrize("space", [b" ", b"\n\n", b"\r\n\t "])
def test_white_space_before_a_stream_and_between_stanzas_is_nothing(feed, space):
    data = space + HEADER + space + b"<presence/>" + space + b"<presence/>" + space
    assert [type(event) for event in feed(StreamParser(), data)] == [Opened, Stanza, Stanza]


# -- what is no stream -------------------------------------------------------------------------


@feeding
@pytest.mark.parametrize(
    ("data", "condition"),
    [
        (b"GET / HTTP/1.1\r\n", "not-well-formed"),
        (b"\x16\x03\x01\x02\x00\x01", "not-well-formed"),
        (b"<stream:stream>", "not-well-formed"),
        (b"<html>", "bad-format"),
        (b"<stream xmlns='jabber:client'>", "invalid-namespace"),
        (HEADER.replace(b"etherx", b"ether"), "invalid-namespace"),
        (HEADER.replace(b"jabber:client", b"jabber:server"), "invalid-namespace"),
        (HEADER.replace(b" xmlns='jabber:client'", b""), "invalid-namespace"),
        (HEADER.replace(b"'1.0'?>", b"'1.1'?>"), "not-well-formed"),
        (HEADER.replace(b"?>", b" encoding='ISO-8859-1'?>"), "unsupported-encoding"),
        (HEADER.replace(b"?>", b" encoding='UTF-16'?>"), "unsupported-encoding"),
        (HEADER.decode().encode("utf-16"), "unsupported-encoding"),
        (HEADER.decode().encode("utf-16-be"), "unsupported-encoding"),
        (HEADER.decode().encode("utf-16-le"), "unsupported-encoding"),
        (HEADER.replace(b"?>", b"?><!DOCTYPE stream>"), "restricted-xml"),
        (HEADER.replace(b"?>", b"?><!DOCTYPE x SYSTEM 'y'>"), "restricted-xml"),
        (HEADER.replace(b"?>", b"?><!DOCTYPE x [<!ENTITY y 'z'>]>"), "restricted-xml"),
        (HEADER.replace(b"?>", b"?><!-- x -->"), "restricted-xml"),
        (HEADER.replace(b"?>", b"?><?x y?>"), "restricted-xml"),
        (b"\x00", "unsupported-encoding"),
    ],
)
def test_what_is_no_stream_gets_the_named_error(feed, data, condition):
    assert ends_with(feed(StreamParser(), data)) == condition


@feeding
@pytest.mark.parametrize(
    ("data", "condition"),
    [
        (b"<message></iq>", "not-well-formed"),
        (b"<message to='a' to='b'/>", "not-well-formed"),
        (b"<message to=a/>", "not-well-formed"),
        (b"<message to='<'/>", "not-well-formed"),
        (b"<message><x:y/></message>", "not-well-formed"),
        (b"<message><x:y:z xmlns:x='x'/></message>", "not-well-formed"),
        (b"<message xmlns:a='x' xmlns:b='x' a:c='1' b:c='2'/>", "not-well-formed"),
        (b"<message xmlns:xml='x'/>", "not-well-formed"),
        (b"<message><body>\xff</body></message>", "not-well-formed"),
        (b"<message><body>\xc0\xaf</body></message>", "not-well-formed"),
        (b"<message><body>\xed\xa0\x80</body></message>", "not-well-formed"),
        (b"<message><body>\0</body></message>", "not-well-formed"),
        (b"<message><body>&#0;</body></message>", "not-well-formed"),
        (b"<message><body>&#xFFFE;</body></message>", "not-well-formed"),
        (b"<message><body>]]></body></message>", "not-well-formed"),
        (b"<message><body>&x;</body></message>", "restricted-xml"),
        (b"<message><!-- x --></message>", "restricted-xml"),
        (b"<message><?x y?></message>", "restricted-xml"),
        (b"<!DOCTYPE x>", "restricted-xml"),
        (b"<message><!DOCTYPE x></message>", "restricted-xml"),
        (b"<message><!ENTITY x 'y'></message>", "restricted-xml"),
        (b"<!-- x -->", "restricted-xml"),
        (b"<?x y?>", "restricted-xml"),
        (b"hello<presence/>", "bad-format"),
        (b"&amp;<presence/>", "bad-format"),
        (b"</stream:stream><presence/>", "bad-format"),
        (b"</stream:stream>hello", "bad-format"),
        (b"</stream>", "not-well-formed"),
        (b"<message><xml:x/></message>", "not-well-formed"),
        (b"<xml:message/>", "not-well-formed"),
        (b"<message><x xmlns='a b'/></message>", "not-well-formed"),
    ],
)
def test_what_breaks_a_stream_gets_the_named_error(feed, data, condition):
    assert ends_with(feed(opened(), data)) == condition


def test_after_an_error_nothing_is_read():
    parser = opened()
    events = parser.feed(b"<presence/><message></iq><presence/>")
    assert [type(event) for event in events] == [Stanza, StreamError]
    assert parser.feed(b"<presence/>") == []
    assert parser.feed(HEADER) == []


@pytest.mark.parametrize(
    "namespace",
    [
        "",
        "x",
        "vcard-temp",
        "vcard-temp:x:update",
        "jabber:x:data",
        "urn:xmpp:jingle:apps:rtp:rtcp-fb:0",
        "http://jabber.org/protocol/muc#user",
        "http://www.w3.org/2000/svg?a=b&amp;c=~d#e",
        "http://example.org:8080/a%20b/",
        "mailto:juliet@example.org",
        "tag:example.org,2026:(x)*!;+$='",
    ],
)
def test_namespaces_in_use_can_be_looked_into(namespace):
    xml = f'<message><x xmlns="{namespace}">1</x></message>'
    (message,) = opened().feed(xml.encode())
    assert message.text(namespace.replace("&amp;", "&"), "x") == "1"


# -- restarts and rest -------------------------------------------------------------------------


def test_a_stream_begins_anew_after_a_reset():
    parser = opened()
    parser.feed(b"<message><body>half of")
    parser.reset()
    assert [type(event) for event in parser.feed(HEADER + b"<presence/>")] == [Opened, Stanza]


def test_a_failed_stream_can_be_reset():
    parser = opened()
    parser.feed(b"</x>")
    parser.reset()
    assert isinstance(parser.feed(HEADER)[0], Opened)


def test_an_idle_stream_goes_on_as_if_it_had_never_rested():
    header = HEADER.replace(b" to=", b" xmlns:x='urn:x?a&amp;b' to=")
    parser = StreamParser()
    parser.feed(header)
    for _ in range(3):
        assert parser.rest()
        (message,) = parser.feed(b"<message><x:y/></message>")
        assert message.children[0].ns == "urn:x?a&b"
    assert parser.rest()
    assert parser.feed(b"</stream:stream>") == [Closed()]


@pytest.mark.parametrize("part", [b"<", b"<message", b"<message>", b"<message><body>x"])
def test_a_stream_in_the_middle_of_a_stanza_does_not_rest(part):
    parser = opened()
    parser.feed(part)
    assert not parser.rest()
    (message,) = parser.feed(b"<message><body>x</body></message>"[len(part) :])
    assert message.text(ns.CLIENT, "body") == "x"


def test_restricted_xml_stays_restricted_after_a_rest():
    parser = opened()
    parser.rest()
    assert ends_with(parser.feed(b"<message><!-- x --></message>")) == "restricted-xml"


def test_a_rested_stream_can_be_closed_in_its_own_spelling():
    header = HEADER.replace(b"stream:stream", b"s:stream").replace(b"xmlns:stream", b"xmlns:s")
    parser = StreamParser()
    parser.feed(header)
    parser.rest()
    assert parser.feed(b"</s:stream>") == [Closed()]


def test_a_stream_with_two_names_for_streams_does_not_rest():
    header = HEADER.replace(b" to=", b" xmlns:s='http://etherx.jabber.org/streams' to=")
    parser = StreamParser()
    parser.feed(header)
    assert not parser.rest()
    assert parser.feed(b"</stream:stream>") == [Closed()]


@pytest.mark.parametrize("bad", [b"<!DOCTYPE x>", b"<!ENTITY x 'y'>", b"<m><!DOCTYPE x></m>"])
def test_a_declaration_in_the_same_bytes_as_the_header_is_named_too(bad):
    assert ends_with(StreamParser().feed(HEADER + bad)) == "restricted-xml"
