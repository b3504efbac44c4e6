"""How far a conversation was read (XEP-0490), published by the server with a message."""

import pytest

from support.pep import PUBSUB, items, publish

MDS = "urn:xmpp:mds:displayed:0"
NOBODY = "<displayed xmlns='urn:xmpp:mds:displayed:0'/>"


def mark(id):
    return f"<displayed xmlns='{MDS}'><stanza-id xmlns='urn:xmpp:sid:0' by='romeo@h' id='{id}'/></displayed>"


def marker(to, id):
    return (
        f"<message to='{to}' type='chat'><displayed xmlns='urn:xmpp:chat-markers:0' id='m'/>"
        f"{mark(id)}</message>"
    )


def is_read(client, *pairs):
    client.sends(items(MDS))
    inside = "".join(f"<item id='{jid}'>{mark(id)}</item>" for jid, id in pairs)
    client.receives(
        f"<iq type='result'><pubsub xmlns='{PUBSUB}'><items node='{MDS}'>{inside}</items></pubsub></iq>"
    )


@pytest.fixture
def verona(cast):
    return cast("romeo", "juliet")


def test_accounts_say_that_it_is_possible(verona):
    romeo, _ = verona
    romeo.sends(
        "<iq type='get' id='1' to='romeo@h'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
    )
    answer = romeo.next()
    found = {one.get("var") for one in answer[0].findall("{*}feature")}
    assert "urn:xmpp:mds:server-assist:0" in found


def test_the_mark_is_published_and_does_not_reach_the_other(verona):
    romeo, juliet = verona
    romeo.sends(marker("juliet@h", "1"))
    received = juliet.receives(
        "<message><displayed xmlns='urn:xmpp:chat-markers:0' id='m'/></message>"
    )
    assert received.find(f"{{{MDS}}}displayed") is None
    is_read(romeo, ("juliet@h", "1"))
    romeo.sends(marker("juliet@h", "2"), marker("rooms.h", "3"))
    while romeo.next().get("from") != "rooms.h":  # which refuses it, when it comes to it
        pass
    romeo.forget()
    is_read(romeo, ("juliet@h", "2"), ("rooms.h", "3"))


def test_others_do_not_see_it(verona):
    romeo, juliet = verona
    romeo.sends(marker("juliet@h", "1"))
    romeo.settle()
    juliet.forget()
    juliet.sends(items(MDS, to="romeo@h"))
    assert juliet.next().get("type") == "error"


def test_nothing_is_published_where_others_could_read_it(verona):
    romeo, juliet = verona
    romeo.sends(publish(MDS, NOBODY, item="x", options={"access_model": "open"}))
    romeo.forget()
    romeo.sends(marker("juliet@h", "1"))
    juliet.receives("<message><displayed xmlns='urn:xmpp:chat-markers:0' id='m'/></message>")
    romeo.forget()
    juliet.sends(items(MDS, to="romeo@h"))
    answer = juliet.next()
    assert [one.get("id") for one in answer.iter(f"{{{PUBSUB}}}item")] == ["x"]
