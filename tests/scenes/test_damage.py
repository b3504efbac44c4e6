"""Rows that the disk has damaged: who reads them keeps their stream, and gets the others."""

import sqlite3

import pytest

from hausbote.storage import path_of
from support.archive import page
from support.federation import wait_until
from support.patterns import CLIENT
from support.rooms import Room

PUBSUB = "http://jabber.org/protocol/pubsub"
BODY, MESSAGE = f"{{{CLIENT}}}body", f"{{{CLIENT}}}message"
HALF = b"<message from='romeo@h'><body>dam&aged</message>"


def damage(world, statement, *values):
    """As if bits of the file had flipped: SQLite does not notice what is inside a row.

    What is to be damaged may be on its way to the disk still.
    """
    path = path_of(world.settings.database_url)

    def done():
        with sqlite3.connect(path, timeout=20) as connection:
            return connection.execute(statement, values).rowcount > 0

    wait_until(done)


def chat(body, to):
    return f"<message to='{to}' type='chat' id='{body}'><body>{body}</body></message>"


@pytest.mark.parametrize("has_checksums", [True, False])
def test_an_archive_is_read_without_a_damaged_message(world, cast, has_checksums):
    """Those that were kept long ago have no checksums."""
    romeo, _juliet = cast("romeo", "juliet")
    for body in ("first", "second", "third"):
        romeo.sends(chat(body, "juliet@h"))
    romeo.settle()
    assert page(romeo).bodies == ["first", "second", "third"]
    if not has_checksums:
        damage(world, "UPDATE archived_message SET checksum = NULL")
        assert page(romeo).bodies == ["first", "second", "third"]
    damage(
        world,
        "UPDATE archived_message SET stanza = ? WHERE instr(CAST(stanza AS TEXT), 'second')",
        HALF,
    )
    found = page(romeo)
    assert found.bodies == ["first", "third"]
    assert found.complete
    assert page(romeo).bodies == ["first", "third"]  # the stream is still there


@pytest.mark.parametrize("left", [HALF, b'["message",{"from":"a@b"},[["x","y","<y"]]]', b"\xff"])
def test_who_comes_back_gets_the_messages_that_are_not_damaged(world, cast, left):
    cast.account("juliet")
    romeo = cast("romeo")
    for body in ("first", "second", "third"):
        romeo.sends(chat(body, "juliet@h"))
    romeo.settle()
    world.store.settle()
    damage(world, "UPDATE offline SET stanza = ? WHERE instr(CAST(stanza AS TEXT), 'second')", left)
    juliet = cast.log_in("juliet")
    juliet.sends("<presence/>")
    bodies = [m.findtext(BODY) for m in juliet.came() if m.tag == MESSAGE]
    assert bodies == ["first", "third"]


def test_a_room_is_read_without_a_damaged_message(world, cast):
    romeo = cast("romeo")
    room = Room().make(romeo, "R")
    for body in ("first", "second", "third"):
        room.says(romeo, body)
    romeo.settle_with(room)
    romeo.forget()
    assert page(romeo, to=room.jid).bodies == ["first", "second", "third"]
    damage(
        world, "UPDATE room_message SET stanza = x'00' WHERE instr(CAST(stanza AS TEXT), 'second')"
    )
    assert page(romeo, to=room.jid).bodies == ["first", "third"]


def test_an_item_that_is_damaged_is_not_there(world, cast):
    romeo = cast("romeo")
    item = "<item id='one'><thing xmlns='urn:x'>one</thing></item>"
    publish = f"<pubsub xmlns='{PUBSUB}'><publish node='n'>{item}</publish></pubsub>"
    ask = f"<pubsub xmlns='{PUBSUB}'><items node='n'/></pubsub>"
    items = f"{{{PUBSUB}}}item"
    Room.ask(None, romeo, "set", publish, to=romeo.bare)
    assert len(list(Room.ask(None, romeo, "get", ask, to=romeo.bare).iter(items))) == 1
    damage(world, "UPDATE pubsub_item SET payload = '<thing' WHERE payload LIKE '%>one<%'")
    assert not list(Room.ask(None, romeo, "get", ask, to=romeo.bare).iter(items))
