"""Dear stanzas: what one person asks for holds up nobody else, and megabytes come as they are read.

In the process of the test only: it makes every pause between two items a long one.
"""

import pytest

from hausbote.core import pump
from support.pep import OWNER as PUBSUB_OWNER
from support.pep import arrives, iq, listens, publish
from support.rooms import ADMIN, OWNER, Room

MANY = 400
PING = "<iq type='get' id='ping'><ping xmlns='urn:xmpp:ping'/></iq>"
PONG = "<iq type='result' id='ping'/>"


@pytest.fixture
def cast(own_cast, monkeypatch):
    monkeypatch.setattr(pump, "_LANE_TIME", 0.0)
    return own_cast()


def people():
    """The last of them is none: the answer waits for nothing but their preparation."""
    return [*[f"ä{number}@elsewhere.example" for number in range(MANY)], "@"]


def block(_romeo):
    items = "".join(f"<item jid='{jid}'/>" for jid in people())
    return f"<iq type='set' id='dear'><block xmlns='urn:xmpp:blocking'>{items}</block></iq>"


def unblock(_romeo):
    return block(_romeo).replace("block xmlns", "unblock xmlns").replace("</block>", "</unblock>")


def preferences(_romeo):
    jids = "".join(f"<jid>{jid}</jid>" for jid in people())
    lists = f"<always>{jids}</always><never/>"
    return (
        f"<iq type='set' id='dear'><prefs xmlns='urn:xmpp:mam:2' default='roster'>{lists}</prefs>"
        "</iq>"
    )


def affiliations(romeo):
    room = Room().make(romeo, "romeo")
    items = "".join(f"<item affiliation='outcast' jid='{jid}'/>" for jid in people())
    query = f"<query xmlns='{ADMIN}'>{items}</query>"
    return f"<iq type='set' id='dear' to='{room.jid}'>{query}</iq>"


def room_form(romeo):
    room = Room().make(romeo, "romeo")
    values = "".join(f"<value>{jid}</value>" for jid in people())
    fields = (
        "<field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>"
        f"<field var='muc#roomconfig_roomadmins'>{values}</field>"
    )
    x = f"<x xmlns='jabber:x:data' type='submit'>{fields}</x>"
    return f"<iq type='set' id='dear' to='{room.jid}'><query xmlns='{OWNER}'>{x}</query></iq>"


def node_affiliations(romeo):
    romeo.sends(publish("urn:n", "<n xmlns='urn:n'/>"))
    romeo.answer("1")
    romeo.forget()
    changes = "".join(f"<affiliation jid='{jid}' affiliation='member'/>" for jid in people())
    content = f"<affiliations node='urn:n'>{changes}</affiliations>"
    return iq("set", content, namespace=PUBSUB_OWNER, id="dear")


@pytest.mark.parametrize(
    "dear",
    [block, unblock, preferences, affiliations, room_form, node_affiliations],
    ids=lambda dear: dear.__name__,
)
def test_a_ping_is_answered_before_a_list_of_another_is_through(cast, dear):
    romeo, juliet = cast("romeo", "juliet")
    stanza = dear(romeo)
    romeo.sends(stanza)
    juliet.sends(PING)
    juliet.receives(PONG)
    assert romeo.wire.recv(0) is None
    assert romeo.answer("dear").get("type") == "error"


# -- much for little ---------------------------------------------------------------------------


def test_a_client_gets_no_more_before_it_has_read(cast):
    romeo, juliet = cast("romeo", "juliet")
    note = f"<note xmlns='urn:note'>{'x' * 100_000}</note>"
    romeo.sends(f"<iq type='set' id='0'><query xmlns='jabber:iq:private'>{note}</query></iq>")
    romeo.answer("0")
    for number in range(1, 41):
        romeo.sends(
            f"<iq type='get' id='{number}'><query xmlns='jabber:iq:private'>"
            "<note xmlns='urn:note'/></query></iq>"
        )
    for _ in range(40):
        juliet.settle()
    assert romeo.wire.unwritten < 400_000
    for number in range(1, 41):
        assert romeo.answer(str(number)).get("type") == "result"


NODES = [f"urn:node:{number:02}" for number in range(40)]


@pytest.fixture
def rich(cast):
    """Juliet's client hears of forty nodes of Romeo's, with 2 MB in all."""
    romeo, juliet = cast("romeo", "juliet")
    cast.befriend(romeo, juliet)
    for node in NODES:
        romeo.sends(publish(node, f"<n xmlns='urn:n'>{'x' * 50_000}</n>"))
        romeo.answer("1")
    romeo.forget()
    return romeo, juliet


def nodes_of(stanzas):
    return [one[0][0].get("node") for one in stanzas if one.tag.endswith("message")]


def test_all_last_items_come_to_who_reads_them(rich):
    _, juliet = rich
    arrives(juliet, *NODES)
    came = []
    while len(came) < len(NODES):
        came += nodes_of([juliet.next()])
    assert sorted(came) == NODES
    juliet.receives_nothing()


def test_coming_and_going_asks_for_no_more_than_is_read(rich):
    romeo, juliet = rich
    listens(juliet, *NODES)
    juliet.sends("<presence type='unavailable'/>")
    juliet.forget()
    for _ in range(30):
        juliet.sends("<presence/>", "<presence type='unavailable'/>")
    juliet.sends("<presence/>")
    for _ in range(40):
        romeo.settle()
    assert juliet.wire.unwritten < 400_000
    came = []
    while NODES[0] not in came or sorted(set(came)) != NODES:
        came += nodes_of([juliet.next()])
    juliet.settle()
    assert len(came) < 3 * len(NODES)


def test_who_goes_away_gets_nothing_more(rich):
    romeo, juliet = rich
    listens(juliet, *NODES)
    juliet.sends("<presence type='unavailable'/>")
    juliet.forget()
    juliet.sends("<presence/>", "<presence type='unavailable'/>")
    romeo.settle()
    assert 0 < len(nodes_of(juliet.came())) < 10
    juliet.receives_nothing()
