"""Trees of what peers wrote: one reading, whoever parses, and no name is kept for ever."""

import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hausbote.xmpp import ns
from hausbote.xmpp.stanza import Child, tree
from hausbote.xmpp.stream import ParserLimits, StreamParser
from hausbote.xmpp.vocabulary import is_known
from hausbote.xmpp.xml import escape_attribute, escape_text, parse_element, write_tree
from support.trees import infoset

HEADER = b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
FORM = (
    f"<x xmlns='{ns.DATA_FORMS}' type='submit'><field var='FORM_TYPE' type='hidden'>"
    "<value>a</value></field><field var='b'><value/><value>c</value></field></x>"
)
USUAL = [
    f"<query xmlns='{ns.ROSTER}' ver=''/>",
    f"<query xmlns='{ns.ROSTER}'><item jid='a@b' name='A'><group>c</group></item></query>",
    f"<query xmlns='{ns.REGISTER}'><username>a</username><password>b</password></query>",
    f"<preauth xmlns='{ns.PARS}' token='a'/>",
    f"<query xmlns='{ns.MAM}' queryid='q'>{FORM}<set xmlns='{ns.PAGING}'><max>9</max>"
    f"<before/></set></query>",
    f"<pubsub xmlns='{ns.PUBSUB}'><publish node='n'><item id='i'><conference name='r'"
    f" xmlns='{ns.BOOKMARKS}' autojoin='1'><nick>me</nick></conference></item></publish>"
    f"<publish-options>{FORM}</publish-options></pubsub>",
    f"<block xmlns='{ns.BLOCKING}'><item jid='a@b'/></block>",
    f"<enable xmlns='{ns.PUSH}' jid='a' node='n'>{FORM}</enable>",
    f"<query xmlns='{ns.DISCO_INFO}' node='n'><identity category='client' type='pc' name='x'"
    f" xml:lang='en'/><feature var='f'/>{FORM}</query>",
    f"<query xmlns='{ns.MUC_ADMIN}'><item affiliation='none' nick='n' role='none'>"
    f"<reason>r</reason></item></query>",
    f"<data xmlns='{ns.AVATAR_DATA}'>QUJD</data>",
    "<body>a text with words='and marks' &lt; &amp;\n and lines</body>",
]

texts = st.text(st.sampled_from("ab <>&'\"=\n\t\r\u00e9\u1680\u3000/"), max_size=20) | st.text(
    st.sampled_from(" \n\t\r"), min_size=6, max_size=70
)
namespaces = st.sampled_from([ns.ROSTER, ns.MAM, ns.PUBSUB, ns.DATA_FORMS, ns.CLIENT])
words = st.sampled_from(["query", "item", "x", "field", "value", "set", "group", "body"])
attributes = st.dictionaries(
    st.sampled_from(["jid", "name", "node", "var", "type", "xml:lang"]), texts, max_size=3
)


@st.composite
def elements(draw, names=words, uris=namespaces, keys=attributes, depth=2):
    """An element as the stream parser writes it."""
    name, uri = draw(names), draw(uris)
    values = "".join(f" {key}='{escape_attribute(value)}'" for key, value in draw(keys).items())
    inside = [escape_text(draw(texts))]
    for _ in range(draw(st.integers(0, 3)) if depth else 0):
        inside += [draw(elements(names, uris, keys, depth - 1)), escape_text(draw(texts))]
    return f"<{name} xmlns='{escape_attribute(uri)}'{values}>{''.join(inside)}</{name}>"


def said_by(element):
    """All that a handler could ask of an element, and of what is inside it."""
    children = list(element)
    paths = {child.tag for child in children} | {"{urn:none}x"}
    return (
        infoset(element),
        len(element),
        [(path, element.findtext(path)) for path in sorted(paths)],
        [(path, element.find(path) is None) for path in sorted(paths)],
        [(path, [infoset(one) for one in element.findall(path)]) for path in sorted(paths)],
        [[infoset(one) for one in element.findall(f"*/{path}")] for path in sorted(paths)],
        [element.get(key) for key in element.attrib],
        (element.get("none"), element.get("none", "")),
        write_tree(element),
        [said_by(child) for child in children],
    )


@given(elements())
def test_both_ways_of_reading_agree(xml):
    """What stands beside a name that nobody knows is read by expat, alone it is read by lxml."""
    alone, beside = parse_element(xml), parse_element(f"<nobody-knows>{xml}</nobody-knows>")[0]
    assert said_by(alone) == said_by(beside)


@pytest.mark.parametrize("xml", USUAL)
def test_what_is_usual_is_known(xml):
    assert is_known(xml)
    assert said_by(parse_element(xml)) == said_by(parse_element(f"<unknown>{xml}</unknown>")[0])


@pytest.mark.parametrize(
    "stranger",
    [
        "<peer-made/>",
        "<item peer-made='1'/>",
        "<item xmlns='urn:peer-made'/>",
        "<item xmlns:ns0='urn:a' ns0:jid='1'/>",
        "<item xml:id='1'/>",
        "<item xml:base='1'/>",
        "<item jid='' peer-made=''/>",
        "<peer-made>1</peer-made>",
        "<item>1<peer-made/>2</item>",
        "<item\u1680jid='1'/>",
        "<item>" + 16 * " " + "</item>",
        "<item>1</item>\n" + 15 * "\t",
    ],
)
@pytest.mark.parametrize("xml", USUAL)
def test_what_a_peer_made_up_is_not_known(xml, stranger):
    name = re.match(r"<(\S+?)[\s/>]", xml)[1]
    assert not is_known(f"<{name} xmlns='{ns.ROSTER}'>{stranger}{xml}</{name}>")
    assert not is_known(f"<{name} xmlns='{ns.ROSTER}'>{xml}{stranger}<x/></{name}>")


NAMES = st.sampled_from(["item", "x", "items", "_", "jid", "a.b", "\u00e4", "n-1", "xmlns1", "X"])
KEYS = st.dictionaries(NAMES, texts, max_size=3)
URIS = st.sampled_from([ns.ROSTER, ns.MAM, "", "urn:a='b'", "a b", "item", ns.XML, "urn:<&>"])


@given(elements(NAMES, URIS, KEYS))
def test_only_names_of_the_vocabulary_are_known(xml):
    """As expat understands them, whatever the spelling."""
    events = StreamParser(ParserLimits()).feed(HEADER + f"<iq>{xml}</iq>".encode())
    if not (len(events) == 2 and getattr(events[1], "children", None)):
        return  # no namespace
    (written,) = [child.xml for child in events[1].children]
    for element in ElementTree.fromstring(f"<x xmlns='{ns.CLIENT}'>{written}</x>").iter():
        uri, _, local = element.tag.rpartition("}")
        for made_up in (
            not is_known(f"<{local}/>"),
            not is_known(f"<x xmlns='{escape_attribute(uri[1:])}'/>"),
            *[not is_known(f"<x {key}=''/>") for key in element.attrib],
        ):
            assert not (made_up and is_known(written))


@pytest.mark.parametrize(
    "form",
    [
        "<element{n}/>",
        "<x attribute{n}='1'/>",
        "<x xmlns:ns0='urn:{n}' ns0:jid='1'/>",
        "<item xml:id='n{n}' jid='{n}' name='{blank}'>{n}</item>",
        "<item>{blank}<x/>&#13;{blank}&#13;<x/>{blank}</item>",
    ],
)
def test_what_peers_make_up_is_not_kept(form):
    """100,000 of each, in a process of its own: what is kept there is kept until its end."""
    code = f"""
import resource
from hausbote.xmpp.xml import parse_element

def memory():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()

def read(numbers):
    for n in numbers:
        blank = format(n, "040b").replace("0", " ").replace("1", chr(9))
        parse_element({form!r}.format(n=n, blank=blank))

read(range(20_000))
before = memory()
read(range(20_000, 120_000))
print(memory() - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 1_500_000


def test_a_child_is_looked_into_by_its_xml():
    assert tree(Child("", "", "<x xmlns='urn:x'>1</x>")).tag == "{urn:x}x"
