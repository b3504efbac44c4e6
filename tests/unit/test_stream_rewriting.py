"""What leaves us is written anew from what was understood, and any parser agrees with it."""

from xml.etree import ElementTree

import pytest
from lxml import etree

from hausbote.xmpp import ns
from hausbote.xmpp.errors import BadRequest
from hausbote.xmpp.stanza import Stanza, child, error, result, stanza, tree
from hausbote.xmpp.stream import ParserLimits, StreamParser
from hausbote.xmpp.xml import Markup, el
from support.trees import infoset

HEADER = (
    b"<stream:stream version='1.0'"
    b" xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
)


def read(data):
    """The one stanza in `data`."""
    (event,) = StreamParser(ParserLimits()).feed(HEADER + data.encode())[1:]
    assert isinstance(event, Stanza), event
    return event


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ('<message to="a@b"></message>', "<message to='a@b'/>"),
        ("<message\n\tto = 'a'\n/>", "<message to='a'/>"),
        ("<message to='&#x61;&quot;&apos;&lt;'/>", "<message to='a\"&apos;&lt;'/>"),
        ("<message id='a\nb&#10;c&#9;d&#13;'/>", "<message id='a b&#10;c&#9;d&#13;'/>"),
        (
            "<message><body><![CDATA[<&>]]>]]&gt;</body></message>",
            "<message><body>&lt;&amp;&gt;]]&gt;</body></message>",
        ),
        (
            "<message><body>a\r\nb&#13;</body></message>",
            "<message><body>a\nb&#13;</body></message>",
        ),
        ("<message><body></body></message>", "<message><body/></message>"),
        ("<message>beside<body/></message>", "<message><body/></message>"),
        ("<c:message xmlns:c='jabber:client'><c:body/></c:message>", "<message><body/></message>"),
        ("<message xmlns:x='urn:x'><x:y/></message>", "<message><y xmlns='urn:x'/></message>"),
        (
            "<message><y xmlns='urn:x'><z/><body xmlns='jabber:client'/></y></message>",
            "<message><y xmlns='urn:x'><z/><body xmlns='jabber:client'/></y></message>",
        ),
        ("<message><y xmlns=''><z/></y></message>", "<message><y xmlns=''><z/></y></message>"),
        ("<message xml:lang='de'/>", "<message xml:lang='de'/>"),
        ("<message xml:space='preserve'/>", "<message xml:space='preserve'/>"),
        (
            "<message><y xmlns='urn:x' xml:id='a' xml:base='2'/></message>",
            "<message><y xmlns='urn:x' xml:id='a' xml:base='2'/></message>",
        ),
        (
            "<message xmlns:p='urn:p' p:to='x' to='y'/>",
            "<message xmlns:ns0='urn:p' ns0:to='x' to='y'/>",
        ),
        ("<message><bödy>🦉</bödy></message>", "<message><bödy>🦉</bödy></message>"),
    ],
)
def test_a_stanza_is_written_in_our_spelling(theirs, ours):
    assert read(theirs).wire().decode() == ours
    assert read(ours).wire().decode() == ours
    etree.fromstring(HEADER + ours.encode() + b"</stream:stream>")


def test_a_stanza_can_be_sent_to_another_address_by_its_two_halves():
    message = read("<message id='1' to='a@b' from='c&apos;d'><body>x</body></message>")
    before, after = message.around()
    assert (
        f"{before}e@f{after}" == "<message to='e@f' id='1' from='c&apos;d'><body>x</body></message>"
    )
    before, after = read("<presence/>").around()
    assert f"{before}e@f{after}" == "<presence to='e@f'/>"


def test_a_stanza_survives_the_bus():
    message = read("<message to='ä@b'><body>🦉 &lt;</body><x xmlns='urn:x' y='&apos;'/></message>")
    again = Stanza.unpack(message.pack())
    assert (again.wire(), again.children) == (message.wire(), message.children)


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b"[1,2]", b"[1,2,3]", b"\xff", b'["a",{},[1]]']
)
def test_what_is_no_packed_stanza_is_refused(data):
    with pytest.raises(ValueError, match="not a packed stanza"):
        Stanza.unpack(data)


def test_replacing_attributes_leaves_the_original_alone():
    original = read("<message to='a' type='chat'><body>x</body></message>")
    changed = original.replace(from_="b", to=None)
    assert changed.wire() == b"<message type='chat' from='b'><body>x</body></message>"
    assert original.wire() == b"<message to='a' type='chat'><body>x</body></message>"
    assert original.with_children(()).wire() == b"<message to='a' type='chat'/>"


def test_children_are_found_by_namespace_and_name():
    message = read("<message><a xmlns='x'>1</a><a xmlns='y'>2<b>3</b>4</a><a xmlns='y'/></message>")
    assert message.child("y", "a").xml == "<a xmlns='y'>2<b>3</b>4</a>"
    assert message.text("y", "a") == "234"
    assert message.child("z", "a") is message.text("z", "a") is None


def test_a_tree_is_what_the_child_says():
    query = tree(read("<iq><query xmlns='urn:x' a='&apos;&#10;'>1<b/>2</query></iq>").children[0])
    assert (query.tag, dict(query.attrib)) == ("{urn:x}query", {"a": "'\n"})
    assert [query.text, query[0].tag, query[0].tail] == ["1", "{urn:x}b", "2"]


def test_a_child_stands_on_its_own_in_whatever_it_was_sent():
    authenticate = read("<a xmlns='urn:x'><b c='1'><d/></b><body xmlns='jabber:client'/></a>")
    inside, body = authenticate.children
    assert [tree(inside).tag, tree(inside)[0].tag] == ["{urn:x}b", "{urn:x}d"]
    assert tree(body).tag == "{jabber:client}body"


@pytest.mark.parametrize(
    "inside",
    ["<x xmlns='%zz'/>", "<x xmlns='http://['/>", "<x xml:id='1'/>", "<x xmlns:y=':' y:z=''/>"],
)
def test_what_lxml_would_take_offence_at_is_looked_into_all_the_same(inside):
    message = read(f"<message>{inside}</message>")
    assert read(message.wire().decode()).children == message.children
    (meant,) = ElementTree.fromstring(f"<a xmlns='{ns.CLIENT}'>{inside}</a>")
    assert infoset(tree(message.children[0])) == infoset(meant)


def test_a_namespace_with_a_brace_is_sent_on_but_not_looked_into():
    message = read("<message><x xmlns='a}b'/></message>")
    assert read(message.wire().decode()).children == message.children
    with pytest.raises(BadRequest):
        tree(message.children[0])


# -- our own words -----------------------------------------------------------------------------


def test_texts_are_escaped_and_markup_is_not():
    assert el("a", "<b/>", Markup("<c/>"), None, d="'\"<&>\n", e_="1", f=None, xml_lang="de") == (
        "<a d='&apos;\"&lt;&amp;&gt;&#10;' e='1' xml:lang='de'>&lt;b/&gt;<c/></a>"
    )
    assert el("a", "", xmlns="u'") == "<a xmlns='u&apos;'/>"


def test_answers_go_back_where_the_request_came_from():
    request = read("<iq type='get' id='1' from='a@b/c' to='d'><q xmlns='x'/></iq>")
    answer = result(request, child("x", "q", "yes", z="1"))
    assert answer.wire() == (
        b"<iq type='result' to='a@b/c' from='d' id='1'><q xmlns='x' z='1'>yes</q></iq>"
    )
    assert result(request).wire() == b"<iq type='result' to='a@b/c' from='d' id='1'/>"
    assert error(request, BadRequest("no <good>")).wire() == (
        b"<iq type='error' to='a@b/c' from='d' id='1'><error type='modify'>"
        b"<bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
        b"<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>no &lt;good&gt;</text>"
        b"</error></iq>"
    )


def test_stanzas_of_our_own_leave_out_what_is_none():
    own = stanza("message", child(ns.CLIENT, "body", "x"), to="a", from_="b", type=None)
    assert own.wire() == b"<message to='a' from='b'><body xmlns='jabber:client'>x</body></message>"
